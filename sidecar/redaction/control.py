"""Control characters made visible, for log lines and terminals.

Knows nothing of secrets: it is the last thing done to a text before a person or a log sees it.
"""

import re

# C0, DEL and C1 controls; line and paragraph separators; direction overrides, which reorder what a
# person reads (CVE-2021-42574); lone surrogates, which no output could encode.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _visible(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def escape_control(text: str) -> str:
    r"""`text` on one line, its control characters as `\n`, `\x1b`, `\u202e`.

    ANSI escape sequences lose their effect by it and stay readable. Backslashes of the text itself
    stay as they are, so this is for showing and not for reading back.
    """
    return _HIDDEN.sub(_visible, text)
