"""Bytes to messages, however they arrive."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rpc.framing import (
    MAX_HEADER_BYTES,
    Framing,
    HeaderFraming,
    LineFraming,
    Message,
    Oversized,
    Unframed,
)

LIMIT = 16
#: Bytes that mean something to the framing come often.
BYTES = st.binary(max_size=120) | st.lists(
    st.sampled_from([b"\n", b"\r", b"\r\n", b" ", b"{}", b"x" * 7, b"x" * LIMIT]), max_size=20
).map(b"".join)


def messages(pieces: list[bytes], limit: int = LIMIT) -> list[Message]:
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
    expected: list[Message] = []
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


HEADER_BYTES = st.binary(max_size=120) | st.lists(
    st.sampled_from(
        [
            b"Content-Length: 3\r\n\r\n{ }",
            b"content-LENGTH:0\n\n",
            b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n",
            b"Content-Length: 17\r\n\r\n" + b"x" * 17,
            b"Content-Length: 2\r\n",
            b"Content-Length: -1\r\n",
            b"\r\n",
            b"\n",
            b"{}",
            b"x",
            b":",
        ]
    ),
    max_size=12,
).map(b"".join)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[a:b] for a, b in pairwise(edges)]


def from_headers(pieces: list[bytes], limit: int = LIMIT) -> list[Message]:
    framing = HeaderFraming(limit)
    found = [message for piece in pieces for message in framing.feed(piece)]
    return found + framing.end()


def told(pieces: list[bytes], limit: int = LIMIT) -> list[Message]:
    framing = Framing(limit)
    found = [message for piece in pieces for message in framing.feed(piece)]
    return found + framing.end()


@given(HEADER_BYTES, st.lists(st.integers(0, 120)))
def test_headers_split_anywhere_give_the_same_messages(data: bytes, cuts: list[int]) -> None:
    whole = from_headers([data])
    assert from_headers(split(data, cuts)) == whole
    assert from_headers([data[i : i + 1] for i in range(len(data))]) == whole


@given(st.lists(st.binary(max_size=30)), st.lists(st.integers(0, 500)))
def test_what_is_framed_with_headers_is_read_back(sent: list[bytes], cuts: list[int]) -> None:
    framed = b"".join(map(HeaderFraming.frame, sent))
    assert from_headers(split(framed, cuts), limit=100) == sent


def test_other_headers_blank_lines_and_bare_line_ends_are_passed_over() -> None:
    data = (
        b"\r\n\nContent-Type: application/vscode-jsonrpc\r\ncontent-length:2\r\n\r\n{}"
        b"\r\nCONTENT-LENGTH : 3 \n\n[1]"
    )
    assert from_headers([data]) == [b"{}", b"[1]"]


def test_a_body_of_just_the_limit_is_taken_and_one_more_byte_is_skipped() -> None:
    frame = HeaderFraming.frame
    assert from_headers([frame(b"x" * LIMIT)]) == [b"x" * LIMIT]
    both = frame(b"x" * (LIMIT + 1)) + frame(b"{}")
    assert from_headers([both]) == [Oversized(LIMIT), b"{}"]
    assert from_headers([frame(b"")]) == [b""]


def test_a_huge_length_is_told_at_once_and_skipped_in_bounded_memory() -> None:
    framing = HeaderFraming(LIMIT)
    assert framing.feed(b"Content-Length: 999999999999999999\r\n\r\n") == [Oversized(LIMIT)]
    for _ in range(100):
        assert framing.feed(b"x" * 1_000_000) == []
    assert len(framing._begun) == 0


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"{}\n", 'expected a header such as "Content-Length: 42", got "{}"'),
        (b'{"a": 1}\n', 'expected a header such as "Content-Length: 42", got "{'),
        (b": 1\n", 'expected a header such as "Content-Length: 42", got ": 1"'),
        (b"Content-Length: -1\r\n\r\n", 'Content-Length is a number of bytes, not "-1"'),
        (b"Content-Length: +1\r\n\r\n", 'Content-Length is a number of bytes, not "+1"'),
        (b"Content-Length: 1_0\r\n\r\n", 'Content-Length is a number of bytes, not "1_0"'),
        (b"Content-Length:\r\n\r\n", 'Content-Length is a number of bytes, not ""'),
        (b"Content-Length: \xb2\r\n\r\n", 'Content-Length is a number of bytes, not "\ufffd"'),
        (b"Content-Length: " + b"9" * 19 + b"\r\n", "Content-Length is a number of bytes, not "),
        (b"Content-Length: 2\nContent-Length: 2\n\n{}", "two Content-Length headers for one"),
        (b"Content-Type: x\r\n\r\n{}", "a header without Content-Length"),
        (b"X: " + b"x" * MAX_HEADER_BYTES, "a header of more than 4096 bytes"),
        (b"X: x\n" * MAX_HEADER_BYTES, "a header of more than 4096 bytes"),
    ],
)
def test_where_no_frame_can_be_found_the_stream_is_over(data: bytes, problem: str) -> None:
    (found,) = from_headers([data, HeaderFraming.frame(b"{}")])
    assert isinstance(found, Unframed)
    assert found.problem.startswith(problem)
    assert from_headers([data[i : i + 1] for i in range(len(data))]) == [found]


@pytest.mark.parametrize(
    "data", [b"Content-Length: 2\r\n\r\n{", b"Content-Len", b"Content-Length: 99\r\n\r\nx"]
)
def test_a_stream_that_ends_within_a_message_is_told(data: bytes) -> None:
    found = from_headers([data])
    assert found[-1] == Unframed("the stream ended in the middle of a message")
    assert from_headers([HeaderFraming.frame(b"{}") + b"\r\n"]) == [b"{}"]


@given(BYTES | HEADER_BYTES, st.lists(st.integers(0, 120)))
def test_the_first_bytes_tell_the_framing_however_they_arrive(data: bytes, cuts: list[int]) -> None:
    first = data.lstrip(b" \t\r\n")
    is_headers = first[:8].lower() == b"content-"
    expected = (from_headers if is_headers else messages)([first])
    assert told([data]) == expected
    assert told(split(data, cuts)) == expected


def test_answers_go_out_in_the_framing_of_the_client() -> None:
    framing = Framing()
    assert framing.frame(b"{}") == b"{}\n"
    framing.feed(b" \r\nConte")
    framing.feed(b"nt-length: 2\n\n")
    assert framing.frame(b"{}") == b"Content-Length: 2\r\n\r\n{}"
    lines = Framing()
    lines.feed(b"[")
    assert lines.frame(b"{}") == b"{}\n"
    assert (framing.broken, lines.broken) == (False, False)
    framing.feed(b"[]nonsense\n")
    assert framing.broken
