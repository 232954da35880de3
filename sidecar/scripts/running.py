"""One attempt from its start to its death: feeding, draining, stopping.

A small state machine of callbacks; nothing in it waits for a pipe. It knows limits, not what the
script was meant to print.
"""

import asyncio
from dataclasses import dataclass
from typing import Literal, TypeVar

from protocol.limits import KILL_GRACE_MS, MAX_STDOUT_BYTES
from sidecar.scripts.launchers import Attempt, End
from sidecar.scripts.stderr import Stderr
from sidecar.scripts.streams import Drain, Feed

Stopped = Literal["timeout", "output", "cancelled"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ended:
    """What an attempt left behind."""

    returncode: int
    stdout: bytes
    report: bytes
    stopped: Stopped | None
    """Why it was stopped before its own end, if it was; the first reason counts."""


class Running:
    """Watches over one attempt."""

    def __init__(self, attempt: Attempt, stdin: bytes, timeout_ms: int, stderr: Stderr) -> None:
        """Takes over the attempt's descriptors; the clock of the timeout starts here."""
        loop = asyncio.get_running_loop()
        self._attempt = attempt
        self._stderr = stderr
        self._stdout = bytearray()
        self._stopped: Stopped | None = None
        self._cancelled = False
        self._timers = [loop.call_later(timeout_ms / 1000, self._stop, "timeout")]
        self._drains = [
            Drain(attempt.stdout, self._on_stdout),
            Drain(attempt.stderr, stderr.feed),
        ]
        self._feed = Feed(attempt.stdin, stdin)

    async def end(self) -> Ended:
        """Wait until the script and all that it started are dead.

        When the awaiting task is cancelled, stops the script first, and raises CancelledError
        after its death. Raises OSError when the script could not be started after all.
        """
        await self._undisturbed(self._attempt.exited)
        end = await self._undisturbed(asyncio.ensure_future(self._clean_up()))
        if self._cancelled:
            raise asyncio.CancelledError
        return Ended(end.returncode, bytes(self._stdout), end.report, self._stopped)

    def kill(self) -> None:
        """No grace: SIGKILL now. `end` still has to be awaited, by whoever has the time."""
        self._attempt.kill()

    async def _clean_up(self) -> End:
        try:
            return await self._attempt.reap()
        finally:
            for timer in self._timers:
                timer.cancel()
            for drain in self._drains:
                await drain.finish()
            self._feed.close()
            self._stderr.finish()

    async def _undisturbed(self, future: "asyncio.Future[T]") -> T:
        """The result of `future`, whose end no cancellation can prevent."""
        while not future.done():
            try:
                await asyncio.wait((future,))
            except asyncio.CancelledError:
                self._cancelled = True
                self._stop("cancelled")
        return future.result()

    def _stop(self, why: Stopped) -> None:
        if self._stopped is None:
            self._stopped = why
            self._attempt.terminate()
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(KILL_GRACE_MS / 1000, self._attempt.kill))

    def _on_stdout(self, data: bytes) -> None:
        if len(self._stdout) + len(data) > MAX_STDOUT_BYTES:
            self._stop("output")
        if self._stopped is None:
            self._stdout += data
