"""What a cut left of secrets: a token without its end, the last characters of a password.

Texts reach us cut, with `…` at the place: values in messages about workflow files, and what scripts
write to stderr without end. Half a secret is known by no shape, so here its beginning is enough.
Knows how our own rooms mark a cut, and no values.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from sidecar.redaction.mark import MARK
from sidecar.redaction.randomness import looks_random
from sidecar.redaction.vendors import SHAPES

#: Stands at every cut.
CUT: Final = "…"
#: More of a secret is never looked at on either side.
REACH: Final = 4096
#: More cuts are none of ours.
_MAX_CUTS: Final = 64
#: The one mark that stands within its token and nowhere else.
_INNER_MARK: Final = ".atlasv1."
_LONGEST_HASH: Final = 40
#: A shorter mark stands in ordinary words as well.
_MIN_MARK: Final = 4

# `"value…`, and what `stderr` says of bytes it left out, in a line of its own or at a line's end.
_BEFORE: Final = re.compile(
    r"(?<![\s…])(?:…(?! left out)|\s?\[… \d{1,20} (?:bytes|lines|characters) left out)"
)
_AFTER: Final = re.compile(r"left out …\]\n?")
_RUN: Final = re.compile(r"[^\s\"'`<>]*")
_URL: Final = re.compile(r":\\?/\\?/[^\s/@:]{0,256}:[^\s/@]+\Z")


def places(text: str) -> Iterator[tuple[int, bool]]:
    """(where, whether what follows was cut rather than what precedes) of the first cuts."""
    for pattern, follows in ((_BEFORE, False), (_AFTER, True)):
        for count, match in enumerate(pattern.finditer(text)):
            if count == _MAX_CUTS:
                break
            yield (match.end() if follows else match.start()), follows


def hide(text: str) -> str:
    """`text` with the rest of tokens and of passwords in URLs before and after cuts hidden."""
    if CUT not in text:
        return text
    spans = []
    for place, follows in places(text):
        if follows:
            run = _run(text[place : place + REACH])
            if looks_random(run):
                spans.append((place, place + len(run)))
            continue
        run = _run(text[max(place - REACH, 0) : place][::-1])[::-1]
        begin = _begin_of_secret(run)
        if begin >= 0 and not run.endswith(MARK):
            spans.append((place - len(run) + begin, place))
    covered = len(text)
    for start, stop in sorted(spans, reverse=True):
        # Cuts side by side have runs that overlap.
        text = (
            text[:start] + MARK + text[stop:] if stop <= covered else text[:start] + text[covered:]
        )
        covered = start
    return text


def _run(text: str) -> str:
    """The characters that `text` begins with, up to a space or a quote."""
    match = _RUN.match(text)
    return "" if match is None else match[0]


def _begin_of_secret(run: str) -> int:
    """Where in a run of characters a token begins that the cut has shortened, or -1."""
    url = _URL.search(run)
    if url is not None:
        return url.start() + url[0].rindex(":") + 1
    begin = _marks().search(run)
    if begin is not None:
        return begin.start()
    # Longer than words and names are, and than a git hash.
    is_token = _INNER_MARK in run or (
        len(run) > _LONGEST_HASH and looks_random(run.replace("=", ""))
    )
    return 0 if is_token else -1


@cache
def _marks() -> re.Pattern[str]:
    """How tokens begin."""
    marks = {mark for shape in SHAPES for mark in shape.marks if shape.pattern.startswith(mark[:1])}
    plain = sorted(mark for mark in marks if len(mark) >= _MIN_MARK)
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, [*plain, 'eyJ']))})\S{{6}}")
