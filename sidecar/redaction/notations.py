"""From where to where a value goes, in each notation that programs print.

Shell, JSON also within JSON, Python, YAML, headers, XML. Where one is ambiguous, more belongs to
the value. Knows neither names nor what is a secret; takes time linear in the text.
"""

import re
from typing import Final

from sidecar.redaction.mark import MARK

#: From where to where, as in a slice.
Span = tuple[int, int]

#: How a quoted value begins: its prefix, backslashes, its quotes.
OPENING: Final = re.compile(r"""[bBrRuUfF]{0,2}(\\{0,7})("{3}|'{3}|["'`])""")
# To the end of a quoted value on its line; a backslash takes the next character with it.
_IN_QUOTES: Final = {quote: re.compile(rf"(?:[^{quote}\\\r\n]|\\.)*") for quote in ('"', "'", "`")}
_ESCAPED_OR_LINE: Final = re.compile(r"[\r\n]|\\*[\"'`]")
# To the end of the line, be it escaped, or to the quote that the header itself stands in.
_HEADER: Final = {
    quote: re.compile(rf"(?:[^\r\n\\{quote}]|\\(?![rn\"']))*") for quote in ("", '"', "'", "`")
}
_TAGGED: Final = re.compile(r"[^<\r\n]*")
_LINE: Final = re.compile(r"[^\r\n]*")
_PHRASE: Final = re.compile(r"[^\r\n\"'`<>]*")
# Unquoted values end at spaces, quotes, & and <>; at , and ; only where another name or nothing
# follows, since passwords may hold them.
_BARE: Final = re.compile(
    r"(?:[^\s\"'`&<>;,\\]|\\(?![\"'nrt])|[;,](?![\s\"'\\]|$|[\w.-]{1,64}[ ]?[=:]))+"
)
#: The head of a block of lines (YAML 1.2, 8.1).
BLOCK: Final = re.compile(r"[|>][-+0-9]{0,2}[ \t]{0,8}(?:#[^\r\n]*)?\r?\n")
#: From a name to a value on the next line, be it an item of a list.
NEXT_LINE: Final = re.compile(r"[(\\]?[ \t]{0,8}\r?\n[ \t]{0,64}(?:-[ \t]{1,4})?")
_INDENT: Final = re.compile(r"[ \t]*")

# In brackets: texts that are no keys are secrets. Without an end a text goes to the line's, so that
# none is read twice.
_IN_BRACKETS: Final = re.compile(
    r"""
      (?P<open>[\[({]) | (?P<close>[\])}])
    | (?P<begin>\\{1,7}["']) (?P<escaped>(?:(?!(?P=begin))[^\r\n])*+) (?:(?P=begin))?
    | " (?P<double>(?:[^"\\\r\n]|\\.)*+) "?
    | ' (?P<single>(?:[^'\\\r\n]|\\.)*+) '?
    """,
    re.VERBOSE,
)
_IS_KEY: Final = re.compile(r"\s{0,8}:")
#: More belongs to no credentials.
_MAX_BRACKETS: Final = 16 * 1024


def quoted_end(text: str, opening: re.Match[str]) -> int:
    """Where a value ends that OPENING found the beginning of."""
    backslashes, quote = opening.groups()
    start = opening.end()
    if len(quote) == 3:
        return _triple_end(text, start, quote)
    if backslashes:
        return _escaped_end(text, start, backslashes + quote)
    return _end(_IN_QUOTES[quote], text, start)


def _triple_end(text: str, start: int, quote: str) -> int:
    """The end of a text of several lines; without one, all that follows belongs to it."""
    end = text.find(quote, start)
    return end if end >= 0 else len(text)


def _escaped_end(text: str, start: int, closing: str) -> int:
    """The first `closing` that no more backslashes stand before, or the end of the line."""
    position = start
    while (found := _ESCAPED_OR_LINE.search(text, position)) is not None:
        if found[0] == closing or found[0] in "\r\n":
            return found.start()
        position = found.end()
    return len(text)


def bare_end(text: str, start: int) -> int:
    """Where a value without quotes ends, punctuation behind it included."""
    return _end(_BARE, text, start)


def phrase_end(text: str, start: int) -> int:
    """Where a value of several words ends."""
    return _end(_PHRASE, text, start)


def tagged_end(text: str, start: int) -> int:
    """Where the content of an element of XML ends."""
    return _end(_TAGGED, text, start)


def header_end(text: str, start: int, before: str) -> int:
    """Where a header's value ends; `before` is the character before the header's name."""
    return _end(_HEADER.get(before, _HEADER[""]), text, start)


def block(text: str, name: int, start: int) -> Span | None:
    """The lines of a block from `start` on, which are indented more than its name at `name`."""
    begin = line_begin(text, name)
    indent = _end(_INDENT, text, begin) - begin
    first = stop = _end(_INDENT, text, start)
    position = start
    while position < len(text):
        content = _end(_INDENT, text, position)
        end = _end(_LINE, text, content)
        if end > content and content - position <= indent:
            break
        stop = end if end > content else stop
        position = end + 1
    return (first, stop) if stop > first and text[first:stop] != MARK else None


def texts_in_brackets(text: str, start: int, *, inside: bool) -> tuple[list[Span] | None, int]:
    """The texts within brackets that begin at `start`, or have begun before; but for keys.

    None if there are no texts at all. And where the brackets end: if they do not, they hold what
    stands on their line.
    """
    spans: list[Span] = []
    texts = False
    depth = 1 if inside else 0
    end = min(start + _MAX_BRACKETS, len(text))
    position = start
    while (found := _IN_BRACKETS.search(text, position, end)) is not None:
        position = found.end()
        if found["open"]:
            depth += 1
        elif found["close"]:
            depth -= 1
            if depth <= 0:
                return spans if texts else None, position
        elif _IS_KEY.match(text, position) is None:
            texts = True
            span = unless_empty(text, *found.span(found.lastgroup or 0))
            if span is not None:
                spans.append(span)
    line_end = _end(_LINE, text, start)
    return [span for span in spans if span[0] < line_end] if texts else None, end


def unless_empty(text: str, start: int, stop: int) -> Span | None:
    """The span, unless there is nothing in it or only the mark."""
    value = text[start:stop].strip()
    return None if not value or value == MARK else (start, stop)


def line_begin(text: str, position: int) -> int:
    """Where the line begins, or 512 characters before."""
    least = max(position - 512, 0)
    return max(text.rfind("\n", least, position) + 1, least)


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Where the match of a pattern that always matches ends."""
    match = pattern.match(text, start)
    return start if match is None else match.end()
