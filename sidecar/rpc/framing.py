"""Bytes → messages and back, without I/O: newline-delimited JSON, or `Content-Length` headers.

The first bytes that a client sends tell which it speaks; it is answered the same way. A message
over the limit is skipped in bounded memory and reported once. Bytes in which no frame can be found
are reported once too, and nothing is read after them. It knows no JSON.
"""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from protocol import limits
from protocol.problems import shown

_BLANK: Final = b" \t\r"
#: Blank lines may come first; they belong to neither framing.
_BLANK_LINES: Final = _BLANK + b"\n"
#: Either header of LSP begins like this, and no JSON text does.
_HEADER_START: Final = b"content-"
_LENGTH: Final = b"content-length"
#: A header's name (RFC 9110, section 5.6.2): a JSON text has colons too, but no such name.
_NAME: Final = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
#: More than any number of bytes that will ever be sent has; int() of very many takes long.
_LENGTH_DIGITS: Final = re.compile(rb"[0-9]{1,18}")
#: A header block has two lines; one without an end is cut off here.
MAX_HEADER_BYTES: Final = 4 * 1024
#: Of bytes that are no header, what is quoted.
_QUOTED_BYTES: Final = 40


@dataclass(frozen=True, slots=True)
class Oversized:
    """A message that was skipped because it is larger than the limit."""

    limit_bytes: int


@dataclass(frozen=True, slots=True)
class Unframed:
    """Bytes in which no frame can be found; `problem` says what was expected and what came."""

    problem: str


#: What comes out of a stream, in its order.
Message: TypeAlias = bytes | Oversized | Unframed


class LineFraming:
    """One JSON text per line; a `\\r` before the `\\n` and blank lines are passed over.

    Feed it whatever arrives, split anywhere.
    """

    def __init__(self, limit_bytes: int = limits.MAX_MESSAGE_BYTES) -> None:
        self._limit_bytes = limit_bytes
        # One buffer, not a list of pieces: pieces of a few bytes cost ten times their size.
        self._begun = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes, in order."""
        found: list[Message] = []
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._take(data[start:end])
            start = end + 1
            found += self._finish()
        self._take(data[start:])
        return found

    def end(self) -> list[Message]:
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

    def _finish(self) -> list[Message]:
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


class HeaderFraming:
    """`Content-Length: N`, a blank line, N bytes (LSP 3.17, base protocol).

    Other headers are passed over, a line may end without its `\\r`, and blank lines may stand
    before a header. Feed it whatever arrives, split anywhere.
    """

    def __init__(self, limit_bytes: int = limits.MAX_MESSAGE_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._begun = bytearray()
        #: Of the header block that has begun: its size, and the length it gives.
        self._header_bytes = 0
        self._length_bytes: int | None = None
        #: Whether the block is complete and its body is being read.
        self._in_body = False
        self._skip_bytes = 0
        #: Whether no frame can be found any more.
        self.broken = False

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes, in order."""
        found: list[Message] = []
        rest = memoryview(data)
        while len(rest) and not self.broken:
            if self._skip_bytes:
                skipped = min(self._skip_bytes, len(rest))
                self._skip_bytes -= skipped
                rest = rest[skipped:]
            elif self._in_body:
                rest = self._feed_body(rest, found)
            else:
                rest = self._feed_header(rest, found)
        return found

    def end(self) -> list[Message]:
        """What the end of the stream completes: an unfinished message, as an error."""
        cut_off = self._in_body or self._skip_bytes or self._begun or self._header_bytes
        if self.broken or not cut_off:
            return []
        self.broken = True
        return [Unframed("the stream ended in the middle of a message")]

    def _feed_header(self, rest: memoryview, found: list[Message]) -> memoryview:
        """Take one line of a header block, or as much of it as there is."""
        room_bytes = MAX_HEADER_BYTES - self._header_bytes - len(self._begun)
        piece = bytes(rest[: room_bytes + 1])
        end = piece.find(b"\n")
        if end < 0:
            self._begun += piece
            if len(piece) > room_bytes:
                self._break(found, f"a header of more than {MAX_HEADER_BYTES} bytes")
            return rest[len(piece) :]
        line = bytes(self._begun + piece[:end])
        self._begun = bytearray()
        if line.rstrip(b"\r"):
            self._header_bytes += len(line) + 1
            self._take_header(line.rstrip(b"\r"), found)
        elif self._header_bytes:
            self._end_header(found)
        return rest[end + 1 :]

    def _take_header(self, line: bytes, found: list[Message]) -> None:
        name, colon, value = line.partition(b":")
        name = name.strip()
        if not colon or not _NAME.fullmatch(name):
            quoted = _quoted(line)
            self._break(found, f'expected a header such as "Content-Length: 42", got {quoted}')
        elif name.lower() == _LENGTH:
            value = value.strip()
            if self._length_bytes is not None:
                self._break(found, "two Content-Length headers for one message")
            elif not _LENGTH_DIGITS.fullmatch(value):
                quoted = _quoted(value)
                self._break(found, f"Content-Length is a number of bytes, not {quoted}")
            else:
                self._length_bytes = int(value)

    def _end_header(self, found: list[Message]) -> None:
        if self._length_bytes is None:
            self._break(found, "a header without Content-Length")
            return
        self._header_bytes = 0
        if self._length_bytes > self._limit_bytes:
            self._skip_bytes = self._length_bytes
            self._length_bytes = None
            found.append(Oversized(self._limit_bytes))
        elif self._length_bytes == 0:
            self._length_bytes = None
            found.append(b"")
        else:
            self._in_body = True

    def _feed_body(self, rest: memoryview, found: list[Message]) -> memoryview:
        missing_bytes = (self._length_bytes or 0) - len(self._begun)
        piece = rest[:missing_bytes]
        self._begun += piece
        if len(piece) == missing_bytes:
            found.append(bytes(self._begun))
            self._begun = bytearray()
            self._length_bytes = None
            self._in_body = False
        return rest[len(piece) :]

    def _break(self, found: list[Message], problem: str) -> None:
        self.broken = True
        self._begun = bytearray()
        found.append(Unframed(problem))

    @staticmethod
    def frame(message: bytes) -> bytes:
        """A message as it goes out."""
        return b"Content-Length: %d\r\n\r\n%b" % (len(message), message)


class Framing:
    """The framing that the client's first bytes tell, lines until they do."""

    def __init__(self, limit_bytes: int = limits.MAX_MESSAGE_BYTES) -> None:
        self._limit_bytes = limit_bytes
        #: What has come as long as it may be either.
        self._first = b""
        self._told: LineFraming | HeaderFraming | None = None

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes, in order."""
        if self._told is None:
            self._first = (self._first + data).lstrip(_BLANK_LINES)
            begun = self._first[: len(_HEADER_START)].lower()
            if len(begun) < len(_HEADER_START) and _HEADER_START.startswith(begun):
                return []
            headers = begun == _HEADER_START
            self._told = (HeaderFraming if headers else LineFraming)(self._limit_bytes)
            data, self._first = self._first, b""
        return self._told.feed(data)

    def end(self) -> list[Message]:
        """What the end of the stream completes, if anything."""
        if self._told is None:
            self._told = LineFraming(self._limit_bytes)
            return self._told.feed(self._first) + self._told.end()
        return self._told.end()

    @property
    def broken(self) -> bool:
        """Whether no frame can be found any more."""
        return isinstance(self._told, HeaderFraming) and self._told.broken

    def frame(self, message: bytes) -> bytes:
        """A message as it goes out."""
        return (self._told or LineFraming).frame(message)


def _quoted(data: bytes) -> str:
    """Bytes of a peer in a message, the mark of a cut at their end if there are more."""
    cut = "…" if len(data) > _QUOTED_BYTES else ""
    return shown(data[:_QUOTED_BYTES].decode(errors="replace") + cut)
