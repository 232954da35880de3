"""A script and its process group: the way where the kernel has no subreaper."""

import asyncio
import errno
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from sidecar.scripts.launchers import Launcher, grouped
from sidecar.scripts.launchers.grouped import GroupedAttempt, descendants, processes
from tests.unit.sidecar.scripts.conftest import is_alive, until
from tests.unit.sidecar.scripts.launchers.conftest import GroupLauncher, Hand


@pytest.fixture
def launcher() -> Launcher:
    return GroupLauncher()


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
async def test_exit_is_seen_and_its_code_is_told(hand: Hand, source: str, returncode: int) -> None:
    assert (await hand.run(source)).returncode == returncode


@pytest.mark.usefixtures("watching")
@pytest.mark.parametrize("way", ["terminate", "kill"])
async def test_stopped_script_dies_of_its_signal(hand: Hand, way: str) -> None:
    attempt = await hand.start("import time; time.sleep(100)")
    getattr(attempt, way)()
    number = signal.SIGTERM if way == "terminate" else signal.SIGKILL
    assert (await hand.end(attempt)).returncode == -number


async def test_ended_process_is_not_reaped_before_it_is_asked_for(hand: Hand) -> None:
    attempt = await hand.start("")
    assert isinstance(attempt, GroupedAttempt)
    await attempt.exited
    assert Path(f"/proc/{attempt.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    assert (await hand.end(attempt)).returncode == 0
    assert not Path(f"/proc/{attempt.pid}").exists()


async def test_group_dies_with_the_script(hand: Hand) -> None:
    await hand.run(
        "import subprocess\np = subprocess.Popen(['sleep', '100'])\n"
        "open('pids', 'w').write(str(p.pid))"
    )
    assert not is_alive(int(hand.written("pids")))


async def test_those_that_left_the_group_are_swept_up_when_it_is_stopped(hand: Hand) -> None:
    attempt = await hand.start(
        "import subprocess, time\n"
        "p = subprocess.Popen(['sleep', '100'], start_new_session=True)\n"
        "open('new', 'w').write(str(p.pid))\nimport os; os.rename('new', 'pids')\ntime.sleep(100)"
    )
    await until(lambda: Path(hand.project.path, "pids").exists())
    attempt.kill()
    await hand.end(attempt)
    await until(lambda: not is_alive(int(hand.written("pids"))))


async def test_watcher_kills_the_group_when_the_daemon_is_gone(hand: Hand) -> None:
    attempt = await hand.start("import time; open('pids', 'w').close(); time.sleep(100)")
    assert isinstance(attempt, GroupedAttempt)
    await until(lambda: Path(hand.project.path, "pids").exists())
    attempt._control.close()
    assert (await hand.end(attempt)).returncode == -signal.SIGKILL


async def test_script_has_no_child_that_it_did_not_start(hand: Hand) -> None:
    end = await hand.run("import os\ntry: os.wait()\nexcept ChildProcessError: os._exit(7)")
    assert end.returncode == 7


async def test_process_that_cannot_be_watched_is_not_left_running(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
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
        await hand.start("import time; time.sleep(100)")
    assert not any(map(is_alive, started))


async def test_kernel_without_pidfd_is_watched_by_a_thread(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_: int) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(os, "pidfd_open", unknown)
    assert (await hand.run("")).returncode == 0


async def test_group_that_will_not_go_is_waited_for_only_so_long(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouped, "_GROUP_END_SECONDS", 0.05)
    monkeypatch.setattr(GroupedAttempt, "_lives", lambda _: True)
    assert (await asyncio.wait_for(hand.run(""), 10)).returncode == 0


async def test_descriptor_that_the_script_has_put_to_other_use_gets_no_report(hand: Hand) -> None:
    end = await hand.run(
        "import os\nos.closerange(3, 1024)\nmine = [open(f'mine{n}', 'w') for n in range(200)]\n1/0"
    )
    assert end.report == b""
    assert {file.stat().st_size for file in hand.project.path.glob("mine*")} == {0}


def test_processes_tells_parents_and_groups() -> None:
    rows = {pid: (parent, group) for pid, parent, group, _ in processes()}
    assert rows[os.getpid()] == (os.getppid(), os.getpgid(0))


def test_machine_without_ps_has_no_processes_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", missing)
    assert processes() == []


def test_descendants_are_found_by_their_parents() -> None:
    rows = [(2, 1, 2, "S"), (3, 2, 2, "S"), (4, 3, 4, "S"), (5, 9, 5, "S"), (9, 1, 9, "S")]
    assert descendants(2, rows) == {3: 2, 4: 4}
