"""Much at once and much in a row: how long, what answers take meanwhile, what is left behind."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.performance.client import LINE_BYTES, LoadClient, Usage, load_client
from tests.performance.figures import Figure, Row, timed

SCRIPT = "import json, sys\nprint(json.dumps({'got': json.load(sys.stdin)}))\n"
AT_ONCE = 100
SUBSCRIBERS = 1_000
#: An hour's worth of a busy desktop, compressed.
RUNS = 20_000
#: How often somebody asks while the load lasts.
ASKING_S = 0.01
#: How long it asks when there is no load, to compare.
IDLE_S = 2.0
MEANWHILE = "sidecar:info meanwhile (wanted p99: 50)"


def scripts_of(name: str, count: int) -> dict[str, Any]:
    """A workflow of so many scripts, each fed by the one before."""
    steps = [
        {
            "id": f"s{n}",
            "type": "python",
            "script": "echo.py",
            "inputs": {"before": f"${{steps.s{n - 1}.outputs.got.n}}" if n else 0, "n": n},
        }
        for n in range(count)
    ]
    return {"workflow": {"id": name, "name": name}, "steps": steps}


async def asking_while(client: LoadClient, work: Coroutine[Any, Any, object]) -> list[float]:
    """What `sidecar:info` takes another client while `work` is done; in ms, at least two."""
    asker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.performance.asker"),
        *(client.url, "sidecar:info", str(ASKING_S)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=LINE_BYTES,
    )
    if asker.stdout is None or not await asker.stdout.readline():
        raise RuntimeError("the other client cannot connect")
    try:
        await work
    finally:
        printed, _ = await asker.communicate(b"")
    times: list[float] = json.loads(printed)
    return times


async def run_at_once(client: LoadClient, definitions: list[dict[str, Any]]) -> None:
    """Execute all of them at once; each must succeed."""
    results = await asyncio.gather(
        *(client.call("workflow:execute", {"workflow": each}) for each in definitions)
    )
    if failed := [result["error"] for result in results if not result["success"]]:
        raise RuntimeError(f"{len(failed)} runs failed, the first one: {failed[0]}")


async def run_in_a_row(
    client: LoadClient,
    count: int,
    definition: Callable[[int], dict[str, Any]],
    *,
    width: int = 4,
    after_each: Callable[[int], None] = lambda done: None,
) -> None:
    """Execute so many runs, `width` of them at a time; each must succeed."""
    numbers = iter(range(count))
    done = 0

    async def lane() -> None:
        nonlocal done
        for number in numbers:
            await run_at_once(client, [definition(number)])
            done += 1
            after_each(done)

    await asyncio.gather(*(lane() for _ in range(width)))


def slope_per_run(samples: list[tuple[int, int]]) -> float:
    """Of the straight line through (runs so far, what was held), by least squares."""
    return statistics.linear_regression(*zip(*samples, strict=True)).slope


def hundred_at_once(folder: Path) -> Iterator[Row]:
    """100 workflows of three scripts at once, against the same scripts in a loop per core."""
    (folder / "echo.py").write_text(SCRIPT)
    definitions = [scripts_of(f"w{n}", 3) for n in range(AT_ONCE)]

    def bare(number: int) -> None:
        command = [sys.executable, str(folder / "echo.py")]
        subprocess.run(command, input=b"{}", capture_output=True, check=True)

    def loops() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(bare, range(AT_ONCE * 3)))

    async def measure() -> tuple[Figure, Figure, Figure, Figure]:
        ours: list[float] = []
        theirs: list[float] = []
        meanwhile: list[float] = []
        async with load_client(folder) as client:
            idle = await asking_while(client, asyncio.sleep(IDLE_S))
            await client.call("workflow:execution:subscribe")
            for _ in range(3):
                start = time.perf_counter()
                meanwhile += await asking_while(client, run_at_once(client, definitions))
                ours.append((time.perf_counter() - start) * 1000)
                theirs.append(await asyncio.to_thread(timed, loops))
        return (
            Figure("100 workflows of 3 scripts at once", ours),
            Figure("subprocess.run, 2 at a time", theirs),
            Figure(MEANWHILE, meanwhile),
            Figure("sidecar:info, idle", idle),
        )

    ours, theirs, meanwhile, idle = asyncio.run(measure())
    yield ours.row(theirs)
    yield meanwhile.row(idle)


def thousand_listeners(folder: Path) -> Iterator[Row]:
    """A run of 100 steps with 1 and 1,000 listeners of a connection: its events go out once."""
    steps = [{"id": f"s{n}", "type": "output", "message": str(n)} for n in range(100)]
    definition = {"workflow": {"id": "w", "name": "w"}, "steps": steps}

    async def measure() -> tuple[Figure, Figure]:
        times: dict[int, list[float]] = {1: [], SUBSCRIBERS: []}
        async with load_client(folder) as few, load_client(folder) as many:
            clients = {1: few, SUBSCRIBERS: many}
            for count, client in clients.items():
                for number in range(count):
                    params = {"workflow_id": "w", "subscriber": f"window {number}"}
                    await client.call("workflow:execution:subscribe", params)
            for _ in range(20):
                for count, client in clients.items():
                    start = time.perf_counter()
                    await run_at_once(client, [definition])
                    times[count].append((time.perf_counter() - start) * 1000)
            for count, client in clients.items():
                if client.events.total() != 20 * 202:
                    raise RuntimeError(f"{client.events.total()} events for {count} subscribers")
        one, thousand = (
            Figure(f"100 steps, {count:,} listeners of a connection", times[count])
            for count in times
        )
        return one, thousand

    one, thousand = asyncio.run(measure())
    yield thousand.row(one)


def an_hour_of_runs(folder: Path) -> Iterator[Row]:
    """20,000 runs of one script each, four at a time: what grows in the daemon. Linux only."""
    if not Path("/proc/self/status").exists():
        return
    (folder / "echo.py").write_text(SCRIPT)
    usage: list[tuple[int, Usage]] = []

    async def measure() -> tuple[list[float], list[float], float]:
        async with load_client(folder) as client:
            idle = await asking_while(client, asyncio.sleep(IDLE_S))
            await client.call("workflow:execution:subscribe")

            def look(done: int) -> None:
                if done % (RUNS // 100) == 0:
                    usage.append((done, client.usage()))

            start = time.perf_counter()
            meanwhile = await asking_while(
                client,
                run_in_a_row(client, RUNS, lambda n: scripts_of(f"w{n % 50}", 1), after_each=look),
            )
            taken_s = time.perf_counter() - start
            if len(client.ends) != RUNS or set(client.ends.values()) != {1}:
                raise RuntimeError(f"{len(client.ends)} ends of {RUNS} runs")
        return idle, meanwhile, taken_s

    idle, meanwhile, taken_s = asyncio.run(measure())
    yield Row(f"{RUNS:,} runs of a script", RUNS / taken_s, unit="per s")
    yield Figure(MEANWHILE, meanwhile).row(Figure("sidecar:info, idle", idle))
    first, last = usage[0][1], usage[-1][1]
    yield Row(
        "  the daemon's memory after them",
        last.memory_bytes / 2**20,
        unit="MiB",
        baseline=f"after the first {usage[0][0]:,}",
        baseline_p50=first.memory_bytes / 2**20,
    )
    for name, unit, values in (
        ("memory", "B/run", [(done, one.memory_bytes) for done, one in usage]),
        ("descriptors", "/run", [(done, one.descriptors) for done, one in usage]),
        ("threads", "/run", [(done, one.threads) for done, one in usage]),
    ):
        # The second half: what is kept up to a bound has reached it by then.
        yield Row(f"  slope of its {name}", slope_per_run(values[len(values) // 2 :]), unit=unit)


BENCHMARKS = (hundred_at_once, thousand_listeners, an_hour_of_runs)
