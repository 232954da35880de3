"""Pipes are fed and drained without blocking, in the loop or by threads."""

import asyncio
import os
import threading

import pytest

from sidecar.scripts.streams import PIPE_BYTES, Drain, Feed
from tests.unit.sidecar.scripts.conftest import until


@pytest.fixture(params=[False, True], ids=["loop", "thread"])
def threaded(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def pipe() -> tuple[int, int]:
    """The reading and the writing end; each test closes both or gives them away."""
    return os.pipe()


async def threads_gone() -> None:
    await until(lambda: not [t for t in threading.enumerate() if t.name.startswith(("dr", "fe"))])


async def test_everything_written_arrives_in_order(pipe: tuple[int, int], threaded: bool) -> None:
    reading, writing = pipe
    os.set_blocking(reading, threaded)
    os.set_blocking(writing, threaded)
    data = os.urandom(3_000_000)
    got = bytearray()
    drain = Drain(reading, got.extend, threaded=threaded)
    Feed(writing, data, threaded=threaded)
    await until(lambda: len(got) == len(data))
    await drain.finish()
    assert got == data
    await threads_gone()
    for fd in pipe:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)


async def test_reader_that_goes_away_ends_the_feed(pipe: tuple[int, int], threaded: bool) -> None:
    reading, writing = pipe
    os.set_blocking(writing, threaded)
    feed = Feed(writing, b"x" * 1_000_000, threaded=threaded)
    assert os.read(reading, 10) == b"x" * 10
    os.close(reading)
    await threads_gone()
    feed.close()
    feed.close()


async def test_feed_gives_up_on_a_reader_that_does_not_read(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.set_blocking(writing, False)
    feed = Feed(writing, b"x" * 1_000_000, threaded=False)
    feed.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writing)
    os.close(reading)


async def test_finish_takes_what_is_there_and_does_not_wait_for_the_end(
    pipe: tuple[int, int], threaded: bool
) -> None:
    reading, writing = pipe
    os.set_blocking(reading, threaded)
    got = bytearray()
    drain = Drain(reading, got.extend, threaded=threaded)
    os.write(writing, b"last words")
    await asyncio.wait_for(drain.finish(), 10)
    assert got == b"last words"
    os.close(writing)
    await threads_gone()


async def test_finish_is_bounded_when_somebody_goes_on_writing(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    taken = 0

    def refill(data: bytes) -> None:
        nonlocal taken
        taken += len(data)
        os.write(writing, data)

    drain = Drain(reading, refill, threaded=False)
    os.write(writing, b"x" * 60_000)
    await asyncio.wait_for(drain.finish(), 10)
    assert taken <= PIPE_BYTES + 65536
    os.close(writing)


async def test_broken_descriptor_counts_as_the_end(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.set_blocking(reading, False)
    drain = Drain(reading, lambda _: None, threaded=False)
    folder = os.open("/", os.O_RDONLY)
    os.dup2(folder, reading)
    os.close(folder)
    await drain.finish()
    os.close(writing)
