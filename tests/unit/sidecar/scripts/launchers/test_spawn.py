"""Plain spawn: what an attempt offers, and that its end is seen and clean."""

import errno
import os
import signal
from typing import Any

import pytest

from sidecar.scripts.launchers import Launcher
from sidecar.scripts.launchers.spawn import SpawnLauncher
from tests.unit.sidecar.scripts.launchers.conftest import GroupLauncher, Hand

LAUNCHERS: dict[str, type[SpawnLauncher]] = {"subreaper": SpawnLauncher, "group": GroupLauncher}


@pytest.fixture(params=list(LAUNCHERS))
def launcher(request: pytest.FixtureRequest) -> Launcher:
    return LAUNCHERS[request.param]()


@pytest.mark.parametrize(("source", "returncode"), [("", 0), ("raise SystemExit(5)", 5)])
async def test_exit_is_seen_and_its_code_is_told(hand: Hand, source: str, returncode: int) -> None:
    assert (await hand.run(source)).returncode == returncode


async def test_terminated_script_dies_of_sigterm(hand: Hand) -> None:
    attempt = await hand.start("import time; time.sleep(100)")
    attempt.terminate()
    assert (await hand.end(attempt)).returncode == -signal.SIGTERM


async def test_killed_script_dies_of_sigkill(hand: Hand) -> None:
    attempt = await hand.start("import time; time.sleep(100)")
    attempt.kill()
    assert (await hand.end(attempt)).returncode == -signal.SIGKILL


async def test_signals_after_the_end_reach_nobody(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = await hand.start("")
    await hand.end(attempt)
    sent: list[Any] = []
    monkeypatch.setattr(os, "killpg", lambda *call: sent.append(call))
    monkeypatch.setattr(os, "kill", lambda *call: sent.append(call))
    attempt.terminate()
    attempt.kill()
    assert sent == []


async def test_report_is_empty_unless_an_exception_ended_the_script(hand: Hand) -> None:
    for source, fields in (("", 1), ("1/0", 5)):
        assert len((await hand.run(source)).report.split(b"\0")) == fields


async def test_report_of_the_longest_texts_comes_whole(hand: Hand) -> None:
    # Nobody reads its stderr here.
    source = "import sys; sys.stderr = None; raise ValueError('\\ud800' * 10_000_000)"
    end = await hand.run(source)
    assert len(end.report) > 600_000
    assert len(end.report.split(b"\0")) == 5


@pytest.mark.parametrize("culprit", ["pipe", "memfd_create"])
async def test_few_descriptors_left_is_an_error_that_leaks_none(
    hand: Hand, monkeypatch: pytest.MonkeyPatch, culprit: str
) -> None:
    def none_left(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, culprit, none_left)
    with pytest.raises(OSError, match="Too many open files"):
        await hand.start("")


async def test_third_pipe_that_is_not_to_be_had_leaks_no_descriptor(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = os.pipe, []

    def pipe() -> tuple[int, int]:
        calls.append(1)
        if len(calls) == 3:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return original()

    monkeypatch.setattr(os, "pipe", pipe)
    with pytest.raises(OSError, match="Too many open files"):
        await hand.start("")


async def test_exit_status_is_known_even_if_our_parent_ignored_sigchld(hand: Hand) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        hand.launcher = type(hand.launcher)()
        assert (await hand.run("raise SystemExit(3)")).returncode == 3
    finally:
        signal.signal(signal.SIGCHLD, before)
