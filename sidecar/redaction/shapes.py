"""Secrets known by their shape: applies the table of vendors' tokens to a text.

Knows neither names nor values. Nothing is compiled before a text may need it: the whole table
would cost 20 ms at start.
"""

import re
from functools import cache
from typing import Final

from sidecar.redaction.mark import MARK
from sidecar.redaction.vendors import SHAPES

#: Every shape in the table holds a run of this many characters of these kinds, and ordinary text
#: hardly ever does: most texts are done with one search.
MIN_CHARACTERS: Final = 15
_LONG_RUN: Final = re.compile(rf"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{{{MIN_CHARACTERS}}}")


def hide(text: str) -> str:
    """`text` with what has one of the shapes replaced by the mark."""
    if _LONG_RUN.search(text) is None:
        return text
    for shape in SHAPES:
        for mark in shape.marks:
            if mark in text:
                text = _compiled(shape.pattern).sub(_replacement, text)
                break
    return text


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _replacement(match: re.Match[str]) -> str:
    if match.re.groups == 0:
        return MARK
    start, stop = match.span(1)
    return match[0][: start - match.start()] + MARK + match[0][stop - match.start() :]
