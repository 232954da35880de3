"""A text with its escapes undone, and where each piece of that stands in the text itself.

What is known by value is looked for in these, so that it is found whichever characters a program
chose to escape, and how often. Knows notations, no secrets; takes time linear in the text.
"""

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Final

#: How often a text may have been escaped: JSON in JSON in JSON.
_MAX_TIMES: Final = 3
#: Beyond, a text is escaped to keep us busy.
_MAX_READINGS: Final = 12

# JSON (RFC 8259 7) and the literals of Python and JavaScript. Several in a row are one piece: a
# character may take two of them, as a surrogate pair, or more, as the bytes of UTF-8.
_BACKSLASH: Final = re.compile(
    r"""(?:\\u[0-9A-Fa-f]{4})++|(?:\\x[0-9A-Fa-f]{2})++|\\["'\\/`bfnrt]"""
)
# RFC 3986 2.1.
_PERCENT: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})++")
_ENTITY: Final = re.compile(r"&(?:[A-Za-z]{2,8}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
# Lines of base64 have 76 characters in MIME, 64 in PEM, and may be indented.
_LINE_END: Final = re.compile(r"[\r\n][\s]{0,64}")
_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

#: What a piece stands for: each character, and how many of the piece it takes.
_Characters = list[tuple[str, int]]


class View:
    """One reading of a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Where a part of this reading stands in the text itself."""
        return start, stop


class _Undone(View):
    """A reading with each piece that `pattern` finds replaced by what it stands for."""

    def __init__(
        self, of: View, pattern: re.Pattern[str], decode: Callable[[str], _Characters]
    ) -> None:
        self._of = of
        # Of every character that a piece stands for, or of a piece that stands for nothing: where
        # it begins and ends here, and there.
        self._starts: list[int] = []
        self._stops: list[int] = []
        self._starts_there: list[int] = []
        self._stops_there: list[int] = []
        parts: list[str] = []
        here = there = 0
        for match in pattern.finditer(of.text):
            parts.append(of.text[there : match.start()])
            here += match.start() - there
            there = match.start()
            for char, size in decode(match[0]) or [("", len(match[0]))]:
                self._starts.append(here)
                self._starts_there.append(there)
                here += len(char)
                there += size
                self._stops.append(here)
                self._stops_there.append(there)
                parts.append(char)
        parts.append(of.text[there:])
        super().__init__("".join(parts))

    @property
    def is_other(self) -> bool:
        """Whether anything was undone."""
        return bool(self._starts)

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """See View."""
        index = bisect_right(self._starts, start) - 1
        if index < 0:
            first = start
        elif start < self._stops[index]:
            first = self._starts_there[index]
        else:
            first = self._stops_there[index] + start - self._stops[index]
        index = bisect_left(self._starts, stop) - 1
        last = stop if index < 0 else self._stops_there[index] + max(stop - self._stops[index], 0)
        return self._of.span(first, last)


def readings(text: str) -> Iterator[View]:
    """The text itself, and what it says when escapes in it are undone, one kind after another."""
    pending: list[tuple[View, int]] = [(View(text), 0)]
    count = 0
    while pending and count < _MAX_READINGS:
        view, times = pending.pop(0)
        count += 1
        yield view
        for mark, pattern, decode in _NOTATIONS if times < _MAX_TIMES else ():
            if mark in view.text:
                undone = _Undone(view, pattern, decode)
                if undone.is_other:
                    pending.append((undone, times + 1))


def unwrapped(view: View) -> View | None:
    """A reading of the text as one line; None when it is one."""
    if "\n" not in view.text and "\r" not in view.text:
        return None
    return _Undone(view, _LINE_END, lambda _: [])


def _backslash(piece: str) -> _Characters:
    if piece[1] == "u":
        units = b"".join(
            int(piece[at + 2 : at + 6], 16).to_bytes(2, "little") for at in range(0, len(piece), 6)
        )
        text = units.decode("utf-16-le", "surrogatepass")
        return [(char, 12 if ord(char) > 0xFFFF else 6) for char in text]
    if piece[1] == "x":
        return _of_bytes(bytes.fromhex(piece.replace("\\x", "")), 4)
    return [(_LETTERS.get(piece[1], piece[1]), 2)]


def _percent(piece: str) -> _Characters:
    return _of_bytes(bytes.fromhex(piece.replace("%", "")), 3)


def _of_bytes(data: bytes, size: int) -> _Characters:
    """UTF-8, and what is none as the characters of the same number."""
    return [
        (chr(ord(char) - 0xDC00), size)
        if 0xDC80 <= ord(char) <= 0xDCFF
        else (char, size * len(char.encode("utf-8", "surrogatepass")))
        for char in data.decode("utf-8", "surrogateescape")
    ]


def _entity(piece: str) -> _Characters:
    text = html.unescape(piece)
    if len(text) == 1:
        return [(text, len(piece))]
    return [(char, 1) for char in piece]


_NOTATIONS: Final = (
    ("\\", _BACKSLASH, _backslash),
    ("%", _PERCENT, _percent),
    ("&", _ENTITY, _entity),
)
