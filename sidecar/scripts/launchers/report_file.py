"""The file in which a script's last exception is described, where no memory can be shared for it.

Its form is `child/report.py`'s.
"""

import os
import tempfile
from typing import Final

#: A report is at most 128 Ki characters; a script that finds the file may write what it likes.
_MAX_BYTES: Final = 1024 * 1024


def create() -> int:
    """A new file without a name, empty."""
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def read(fd: int) -> bytes:
    """What stands in it; closes it."""
    try:
        if os.fstat(fd).st_size == 0:
            return b""
        os.lseek(fd, 0, os.SEEK_SET)
        return os.read(fd, _MAX_BYTES)
    finally:
        os.close(fd)
