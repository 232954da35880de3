"""Signals while a run goes on: ended in order, then at once."""

import asyncio
import os
import signal
from types import FrameType

import pytest

from sidecar import signals
from sidecar.cli import interruption
from sidecar.cli.interruption import Interruption


class Recorder:
    """Everything an interruption asks for, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.changed = asyncio.Event()

    def note(self, what: str) -> None:
        self.asked.append(what)
        self.changed.set()

    async def wait_for(self, *asked: str) -> None:
        async with asyncio.timeout(10):
            while self.asked != list(asked):
                await self.changed.wait()
                self.changed.clear()

    def interruption(self) -> Interruption:
        loop = asyncio.get_running_loop()
        return Interruption(
            lambda: self.note("cancel"),
            lambda: self.note("kill"),
            lambda status: loop.call_soon_threadsafe(self.note, f"end {status}"),
        )


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_the_first_signal_cancels_and_gives_the_exit_status(
    number: signal.Signals, status: int
) -> None:
    recorder = Recorder()
    with recorder.interruption() as interrupted:
        os.kill(os.getpid(), number)
        await recorder.wait_for("cancel")
    assert (interrupted.number, interrupted.status) == (number, status)


async def test_the_second_signal_kills_and_the_third_ends_at_once() -> None:
    recorder = Recorder()
    with recorder.interruption():
        os.kill(os.getpid(), signal.SIGINT)
        await recorder.wait_for("cancel")
        os.kill(os.getpid(), signal.SIGTERM)
        await recorder.wait_for("cancel", "kill")
        os.kill(os.getpid(), signal.SIGTERM)
        await recorder.wait_for("cancel", "kill", "end 130")


async def test_after_the_second_signal_the_process_ends_even_if_the_run_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interruption, "_LAST_S", 0.01)
    recorder = Recorder()
    with recorder.interruption():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        await recorder.wait_for("cancel", "kill", "end 143")


async def test_a_signal_that_a_terminal_sends_to_others_stays_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signals, "_has_terminal", lambda: True)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Recorder().interruption():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_the_handlers_of_before_come_back() -> None:
    def handler(number: int, frame: FrameType | None) -> None: ...

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with Recorder().interruption() as interrupted:
            assert signal.getsignal(signal.SIGTERM) is not handler
        assert signal.getsignal(signal.SIGTERM) is handler
        assert interrupted.number is None
    finally:
        signal.signal(signal.SIGTERM, before)
