"""Much at once and much in a row: all of it ends as it should, and nothing of it stays.

How long it takes and what answers cost meanwhile is printed by `make bench`.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.clients import Client, assert_whole, output_steps
from tests.integration.driver import Driver
from tests.performance.client import Usage, load_client
from tests.performance.load import (
    SCRIPT,
    asking_while,
    run_at_once,
    run_in_a_row,
    scripts_of,
    slope_per_run,
)

SOAK = bool(os.environ.get("SOAK"))
AT_ONCE = 100 if SOAK else 20
SUBSCRIBERS = 1_000
CONNECTIONS = 1_000 if SOAK else 100
STEPS = 10_000
#: Of these one in ten runs a script, under soak each.
RUNS = 20_000 if SOAK else 2_000
ROUNDS = 20
SCRIPT_EVERY = 1 if SOAK else 10
#: What asyncio's pool may grow to, which it does only when all its threads are busy.
POOL_THREADS = min(32, (os.cpu_count() or 1) + 4)
#: What is kept of an ended run: its id, for a while. The fewer the runs, the more of the slope is
#: garbage that waits for its collection; a leaked run would be 10,000 and more.
KEPT_BYTES_PER_RUN = 500 if SOAK else 5_000

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="looks at the daemon through /proc"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "echo.py").write_text(SCRIPT)
    return tmp_path


def outputs(name: str, count: int, message: str, **last: Any) -> dict[str, Any]:
    """A workflow of output steps; `message` may hold the number of the step before."""
    steps: list[dict[str, Any]] = [{"id": "s0", "type": "output", "message": "begin"}]
    steps += [
        {"id": f"s{n}", "type": "output", "message": message.format(before=n - 1)}
        for n in range(1, count)
    ]
    steps[-1] |= last
    return {"workflow": {"id": name, "name": name}, "steps": steps}


@pytest.mark.soak
async def test_a_hundred_workflows_at_once_all_succeed_and_leave_nothing(folder: Path) -> None:
    async with load_client(folder) as client:
        await client.call("workflow:execution:subscribe")
        definitions = [scripts_of(f"w{n}", 3) for n in range(AT_ONCE)]
        await asking_while(client, run_at_once(client, definitions))
        before = client.usage()
        await asking_while(client, run_at_once(client, definitions))
        assert set(client.ends.values()) == {1}
        assert len(client.ends) == 2 * AT_ONCE
        assert client.events["step_completed"] == 2 * AT_ONCE * 3
        assert await client.call("workflow:execution:active") == []
        assert client.usage().descriptors == before.descriptors


async def test_a_thousand_listeners_of_a_connection_get_each_event_once(folder: Path) -> None:
    async with load_client(folder) as client:
        for number in range(SUBSCRIBERS):
            params = {"workflow_id": "w", "subscriber": f"window {number}"}
            await client.call("workflow:execution:subscribe", params)
        await run_at_once(client, [outputs("w", 100, "{before}")])
        assert client.events.total() == 202
        for number in range(SUBSCRIBERS):
            params = {"subscriber": f"window {number}"}
            await client.call("workflow:execution:unsubscribe", params)
        await run_at_once(client, [outputs("w", 100, "{before}")])
        assert client.events.total() == 202


@pytest.mark.soak
@pytest.mark.parametrize("transport", ["websocket"], indirect=True, scope="module")
async def test_a_thousand_connections_hear_of_a_run_whole(driver: Driver) -> None:
    async with AsyncExitStack() as connected:
        clients = []
        for _ in range(CONNECTIONS):
            client = Client(str(driver.ready["url"]))
            clients.append(await connected.enter_async_context(client))
            await client.call("workflow:execution:subscribe")
        result = await clients[0].call("workflow:execute", [output_steps("w", 20)])
        heard = await asyncio.gather(
            *(client.wait_for_end(result["execution_id"]) for client in clients)
        )
    for events in heard:
        assert len(events) == 42
        assert_whole(events)


@pytest.mark.parametrize(
    "workflow",
    [
        outputs("chain", STEPS, "${{steps.s{before}.outputs.message}}"),
        outputs(
            "fan",
            STEPS,
            "${{steps.s0.outputs.message}}",
            depends_on=[f"s{n}" for n in range(STEPS - 1)],
        ),
    ],
    ids=lambda workflow: workflow["workflow"]["id"],
)
async def test_ten_thousand_steps_run_to_their_end(folder: Path, workflow: dict[str, Any]) -> None:
    async with load_client(folder) as client:
        await client.call("workflow:execution:subscribe")
        result = await client.call("workflow:execute", {"workflow": workflow})
        assert result["success"]
        assert result["outputs"][f"s{STEPS - 1}"] == {"message": "begin"}
        assert client.events["step_completed"] == STEPS
        (entry,) = await client.call("workflow:execution:history", [result["workflow_id"]])
        assert entry["steps_executed"] == STEPS


@pytest.mark.soak
async def test_run_after_run_memory_descriptors_and_threads_stay_where_they_are(
    folder: Path,
) -> None:
    usage: list[tuple[int, Usage]] = []

    def definition(number: int) -> dict[str, Any]:
        name = f"w{number % 7}"
        return outputs(name, 3, "{before}") if number % SCRIPT_EVERY else scripts_of(name, 1)

    async with load_client(folder) as client:
        await client.call("workflow:execution:subscribe")
        idle = client.usage()
        for number in range(ROUNDS):
            work = run_in_a_row(client, RUNS // ROUNDS, definition)
            await asking_while(client, work)
            usage.append((RUNS // ROUNDS * (number + 1), client.usage()))
        assert set(client.ends.values()) == {1}
        assert len(client.ends) == RUNS
    # The second half: caches have filled by then.
    usage = usage[ROUNDS // 2 :]
    memory = slope_per_run([(done, one.memory_bytes) for done, one in usage])
    print(f"{memory:.0f} bytes a run, {usage[-1][1].memory_bytes / 2**20:.1f} MiB at the end")
    assert memory < KEPT_BYTES_PER_RUN
    descriptors = [one.descriptors for _, one in usage]
    assert descriptors[-1] <= descriptors[0], f"after each round: {descriptors}"
    assert usage[-1][1].threads <= idle.threads + POOL_THREADS
