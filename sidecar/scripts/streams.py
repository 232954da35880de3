"""The three pipes of a running script: fed and drained without ever blocking the event loop.

A script need not read its stdin, may close any stream, and may leave a pipe to a process that
outlives it. So nothing here waits for the end of a pipe: once the script is dead, `finish` takes
what the pipe still holds, and closes. Where the loop cannot watch pipes (Windows) a thread does.
What the bytes mean is not known here.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

CHUNK_BYTES: Final = 64 * 1024
#: What a pipe can hold at most (pipe(7), /proc/sys/fs/pipe-max-size): all that can be left in it
#: by a dead script; whatever comes beyond is written by somebody who is still alive.
PIPE_BYTES: Final = 1024 * 1024
#: A reading thread may be stuck in a pipe that somebody else holds; its last bytes come at once.
_THREAD_END_SECONDS: Final = 0.2
_THREADED: Final = os.name == "nt"


class Drain:
    """Reads a pipe as it fills and hands every piece on, at most 64 KiB, in the loop."""

    def __init__(
        self, fd: int, on_data: Callable[[bytes], None], *, threaded: bool = _THREADED
    ) -> None:
        """Take over `fd`, which must be non-blocking unless `threaded`."""
        self._fd = fd
        self._on_data = on_data
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._threaded = threaded
        if threaded:
            # What is read and not yet handed on is bounded, however busy the loop is.
            self._slots = threading.Semaphore(4)
            threading.Thread(target=self._read_blocking, name=f"drain-{fd}", daemon=True).start()
        else:
            self._loop.add_reader(fd, self._read)

    async def finish(self) -> None:
        """Take what is in the pipe now and let go of it, whoever else holds the other end."""
        await self._take_the_rest()
        # Whoever is told of the data most likely holds this drain: a circle, which would keep the
        # output until the collector comes, and that counts objects, not their bytes.
        self._on_data = _to_nobody

    async def _take_the_rest(self) -> None:
        if self._threaded:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _THREAD_END_SECONDS)
            self._ended.set()
            self._slots.release()
            return
        taken = 0
        while taken < PIPE_BYTES and (size := self._read()):
            taken += size
        self._close()

    def _read(self) -> int:
        if self._fd < 0:
            return 0
        try:
            data = os.read(self._fd, CHUNK_BYTES)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        if data:
            self._on_data(data)
        else:
            self._close()
        return len(data)

    def _close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _read_blocking(self) -> None:
        """In a thread, which owns the descriptor."""
        with suppress(OSError, RuntimeError):  # RuntimeError: the loop is closed
            while not self._ended.is_set():
                data = os.read(self._fd, CHUNK_BYTES)
                self._slots.acquire()
                self._loop.call_soon_threadsafe(self._hand_on, data)
                if not data:
                    break
        os.close(self._fd)

    def _hand_on(self, data: bytes) -> None:
        self._slots.release()
        if not data:
            self._ended.set()
        elif not self._ended.is_set():
            self._on_data(data)


def _to_nobody(data: bytes) -> None:
    """Takes what comes after the end."""


class Feed:
    """Writes all of its data into a pipe as fast as the other side reads, then closes it."""

    def __init__(self, fd: int, data: bytes, *, threaded: bool = _THREADED) -> None:
        """Take over `fd`, which must be non-blocking unless `threaded`."""
        self._fd = fd
        self._rest = memoryview(data)
        self._threaded = threaded
        self._loop = asyncio.get_running_loop()
        self._watching = False
        if threaded:
            threading.Thread(target=self._write_blocking, name=f"feed-{fd}", daemon=True).start()
        else:
            self._write()

    def close(self) -> None:
        """Give up on what has not been read. A thread ends by itself, with its reader's death."""
        if self._fd >= 0 and not self._threaded:
            if self._watching:
                self._loop.remove_writer(self._fd)
            os.close(self._fd)
            self._fd = -1
            # An empty view of the data would keep all of it.
            self._rest = memoryview(b"")

    def _write(self) -> None:
        try:
            while self._rest:
                self._rest = self._rest[os.write(self._fd, self._rest) :]
        except BlockingIOError:
            if not self._watching:
                self._watching = True
                self._loop.add_writer(self._fd, self._write)
            return
        except OSError:  # EPIPE: a script need not read its input
            pass
        self.close()

    def _write_blocking(self) -> None:
        with suppress(OSError):
            while self._rest:
                self._rest = self._rest[os.write(self._fd, self._rest[:CHUNK_BYTES]) :]
        os.close(self._fd)
