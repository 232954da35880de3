"""Scripts compiled once: the code of a script that has run before, for its next start.

`compile()` costs an interpreter about a millisecond the first time it is called (it sets up the
types of `ast`), and then the script's own share, at every start. So the first attempt leaves the
code object behind, marshalled, and later attempts of the same bytes on the same interpreter load
it. In memory only; it knows neither processes nor what a script does.

The first attempt writes before the script's first line runs, and closes the file then, so what is
kept is the interpreter's work, not the script's.
"""

import hashlib
import os
from collections import OrderedDict
from typing import Final

from sidecar.scripts.interpreter import Interpreter
from sidecar.scripts.paths import OpenedFile

#: A larger script gains little, and reading it would hold up the event loop.
_MAX_SOURCE_BYTES: Final = 256 * 1024
_MAX_CODE_BYTES: Final = 1024 * 1024
_MAX_ENTRIES: Final = 64

Key = tuple[str, str, str, bytes]


class CodeCache:
    """Marshalled code by interpreter, path and content; the least used is dropped."""

    def __init__(self) -> None:
        self._codes: OrderedDict[Key, bytes] = OrderedDict()

    def key(self, interpreter: Interpreter, script: OpenedFile) -> Key | None:
        """What identifies the script's code, or None when it is not worth keeping.

        Leaves the position in the script's file where it was.
        """
        if not hasattr(os, "memfd_create"):
            return None
        source = os.pread(script.fd, _MAX_SOURCE_BYTES + 1, 0)
        if len(source) > _MAX_SOURCE_BYTES:
            return None
        digest = hashlib.blake2b(source, digest_size=32).digest()
        return interpreter.path, interpreter.version_text, script.absolute, digest

    def open(self, key: Key) -> int:
        """A new file for one attempt: the code if it is known, else empty, to be filled."""
        fd = os.memfd_create("code")
        code = self._codes.get(key)
        if code is not None:
            self._codes.move_to_end(key)
            os.write(fd, code)
            os.lseek(fd, 0, os.SEEK_SET)
        return fd

    def take(self, key: Key, fd: int) -> None:
        """Keep what an attempt left in the file that `open` gave it. Closes the file."""
        try:
            if key not in self._codes and os.fstat(fd).st_size <= _MAX_CODE_BYTES:
                code = os.pread(fd, _MAX_CODE_BYTES, 0)
                if code:
                    self._codes[key] = code
                    if len(self._codes) > _MAX_ENTRIES:
                        self._codes.popitem(last=False)
        finally:
            os.close(fd)
