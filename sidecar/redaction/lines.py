"""Lines of a stream, shown one by one as they come although a secret may go over several.

What a private key or a block of YAML goes on with looks like nothing by itself; so lines after one
that leaves something open are read together with it. Knows lines and a redactor's methods.
"""

import re
from collections.abc import Callable
from typing import Final

from sidecar.redaction.mark import MARK

#: Lines that may belong to one secret; no private key has more.
_MAX_LINES: Final = 200
_MAX_CHARACTERS: Final = 32 * 1024

_KEY_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,60}-----")
# Of a key: base64, a checksum, RFC 1421's headers, or nothing.
_KEY_LINE: Final = re.compile(
    r"[\s>|\"']*(?:[A-Za-z0-9+/=]{2,}|[A-Z][A-Za-z-]{2,20}: .{0,200})?[\s\\nr\"',+]*"
)
# What a line ends with whose value may stand on the next.
_OPEN: Final = re.compile(r"(?:[:=(\[{]|[|>][-+0-9]{0,2}|\"{3}|'{3})\s{0,8}\Z")


class LineRedactor:
    """Shows the lines of one stream in turn, each as `show` shows a text that it stands in."""

    def __init__(self, show: Callable[[str], str]) -> None:
        """`show` is a method of the run's redactor."""
        self._show = show
        self._in_key = False
        #: The lines since something was left open, as they were.
        self._before: list[str] = []

    def line(self, text: str) -> str:
        """The next line, which has no end, as it may be shown; raises nothing."""
        try:
            return self._line(text)
        except Exception:
            return MARK

    def _line(self, text: str) -> str:
        if self._in_key:
            return self._line_of_key(text)
        shown = self._in_context(text) if self._before else self._show(text)
        begin = None
        for begin in _KEY_BEGIN.finditer(text):  # noqa: B007 - the last one counts
            pass
        self._in_key = begin is not None and _KEY_END.search(text, begin.end()) is None
        if not self._before and _OPEN.search(text) is not None:
            self._before = [text]
        return shown

    def _line_of_key(self, text: str) -> str:
        end = _KEY_END.search(text)
        if end is not None:
            self._in_key = False
            return MARK + self._show(text[end.end() :])
        if _KEY_LINE.fullmatch(text):
            return MARK
        # A begin line without a key, as in prose about keys.
        self._in_key = False
        return self._line(text)

    def _in_context(self, text: str) -> str:
        before = "\n".join(self._before)
        together, alone = self._show(f"{before}\n{text}"), self._show(text)
        start = f"{self._show(before)}\n"
        if together == start + alone:
            # Nothing was open, or it has ended.
            self._before = []
            return alone
        self._before.append(text)
        if len(self._before) > _MAX_LINES or len(before) > _MAX_CHARACTERS:
            self._before = []
        return together[len(start) :] if together.startswith(start) else MARK
