"""Descriptors of every kind, slow and broken ones."""

import asyncio
import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.rpc import stdio
from sidecar.rpc.stdio import StdinReader, StdoutWriter

MIB = 1024 * 1024


def nothing() -> None:
    return


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """(the end to read, the end to write); closed unless the test has done that."""
    ends = os.pipe()
    yield ends
    for fd in ends:
        try:
            os.close(fd)
        except OSError:
            continue


class Writer(StdoutWriter):
    """A writer of lines that keeps its errors."""

    def __init__(self, fd: int) -> None:
        self.errors: list[OSError] = []
        super().__init__(fd, lambda message: message + b"\n", self.errors.append)


def reading(fd: int, size: int = MIB, pause: Callable[[], object] = nothing) -> threading.Thread:
    """A thread that reads to the end; what it read is its `data`."""
    thread = threading.Thread(daemon=True)
    data = bytearray()

    def read() -> None:
        while piece := os.read(fd, size):
            data.extend(piece)
            pause()

    thread.run = read  # type: ignore[method-assign]
    thread.data = data  # type: ignore[attr-defined]
    thread.start()
    return thread


def read_by(thread: threading.Thread) -> bytes:
    thread.join(20)
    data: bytearray = thread.data  # type: ignore[attr-defined]
    return bytes(data)


async def test_what_is_sent_arrives_whole_and_in_order(pipe: tuple[int, int]) -> None:
    writer = Writer(pipe[1])
    reader = reading(pipe[0], size=777)
    messages = [bytes([65 + n % 26]) * (n * 1000) for n in range(200)]
    for message in messages:
        writer.send(message)
    await asyncio.wait_for(writer.flush(), 20)
    assert writer.pending_bytes == 0
    assert writer.sent_bytes == sum(len(message) + 1 for message in messages)
    writer.close()
    os.close(pipe[1])
    assert read_by(reader) == b"".join(message + b"\n" for message in messages)


async def test_a_slow_reader_holds_up_nobody(pipe: tuple[int, int]) -> None:
    writer = Writer(pipe[1])
    message = os.urandom(100 * MIB)
    writer.send(message)
    # Nobody reads yet, and the loop goes on.
    await asyncio.sleep(0)
    assert writer.pending_bytes > 99 * MIB
    slowest_s = 0.0
    reader = reading(pipe[0])
    while writer.pending_bytes:
        before_s = time.thread_time()
        await asyncio.sleep(0)
        slowest_s = max(slowest_s, time.thread_time() - before_s)
    # Copying what is left with every piece would take seconds.
    assert slowest_s < 0.5
    writer.close()
    os.close(pipe[1])
    assert read_by(reader) == message + b"\n"


async def test_a_pipe_is_left_blocking_as_it_was(pipe: tuple[int, int]) -> None:
    writer = Writer(pipe[1])
    assert os.get_blocking(pipe[1]) is False
    writer.send(b"x" * MIB)
    writer.close()
    assert os.get_blocking(pipe[1]) is True
    # What comes after the end is dropped.
    writer.send(b"more")
    assert writer.pending_bytes == 0
    await asyncio.wait_for(writer.flush(), 10)


async def test_a_socket_is_written_like_a_pipe() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        writer = Writer(ours.fileno())
        reader = reading(theirs.fileno())
        writer.send(b"x" * (3 * MIB))
        await asyncio.wait_for(writer.flush(), 10)
        writer.close()
        ours.shutdown(socket.SHUT_WR)
        assert len(read_by(reader)) == 3 * MIB + 1


async def test_a_file_is_written_in_a_thread(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    writer = Writer(fd)
    for number in range(50):
        writer.send(b"%d" % number)
    await asyncio.wait_for(writer.flush(), 10)
    writer.send(b"last")
    await asyncio.wait_for(writer.flush(), 10)
    writer.close()
    os.close(fd)
    lines = (tmp_path / "out").read_bytes().splitlines()
    assert lines == [b"%d" % number for number in range(50)] + [b"last"]


async def test_a_pipe_shared_with_stderr_stays_blocking(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = os.dup(pipe[1])
    monkeypatch.setattr(stdio, "_STDERR", stderr)
    writer = Writer(pipe[1])
    assert os.get_blocking(stderr) is True
    reader = reading(pipe[0])
    writer.send(b"x" * MIB)
    await asyncio.wait_for(writer.flush(), 10)
    writer.close()
    os.close(stderr)
    os.close(pipe[1])
    assert len(read_by(reader)) == MIB + 1
    # A stderr that is closed is no reason to fear for it.
    assert stdio._is_own_pipe(pipe[0]) is True


async def test_a_reader_that_goes_away_is_told_once(pipe: tuple[int, int]) -> None:
    writer = Writer(pipe[1])
    writer.send(b"x" * MIB)
    os.close(pipe[0])
    await asyncio.wait_for(writer.flush(), 10)
    writer.send(b"more")
    assert [error.errno for error in writer.errors] == [errno.EPIPE]
    assert writer.pending_bytes == 0


async def test_a_full_disk_is_told_once() -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    writer = Writer(fd)
    for _ in range(3):
        writer.send(b"x")
    await asyncio.wait_for(writer.flush(), 10)
    assert [error.errno for error in writer.errors] == [errno.ENOSPC]
    os.close(fd)


async def test_a_writer_that_is_closed_forgets_a_write_under_way(pipe: tuple[int, int]) -> None:
    out = os.dup(pipe[1])
    stderr = os.dup(pipe[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stdio, "_STDERR", stderr)
        writer = Writer(out)
    writer.send(b"x" * MIB)
    writer.close()
    # The thread goes on with what it has begun, and nobody wants to know.
    await asyncio.to_thread(os.read, pipe[0], MIB)
    for fd in (stderr, pipe[1]):
        os.close(fd)
    reader = reading(pipe[0])
    await asyncio.get_running_loop().shutdown_default_executor()
    os.close(out)
    read_by(reader)
    assert (writer.sent_bytes, writer.errors) == (0, [])


async def everything(reader: StdinReader) -> bytes:
    return b"".join([chunk async for chunk in reader.chunks()])


async def test_all_is_read_to_the_end_and_the_end_is_told(pipe: tuple[int, int]) -> None:
    ended: list[str] = []
    reader = StdinReader(pipe[0], lambda: ended.append("end"))
    data = os.urandom(3 * MIB)
    thread = threading.Thread(target=_write_and_close, args=(pipe[1], data))
    thread.start()
    assert await asyncio.wait_for(everything(reader), 20) == data
    thread.join()
    assert ended == ["end"]


def _write_and_close(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.close(fd)


async def test_a_client_that_floods_is_read_only_as_far_as_is_asked_for(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdio, "_HANG_UP_CHECK_S", 0.01)
    hung_up = asyncio.Event()
    reader = StdinReader(pipe[0], hung_up.set)
    os.set_blocking(pipe[1], False)
    written = 0
    deadline = asyncio.get_running_loop().time() + 10
    chunks = reader.chunks()
    # Until what is read ahead and the pipe are full.
    idle = 0
    while idle < 50 and asyncio.get_running_loop().time() < deadline:
        try:
            written += os.write(pipe[1], b"x" * 65536)
            idle = 0
        except BlockingIOError:
            idle += 1
            await asyncio.sleep(0.001)
    assert written < 4 * MIB
    assert not hung_up.is_set()
    # The other side goes away, and that is told although its last bytes have not been taken.
    os.close(pipe[1])
    await asyncio.wait_for(hung_up.wait(), 5)
    size = 0
    async for chunk in chunks:
        size += len(chunk)
    assert size == written


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x" * MIB)
    with (tmp_path / "in").open("rb") as file:
        reader = StdinReader(file.fileno(), nothing)
        assert len(await asyncio.wait_for(everything(reader), 10)) == MIB


async def test_a_descriptor_that_others_made_non_blocking_is_waited_for(
    pipe: tuple[int, int],
) -> None:
    os.set_blocking(pipe[0], False)
    reader = StdinReader(pipe[0], nothing)
    chunks = reader.chunks()
    first = asyncio.ensure_future(anext(chunks))
    done, _ = await asyncio.wait({first}, timeout=0.02)
    assert not done
    os.write(pipe[1], b"late")
    assert await asyncio.wait_for(first, 5) == b"late"
    os.close(pipe[1])
    assert [chunk async for chunk in chunks] == []


async def test_a_descriptor_that_cannot_be_read_is_at_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    assert await asyncio.wait_for(everything(StdinReader(fd, nothing)), 5) == b""
    os.close(fd)
    (record,) = caplog.records
    assert record.__dict__["fields"] == {"error": "Is a directory"}


async def test_hanging_up_cannot_be_seen_where_there_is_no_poll(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stdio._is_hung_up(pipe[0]) is False
    os.close(pipe[1])
    assert stdio._is_hung_up(pipe[0]) is True
    monkeypatch.delattr(select, "poll")
    assert stdio._is_hung_up(pipe[0]) is False
