"""Bytes on stdin, as a client may send them by mistake or in pieces, in both framings."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.integration.conftest import Project, Start, definition, step
from tests.integration.driver import ContentLength, Driver
from tests.integration.test_errors import INFO, code_and_id

LIMIT_BYTES = 64 * 1024 * 1024
PIECE = b"x" * (1024 * 1024)

both_framings = pytest.mark.parametrize(
    "transport", ["lines", "content-length"], indirect=True, scope="module"
)
headers_only = pytest.mark.parametrize(
    "transport", ["content-length"], indirect=True, scope="module"
)


def message(number: Any, method: str = "sidecar:info") -> bytes:
    return json.dumps({**INFO, "id": number, "method": method}, ensure_ascii=False).encode()


@both_framings
def test_a_message_over_64_mib_is_skipped_in_bounded_memory(driver: Driver, transport: str) -> None:
    driver.call("sidecar:info")
    before_bytes = driver.peak_bytes()
    driver.write(b'{"' if transport == "lines" else b"Content-Length: %d\r\n\r\n" % (200 << 20))
    for _ in range(200):
        driver.write(PIECE)
    if transport == "lines":
        driver.write(b"\n")
    answer = driver.next_answer(2)
    assert code_and_id(answer) == (-32600, None)
    assert str(LIMIT_BYTES) in answer["error"]["message"]
    driver.call("sidecar:info")
    assert driver.peak_bytes() - before_bytes < 2 * LIMIT_BYTES


@both_framings
def test_a_message_of_just_64_mib_is_taken(driver: Driver) -> None:
    head, tail = b'{"jsonrpc":"2.0","id":1,"method":"sidecar:info","x":"', b'"}'
    driver.send_bytes(head + b"x" * (LIMIT_BYTES - len(head) - len(tail)) + tail)
    assert "result" in driver.answer(1)


def test_a_message_of_too_many_values_is_refused_without_reading_it(driver: Driver) -> None:
    driver.call("sidecar:info")
    before_bytes = driver.peak_bytes()
    driver.send_bytes(b"[" + b"[]," * 20_000_000 + b"1]")
    assert code_and_id(driver.next_answer(2)) == (-32600, None)
    assert driver.peak_bytes() - before_bytes < 4 * LIMIT_BYTES
    # Inside of a text they are no values.
    text = "[,{" * 2_000_000
    driver.send({**INFO, "id": "text", "x": text})
    assert "result" in driver.answer("text")


def test_blank_lines_carriage_returns_and_split_frames_change_nothing(driver: Driver) -> None:
    driver.write(b"\n\r\n  \n\t\r\n" + message("one") + b"\r\n")
    driver.answer("one")
    for byte in message("\u00e9"):
        driver.write(bytes([byte]))
    driver.write(b"\n")
    driver.answer("\u00e9")
    assert len(driver.answers) == 2


@headers_only
def test_other_headers_and_frames_in_pieces_change_nothing(driver: Driver) -> None:
    one = message("\u00e9")
    head = b"content-length: %d\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n"
    for byte in b"\r\n\r\n" + head % len(one) + one:
        driver.write(bytes([byte]))
    driver.answer("\u00e9")
    driver.write(ContentLength().frame(message(2)) + b"\n" + ContentLength().frame(message(3)))
    driver.answer(2)
    driver.answer(3)
    # An empty message is a message, and no JSON.
    driver.write(b"Content-Length: 0\r\n\r\n")
    assert code_and_id(driver.next_answer(4)) == (-32700, None)


@headers_only
@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"Content-Length: -1\r\n\r\n{}", 'Content-Length is a number of bytes, not "-1"'),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "two Content-Length headers"),
        (b"Content-Length: " + b"9" * 5000, "a header of more than 4096 bytes"),
        (b"Content-Type: x\r\n\r\n{}", "a header without Content-Length"),
        (message(1) + b"\n", 'expected a header such as "Content-Length: 42", got '),
    ],
)
def test_bytes_in_which_no_frame_can_be_found_end_the_connection_with_an_error(
    driver: Driver, data: bytes, problem: str
) -> None:
    driver.call("workflow:execution:subscribe", {"include": ["step_output"]})
    running = driver.request("workflow:execute", [definition("w", step("a", "./hang.py"))])
    driver.wait_for_event("step_output")
    driver.write(data)
    assert driver.wait() == 0
    errors = [answer["error"] for answer in driver.answers if "error" in answer]
    assert [error["code"] for error in errors] == [-32700]
    assert problem in errors[0]["message"]
    # What was going on ends as it does with any other end.
    assert driver.answer(running)["result"]["status"] == "cancelled"


@both_framings
@pytest.mark.parametrize(
    "invalid",
    [
        b"\xff\xfe",
        b'{"jsonrpc":"2.0","id":1,"method":"\xc3\x28"}',
        b'{"jsonrpc":"2.0","id":1,"method":"\xed\xa0\x80"}',
    ],
)
def test_invalid_utf8_is_a_parse_error(driver: Driver, invalid: bytes) -> None:
    driver.send_bytes(invalid)
    assert code_and_id(driver.next_answer(1)) == (-32700, None)
    driver.call("sidecar:info")


@both_framings
def test_a_client_that_floods_and_never_reads_is_held_in_bounded_memory(
    start: Start, transport: str
) -> None:
    driver = start(reads=False)
    request = message(1, "rpc.discover")
    framed = request + b"\n" if transport == "lines" else ContentLength().frame(request)
    # 150 MB of requests would be 100 GB of answers.
    taken = driver.flood(framed * 100, at_most_bytes=150_000_000)
    assert taken < 10_000_000
    assert driver.peak_bytes() < 300_000_000


@headers_only
def test_nothing_is_written_before_the_framing_is_known(driver: Driver) -> None:
    driver.write(b"Content-")
    driver.write(b"Length: %d\r\n\r\n" % len(message(1)))
    driver.write(message(1))
    # The driver takes nothing but frames of its own kind.
    assert "result" in driver.answer(1)


def test_the_last_message_needs_no_end_and_a_cut_off_one_is_told(project: Project) -> None:
    command = [sys.executable, "-m", "sidecar", "serve", "--project", str(project.path)]

    def answers(data: bytes) -> bytes:
        done = subprocess.run(command, input=data, capture_output=True, timeout=20, check=True)
        return done.stdout

    assert json.loads(answers(message(1)))["id"] == 1
    cut_off = answers(ContentLength().frame(message(1)) + b"Content-Length: 9\r\n\r\n{")
    assert b'"id":1' in cut_off
    assert b"the stream ended in the middle of a message" in cut_off
    assert answers(b"") == answers(b"\n \r\n") == b""
    assert b"-32700" in answers(b"Content")
