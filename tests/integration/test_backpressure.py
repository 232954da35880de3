"""Subscribers that do not read: they delay nobody, cost bounded memory, and are cut off."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.integration.clients import SOAK, Client, assert_whole, large_run
from tests.integration.driver import Driver
from tests.integration.host import poll

MIB = 1024 * 1024
#: Readers, and bytes of events for each of them.
READERS, STEPS, CHARACTERS = 199 if SOAK else 19, 60, 150_000
#: For a run: the clients take 1.8 GB of JSON under soak.
RUN_S = 300
CUT_OFF = "subscriber cut off: it stopped reading"


@pytest.fixture(scope="module")
def transport() -> str:
    return "websocket"


@pytest.fixture
def url(driver: Driver) -> str:
    return str(driver.ready["url"])


@pytest.fixture
async def readers(url: str) -> AsyncIterator[list[Client]]:
    """Clients that subscribe to everything and read it."""
    async with AsyncExitStack() as clients:
        reading = [await clients.enter_async_context(Client(url)) for _ in range(READERS)]
        for client in reading:
            await client.call("workflow:execution:subscribe")
        yield reading


@contextlib.asynccontextmanager
async def dead_reader(url: str) -> AsyncIterator[int]:
    """A client that subscribes and never reads again."""
    async with Client(url) as client:
        await client.call("workflow:execution:subscribe")
        yield await client.stop_reading()
        client.connection.transport.abort()


@pytest.mark.soak
async def test_one_that_never_reads_changes_no_runs_duration_and_loses_nobody_an_event(
    driver: Driver, url: str, readers: list[Client]
) -> None:
    async def run() -> int:
        params = large_run("w", STEPS, CHARACTERS)
        result = await readers[0].call("workflow:execute", params, RUN_S)
        for reader in readers:
            events = await reader.wait_for_end(result["execution_id"], RUN_S)
            assert_whole(events)
            assert len(events) == 2 + 2 * STEPS
            reader.events.clear()
        duration_ms: int = result["duration_ms"]
        return duration_ms

    await run()
    with_it: list[int] = []
    without_it: list[int] = []
    # The machine's own noise only ever adds: the quickest of each is compared.
    while len(with_it) < 2 or (min(with_it) > 1.1 * min(without_it) and len(with_it) < 30):
        without_it.append(await run())
        async with dead_reader(url):
            with_it.append(await run())
    print(f"\nquickest run with a dead reader {min(with_it)} ms, without {min(without_it)} ms")
    assert min(with_it) < 1.1 * min(without_it), (with_it, without_it)


async def test_one_that_never_reads_is_cut_off_above_16_mib_with_a_logged_reason(
    driver: Driver, url: str
) -> None:
    async with Client(url) as reader:
        await reader.call("workflow:execution:subscribe")
        for _ in range(3):
            await reader.call("workflow:execute", large_run("w", 60, 150_000))
    before_bytes = driver.peak_bytes()
    async with Client(url) as reader, dead_reader(url) as dead:
        await reader.call("workflow:execution:subscribe")
        runs = 0
        while not driver.logged(CUT_OFF):
            # 9 MB of events.
            result = await reader.call("workflow:execute", large_run("w", 60, 150_000))
            assert_whole(await reader.wait_for_end(result["execution_id"]))
            runs += 1
            assert runs < 10
        (line,) = driver.logged(CUT_OFF)
        assert 15 * MIB < line["pending_bytes"] <= 16 * MIB
        # What waited for it, copied once; the rest is what a run takes.
        assert driver.peak_bytes() - before_bytes < 40 * MIB
        # It is closed: after what its machine had taken comes the end.
        poll(lambda: _is_at_end(dead), bool)
        # Nobody else noticed, and its listeners are gone.
        assert (await reader.call("sidecar:info"))["pid"] == driver.pid
        await reader.call("workflow:execute", large_run("w", 2, 150_000))
        assert len(driver.logged(CUT_OFF)) == 1
    driver.call("sidecar:info")


def _is_at_end(fd: int) -> bool:
    try:
        while os.read(fd, MIB):
            pass
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    return True


async def test_one_that_reads_slowly_is_not_cut_off_and_misses_nothing(
    driver: Driver, url: str
) -> None:
    # At most 4 MB a second, half of what the runs have to tell.
    async with Client(url, pause_s=0.05) as reader:
        await reader.call("workflow:execution:subscribe")
        runs = [
            await reader.request("workflow:execute", large_run(f"w{n}", 60, 200_000))
            for n in range(2)
        ]
        for run in runs:
            async with asyncio.timeout(120):
                result = (await run)["result"]
            assert_whole(await reader.wait_for_end(result["execution_id"]))
    assert driver.logged(CUT_OFF) == []
