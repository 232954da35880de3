"""The spares of a zygote: supervisors that have a process ready for a script, each for one script
after another; see `child/spare.py`.

It knows when one is wanted and when it is no longer, but neither what a script is nor why one can
be given to a spare.
"""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from sidecar.scripts.launchers.pipes import Pipes
from sidecar.scripts.launchers.supervised import SupervisedAttempt

#: One that nobody has needed for so long goes.
_IDLE_SECONDS: Final = 60.0
#: One for each core, and one to get ready meanwhile; whatever runs beyond is forked when it comes.
_MOST: Final = max(2, os.cpu_count() or 2) + 1
_CHUNK_BYTES: Final = 4096


class Spare:
    """One of them, from our side; implements `Supervisor` for the attempt that it has."""

    def __init__(self, kind: bytes, on_change: "Callable[[Spare, bool], None]") -> None:
        """`kind` is the common part of the policies that it is for. `on_change` is told when it
        is free again, or (false) gone for good.

        Raises OSError when there are no descriptors left.
        """
        self.kind = kind
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._control, self._their_control = socket.socketpair()
        try:
            self._requests, self._their_requests = socket.socketpair(
                socket.AF_UNIX, socket.SOCK_SEQPACKET
            )
        except OSError:
            self._control.close()
            self._their_control.close()
            raise
        self._control.setblocking(False)
        self._requests.setblocking(False)
        #: What it has said and no attempt has heard.
        self._heard = b""
        self._idle_timer: asyncio.TimerHandle | None = None
        self._wait()

    def born(self, ask: Callable[[Sequence[int]], None]) -> None:
        """Have it forked: `ask` sends the zygote its ends of the sockets, and may raise."""
        try:
            ask((self._their_control.fileno(), self._their_requests.fileno()))
        finally:
            self._their_control.close()
            self._their_requests.close()

    def give(self, attempt: bytes, descriptors: Sequence[int], pipes: Pipes) -> SupervisedAttempt:
        """Have it run an attempt; the descriptors stay the caller's.

        Raises OSError when it is gone, or the message is too long.
        """
        if not self._is_there():
            raise BrokenPipeError(errno.EPIPE, "its process has ended")
        socket.send_fds(self._requests, [attempt], descriptors)
        self._stop_waiting()
        heard, self._heard = self._heard, b""
        return SupervisedAttempt(pipes, self._control, self, heard)

    def close(self) -> None:
        """Let go of it while it is free: it ends."""
        self._stop_waiting()
        self._control.close()
        self._requests.close()

    # --- for its attempt ---------------------------------------------------------------------

    def has_begun(self, pid: int) -> bool:
        """See `Supervisor.has_begun`: whether its process has taken the attempt."""
        try:
            return bool(self._requests.recv(_CHUNK_BYTES))
        except OSError:
            return False

    def take_back(self, control: socket.socket, rest: bytes, *, reusable: bool) -> None:
        """See `Supervisor.take_back`."""
        if reusable:
            self._heard = rest
            self._wait()
        else:
            control.close()
            self._requests.close()
        self._on_change(self, reusable)

    def kill_supervisor(self, pid: int) -> None:
        """See `Supervisor.kill_supervisor`."""
        with suppress(OSError):
            if pid:
                os.kill(pid, signal.SIGKILL)
            else:  # it has not come to its first word: as if it had gone without one
                self._control.shutdown(socket.SHUT_RDWR)

    def kill_starting(self) -> None:
        """Nothing: it has started long ago."""

    async def collect(self) -> None:
        """Nothing: it lives on."""

    # --- while it is free --------------------------------------------------------------------

    def _wait(self) -> None:
        self._loop.add_reader(self._control.fileno(), self._hear)
        self._idle_timer = self._loop.call_later(_IDLE_SECONDS, self._leave)

    def _stop_waiting(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
            self._loop.remove_reader(self._control.fileno())

    def _hear(self) -> None:
        if not self._is_there():
            self._leave()

    def _is_there(self) -> bool:
        """Whether it still waits, by what it has said."""
        try:
            said = self._control.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._heard += said
        # Nobody has given it anything that could have ended, or failed.
        return bool(said) and b"ended" not in self._heard and b"failed" not in self._heard

    def _leave(self) -> None:
        self.close()
        self._on_change(self, False)


class Spares:
    """All of one zygote."""

    def __init__(self, fork: Callable[[bytes, Sequence[str], Sequence[int]], None]) -> None:
        """`fork` asks the zygote for one, of this kind, likely to get these variables, with these
        descriptors; may raise OSError."""
        self._fork = fork
        #: The one that has been free for longest comes first: it is the one most likely ready.
        self._free: list[Spare] = []
        self._count = 0
        self._closed = False

    def take(self, kind: bytes) -> Spare | None:
        """One of a kind that is free now, no longer among the free ones; or None."""
        for spare in self._free:
            if spare.kind == kind:
                self._free.remove(spare)
                return spare
        return None

    def replenish(self, kind: bytes, variables: Sequence[str]) -> None:
        """See to it that the next one who asks for this kind may find one.

        `variables` are the names of an environment like that of its scripts.
        """
        if self._closed or any(spare.kind == kind for spare in self._free):
            return
        if self._count >= _MOST:
            if not self._free:
                return
            self.drop(self._free.pop(0))
        with suppress(OSError):  # whoever needs one is served in another way
            self._free.append(self._forked(kind, variables))
            self._count += 1

    def _forked(self, kind: bytes, variables: Sequence[str]) -> Spare:
        spare = Spare(kind, self._changed)
        try:
            spare.born(lambda descriptors: self._fork(kind, variables, descriptors))
        except OSError:
            spare.close()
            raise
        return spare

    def drop(self, spare: Spare) -> None:
        """Let go of one that is not among the free ones."""
        spare.close()
        self._count -= 1

    def close(self) -> None:
        """Let go of all; those that have an attempt end with it."""
        self._closed = True
        while self._free:
            self.drop(self._free.pop())

    def _changed(self, spare: Spare, free: bool) -> None:
        if spare in self._free:
            self._free.remove(spare)
        if free and self._closed:
            self.drop(spare)
        elif free:
            self._free.append(spare)
        else:
            self._count -= 1
