"""Foreign text inside a one-line message: quoted, escaped, shortened.

It knows nothing of secrets; whoever shows a message redacts it.
"""

from typing import Final

QUOTED_CHARACTERS: Final = 160


def quoted(text: str, limit: int = QUOTED_CHARACTERS) -> str:
    """`text` between double quotes, at most `limit` of its characters, an ellipsis for the rest.

    Whatever is not printable (control and format characters, lone surrogates, odd spaces) is
    written as its escape, so that a name can neither forge a line nor turn the text around.
    """
    shown = "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escape(c)) for c in text[:limit])
    return f'"{shown}{"…" if len(text) > limit else ""}"'


_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
