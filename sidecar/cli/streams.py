"""Stdout and stderr as they come: closed, full, without a reader, or ASCII only.

What the commands print goes through here, so that none of that ends in a traceback. It knows no
command.
"""

import json
import os
import sys
from contextlib import suppress
from typing import Any, Final, TextIO

#: What terminals call themselves that can print lines and nothing more.
_DUMB: Final = ("dumb", "unknown")


class StdoutError(Exception):
    """Stdout cannot be written, and not because its reader has left."""


def prepare() -> None:
    """Make sure that no print fails for a character, and no file we open becomes stdout."""
    # The three lowest descriptors must be taken: a history file that is descriptor 1 would be
    # written to by every stray print.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether lines on it can be redrawn."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") not in _DUMB


def printable(text: str, stream: TextIO) -> str:
    """`text` with escapes for what the stream's encoding lacks, so that its width is known."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def say(text: str) -> None:
    """Print one or several lines. Raises BrokenPipeError or StdoutError."""
    _write(text + "\n")


def say_json(value: Any) -> None:
    """Print a JSON document. Raises BrokenPipeError or StdoutError."""
    import orjson

    say_document(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")


def say_document(document: bytes) -> None:
    """Print UTF-8 bytes as they are, whatever the terminal's encoding: RFC 8259 §8.1 for JSON."""
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        _write(document.decode())
        return
    flush()
    try:
        binary.write(document)
    except OSError as error:
        raise _of(error) from None


def flush() -> None:
    """Write what is buffered. Raises BrokenPipeError or StdoutError."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError as error:
            raise _of(error) from None


def abandon_stdout() -> None:
    """Print nothing more, and let Python's own flush at exit find nothing to complain about."""
    with suppress(OSError, ValueError):
        stdout = sys.stdout.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stdout)
        os.close(null)


def complain(text: str, kind: str = "error") -> None:
    """Tell the user on stderr what is wrong, on one line; `kind` is error or warning."""
    from sidecar.redaction import Redactor, escape_control

    shown = Redactor(of_all_runs=True).text(text)
    tell(f"workflow-sidecar: {kind}: {escape_control(shown)}")


def tell(line: str) -> None:
    """One line on stderr; nobody fails because nobody listens."""
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


def quoted(text: str) -> str:
    """Text of the user's in a message."""
    return json.dumps(text, ensure_ascii=False)


def _write(text: str) -> None:
    if sys.stdout is not None:
        try:
            sys.stdout.write(text)
        except OSError as error:
            raise _of(error) from None


def _of(error: OSError) -> Exception:
    return error if isinstance(error, BrokenPipeError) else StdoutError(error.strerror)
