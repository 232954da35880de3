"""Subscribers come and go at any instant, and never disturb each other or miss what is theirs."""

import asyncio
import base64
import json
import math
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.frames import Frame, Opcode

from protocol.params import SubscribeParams
from sidecar.engine import Engine
from sidecar.rpc.listeners import Listeners
from sidecar.rpc.methods import Methods
from tests.integration.clients import (
    SOAK,
    Client,
    assert_whole,
    output_steps,
    resident_bytes,
)
from tests.integration.conftest import Project, Start, definition, over_every_transport, step
from tests.integration.driver import Driver
from tests.integration.host import poll
from tests.rounds import assert_once_below, assert_once_below_async
from tests.unit.sidecar.rpc.doubles import Peer

SUBSCRIBE, UNSUBSCRIBE = "workflow:execution:subscribe", "workflow:execution:unsubscribe"

over_websocket = pytest.mark.parametrize("transport", ["websocket"], indirect=True, scope="module")


@pytest.fixture
def url(driver: Driver) -> str:
    return str(driver.ready["url"])


@pytest.fixture
async def pair(url: str) -> AsyncIterator[tuple[Client, Client]]:
    """Two clients of one daemon."""
    async with Client(url) as one, Client(url) as other:
        yield one, other


@over_websocket
async def test_what_one_client_unsubscribes_is_its_own(pair: tuple[Client, Client]) -> None:
    one, other = pair
    for client in pair:
        await client.call(SUBSCRIBE, ["w", "window"])
    assert await one.call(UNSUBSCRIBE, ["w", "window"]) == {"unsubscribed": True}
    assert await one.call(UNSUBSCRIBE, {"subscriber": "window"}) == {"unsubscribed": False}
    result = await one.call("workflow:execute", [output_steps("w", 3)])
    assert_whole(await other.wait_for_end(result["execution_id"]))
    assert one.events == []


@over_websocket
async def test_each_client_hears_of_the_workflows_it_asked_for(
    pair: tuple[Client, Client],
) -> None:
    one, other = pair
    await one.call(SUBSCRIBE, ["a"])
    await other.call(SUBSCRIBE, ["b"])
    await other.call(SUBSCRIBE, ["b", "twice"])
    for name in ("a", "b", "c"):
        await one.call("workflow:execute", [output_steps(name, 2)])
        await other.call("workflow:execution:active")
    assert {event["workflow_id"] for event in one.events} == {"a"}
    assert {event["workflow_id"] for event in other.events} == {"b"}
    # However many of its listeners match, it gets an event once.
    assert_whole(other.events)


@over_websocket
async def test_a_client_that_goes_away_leaves_its_run_and_the_other_clients_alone(
    driver: Driver, url: str
) -> None:
    async with Client(url) as other:
        await other.call(SUBSCRIBE, {"include": ["step_output"]})
        async with Client(url) as one:
            await one.call(SUBSCRIBE)
            await one.request("workflow:execute", [definition("w", step("a", "./hang.py"))])
            await one.call("workflow:list")
        (snapshot,) = await other.call("workflow:execution:active")
        await other.call("workflow:execution:cancel", [snapshot["execution_id"]])
        events = await other.wait_for_end(snapshot["execution_id"])
        assert events[-1]["data"]["status"] == "cancelled"


@over_every_transport
def test_ten_thousand_resubscriptions_leave_everything_where_it_was(
    driver: Driver, transport: str
) -> None:
    def resubscribe(count: int) -> None:
        batch = []
        for number in range(count):
            name = f"w{number % 7}"
            batch.append(driver.message(SUBSCRIBE, [name, f"window {number % 50}"]))
            batch.append(driver.message(UNSUBSCRIBE, [name, f"window {number % 50}"]))
        for start in range(0, len(batch), 1000):
            came = len(driver.answers)
            driver.send(batch[start : start + 1000])
            driver.next_answer(came + 1)
            answers = driver.answers.pop()
            assert all("result" in answer for answer in answers)

    driver.wait_for_zygote()
    resubscribe(1000)
    driver.call("workflow:execute", [output_steps("w", 2)])
    before = driver.figures()

    def grown_bytes() -> int:
        before_bytes = resident_bytes(driver.pid)
        resubscribe(10_000)
        return resident_bytes(driver.pid) - before_bytes

    # A listener that stayed would be some 300 bytes, and its key: 5 MB each time. In memory, half
    # of what is seen is the host's.
    assert_once_below(math.inf if transport == "memory" else 3_000_000, grown_bytes)
    assert driver.figures()[0] <= before[0]
    driver.call("workflow:execute", [output_steps("w1", 2)])
    assert driver.events == []


@over_websocket
async def test_a_thousand_connections_that_come_and_go_leave_nothing(
    driver: Driver, url: str
) -> None:
    async def come_and_go() -> None:
        async with Client(url) as client:
            await client.call(SUBSCRIBE)

    async def all_of(count: int) -> None:
        for _ in range(count // 50):
            await asyncio.gather(*(come_and_go() for _ in range(50)))

    await asyncio.to_thread(driver.wait_for_zygote)
    await all_of(100)
    before = driver.figures()

    async def grown_bytes() -> int:
        before_bytes = resident_bytes(driver.pid)
        await all_of(1000)
        await asyncio.to_thread(poll, driver.figures, lambda figures: figures <= before)
        return resident_bytes(driver.pid) - before_bytes

    await assert_once_below_async(5_000_000, grown_bytes)
    driver.call("workflow:execute", [output_steps("w", 2)])


def wire_bytes(url: str) -> bytes:
    """All that a client sends that connects, subscribes, runs a workflow and closes."""
    parts = urlsplit(url)
    key = base64.b64encode(b"sixteen bytes ok").decode()
    handshake = (
        f"GET /?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    requests = [
        {"jsonrpc": "2.0", "id": 1, "method": SUBSCRIBE},
        {"jsonrpc": "2.0", "id": 2, "method": "workflow:execute", "params": [output_steps("w", 2)]},
    ]
    frames = [
        Frame(Opcode.TEXT, json.dumps(request).encode()).serialize(mask=True)
        for request in requests
    ]
    return handshake + b"".join(frames) + Frame(Opcode.CLOSE, b"").serialize(mask=True)


@over_websocket
def test_a_client_may_be_killed_at_any_byte(driver: Driver, url: str) -> None:
    driver.wait_for_zygote()
    driver.call(SUBSCRIBE)
    driver.call("workflow:execute", [output_steps("w", 2)])
    before = driver.figures()
    data = wire_bytes(url)
    address = (urlsplit(url).hostname, urlsplit(url).port)
    head_bytes = data.index(b"\r\n\r\n") + 4
    for length in range(len(data) + 1):
        with socket.create_connection(address) as client:
            # What comes before the answer to the handshake must not come with what follows.
            client.sendall(data[: min(length, head_bytes)])
            if length > head_bytes:
                client.recv(1000)
                client.sendall(data[head_bytes:length])
            if length % 2:
                # A process that is killed with unread data resets its connections.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    driver.assert_responsive()
    poll(driver.figures, lambda figures: figures[0] <= before[0])
    # The run of whoever came so far has gone to its end.
    runs = {event["execution_id"] for event in driver.events}
    assert len(runs) >= 2
    poll(lambda: driver.call("workflow:execution:active"), lambda active: active == [])
    for execution_id in runs:
        assert_whole([event for event in driver.events if event["execution_id"] == execution_id])


@pytest.mark.parametrize("transport", ["lines", "content-length"], indirect=True, scope="module")
def test_a_host_may_be_killed_at_any_byte(start: Start, transport: str) -> None:
    driver = start(reads=False)
    run = driver.message("workflow:execute", [output_steps("w", 2)])
    text = json.dumps(run).encode()
    framed = text + b"\n" if transport == "lines" else b"Content-Length: %d\r\n\r\n" % len(text)
    framed += b"" if transport == "lines" else text
    driver.kill()
    lengths = range(len(framed) + 1) if SOAK else (0, len(framed) // 3, len(framed) - 1)
    for length in lengths:
        driver = start(reads=False)
        driver.write(framed[:length])
        driver.close_stdin()
        assert driver.wait() == 0


# --- in the instant in which a run ends ------------------------------------------------------


@pytest.mark.soak
@over_websocket
async def test_subscribing_a_thousand_times_when_a_run_ends_loses_no_terminal_event(
    pair: tuple[Client, Client],
) -> None:
    one, other = pair
    jitter = random.Random(1)  # noqa: S311
    duration_s = 0.003
    in_time = 0
    rounds = 1000 if SOAK else 100
    for number in range(rounds):
        name = f"w{number}"
        running = await one.request("workflow:execute", [output_steps(name, 1)])
        await asyncio.sleep(jitter.uniform(0, 1.2 * duration_s))
        subscribed = await other.call(SUBSCRIBE, [name])
        result = (await running)["result"]
        duration_s = 0.95 * duration_s + 0.05 * (result["duration_ms"] + 2) / 1000
        history = await other.call("workflow:execution:get", [result["execution_id"]])
        assert history["status"] == "success"
        events = [event for event in other.events if event["workflow_id"] == name]
        if subscribed["active"]:
            (snapshot,) = subscribed["active"]
            assert_whole(events, snapshot["seq"] + 1)
            in_time += 1
        elif events:
            assert_whole(events)
        await other.call(UNSUBSCRIBE, [name])
        other.events.clear()
    assert rounds // 20 < in_time


async def test_whatever_turn_of_the_loop_a_subscriber_comes_in_it_misses_nothing(
    tmp_path: Path,
) -> None:
    outcomes: set[int | None] = set()
    async with Engine(tmp_path) as engine:
        listeners = Listeners()
        engine.on_event(listeners.deliver)
        methods = Methods(
            engine,
            listeners,
            history_file="",
            max_connections=1,
            shut_down=lambda: None,
        )
        loaded = await engine.load(output_steps("w", 2))
        for turn in range(400):
            execution = await engine.start(loaded)
            for _ in range(turn % 80):
                await asyncio.sleep(0)
            peer = Peer()
            subscribed = await methods.subscribe(peer.session, SubscribeParams(workflow_id="w"))
            while engine.active():  # noqa: ASYNC110 - each turn counts
                await asyncio.sleep(0)
            events = [message["params"] for message in peer.messages]
            if subscribed.active:
                (snapshot,) = subscribed.active
                assert snapshot.execution_id == execution.execution_id
                assert_whole(events, snapshot.seq + 1)
                outcomes.add(snapshot.seq)
            else:
                assert events == []
                outcomes.add(None)
            listeners.remove_session(peer.session)
    # Before its first event, in its middle, after its end.
    assert {0, None} <= outcomes
    assert outcomes - {0, None}


# --- at once ---------------------------------------------------------------------------------


@over_every_transport
def test_while_fifty_runs_go_on_info_answers_and_answers_come_as_they_are_ready(
    start: Start, project: Project
) -> None:
    driver = start("--max-parallel", "50")
    waits = project.script(
        "waits.py",
        "import json, os, sys, time\n"
        "n = json.load(sys.stdin)['n']\n"
        "print('here', file=sys.stderr, flush=True)\n"
        "while not os.path.exists(f'go{n}'): time.sleep(0.05)\n"
        "print('{}')\n",
    )
    driver.call(SUBSCRIBE, {"include": ["step_output"]})
    runs = [
        driver.request("workflow:execute", [definition(f"w{n}", step("a", waits, inputs={"n": n}))])
        for n in range(50)
    ]
    driver.wait_until(lambda: len(driver.events_of("step_output")) == 50)
    for _ in range(20):
        driver.call("sidecar:info")
    assert not any(driver.is_answered(run) for run in runs)
    # The last one first.
    for n in reversed(range(50)):
        (project.path / f"go{n}").touch()
        if n in (49, 48):
            assert driver.answer(runs[n])["result"]["success"]
    assert all(driver.answer(run)["result"]["success"] for run in runs)
    order = [answer["id"] for answer in driver.answers if answer["id"] in runs]
    assert order[:2] == [runs[49], runs[48]]
