"""What a single argument may be: a text as typed → its value, or what it takes.

All raise ArgumentTypeError, which argparse tells the user. They know words, numbers and addresses,
and no command.
"""

import argparse
import re
from collections.abc import Callable
from typing import Final

from sidecar.cli import streams
from sidecar.cli.parser import meant

#: Nobody means a longer number, and Python refuses to read very long ones.
_MAX_DIGITS: Final = 9
_MAX_PORT: Final = 65_535
#: No `null`, which any sandboxed page sends, and no patterns.
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@*A-Z]*")


def one_of(*words: str) -> Callable[[str], str]:
    """One of the words."""

    def check(text: str) -> str:
        if text not in words:
            hint = meant(text, words)
            raise _expected(f"one of {', '.join(words)}", text, hint)
        return text

    return check


def at_least(least: int) -> Callable[[str], int]:
    """A whole number."""

    def number(text: str) -> int:
        value = _number(text)
        if value is None or value < least:
            raise _expected(f"a whole number from {least} to {10**_MAX_DIGITS - 1:,}", text)
        return value

    return number


def port(text: str) -> int:
    """A port; 0 is any free one."""
    number = _port(text)
    if number is None:
        raise _expected(f"a port from 0 to {_MAX_PORT}", text)
    return number


def address(text: str) -> tuple[str, int]:
    """HOST and port of [HOST:]PORT, an IPv6 HOST in brackets."""
    host, colon, after = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise argparse.ArgumentTypeError(
            f"an IPv6 address stands in brackets, [{host}]:{after}; got {streams.quoted(text)}"
        )
    number = _port(after)
    if number is None or bool(colon) != bool(host):
        raise _expected(f"[HOST:]PORT, a PORT from 0 to {_MAX_PORT}", text)
    return host or "127.0.0.1", number


def origin(text: str) -> str:
    """An origin as browsers send it (RFC 6454, section 6.2)."""
    if not _ORIGIN.fullmatch(text):
        raise argparse.ArgumentTypeError(
            "expected an origin as browsers send it, such as http://localhost:5173: scheme, host "
            f"and perhaps port, in lower case and with no path; got {streams.quoted(text[:60])}"
        )
    return text


def module_name(text: str) -> str:
    """The dotted name of a module."""
    if not all(part.isidentifier() for part in text.split(".")):
        raise _expected("a module's name such as numpy", text)
    return text


def name_and_value(text: str) -> tuple[str, str]:
    """NAME and VALUE of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise _expected("NAME=VALUE", text)
    return name, value


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return int(text) if is_number else None


def _port(text: str) -> int | None:
    number = _number(text)
    return None if number is None or number > _MAX_PORT else number


def _expected(what: str, text: str, hint: str = "") -> argparse.ArgumentTypeError:
    shown = streams.quoted(text[:60])
    return argparse.ArgumentTypeError(f"expected {what}, got {shown}{hint}")
