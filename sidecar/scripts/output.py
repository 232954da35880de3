"""A script's stdout as its outputs: exactly one JSON object, read strictly.

What JSON cannot say (NaN, Infinity, 1e400), what other languages cannot take over (integers beyond
64 bits, lone surrogates) and everything beside the one object is refused, with a message that
quotes the place and says what to do. Whitespace and a byte order mark around it are tolerated.
Which outputs a step has declared is not known here.
"""

import json
import math
import re
import sys
from typing import Any, Final

import orjson

from sidecar.errors import SidecarError
from sidecar.scripts.quoting import quoted

#: Levels of nesting; leaves some to the messages that outputs are sent in.
MAX_DEPTH: Final = 200

_SHOWN_CHARACTERS: Final = 80
_WHITESPACE: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
#: orjson turns integers beyond 64 bits into floats without a word; these may be such.
_LONG_NUMBER: Final = re.compile(rb"\d{19}")
#: The tokens of a document that is known to be JSON: strings, to be skipped, and numbers.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|(-?\d[\d.eE+-]*+)')
_MIN_INTEGER: Final = -(2**63)
_MAX_INTEGER: Final = 2**64 - 1
#: Where Python's repr goes on and JSON does not.
_PYTHON_VALUE: Final = re.compile(r"'|\"\"\"|True\b|False\b|None\b|\(|[bBrRuU]['\"]|[A-Za-z_.]+\(")

_PRINT_JSON: Final = "print one JSON object, e.g. print(json.dumps({...}))"
_TO_STDERR: Final = "print to stderr instead: print(..., file=sys.stderr)"


class InvalidOutput(SidecarError):
    """What a script printed is not one JSON object; the message is for its author."""


def parse_output(stdout: bytes) -> dict[str, Any]:
    """The object that `stdout` holds. Raises InvalidOutput."""
    document = stdout.strip(_WHITESPACE).removeprefix(_BOM).strip(_WHITESPACE)
    if not document:
        raise InvalidOutput(f"the script printed nothing on stdout; {_PRINT_JSON}")
    try:
        value = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise InvalidOutput(_diagnosis(stdout, str(error))) from None
    if not isinstance(value, dict):
        kind = _KINDS[type(value)]
        raise InvalidOutput(f"the script printed {kind}, not an object; {_PRINT_JSON}")
    if _LONG_NUMBER.search(document):
        _refuse_long_integers(document)
    if document.count(b"{") + document.count(b"[") > MAX_DEPTH:
        _refuse_depth(value)
    return value


_KINDS: Final = {
    list: "a JSON array",
    str: "a JSON string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _refuse_long_integers(document: bytes) -> None:
    for token in _TOKEN.finditer(document):
        number = token[1]
        # Beyond 20 characters it is beyond 64 bits; int() need not be bothered with thousands.
        if not number or not number.lstrip(b"-").isdigit():
            continue
        if len(number) > 20 or not _MIN_INTEGER <= int(number) <= _MAX_INTEGER:
            raise _too_large(number.decode())


def _too_large(number: str) -> InvalidOutput:
    shown = quoted(number, _SHOWN_CHARACTERS)
    return InvalidOutput(f"stdout holds an integer beyond 64 bits, {shown}; print it as a string")


def _refuse_depth(value: Any) -> None:
    """Refuse what we could read and could not write again: orjson writes 254 levels."""
    for _ in range(254 - MAX_DEPTH):
        value = [value]
    try:
        orjson.dumps(value)
    except TypeError:
        raise InvalidOutput(f"stdout holds JSON of more than {MAX_DEPTH} levels") from None


class _NotJson(ValueError):
    """A value that Python reads and JSON does not have."""


def _diagnosis(stdout: bytes, technical: str) -> str:
    """Why `stdout` is not one JSON document, for its author. Linear; runs on failure only."""
    try:
        text = stdout.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = stdout.count(b"\n", 0, error.start) + 1
        shown = _line_at(stdout.decode("latin-1"), error.start)
        return (
            f"stdout line {line} is not UTF-8: {shown}; "
            "print text, or encode binary data, e.g. with base64"
        )
    if "depth limit" in technical:
        return "stdout holds JSON that is nested too deeply"
    start = len(text) - len(text.lstrip(" \t\r\n"))
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return _broken(text, start, error)
    except _NotJson as error:
        return f"stdout holds {error}, which JSON does not have; print null or a string"
    except RecursionError:
        return "stdout holds JSON that is nested too deeply"
    rest = len(text) - len(text[end:].lstrip(" \t\r\n"))
    if rest == len(text):
        # Both have read all of it, and only orjson minds half surrogates.
        return "stdout holds half a surrogate pair (\\ud800 … \\udfff), which is no character"
    if not isinstance(value, dict | list):
        return _not_json(text, start)
    if text[rest] in "{[":
        line = text.count("\n", 0, rest) + 1
        return f"stdout holds two JSON documents, the second from line {line}; print one object"
    return _not_json(text, rest, " after the JSON")


def _broken(text: str, start: int, error: json.JSONDecodeError) -> str:
    cut_short = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
    if cut_short and text[start] in "{[":
        return "stdout ends in the middle of the JSON; was the script's output cut short?"
    if text[start] != "{":
        return _not_json(text, start)
    if _PYTHON_VALUE.match(text, error.pos):
        shown = _line_at(text, error.pos)
        return f"stdout looks like Python's repr, not JSON: {shown}; use print(json.dumps(...))"
    return f"{_not_json(text, error.pos)} ({error.msg} at column {error.colno})"


def _not_json(text: str, position: int, where: str = "") -> str:
    line = text.count("\n", 0, position) + 1
    return f"stdout line {line}{where} is not JSON: {_line_at(text, position)}; {_TO_STDERR}"


def _line_at(text: str, position: int) -> str:
    """The line around a position, quoted; of a long one, what begins shortly before it."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    if position - start > _SHOWN_CHARACTERS // 2:
        start = position - _SHOWN_CHARACTERS // 2
    return quoted(
        text[start : min(end, start + _SHOWN_CHARACTERS + 1)].rstrip("\r"), _SHOWN_CHARACTERS
    )


def _no_constant(name: str) -> float:
    raise _NotJson(name)


def _finite(number: str) -> float:
    if math.isinf(float(number)):
        raise _NotJson(f"the number {quoted(number, _SHOWN_CHARACTERS)}")
    return 0.0


def _integer(number: str) -> int:
    # Only so many digits that no float holds it have brought us here.
    if len(number) > sys.float_info.max_10_exp:
        raise _too_large(number)
    return 0


_DECODER: Final = json.JSONDecoder(
    parse_constant=_no_constant, parse_float=_finite, parse_int=_integer
)
