"""Bytes → messages and back, without I/O: newline-delimited JSON.

One JSON text per line; a `\\r` before the `\\n` and blank lines are passed over. A message over the
limit is skipped in bounded memory and reported once. It knows no JSON.
"""

from dataclasses import dataclass
from typing import Final

from protocol import limits

_BLANK: Final = b" \t\r"


@dataclass(frozen=True, slots=True)
class Oversized:
    """A message that was skipped because it is larger than the limit."""

    limit_bytes: int


class LineFraming:
    """Cuts a stream into lines. Feed it whatever arrives, split anywhere."""

    def __init__(self, limit_bytes: int = limits.MAX_MESSAGE_BYTES) -> None:
        self._limit_bytes = limit_bytes
        # One buffer, not a list of pieces: pieces of a few bytes cost ten times their size.
        self._begun = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes | Oversized]:
        """The messages that `data` completes, in order."""
        found: list[bytes | Oversized] = []
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._take(data[start:end])
            start = end + 1
            found += self._finish()
        self._take(data[start:])
        return found

    def end(self) -> list[bytes | Oversized]:
        """The message that the end of the stream completes, if any."""
        return self._finish()

    def _take(self, part: bytes) -> None:
        if self._skipping:
            return
        if len(self._begun) + len(part) > self._limit_bytes:
            self._begun = bytearray()
            self._skipping = True
        else:
            self._begun += part

    def _finish(self) -> list[bytes | Oversized]:
        if self._skipping:
            self._skipping = False
            return [Oversized(self._limit_bytes)]
        if not self._begun:
            return []
        message = bytes(self._begun).strip(_BLANK)
        self._begun = bytearray()
        return [message] if message else []

    @staticmethod
    def frame(message: bytes) -> bytes:
        """A message as it goes out."""
        return message + b"\n"
