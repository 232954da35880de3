"""Control characters made visible."""

import pytest

from sidecar.redaction import escape_control


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü \U0001f680", "plain ü \U0001f680"),
        ("a\nb\r\n\tc", "a\\nb\\r\\n\\tc"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u202eevil\u2028\u2066", "\\u202eevil\\u2028\\u2066"),
        ("\ud800", "\\ud800"),
        ("", ""),
    ],
)
def test_control_characters_are_visible_and_the_rest_stays(text: str, shown: str) -> None:
    assert escape_control(text) == shown
    assert len(escape_control(text).splitlines()) <= 1
