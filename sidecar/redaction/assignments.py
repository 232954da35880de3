"""Secrets in text known by the name they are given to: `PASSWORD=x`, `"token": "x"`, `--key x`.

Finds names with something assigned, asks `names` about each, and finds where the value ends. Knows
the notations that programs print (shell, JSON also within JSON, Python, YAML, headers, XML, URLs,
command lines), no vendors and no values. Where a notation is ambiguous, more is hidden.
"""

import re
from typing import Final

from sidecar.redaction.mark import MARK
from sidecar.redaction.names import hides_numbers, is_secret_name
from sidecar.redaction.words import words

# A name and the sign between it and its value. A name is looked for only where one can begin, and
# is bounded, so each character is read a bounded number of times.
_NAME: Final = re.compile(
    r"""
    (?<![\w.$-]) (?<!//)
    (?: --(?P<flag>\w[\w.-]{0,127}) (?:["'],[ \t]{0,4}|[ \t]{1,4})
      | <(?P<tag>\w[\w.-]{0,127})>
      | -{0,2}(?P<name>\w[\w.-]{0,127})
        \\{0,7}["'`]?[ \t]{0,8}
        (?P<sign>:[ ]?(?:str|bytes|Optional\[str\]|str[ ]\|[ ]None)[ ]?=|={2,3}|:?=>?|:(?!:))
        [ \t]{0,8}
    )
    """,
    re.VERBOSE,
)

_OPENING: Final = re.compile(r"""[bBrRuUfF]{0,2}(\\{0,7})("{3}|'{3}|["'`])""")
# To the end of a quoted value on its line; a backslash takes the next character with it.
_IN_QUOTES: Final = {quote: re.compile(rf"(?:[^{quote}\\\r\n]|\\.)*") for quote in ('"', "'", "`")}
_ESCAPED_OR_LINE: Final = re.compile(r"[\r\n]|\\*[\"'`]")
# To the end of the line, be it escaped, or to the quote that the header itself stands in.
_HEADER: Final = {
    quote: re.compile(rf"(?:[^\r\n\\{quote}]|\\(?![rn\"']))*") for quote in ("", '"', "'", "`")
}
_TAGGED: Final = re.compile(r"[^<\r\n]*")
# Unquoted values end at spaces, quotes, & and <>; at , and ; only where another name or nothing
# follows, since passwords may hold them.
_BARE: Final = re.compile(
    r"(?:[^\s\"'`&<>;,\\]|\\(?![\"'nrt])|[;,](?![\s\"'\\]|$|[\w.-]{1,64}[ ]?[=:]))+"
)
_TRAILING: Final = ")]}.,;:\\"

#: Names of headers whose values hold spaces and separators.
_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "cookie2", "set-cookie2"}
)
_NO_VALUE: Final = frozenset(
    {"true", "false", "null", "none", "nil", "undefined", "yes", "no", "on", "off", "***"}
)
#: What is said of a secret instead of telling it.
_STATES: Final = words(
    """
    a an the is was are not no must should cannot can may will missing required invalid expired
    expected empty unknown wrong incorrect denied failed ok valid set unset optional string str int
    integer number bool boolean bytes object array list dict any type field value error header
    """
)
_NUMBER: Final = re.compile(r"[-+]?[0-9][0-9_.]*")
_REFERENCE: Final = re.compile(r"\$\{(?:workflow|steps|env)\.[^{}\s]{1,256}\}")
# A call or a subscription: a program's expression.
_CODE: Final = re.compile(r"[A-Za-z_][\w.]*[(\[]")
_DOTTED_NAME: Final = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_STATE: Final = re.compile(r"([A-Za-z]{1,10})(?=[.,;:!?]?(?:\s|$))")
_MORE_PROSE: Final = re.compile(r"[.,;:!?]?[ \t]+[A-Za-z(\"'`]")
#: Words that make a secret's name only with the one before: "API key: …", "Connection string: …".
_SECOND_WORDS: Final = frozenset({"key", "keys", "id", "string", "code", "codes", "phrase", "word"})
_WORD_BEFORE: Final = re.compile(r"([A-Za-z]{2,20})[ _-]$")


def hide(text: str) -> str:
    """`text` with what is assigned to secret-sounding names replaced by the mark."""
    if "=" not in text and ":" not in text and "--" not in text and "<" not in text:
        return text
    parts: list[str] = []
    done = position = 0
    while (match := _NAME.search(text, position)) is not None:
        position = match.end()
        name = match["name"] or match["flag"] or match["tag"]
        span = _value_of(text, match, name) if _is_secret(text, match, name) else None
        if span is not None:
            parts += (text[done : span[0]], MARK)
            done = position = span[1]
        elif match["flag"] is not None:
            position = match.end("flag")
    return "".join((*parts, text[done:])) if parts else text


def _is_secret(text: str, match: re.Match[str], name: str) -> bool:
    if is_secret_name(name):
        # The shell's PWD is where it stands.
        return not (name in ("PWD", "OLDPWD") and text.startswith("/", match.end()))
    if name.lower() not in _SECOND_WORDS:
        return False
    before = _WORD_BEFORE.search(text, max(match.start() - 24, 0), match.start())
    return before is not None and is_secret_name(f"{before[1]}_{name}")


def _value_of(text: str, match: re.Match[str], name: str) -> tuple[int, int] | None:
    """From where to where the value of a secret-sounding name stands, if it is to be hidden."""
    start = match.end()
    if match["tag"] is not None:
        return _unless_empty(text, start, _end(_TAGGED, text, start))
    opening = _OPENING.match(text, start)
    if opening is not None:
        return _quoted(text, opening)
    # What is left as it is is told by its first word, before its end is looked for: else the same
    # text would be read again for every name in it.
    state = _STATE.match(text, start) if match["sign"] in (None, ":") else None
    if state is not None and state[1].lower() in _STATES:
        return None
    if name.lower() in _HEADERS:
        before = text[match.start() - 1 : match.start()]
        return _unless_empty(text, start, _end(_HEADER.get(before, _HEADER[""]), text, start))
    if _CODE.match(text, start) or _REFERENCE.match(text, start):
        return None
    return _bare(text, match, name)


def _quoted(text: str, opening: re.Match[str]) -> tuple[int, int] | None:
    backslashes, quote = opening.groups()
    start = opening.end()
    if len(quote) == 3:
        stop = _triple_end(text, start, quote)
    elif backslashes:
        stop = _escaped_end(text, start, backslashes + quote)
    else:
        stop = _end(_IN_QUOTES[quote], text, start)
    if _REFERENCE.fullmatch(text, start, stop) or text[start:stop].lower() in _NO_VALUE:
        return None
    return _unless_empty(text, start, stop)


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


def _bare(text: str, match: re.Match[str], name: str) -> tuple[int, int] | None:
    start = match.end()
    stop = _end(_BARE, text, start)
    while stop > start and text[stop - 1] in _TRAILING and not text.endswith(MARK, start, stop):
        stop -= 1
    value = text[start:stop]
    if not value or value == MARK or value.lower() in _NO_VALUE:
        return None
    if _NUMBER.fullmatch(value) and not hides_numbers(name):
        return None
    if match["sign"] in (None, ":"):
        prose = _WORD.fullmatch(value) is not None
        harmless = prose and _MORE_PROSE.match(text, stop) is not None
    else:
        harmless = _is_own_name(value, name)
    return None if harmless else (start, stop)


def _is_own_name(value: str, name: str) -> bool:
    """Whether a program hands on a variable, as in `token=token` or `password = self.password`."""
    if not _DOTTED_NAME.fullmatch(value):
        return False
    last = value.rpartition(".")[2]
    return is_secret_name(last) if "." in value else last.lower() == name.rpartition(".")[2].lower()


def _unless_empty(text: str, start: int, stop: int) -> tuple[int, int] | None:
    value = text[start:stop].strip()
    return None if not value or value == MARK else (start, stop)


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Where the match of a pattern that always matches ends."""
    match = pattern.match(text, start)
    return start if match is None else match.end()
