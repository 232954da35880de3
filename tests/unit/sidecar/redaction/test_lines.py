"""Lines of a stream: what goes over several of them."""

import pytest

from sidecar.redaction import MARK, Redactor
from tests.unit.sidecar.redaction import samples


def shown(text: str, redactor: Redactor | None = None) -> list[str]:
    lines = (redactor or Redactor()).lines()
    return [lines.line(line) for line in text.split("\n")]


@pytest.mark.parametrize("kind", ["", "RSA ", "OPENSSH ", "PGP "])
def test_private_key_printed_line_by_line_is_hidden_and_what_follows_is_not(kind: str) -> None:
    key = samples.private_key(kind)
    if kind == "PGP ":
        key = key.replace("KEY-", "KEY BLOCK-")
    assert shown(f"before\n{key}\nafter") == ["before", *[MARK] * len(key.splitlines()), "after"]
    folded = key.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1)
    assert samples.letters(20) not in "\n".join(shown(folded))
    quoted = "\n".join(f"> {line}" for line in key.splitlines())
    assert samples.letters(20) not in "\n".join(shown(quoted))


def test_begin_line_without_a_key_hides_no_more_than_itself() -> None:
    text = "-----BEGIN PRIVATE KEY-----\nis how a key begins.\nIt ends otherwise."
    assert shown(text) == [MARK, "is how a key begins.", "It ends otherwise."]


def test_two_keys_and_text_between_them() -> None:
    key = samples.private_key()
    found = shown(f"{key} and\n{key}\nend")
    assert [line for line in found if line != MARK] == [f"{MARK} and", "end"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password: |\n  one§\n  two§\nnext: 1", ["password: |", f"  {MARK}", MARK, "next: 1"]),
        ("password:\n  §12345678\nx", ["password:", f"  {MARK}", "x"]),
        ('password = (\n  "§"\n)', ["password = (", f'  "{MARK}"', ")"]),
        ("items:\n  - a\n  - b", ["items:", "  - a", "  - b"]),
        ("if token:\n    go()", ["if token:", "    go()"]),
        ("a:\nb:\npassword:\n  §12345678", ["a:", "b:", "password:", f"  {MARK}"]),
    ],
)
def test_value_below_its_name_is_hidden_although_it_comes_later(
    text: str, expected: list[str]
) -> None:
    assert shown(text.replace("§", "Zq9x")) == expected


def test_block_without_end_is_given_up_in_bounded_memory() -> None:
    lines = Redactor().lines()
    lines.line("password: |")
    for _ in range(1_000):
        lines.line("  x" * 100)
        assert sum(map(len, lines._before)) < 64 * 1024


def test_mark_stands_where_showing_fails() -> None:
    def fail(_: str) -> str:
        raise RuntimeError

    redactor = Redactor()
    lines = redactor.lines()
    lines._show = fail
    assert lines.line("anything") == MARK


def test_known_secret_of_several_lines_is_hidden_line_by_line() -> None:
    redactor = Redactor(["first-part\nother#part\nx"])
    assert shown("a first-part b\nother#part\nx", redactor) == [f"a {MARK} b", MARK, "x"]
