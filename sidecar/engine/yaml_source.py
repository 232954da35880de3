"""The bytes of a workflow file → its text: UTF-8, of a bounded size, with nothing in it that YAML
has no place for. It knows no YAML beyond that.
"""

import re
from typing import Final

from protocol import limits
from sidecar.engine.yaml_syntax import line_and_column

SURROGATE: Final = re.compile("[\ud800-\udfff]")
HALF_A_PAIR: Final = "half of a surrogate pair is no character; delete it"
# YAML 1.2.2, section 5.1: what may stand in a stream unescaped.
_UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


class NoText(Exception):
    """The bytes are no text that could be YAML; `line` and `column`, from 1, are where."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message


def text_of(source: bytes | str) -> str:
    """The text, without a byte order mark. Raises NoText."""
    size_bytes = len(source if isinstance(source, bytes) else source.encode(errors="replace"))
    if size_bytes > limits.MAX_WORKFLOW_FILE_BYTES:
        # Whoever reads a file stops one byte after the limit, so its size is not known here.
        most = limits.MAX_WORKFLOW_FILE_BYTES
        raise NoText(1, 1, f"the file is too large; at most {most:,} bytes are read")
    text = source if isinstance(source, str) else _decoded(source)
    text = text.removeprefix("\ufeff")
    bad = _UNPRINTABLE.search(text)
    if bad:
        raise NoText(*line_and_column(text, bad.start()), _unprintable(bad.group()))
    return text


def _decoded(source: bytes) -> str:
    if source[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in source[:2]:
        raise NoText(1, 1, "the file is UTF-16 or UTF-32; save it as UTF-8")
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8").removeprefix("\ufeff")
        message = f"byte 0x{source[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise NoText(*line_and_column(before, len(before)), message) from None


def _unprintable(character: str) -> str:
    code = ord(character)
    if SURROGATE.match(character):
        return HALF_A_PAIR
    escape = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    return f'the character U+{code:04X} is not allowed in YAML; write "{escape}" in double quotes'
