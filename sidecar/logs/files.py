"""A log file that never outgrows its cap: FILE, and FILE.1 to FILE.3, which are older.

Not the standard library's RotatingFileHandler: on a full disk that leaves half a line and prints a
traceback where lines of JSON are expected. Here a line is in the file whole or not at all, failure
is told once, and writing goes on when there is room. It knows lines, not what they say.
"""

import errno
import logging
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from protocol.limits import MAX_LOG_BYTES
from sidecar.logs.writers import ThreadWriter

logger = logging.getLogger(__name__)

#: Older files beside the one that is written.
KEPT: Final = 3
#: Only for the user: what a failed step was about stands in it.
_MODE: Final = 0o600
#: O_NONBLOCK: opening a FIFO must not wait for its reader.
_FLAGS: Final = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


class FileWriter(ThreadWriter):
    """Appends lines to a file; each daemon needs one of its own."""

    def __init__(self, file: Path, max_bytes: int = MAX_LOG_BYTES) -> None:
        """`max_bytes` is for the file and the older ones together. Raises OSError."""
        self._file = file.absolute()
        self._max_bytes = max_bytes // (KEPT + 1)
        self._fd = _open(self._file)
        self._size = os.fstat(self._fd).st_size
        self._lost = 0
        super().__init__("log file")

    def write_whole(self, line: bytes) -> None:
        """Write a line; a failure is logged once, to stderr then, and so is its end."""
        try:
            if self._size and self._size + len(line) > self._max_bytes:
                self._rotate()
            self._append(line)
        except OSError as error:
            self._lost += 1
            if self._lost == 1:
                fields = {"error": error.strerror}
                logger.error(  # noqa: TRY400 - where it failed says nothing
                    "the log file cannot be written", extra={"fields": fields}
                )
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            logger.warning("the log file is written again", extra={"fields": {"lost": lost}})

    def _append(self, line: bytes) -> None:
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._fd, self._size)
            raise
        self._size += len(line)

    def _rotate(self) -> None:
        """Make each file one older; where that fails, the cap still holds."""
        names = [self._file, *(Path(f"{self._file}.{n}") for n in range(1, KEPT + 1))]
        # Windows renames no open file.
        os.close(self._fd)
        try:
            for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
                with suppress(FileNotFoundError):
                    newer.replace(older)
        except OSError:
            self._fd = _open(self._file)
            os.ftruncate(self._fd, 0)
        else:
            self._fd = _open(self._file)
        self._size = os.fstat(self._fd).st_size


def _open(file: Path) -> int:
    fd = os.open(file, _FLAGS, _MODE)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file")
    return fd
