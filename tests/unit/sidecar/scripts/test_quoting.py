"""Foreign text in a message can neither forge a line nor grow without bound."""

import pytest

from sidecar.scripts.quoting import quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 日本", '"plain ünïcode 日本"'),
        ('say "hi" \\', '"say \\"hi\\" \\\\"'),
        ("a\r\n\tb", '"a\\r\\n\\tb"'),
        ("\x1b[31m\0", '"\\u001b[31m\\u0000"'),
        ("\ud800\u202e\u2028", '"\\ud800\\u202e\\u2028"'),
        ("\U000e0041", '"\\U000e0041"'),
        ("x" * 200, '"' + "x" * 160 + '…"'),
    ],
)
def test_text_is_quoted_escaped_and_shortened(text: str, shown: str) -> None:
    assert quoted(text) == shown
