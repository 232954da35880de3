"""Where lines of log go: a descriptor written by a thread of its own, or a stream.

A pipe that nobody reads must not stop the daemon: lines wait for it up to a bound, and what comes
beyond is left out and counted. It knows bytes, not records.
"""

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Final, Protocol

#: Lines that wait to be written; what comes beyond is left out and counted.
MAX_WAITING_BYTES: Final = 4 * 1024 * 1024
#: At the end, for what still waits.
_LAST_LINES_S: Final = 0.5


#: A line that says how many lines were left out.
LeftOut = Callable[[int], bytes]


class Writer(Protocol):
    """Takes whole lines."""

    def write(self, line: bytes, left_out: LeftOut) -> None:
        """Take a line; when some before it were left out, first what `left_out` says of them."""
        ...

    def flush(self) -> None:
        """Return when all is written, or after a while."""
        ...


class StreamWriter:
    """Writes to a text stream at once."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, line: bytes, left_out: LeftOut) -> None:
        """Write a line; nothing is ever left out."""
        del left_out
        self._stream.write(line.decode())

    def flush(self) -> None:
        """See Writer."""
        self._stream.flush()


class ThreadWriter:
    """Queues lines for a thread that writes them; a subclass says how."""

    def __init__(self, name: str) -> None:
        self._lines: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._left_out = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._write, name=name, daemon=True).start()

    def write(self, line: bytes, left_out: LeftOut) -> None:
        """Queue a line, or leave it out when too much waits."""
        with self._changed:
            if self._waiting_bytes + len(line) > MAX_WAITING_BYTES:
                self._left_out += 1
                return
            if self._left_out:
                line = left_out(self._left_out) + line
                self._left_out = 0
            self._lines.append(line)
            self._waiting_bytes += len(line)
            self._changed.notify_all()

    def flush(self) -> None:
        """Return when all is written, or nobody has read for a while."""
        with self._changed:
            self._changed.wait_for(lambda: not self._lines, _LAST_LINES_S)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines)
                line = self._lines[0]
            self.write_whole(line)
            with self._changed:
                self._waiting_bytes -= len(self._lines.popleft())
                self._changed.notify_all()

    def write_whole(self, line: bytes) -> None:
        """Write a line, however long it takes; raises nothing."""
        raise NotImplementedError


class DescriptorWriter(ThreadWriter):
    """Writes to a descriptor, such as stderr."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        super().__init__("log")

    def write_whole(self, line: bytes) -> None:
        """See ThreadWriter."""
        rest = memoryview(line)
        # Whoever has closed stderr does not want to know.
        with suppress(OSError):
            while rest:
                try:
                    rest = rest[os.write(self._fd, rest) :]
                except BlockingIOError:
                    # Whoever shares the descriptor has made it non-blocking.
                    select.select([], [self._fd], [])
