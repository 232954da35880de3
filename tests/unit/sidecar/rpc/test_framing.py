"""Bytes to messages, however they arrive."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sidecar.rpc.framing import LineFraming, Oversized

LIMIT = 16
#: Bytes that mean something to the framing come often.
BYTES = st.binary(max_size=120) | st.lists(
    st.sampled_from([b"\n", b"\r", b"\r\n", b" ", b"{}", b"x" * 7, b"x" * LIMIT]), max_size=20
).map(b"".join)


def messages(pieces: list[bytes], limit: int = LIMIT) -> list[bytes | Oversized]:
    framing = LineFraming(limit)
    found = [message for piece in pieces for message in framing.feed(piece)]
    return found + framing.end()


@given(BYTES, st.lists(st.integers(0, 120)))
def test_bytes_split_anywhere_give_the_same_messages(data: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[a:b] for a, b in pairwise(edges)]
    whole = messages([data])
    assert messages(pieces) == whole
    assert messages([data[i : i + 1] for i in range(len(data))]) == whole


@given(BYTES)
def test_each_line_that_is_not_blank_is_one_message(data: bytes) -> None:
    expected: list[bytes | Oversized] = []
    for line in data.split(b"\n"):
        text = line.strip(b" \t\r")
        if len(line) > LIMIT:
            expected.append(Oversized(LIMIT))
        elif text:
            expected.append(text)
    assert messages([data]) == expected


@given(st.lists(st.binary(max_size=30).filter(lambda m: b"\n" not in m and m.strip(b" \t\r") == m)))
def test_what_is_framed_is_read_back(sent: list[bytes]) -> None:
    framed = b"".join(map(LineFraming.frame, sent))
    assert messages([framed], limit=100) == [message for message in sent if message]


def test_a_message_of_just_the_limit_is_taken_and_one_more_byte_is_not() -> None:
    assert messages([b"x" * LIMIT, b"\n"]) == [b"x" * LIMIT]
    assert messages([b"x" * LIMIT, b"x", b"\n", b"{}\n"]) == [Oversized(LIMIT), b"{}"]
    assert messages([b"x" * (LIMIT + 1)]) == [Oversized(LIMIT)]


def test_the_limit_is_64_mib_unless_said_otherwise() -> None:
    framing = LineFraming()
    piece = b"\r" * (8 * 1024 * 1024)
    for _ in range(20):
        assert framing.feed(piece) == []
    assert framing.feed(b"\n") == [Oversized(64 * 1024 * 1024)]
