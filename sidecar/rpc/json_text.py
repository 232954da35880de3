"""The bytes of a message → its JSON value, where the parser alone is too lenient or too costly.

Bounded in time and memory, whatever the bytes. It knows no requests.
"""

import gc
import json
import re
from typing import Any, Final

import orjson

#: Values in one message. 64 MiB of `[],` are 21 million, and take 2 GB once they are read.
MAX_VALUES: Final = 4_000_000
#: A larger message is not read a second time to find out a detail.
_READ_AGAIN_BYTES: Final = 1024 * 1024

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
#: 2**63 has 19 digits; orjson reads an integer beyond 64 bits as the nearest float.
_MANY_DIGITS: Final = re.compile(rb"[0-9]{19}")
_ESCAPED_COLON: Final = re.compile(rb"\\u003[aA]")


class NotJson(ValueError):
    """The bytes are no JSON text that has one meaning; the message says why."""


class ExactNumber(float):
    """A number that is no 64-bit integer, with the text that it stood in."""

    text: bytes

    def __new__(cls, text: str) -> "ExactNumber":
        """The number that `text` stands for."""
        number = super().__new__(cls, text)
        number.text = text.encode()
        return number


def parsed(message: bytes) -> Any:
    """The JSON value of a message. Raises NotJson."""
    # The collector would walk all of a large value again and again while it grows.
    gc.disable()
    try:
        value = orjson.loads(message)
        if _has_duplicate_key(message, value):
            raise NotJson(_told_duplicate(message))
    except orjson.JSONDecodeError as error:
        raise NotJson(str(error)) from None
    finally:
        gc.enable()
    return value


def has_too_many_values(message: bytes) -> bool:
    """Whether reading the message would take far more memory than it has bytes."""

    def count(text: bytes) -> int:
        return text.count(b",") + text.count(b"[") + text.count(b"{")

    if count(message) <= MAX_VALUES:
        return False
    # Most of it may stand inside of texts.
    return count(_STRING.sub(b"", message)) > MAX_VALUES


def with_exact_ids(message: bytes, value: Any) -> Any:
    """`value`, read from `message`, with each id that is a float as an ExactNumber: a number of 23
    digits is echoed as it was sent, not as the nearest float."""
    entries = value if isinstance(value, list) else [value]
    if len(message) > _READ_AGAIN_BYTES or not any(
        isinstance(entry, dict) and isinstance(entry.get("id"), float) for entry in entries
    ):
        return value
    try:
        again = json.loads(message, parse_int=ExactNumber, parse_float=ExactNumber)
    except RecursionError:
        return value
    exact = again if isinstance(again, list) else [again]
    for entry, exact_entry in zip(entries, exact, strict=True):
        if isinstance(entry, dict) and isinstance(entry.get("id"), float):
            entry["id"] = exact_entry["id"]
    return value


def with_exact_integers(message: bytes, value: Any) -> Any:
    """`value`, read from `message`, with the params of each entry as they were sent where they hold
    an integer beyond 64 bits: whoever takes them can refuse it by name. Raises NotJson."""
    if not _MANY_DIGITS.search(message) or not _MANY_DIGITS.search(_STRING.sub(b"", message)):
        return value
    try:
        again = json.loads(message) if len(message) <= _READ_AGAIN_BYTES else None
    except RecursionError:
        again = None
    if again is None:
        raise NotJson("a number of 19 digits or more in so large a message; send it as text")
    entries, exact = (value, again) if isinstance(value, list) else ([value], [again])
    for entry, exact_entry in zip(entries, exact, strict=True):
        if isinstance(entry, dict) and "params" in entry:
            entry["params"] = exact_entry["params"]
    return value


def _has_duplicate_key(message: bytes, value: Any) -> bool:
    """Whether some object has a key twice. Parsers differ in which of the two they take, so that
    whoever checked the message before us may have seen another one (RFC 8259, section 4)."""
    # Each member has one colon, and what is written back has no member twice. Colons inside of
    # texts come back too, unless they were escaped.
    colons = message.count(b":")
    if not _ESCAPED_COLON.search(message):
        try:
            return orjson.dumps(value).count(b":") != colons
        except orjson.JSONEncodeError:
            pass  # nested more deeply than it writes
    return _STRING.sub(b"", message).count(b":") != _count_members(value)


def _count_members(value: Any) -> int:
    count = 0
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            count += len(one)
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return count


def _told_duplicate(message: bytes) -> str:
    def find(members: list[tuple[str, Any]]) -> None:
        seen = set()
        for key, _ in members:
            if key in seen:
                raise NotJson(f"the key {json.dumps(key)} stands twice in one object")
            seen.add(key)

    if len(message) <= _READ_AGAIN_BYTES:
        try:
            json.loads(message, object_pairs_hook=find)
        except NotJson as found:
            return str(found)
        except RecursionError:
            pass
    return "a key stands twice in one object"
