"""Secrets known by their shape: applies the table of vendors' tokens to a text.

Knows neither names nor values. Nothing is compiled before a text may need it: the whole table
would cost 20 ms at start.

Python's own engine, and not RE2, although that is linear whatever the pattern. Tried on a megabyte
each, the table as one pattern of google-re2 1.1.20251105: ordinary text 2 ms instead of 80; base64
400 instead of 90; a text full of tokens 27 s instead of 0.15, and with it lines on stderr that are
no log of ours. It knows no look-behind, costs 4 ms to import, and has no wheels for musl or for
macOS before 14, so the same table would need this engine too. That every pattern here is linear
is by its form (see `vendors`), and tested, on text made to make it slow.
"""

import re
from functools import cache
from typing import Final

from sidecar.redaction.mark import MARK
from sidecar.redaction.randomness import looks_random
from sidecar.redaction.vendors import SHAPES

#: Every shape in the table holds a run of this many characters of these kinds, and ordinary text
#: hardly ever does: most texts are done with one search.
MIN_CHARACTERS: Final = 15
# What may stand right before a token and looks like a part of it: the end of an escape of JSON or
# Python, of percent-encoding, of a terminal's colour.
_ESCAPE: Final = re.compile(
    r"(?:\\(?:[abfnrtv0]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})|%[0-9A-Fa-f]{2}|[\[;0-9]m)\Z"
)
_LONG_RUN: Final = re.compile(rf"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{{{MIN_CHARACTERS}}}")


#: Tokens without a gap between them that are told apart.
_MAX_ROUNDS: Final = 4
# What is left of a token whose beginning was taken for the end of the one before.
_GLUED: Final = re.compile(rf"{re.escape(MARK)}([A-Za-z0-9_.~-]{{24,}}|[A-Za-z0-9_-]{{16,}})")


def hide(text: str) -> str:
    """`text` with what has one of the shapes replaced by the mark."""
    if _LONG_RUN.search(text) is None:
        return text
    # A mark ends the word that it stands in, and so lays open what followed without a gap.
    for _ in range(_MAX_ROUNDS):
        shown = _hide_once(text)
        if shown == text:
            break
        text = _GLUED.sub(_hide_glued, shown)
    return text


def _hide_glued(match: re.Match[str]) -> str:
    return MARK if looks_random(match[1]) else match[0]


def _hide_once(text: str) -> str:
    for shape in SHAPES:
        for mark in shape.marks:
            if mark in text:
                replacement = _apart_replacement if shape.apart else _replacement
                text = _compiled(shape.pattern).sub(replacement, text)
                break
    return text


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _apart_replacement(match: re.Match[str]) -> str:
    return _replacement(match) if _stands_apart(match.string, match.start()) else match[0]


def _stands_apart(text: str, start: int) -> bool:
    """Whether no word goes on at `start`; the last letter of an escape belongs to none."""
    before = text[start - 1 : start]
    if not (before.isascii() and before.isalnum()):
        return True
    return _ESCAPE.search(text, max(start - 6, 0), start) is not None


def _replacement(match: re.Match[str]) -> str:
    if match.re.groups == 0:
        return MARK
    start, stop = match.span(1)
    return match[0][: start - match.start()] + MARK + match[0][stop - match.start() :]
