"""The stdio transport: a descriptor to read bytes from, one to write messages to.

Reading is a thread's work on every system: pipes cannot be watched on Windows (CPython issue
71019), files not on Linux, and making a terminal non-blocking would hit the parent, which shares
it. Writing goes straight to the descriptor where it is a pipe or socket of our own, else through a
thread. It knows bytes; what they mean, the dispatcher knows.
"""

import asyncio
import logging
import os
import select
import stat
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final

logger = logging.getLogger(__name__)

_CHUNK_BYTES: Final = 64 * 1024
#: Chunks read ahead of the loop: bounds memory when a client floods.
_CHUNKS_AHEAD: Final = 16
#: How often a reader that may not read on looks whether anybody is still there.
_HANG_UP_CHECK_S: Final = 0.2
#: Written in one turn of the loop, so that a fast reader of a large message delays nobody.
_TURN_BYTES: Final = 1024 * 1024
_STDERR: Final = 2


class StdinReader:
    """Reads a descriptor to its end. `on_hang_up` is called once, in the loop, when the other side
    has closed it, be it before all that was sent has been taken from `chunks`."""

    def __init__(self, fd: int, on_hang_up: Callable[[], None]) -> None:
        self._fd = fd
        self._on_hang_up = on_hang_up
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._room = threading.Semaphore(_CHUNKS_AHEAD)
        self._hung_up = False
        # A daemon thread: a read that never returns must not keep the process.
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    async def chunks(self) -> AsyncIterator[bytes]:
        """What is read, piece by piece, to the end; as long as nobody asks, reading pauses."""
        while chunk := await self._chunks.get():
            self._room.release()
            yield chunk

    def _read(self) -> None:
        # RuntimeError: the loop has been closed; the daemon is on its way out.
        with suppress(RuntimeError):
            while chunk := self._next_chunk():
                while not self._room.acquire(timeout=_HANG_UP_CHECK_S):
                    if _is_hung_up(self._fd):
                        self._loop.call_soon_threadsafe(self._hang_up)
                self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
            self._loop.call_soon_threadsafe(self._hang_up)
            self._loop.call_soon_threadsafe(self._chunks.put_nowait, b"")

    def _next_chunk(self) -> bytes:
        while True:
            try:
                return os.read(self._fd, _CHUNK_BYTES)
            except BlockingIOError:
                # Whoever shares the descriptor has made it non-blocking, as Node does to terminals.
                select.select([self._fd], [], [])
            except OSError as error:
                # EIO from a terminal that is gone, ECONNRESET from a socket: nobody is there.
                fields = {"error": error.strerror}
                logger.warning("stdin cannot be read", extra={"fields": fields})
                return b""

    def _hang_up(self) -> None:
        if not self._hung_up:
            self._hung_up = True
            self._on_hang_up()


def _is_hung_up(fd: int) -> bool:
    """Whether the other side of a pipe or socket is closed, even if not all has been read."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(fd, getattr(select, "POLLRDHUP", 0))
    return bool(poll.poll(0))


class StdoutWriter:
    """The outbox of the stdio peer: whole messages in order, never blocking the loop.

    `frame` makes a message what goes out. `on_broken` is called once, in the loop, when the
    descriptor takes nothing more (the peer closed it, the disk is full); what is sent after that
    is dropped.
    """

    def __init__(
        self,
        fd: int,
        frame: Callable[[bytes], bytes],
        on_broken: Callable[[OSError], None],
    ) -> None:
        self._fd = fd
        self._frame = frame
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        # Views, so that writing a large message in small pieces copies nothing.
        self._waiting: deque[memoryview] = deque()
        self._broken = False
        self._watching = False
        self._empty = asyncio.Event()
        self._empty.set()
        self.pending_bytes = 0
        self.sent_bytes = 0
        self._direct = _is_own_pipe(fd)
        if self._direct:
            os.set_blocking(fd, False)

    def send(self, message: bytes) -> None:
        """Queue one message, or write it at once when nothing waits."""
        if self._broken:
            return
        framed = self._frame(message)
        self._waiting.append(memoryview(framed))
        self.pending_bytes += len(framed)
        self._empty.clear()
        if not self._watching:
            self._write_some()

    async def flush(self) -> None:
        """Return when nothing waits any more."""
        await self._empty.wait()

    def close(self) -> None:
        """Let go of the descriptor, as blocking as it was: whoever shares it goes on with it."""
        self._broken = True
        self._discard()
        if self._direct:
            os.set_blocking(self._fd, True)

    def _write_some(self) -> None:
        if not self._direct:
            self._watching = True
            self._loop.run_in_executor(None, self._write_blocking, self._waiting[0])
            return
        turn_ends_bytes = self.sent_bytes + _TURN_BYTES
        try:
            while self._waiting and self.sent_bytes < turn_ends_bytes:
                self._taken(os.write(self._fd, self._waiting[0][:_TURN_BYTES]))
        except BlockingIOError:
            pass
        except OSError as error:
            self._break(error)
            return
        if not self._waiting:
            self._rest()
        elif not self._watching:
            self._watching = True
            self._loop.add_writer(self._fd, self._write_some)

    def _write_blocking(self, message: memoryview) -> None:
        """In a thread: write one message whole, then go on in the loop."""
        with suppress(RuntimeError):  # the loop has been closed
            try:
                rest = message
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
            except OSError as error:
                self._loop.call_soon_threadsafe(self._break, error)
            else:
                self._loop.call_soon_threadsafe(self._written_blocking, len(message))

    def _written_blocking(self, size_bytes: int) -> None:
        if self._broken:
            return
        self._taken(size_bytes)
        if self._waiting:
            self._write_some()
        else:
            self._rest()

    def _taken(self, size_bytes: int) -> None:
        self.sent_bytes += size_bytes
        self.pending_bytes -= size_bytes
        first = self._waiting.popleft()
        if size_bytes < len(first):
            self._waiting.appendleft(first[size_bytes:])

    def _rest(self) -> None:
        if self._watching and self._direct:
            self._loop.remove_writer(self._fd)
        self._watching = False
        self._empty.set()

    def _break(self, error: OSError) -> None:
        if self._broken:
            return
        self._broken = True
        self._discard()
        self._on_broken(error)

    def _discard(self) -> None:
        self._waiting.clear()
        self.pending_bytes = 0
        self._rest()


def _is_own_pipe(fd: int) -> bool:
    """Whether the loop can watch `fd`, and making it non-blocking is nobody else's business."""
    if os.name == "nt":
        return False
    status = os.fstat(fd)
    if not (stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode)):
        return False
    # With `2>&1` our own log is written to the same pipe, and must not find it full.
    with suppress(OSError):
        return not os.path.samestat(status, os.fstat(_STDERR))
    return True
