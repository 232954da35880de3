"""Secrets of which a cut has left a part."""

import pytest

from protocol.problems import shown
from sidecar.redaction import MARK, Redactor
from sidecar.scripts.stderr import HeadAndTail, Stderr
from tests.unit.sidecar.redaction import samples
from tests.unit.sidecar.redaction.from_shapes import secrets_of

LONG = samples.letters(26) + "/" + samples.letters(26)[::-1] + "#tail"
NOTE = "[… 9 bytes left out …]"


@pytest.mark.parametrize(
    "token", [tokens[0] for name, tokens in samples.VENDORS.items() if len(tokens[0]) > 60]
)
def test_token_cut_in_a_message_is_hidden(token: str) -> None:
    message = f"expected a number, got text ({shown(token)})"
    hidden = Redactor().text(message)
    assert hidden.startswith("expected a number, got text (")
    assert token[12:24] not in hidden


@pytest.mark.parametrize("length", range(4, len(LONG)))
def test_known_value_cut_anywhere_is_hidden_on_both_sides(length: int) -> None:
    redactor = Redactor([LONG])
    head, tail = LONG[:length], LONG[length:]
    assert redactor.text(f'got "x {head}…') == f'got "x {MARK}…'
    assert redactor.text(f"x {head} {NOTE}") == f"x {MARK} {NOTE}"
    assert redactor.text(f"x {head}\n{NOTE}") == f"x {MARK}\n{NOTE}"
    if len(tail) >= 4:
        assert redactor.text(f"{NOTE}\n{tail} y") == f"{NOTE}\n{MARK} y"


def test_password_in_a_url_cut_before_its_host_is_hidden() -> None:
    assert Redactor().text("got postgres://app:hunter2-and…") == f"got postgres://app:{MARK}…"


@pytest.mark.parametrize(
    "text",
    [
        "a word…",
        "wait … what",
        "and so on…\nand on…",
        f"ordinary words {NOTE}\nwords again",
        "https://example.com/a/long/path…",
        "ratio 1:2…",
        MARK + "…",
        "…",
    ],
)
def test_ordinary_text_that_was_cut_stays(text: str) -> None:
    assert Redactor([LONG]).text(text) == text


def test_stderr_cut_at_any_byte_of_a_secret_shows_no_part_of_it() -> None:
    redactor = Redactor([LONG])
    for offset in range(len(LONG) + 1):
        kept = HeadAndTail(2_000)
        kept.feed(b"x " * 480 + b"y" * (39 - offset % 40) + b" ")
        kept.feed(LONG.encode() + b" " + b"z " * 5_000 + LONG.encode() + b"w " * 480)
        hidden = redactor.text(kept.text())
        for start in range(len(LONG) - 8):
            assert LONG[start : start + 8] not in hidden


def test_line_of_stderr_cut_within_a_secret_shows_no_part_of_it() -> None:
    redactor = Redactor([LONG])
    for offset in range(len(LONG)):
        lines: list[str] = []
        stderr = Stderr(lines.append)
        stderr.feed(b"x" * (4_095 - offset) + b" " + LONG.encode() * 2 + b"\n")
        hidden = redactor.text(lines[0])
        assert not any(LONG[start : start + 8] in hidden for start in range(len(LONG) - 8))


def test_key_without_its_beginning_is_hidden() -> None:
    key = samples.private_key()
    for start in (5, 40, 100, len(key) - 60):
        assert samples.letters(16) not in Redactor().text(f"{NOTE}\n{key[start:]}\nafter")
    assert (
        Redactor().text("no key\n-----END PRIVATE KEY-----") == "no key\n-----END PRIVATE KEY-----"
    )


def test_every_shape_with_a_mark_of_its_own_is_known_by_its_beginning() -> None:
    from sidecar.redaction.vendors import SHAPES

    known = 0
    for shape in SHAPES:
        for before, token in secrets_of(shape):
            if before or len(token) < 40:
                continue
            cut = token[: len(token) - 6]
            known += cut not in Redactor().text(f"got {cut}…")
    assert known > 120
