"""The value of a plain scalar by the core schema of YAML 1.2.2 (section 10.3.2).

So `on`, `yes` and `2020-01-01` are text and `010` is ten. What JSON cannot hold (NaN, infinity,
integers beyond 64 bits) is an error, since steps receive JSON. It knows no text around the scalar.
"""

import math
import re
from typing import Any, Final

from protocol.problems import shortened

_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_CONSTANTS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
#: Of a file's text in a message.
QUOTED_CHARACTERS: Final = 38
#: 2**64 has twenty digits; longer texts are not even converted.
_MAX_INTEGER_CHARACTERS: Final = 24


def resolve(text: str) -> Any:
    """The null, boolean, number or text that a plain scalar means.

    Raises ValueError, with a message for the author, for a number that JSON cannot hold.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text, text, 10)
    if _OCTAL.fullmatch(text):
        return _integer(text, text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return _integer(text, text[2:], 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError(
                f"the number {shortened(text, QUOTED_CHARACTERS)} is too large; put it in quotes"
            )
        return number
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is no number that JSON can hold; put it in quotes")
    return text


def _integer(text: str, digits: str, base: int) -> int:
    if len(digits) <= _MAX_INTEGER_CHARACTERS:
        number = int(digits, base)
        if -(2**63) <= number < 2**64:
            return number
    shown = shortened(text, QUOTED_CHARACTERS)
    raise ValueError(f"the number {shown} does not fit into 64 bits; put it in quotes")
