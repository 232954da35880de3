"""What a script says on stderr: told line by line, kept as head and tail, never too much."""

import random

import pytest

from sidecar.scripts.stderr import BURST_LINES, LINE_BYTES, LINES_PER_SECOND, HeadAndTail, Stderr


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def told(*pieces: bytes) -> list[str]:
    lines: list[str] = []
    stderr = Stderr(lines.append, Clock())
    for piece in pieces:
        stderr.feed(piece)
    stderr.finish()
    return lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"\r 1%\r 2%\rdone\n", ["", " 1%", " 2%", "done"]),
        ("größe ✓\n🙂\n".encode(), ["größe ✓", "🙂"]),
        (b"bad \xff byte\n", ["bad \ufffd byte"]),
        (b"a\x00b\x1b[1m\n", ["a\0b\x1b[1m"]),
    ],
)
def test_lines_are_the_same_however_they_were_split(text: bytes, lines: list[str]) -> None:
    assert told(text) == lines
    assert told(*(text[i : i + 1] for i in range(len(text)))) == lines
    for cut in range(len(text)):
        assert told(text[:cut], text[cut:]) == lines


def test_line_is_told_as_soon_as_it_ends() -> None:
    lines: list[str] = []
    stderr = Stderr(lines.append)
    stderr.feed(b"one\ntw")
    assert lines == ["one"]
    stderr.feed(b"o\n")
    assert lines == ["one", "two"]


def test_long_line_is_cut_at_a_whole_character() -> None:
    text = ("x" + "ü" * LINE_BYTES + "\nnext\n").encode()
    whole = (LINE_BYTES - 1) // 2
    left_out = len(text) - len("\nnext\n") - 1 - 2 * whole
    assert told(text) == ["x" + "ü" * whole + f" [… {left_out} bytes left out]", "next"]


def test_flood_is_told_at_a_bounded_rate_and_counted() -> None:
    clock = Clock()
    lines: list[str] = []
    stderr = Stderr(lines.append, clock)
    for _ in range(100):
        stderr.feed(b"flood\r\n" * 1000 + b"rest")
    assert lines == ["flood"] * BURST_LINES
    clock.now = 1.0
    stderr.feed(b"\nagain\n")
    assert lines[BURST_LINES] == f"[… {100_000 - BURST_LINES} lines left out …]"
    assert lines[BURST_LINES + 1 :] == ["rest", "again"]
    stderr.feed(b"x\n" * 10_000)
    assert len(lines) == BURST_LINES + 1 + LINES_PER_SECOND
    stderr.finish()
    assert lines[-1] == f"[… {10_000 - LINES_PER_SECOND + 2} lines left out …]"


@pytest.mark.parametrize("size", [0, 1, 99, 100])
def test_short_stream_is_kept_whole(size: int) -> None:
    kept = HeadAndTail(100)
    text = "".join(chr(ord("a") + i % 26) for i in range(size))
    for character in text:
        kept.feed(character.encode())
    assert kept.text() == text


def test_long_stream_is_kept_as_head_and_tail() -> None:
    kept = HeadAndTail(20)
    for i in range(1000):
        kept.feed(b"%04d\n" % i)
    assert kept.text() == "0000\n0001\n\n[… 4980 bytes left out …]\n0998\n0999\n"


def test_characters_at_the_cut_stay_whole() -> None:
    generator = random.Random(1)  # noqa: S311  # any texts will do
    for _ in range(200):
        kept = HeadAndTail(30)
        text = "".join(generator.choice("aü€🙂") for _ in range(100)).encode()
        kept.feed(text)
        shown = kept.text()
        assert "\ufffd" not in shown
        head, _, tail = shown.partition("\n[… ")
        count, _, tail = tail.partition(" bytes left out …]\n")
        assert len(head.encode()) + int(count) + len(tail.encode()) == len(text)


def test_binary_noise_is_kept_without_an_error() -> None:
    kept = HeadAndTail(30)
    kept.feed(b"\x80" * 100)
    assert "[… " in kept.text()


def test_memory_for_a_gigabyte_stays_small() -> None:
    stderr = Stderr(lambda _: None, Clock())
    chunk = b"x" * 65536
    for _ in range(1000):
        stderr.feed(chunk)
    assert len(stderr._kept._tail) < 256 * 1024
    assert len(stderr._live._line) <= LINE_BYTES


def test_last_words_are_the_last_line_that_says_something() -> None:
    stderr = Stderr(lambda _: None)
    assert stderr.last_line() == ""
    stderr.feed(b"usage: x\nerror:\x1b[31m no file\n\n \n")
    assert stderr.last_line() == "error: [31m no file"
