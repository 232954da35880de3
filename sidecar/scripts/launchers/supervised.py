"""An attempt on Linux, as its supervisor tells of it over a socket; see `child/supervisor.py`.

It does not know who started the supervisor. One that is gone without a word was killed, by the
script if by anybody: the kernel has killed the script's own process with it.
"""

import asyncio
import logging
import os
import signal
import socket
from contextlib import suppress
from typing import Final, Protocol

from sidecar.scripts.launchers import End, NeverStarted
from sidecar.scripts.launchers.pipes import Pipes

logger = logging.getLogger(__name__)

#: A supervisor answers a kill within milliseconds, whatever the script does. One that does not has
#: been stopped (SIGSTOP), and is sent on.
KILL_ANSWER_SECONDS: Final = 1.0
#: By then it would have said at least that something cannot be killed; so it is killed. Before, it
#: may yet reach what nobody could reach after it.
LAST_RESORT_SECONDS: Final = 8.0
_CHUNK_BYTES: Final = 64 * 1024
_TERMINATE: Final = b"T"
_KILL: Final = b"K"


class Supervisor(Protocol):
    """The process that watches over the script, to whoever started it."""

    def kill_supervisor(self, pid: int) -> None:
        """SIGKILL; `pid` is 0 if it has not said its number yet."""
        ...

    def kill_starting(self) -> None:
        """SIGKILL for an interpreter that is still starting, or hangs there."""
        ...

    def has_begun(self, pid: int) -> bool:
        """Whether the script may have run; `pid` as above. Asked once, at the end."""
        ...

    def take_back(self, control: socket.socket, rest: bytes, *, reusable: bool) -> None:
        """The attempt is over, the socket its supervisor's again; `rest` is what came after the
        script's end was told. Unless `reusable`, it may yet hear what was said to that script."""
        ...

    async def collect(self) -> None:
        """Wait for its death, if it is near."""
        ...


class SupervisedAttempt:
    """One script beneath its supervisor; implements `Attempt`."""

    def __init__(
        self, pipes: Pipes, control: socket.socket, supervisor: Supervisor, heard: bytes = b""
    ) -> None:
        """Takes over our ends of `pipes`. `control`, whose other end is the supervisor's, is lent
        until `take_back`; `heard` is what has come over it already."""
        self.stdin, self.stdout, self.stderr = pipes.stdin, pipes.stdout, pipes.stderr
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = self._loop.create_future()
        self._control = control
        self._supervisor = supervisor
        self._heard = bytearray()
        #: The script's process, which leads a session and a group; 0 until it is started.
        self.pid = 0
        self._supervisor_pid = 0
        self._end: End | OSError | None = None
        #: Whether something of the script could not be killed.
        self._left = False
        #: Nothing was said to the supervisor.
        self._undisturbed = True
        self._last_resort: asyncio.TimerHandle | None = None
        control.setblocking(False)
        self._loop.add_reader(control.fileno(), self._hear)
        pipes.keep()
        self._take_in(heard)

    def terminate(self) -> None:
        """SIGTERM to all of them, and SIGCONT, so that a stopped script can act on it."""
        self._say(_TERMINATE)

    def kill(self) -> None:
        """SIGKILL to all of them, however they try to get away."""
        if self._last_resort is None and not self.exited.done():
            self._say(_KILL)
            if not self._supervisor_pid:
                self._supervisor.kill_starting()
            self._last_resort = self._loop.call_later(KILL_ANSWER_SECONDS, self._continue)

    async def reap(self) -> End:
        """The end, once the supervisor is gone as well; see `Attempt.reap`."""
        await self._supervisor.collect()
        if isinstance(self._end, OSError):
            raise self._end
        if self._end is None:
            raise RuntimeError("reaped before its end")
        return self._end

    def _say(self, word: bytes) -> None:
        if not self.exited.done():
            self._undisturbed = False
            with suppress(OSError):  # gone: EPIPE
                self._control.send(word)

    def _continue(self) -> None:
        if self._supervisor_pid:
            with suppress(OSError):
                os.kill(self._supervisor_pid, signal.SIGCONT)
        self._last_resort = self._loop.call_later(LAST_RESORT_SECONDS, self._kill_supervisor)

    def _kill_supervisor(self) -> None:
        if not self.exited.done():
            self._supervisor.kill_supervisor(self._supervisor_pid)

    def _hear(self) -> None:
        try:
            data = self._control.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._take_in(data)
        if (self._end is not None or not data) and not self.exited.done():
            self._finish()

    def _finish(self) -> None:
        """Its end was told, or the supervisor is gone."""
        self._loop.remove_reader(self._control.fileno())
        if self._last_resort is not None:
            self._last_resort.cancel()
        reusable = self._undisturbed and isinstance(self._end, End) and not self._left
        if not self._supervisor.has_begun(self._supervisor_pid) and self._undisturbed:
            if not isinstance(self._end, OSError):
                self._end = NeverStarted(0, "it was killed before it could be started")
            reusable = False
        elif self._end is None:
            self._end = self._without_a_word()
        self._supervisor.take_back(self._control, bytes(self._heard), reusable=reusable)
        self.exited.set_result(None)

    def _take_in(self, data: bytes) -> None:
        self._heard += data
        while self._understand():
            pass

    def _without_a_word(self) -> End:
        """The end when the supervisor is gone and has not told it."""
        # The kernel has taken the script along, and here go those that stayed with it.
        if self.pid:
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
        logger.warning("a script's supervisor was killed")
        return End(-signal.SIGKILL, b"")

    def _understand(self) -> bool:
        """Take one message off what was heard; false when there is no whole one."""
        line, end_of_line, rest = self._heard.partition(b"\n")
        if not end_of_line or self._end is not None:
            return False
        word, *numbers = line.split()
        if word == b"supervisor":
            self._supervisor_pid = int(numbers[0])
        elif word == b"started":
            self.pid = int(numbers[0])
        elif word == b"failed":
            number = int(numbers[0])
            self._end = OSError(number, os.strerror(number))
        else:
            status, left, length = map(int, numbers)
            if len(rest) < length:
                return False
            self._end = End(os.waitstatus_to_exitcode(status), bytes(rest[:length]))
            rest = rest[length:]
            self._left = bool(left)
            if left:
                logger.warning("a process of a script cannot be killed")
        self._heard = rest
        return True
