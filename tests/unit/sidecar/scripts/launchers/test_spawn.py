"""Plain spawn: what an attempt offers, and that its end is seen and clean."""

import asyncio
import errno
import os
import signal
import subprocess
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.launchers import Attempt, Start
from sidecar.scripts.launchers import spawn as module
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.paths import ProjectRoot
from tests.unit.sidecar.scripts.conftest import PYTHON, is_alive, left_open, until


class Spawning:
    def __init__(self, project: ProjectRoot) -> None:
        self.project = project
        self.launcher = SpawnLauncher()
        self.pythons = Interpreters(PYTHON, project.path)

    async def start(self, source: str) -> Attempt:
        (self.project.path / "script.py").write_text(source)
        python = await self.pythons.get()
        with self.project.open_file("script.py") as script:
            return await self.launcher.start(
                Start(script, python, dict(os.environ), self.project.path)
            )

    async def end(self, attempt: Attempt) -> int:
        await attempt.exited
        returncode = await attempt.reap()
        for fd in (attempt.stdin, attempt.stdout, attempt.stderr, attempt.report):
            os.close(fd)
        return returncode


@pytest.fixture
async def spawning(project: ProjectRoot) -> AsyncIterator[Spawning]:
    spawning = Spawning(project)
    await spawning.end(await spawning.start(""))
    await until(lambda: not [t for t in left_open()["threads"] if t.startswith("wait-")])
    before = left_open()
    yield spawning
    await until(lambda: left_open() == before, lambda: f"{before} became {left_open()}")


@pytest.fixture(params=["pidfd", "thread", "no waitid"])
def watching(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way to learn of a process's end."""
    if request.param != "pidfd":
        monkeypatch.delattr(os, "pidfd_open")
    if request.param == "no waitid":
        monkeypatch.delattr(os, "waitid")
    return str(request.param)


@pytest.mark.usefixtures("watching")
@pytest.mark.parametrize(("source", "returncode"), [("", 0), ("raise SystemExit(5)", 5)])
async def test_exit_is_seen_and_its_code_is_told(
    spawning: Spawning, source: str, returncode: int
) -> None:
    assert await spawning.end(await spawning.start(source)) == returncode


async def test_ended_process_is_not_reaped_before_it_is_asked_for(spawning: Spawning) -> None:
    attempt = await spawning.start("")
    await attempt.exited
    assert Path(f"/proc/{attempt.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    assert await spawning.end(attempt) == 0
    assert not Path(f"/proc/{attempt.pid}").exists()


@pytest.mark.usefixtures("watching")
async def test_terminated_script_dies_of_sigterm(spawning: Spawning) -> None:
    attempt = await spawning.start("import time; time.sleep(100)")
    attempt.terminate()
    assert await spawning.end(attempt) == -signal.SIGTERM


@pytest.mark.usefixtures("watching")
async def test_killed_script_dies_of_sigkill(spawning: Spawning) -> None:
    attempt = await spawning.start("import time; time.sleep(100)")
    attempt.kill()
    assert await spawning.end(attempt) == -signal.SIGKILL


async def test_signals_after_the_end_reach_nobody(
    spawning: Spawning, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = await spawning.start("")
    await spawning.end(attempt)
    sent: list[Any] = []
    monkeypatch.setattr(os, "killpg", lambda *call: sent.append(call))
    attempt.terminate()
    attempt.kill()
    assert sent == []


async def test_report_is_empty_unless_an_exception_ended_the_script(spawning: Spawning) -> None:
    for source, fields in (("", 1), ("1/0", 5)):
        attempt = await spawning.start(source)
        await attempt.exited
        os.lseek(attempt.report, 0, os.SEEK_SET)
        assert len(os.read(attempt.report, 10_000).split(b"\0")) == fields
        await spawning.end(attempt)


async def test_report_needs_no_memfd(spawning: Spawning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    attempt = await spawning.start("1/0")
    await attempt.exited
    os.lseek(attempt.report, 0, os.SEEK_SET)
    assert os.read(attempt.report, 100).startswith(b"ZeroDivisionError\0ArithmeticError,Exc")
    await spawning.end(attempt)


@pytest.mark.parametrize("culprit", ["pipe", "memfd_create"])
async def test_few_descriptors_left_is_an_error_that_leaks_none(
    spawning: Spawning, monkeypatch: pytest.MonkeyPatch, culprit: str
) -> None:
    def none_left(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, culprit, none_left)
    with pytest.raises(OSError, match="Too many open files"):
        await spawning.start("")


async def test_process_that_cannot_be_watched_is_not_left_running(
    spawning: Spawning, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    original = subprocess.Popen.__init__

    def remember(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        started.append(self.pid)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(subprocess.Popen, "__init__", remember)
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(RuntimeError):
        await spawning.start("import time; time.sleep(100)")
    assert not any(map(is_alive, started))


async def test_kernel_without_pidfd_is_watched_by_a_thread(
    spawning: Spawning, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_: int) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(os, "pidfd_open", unknown)
    assert await spawning.end(await spawning.start("")) == 0


async def test_exit_status_is_known_even_if_our_parent_ignored_sigchld(
    spawning: Spawning,
) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        spawning.launcher = SpawnLauncher()
        assert await spawning.end(await spawning.start("raise SystemExit(3)")) == 3
    finally:
        signal.signal(signal.SIGCHLD, before)


async def test_group_that_will_not_go_is_waited_for_only_so_long(
    spawning: Spawning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GROUP_END_SECONDS", 0.05)
    monkeypatch.setattr(module, "_lives", lambda _: True)
    assert await asyncio.wait_for(spawning.end(await spawning.start("")), 10) == 0


async def test_group_counts_as_alive_where_there_is_no_proc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(_: str) -> Any:
        raise FileNotFoundError

    monkeypatch.setattr(os, "scandir", missing)
    assert module._lives(os.getpgid(0))
    assert not module._lives(2**22 - 1)
