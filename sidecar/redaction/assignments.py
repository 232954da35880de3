"""Secrets in text known by the name they are given to: `PASSWORD=x`, `"token": "x"`, `--key x`.

Finds names with something assigned, as programs write that (shell, JSON, Python, YAML, headers,
XML, URLs, command lines), asks `names` about each and `notations` where its value ends, and lets
what is plainly none be: prose, code, a variable handed on. Knows no vendors and no values. Where it
is ambiguous, more is hidden.
"""

import re
from typing import Final

from sidecar.redaction import notations
from sidecar.redaction.mark import MARK
from sidecar.redaction.names import hides_numbers, is_secret_name
from sidecar.redaction.notations import Span
from sidecar.redaction.randomness import looks_random
from sidecar.redaction.words import words

# A name and the sign between it and its value. A name is looked for only where one can begin, and
# is bounded, so each character is read a bounded number of times.
_NAME: Final = re.compile(
    r"""
    (?<![\w.$-]) (?<!//)
    (?: --?(?P<flag>[A-Za-z][\w.-]{1,127}) (?:["'],[ \t]{0,4}|[ \t]{1,4})
      | <(?P<tag>\w[\w.-]{0,127})>
      | -{0,2}(?P<name>\w[\w.-]{0,127})
        (?:\[(?P<index>[\w.-]{0,64})\])?
        (?P<close>\\{0,7}["'`]?)\]?[ \t]{0,8}
        (?P<sign>
          :[ ]?(?:str|bytes|string|str[ ]\|[ ]None|[A-Z][A-Za-z]{2,31}(?:\[[\w., |]{0,64}\])?)
            [ ]?=(?!=)
          |={2,3}|:?=>?
          |[?+!]=|:(?!:)|->|\((?=[bBrRuUfF]{0,2}\\{0,7}["'`])|,(?=[ ]?\\{0,7}["'`]))
        [ \t]{0,8}
    )
    """,
    re.VERBOSE,
)
# The same in a URL: token%3Dx, user%5Bpassword%5D=x, %22token%22%3A%22x%22.
_ENCODED_NAME: Final = re.compile(
    r"(?:(?<![\w.%-])|(?<=%[0-9A-Fa-f]{2}))(?P<name>[A-Za-z_][\w.-]{0,127})"
    r"(?:(?:%22|%27)?(?:%3[DdAa])|%5[Dd](?:=|%3[Dd]))(?:%20|\+){0,4}(?P<quote>%22|%27)?"
)
_ENCODED_END: Final = re.compile(r"[\s&\"'<>]|%2[267cC]|%7[dD]|%0[aAdD]|%3[bB]")

_TRAILING: Final = ")]}.,;:\\"
# YAML 1.2, 6.9: a value's tag and anchor.
_PROPERTIES: Final = re.compile(r"(?:(?:!{1,2}[\w:/.-]{0,64}|&\w{1,64})[ \t]{1,8}){1,2}")
#: What stands for a value that begins on the next line, where a line is all there is.
_HEAD: Final = re.compile(r"[|>][-+0-9]{0,2}|[(\[{\\]")
# A name as the value of a name: <add key="token" value="x">, "name": "token", "value": "x".
_NAME_NAMES: Final = frozenset({"name", "key"})
_NAMED_VALUE: Final = re.compile(
    r"""
    \\{0,7}["']? (?P<name>\w[\w.-]{0,127}) \\{0,7}["']?
    (?: [\s,;]{1,64} (?:-\s)? \\{0,7}["']?[Vv]alue\\{0,7}["']? [ \t]{0,4} [=:] [ \t]{0,4}
      | \s{0,8} > )
    """,
    re.VERBOSE,
)

#: Of these, one stands in every text that assigns something.
_SIGNS: Final = (
    *(
        "=",
        ":",
        "<",
        "->",
        " -",
        "\t-",
        "\n-",
        '"-',
        "'-",
        '",',
        "',",
        "`,",
        '("',
        "('",
        "(`",
        "(\\",
    ),
    *("(b", "(B", "(r", "(R", "(u", "(U", "(f", "(F"),
)

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
    option options flag flags parameter argument
    """
)
_NUMBER: Final = re.compile(r"[-+]?[0-9][0-9_.]*")
_REFERENCE: Final = re.compile(r"\$\{(?:workflow|steps|env)\.[^{}\s]{1,256}\}")
# A call or a subscription: a program's expression.
_CODE: Final = re.compile(r"[A-Za-z_][\w.]*[(\[]")
_DOTTED_NAME: Final = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_AFTER_QUOTE: Final = re.compile(r"[ \t]*(?:[,)\]};+.:%]|$|[\r\n])")
#: Words of letters only: prose, or a column's name.
_WORDS: Final = re.compile(r"[A-Za-z_ -]{1,128}")
#: What stands before a parameter on its line.
_DEF: Final = re.compile(r"\bdef \w{1,128}\(")
_UNPACKED: Final = re.compile(r"[A-Za-z_], $")
_STATE: Final = re.compile(r"([A-Za-z]{1,10})(?=[.,;:!?]?(?:\s|$))")
_MORE_PROSE: Final = re.compile(r"[.,;:!?]?[ \t]+[A-Za-z(\"'`]")
#: Secrets of several words.
_PHRASES: Final = frozenset({"passphrase", "mnemonic", "phrase"})
#: Fewer characters are compared with a sign of punctuation, not with a secret.
_MIN_COMPARED: Final = 4
#: Words that make a secret's name only with the one before: "API key: …", "Connection string: …".
_SECOND_WORDS: Final = frozenset({"key", "keys", "id", "string", "code", "codes", "phrase", "word"})
_WORD_BEFORE: Final = re.compile(r"([A-Za-z]{2,20})[ _-]$")


_Spans = list[Span]


class _Read:
    """How far brackets have been read, so that those within others are not read again."""

    def __init__(self) -> None:
        self.until = 0


def hide(text: str) -> str:
    """`text` with what is assigned to secret-sounding names replaced by the mark."""
    if "%3" in text or "%5" in text:
        text = _hide_encoded(text)
    if not any(sign in text for sign in _SIGNS) and text[:1] != "-":
        return text
    parts: list[str] = []
    done = position = 0
    read = _Read()
    while (match := _NAME.search(text, position)) is not None:
        position = match.end()
        name = match["index"] or match["name"] or match["flag"] or match["tag"]
        if match["index"] and is_secret_name(match["name"]):
            name = match["name"]  # passwords[db]=x, but user[password]=x
        for start, stop in _spans(text, match, name, read):
            parts += (text[done:start], MARK)
            done = position = stop
        if position == match.end() and match["flag"] is not None:
            position = match.end("flag")
    return "".join((*parts, text[done:])) if parts else text


def _hide_encoded(text: str) -> str:
    parts: list[str] = []
    done = position = 0
    while (match := _ENCODED_NAME.search(text, position)) is not None:
        position = match.end()
        if is_secret_name(match["name"]):
            end = _ENCODED_END.search(text, position)
            position = len(text) if end is None else end.start()
            if notations.unless_empty(text, match.end(), position):
                parts += (text[done : match.end()], MARK)
                done = position
    return "".join((*parts, text[done:])) if parts else text


def _spans(text: str, match: re.Match[str], name: str, read: _Read) -> _Spans:
    """Where the parts of an assigned value stand that are to be hidden."""
    if match["sign"] == "," and not match["close"]:
        return []
    if name.lower() in _NAME_NAMES and match["sign"] in ("=", ":"):
        named = _named_value(text, match.end())
        if named:
            return named
    if not _is_secret(text, match, name):
        return []
    start = match.end()
    if match["sign"] in (":", "="):
        properties = _PROPERTIES.match(text, start)
        start = start if properties is None else properties.end()
        if text[start : start + 1] in ("", *"\r\n|>(\\"):
            below = _below(text, match, start)
            if below is not None:
                return below
    bracket = text[start : start + 1]
    if match["sign"] == "(" or (bracket and bracket in "[({" and match["sign"] is not None):
        found: _Spans | None = None
        if start >= read.until:
            inside = match["sign"] == "("
            found, read.until = notations.texts_in_brackets(text, start, inside=inside)
        if found is not None or match["sign"] == "(":
            return found or []
    span = _value_of(text, match, name, start)
    return [] if span is None else [span]


def _named_value(text: str, start: int) -> _Spans:
    match = _NAMED_VALUE.match(text, start)
    if match is None or not is_secret_name(match["name"]):
        return []
    start = match.end()
    opening = notations.OPENING.match(text, start)
    if match[0].endswith(">"):
        span = notations.unless_empty(text, start, notations.tagged_end(text, start))
    elif opening is not None:
        span = _quoted(text, opening)
    else:
        span = notations.unless_empty(text, start, notations.bare_end(text, start))
    return [] if span is None else [span]


def _below(text: str, match: re.Match[str], start: int) -> _Spans | None:
    """The value on the lines below; None if there is none."""
    block = notations.BLOCK.match(text, start)
    if block is not None:
        lines = notations.block(text, match.start(), block.end())
        return [] if lines is None else [lines]
    line = notations.NEXT_LINE.match(text, start)
    if line is None:
        return None
    start = line.end()
    opening = notations.OPENING.match(text, start)
    if opening is not None:
        span = _quoted(text, opening)
        return [] if span is None else [span]
    stop = notations.bare_end(text, start)
    # Below a name may stand anything, such as the code that an `if password:` is about.
    alone = text[stop : stop + 1] in ("", "\r", "\n")
    return [(start, stop)] if alone and looks_random(text[start:stop]) else []


def _is_secret(text: str, match: re.Match[str], name: str) -> bool:
    if is_secret_name(name):
        # The shell's PWD is where it stands.
        return not (name in ("PWD", "OLDPWD") and text.startswith("/", match.end()))
    if name.lower() not in _SECOND_WORDS:
        return False
    before = _WORD_BEFORE.search(text, max(match.start() - 24, 0), match.start())
    return before is not None and is_secret_name(f"{before[1]}_{name}")


def _value_of(text: str, match: re.Match[str], name: str, start: int) -> Span | None:
    """From where to where the value of a secret-sounding name stands, if it is to be hidden."""
    if match["tag"] is not None:
        return notations.unless_empty(text, start, notations.tagged_end(text, start))
    opening = notations.OPENING.match(text, start)
    if opening is not None:
        span = _quoted(text, opening)
        # ("password", "x") is a pair, but "password", "email" are names of columns.
        if span is None or (match["sign"] == "," and _is_column(text[slice(*span)])):
            return None
        # A parser compares tokens with signs.
        compared = match["sign"] in ("==", "===", "!=")
        return None if compared and span[1] - span[0] < _MIN_COMPARED else span
    # What is left as it is is told by its first word, before its end is looked for: else the same
    # text would be read again for every name in it.
    state = _STATE.match(text, start) if match["sign"] in (None, ":") else None
    if state is not None and state[1].lower() in _STATES:
        return None
    is_code = _CODE.match(text, start) or _REFERENCE.match(text, start)
    if is_code and match["sign"] != ":":
        return None
    if name.lower() in _HEADERS and match["sign"] in (":", "="):
        before = text[match.start() - 1 : match.start()]
        return notations.unless_empty(text, start, notations.header_end(text, start, before))
    if is_code:
        return None
    if name.lower().endswith(tuple(_PHRASES)) and match["sign"] in (":", "="):
        return notations.unless_empty(text, start, notations.phrase_end(text, start))
    return _bare(text, match, name, start)


def _is_column(value: str) -> bool:
    return _WORDS.fullmatch(value) is not None


def _quoted(text: str, opening: re.Match[str]) -> Span | None:
    start, stop = opening.end(), notations.quoted_end(text, opening)
    if _REFERENCE.fullmatch(text, start, stop) or text[start:stop].lower() in _NO_VALUE:
        return None
    if text[stop : stop + 1] in ("", "\r", "\n") and _AFTER_QUOTE.match(text, start):
        # It closes a text that ends in a name, as in input("Password: ").
        return None
    return notations.unless_empty(text, start, stop)


def _bare(text: str, match: re.Match[str], name: str, start: int) -> Span | None:
    stop = notations.bare_end(text, start)
    while stop > start and text[stop - 1] in _TRAILING and not text.endswith(MARK, start, stop):
        stop -= 1
    value = text[start:stop]
    if not value or value == MARK or value.lower() in _NO_VALUE or _HEAD.fullmatch(value):
        return None
    if _NUMBER.fullmatch(value) and not hides_numbers(name):
        return None
    if _is_python(text, match, value):
        return None
    if match["sign"] in (None, ":"):
        prose = _WORD.fullmatch(value) is not None
        harmless = prose and _MORE_PROSE.match(text, stop) is not None
    else:
        harmless = _is_own_name(value, name)
    return None if harmless else (start, stop)


def _is_python(text: str, match: re.Match[str], value: str) -> bool:
    """Whether a type follows a parameter's name, or a variable a tuple of names."""
    start = match.start()
    if not _DOTTED_NAME.fullmatch(value) or any(map(str.isdigit, value)):
        return False
    if match["sign"] == ":":
        line = notations.line_begin(text, start)
        return value.lower() in _STATES or _DEF.search(text, line, start) is not None
    return _UNPACKED.search(text, max(start - 3, 0), start) is not None


def _is_own_name(value: str, name: str) -> bool:
    """Whether a program hands on a variable, as in `token=token` or `password = self.password`."""
    if not _DOTTED_NAME.fullmatch(value):
        return False
    last = value.rpartition(".")[2]
    if "." in name and not any(map(str.isdigit, value)):
        return True  # an attribute and a variable: self.token = following
    return is_secret_name(last) if "." in value else last.lower() == name.rpartition(".")[2].lower()
