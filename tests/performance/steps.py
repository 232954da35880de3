"""What a step costs beside its script, as their number grows."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.performance.client import load_client
from tests.performance.figures import Figure, Row
from tests.performance.load import IDLE_S, MEANWHILE, asking_while, run_at_once

#: The workload that engines are compared by: many steps that each do next to nothing.
LIGHT_SCRIPT = """
import json, sys
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
print(json.dumps({"fib": fib(10)}))
"""
LIGHT_STEPS = 40
COUNTS = (10, 100, 1_000, 10_000)
ROUNDS = 3


def chain_of_steps(folder: Path) -> Iterator[Row]:
    """What a step costs beside its script, in chains: each step uses the one before."""
    steps: list[dict[str, Any]] = [{"id": "s0", "type": "output", "message": "begin"}]
    steps += [
        {"id": f"s{n}", "type": "output", "message": f"${{steps.s{n - 1}.outputs.message}}"}
        for n in range(1, COUNTS[-1])
    ]
    return _cost_of_a_step(folder, "a step of a chain", {n: steps[:n] for n in COUNTS})


def fan_of_steps(folder: Path) -> Iterator[Row]:
    """The same in a fan: all steps use the first one, and the last one waits for all."""
    steps: list[dict[str, Any]] = [{"id": "s0", "type": "output", "message": "begin"}]
    steps += [
        {"id": f"s{n}", "type": "output", "message": "${steps.s0.outputs.message}"}
        for n in range(1, COUNTS[-1])
    ]
    ends = {
        n: {
            "id": "end",
            "type": "output",
            "message": "",
            "depends_on": [s["id"] for s in steps[:n]],
        }
        for n in (count - 1 for count in COUNTS)
    }
    fans = {count: [*steps[: count - 1], ends[count - 1]] for count in COUNTS}
    return _cost_of_a_step(folder, "a step of a fan", fans)


def _cost_of_a_step(
    folder: Path, curve: str, steps: Mapping[int, list[dict[str, Any]]]
) -> Iterator[Row]:
    """Milliseconds per step from the request to the answer, by number of steps.

    In a daemon with a subscriber: loaded, run, told, kept. Then what others wait meanwhile.
    """
    definitions = {
        count: {"workflow": {"id": f"{count}", "name": f"{count}"}, "steps": chosen}
        for count, chosen in steps.items()
    }

    async def measure() -> tuple[dict[int, Figure], Figure, Figure]:
        times: dict[int, list[float]] = {count: [] for count in COUNTS}
        meanwhile: list[float] = []
        async with load_client(folder) as client:
            idle = await asking_while(client, asyncio.sleep(IDLE_S))
            await client.call("workflow:execution:subscribe")
            for _ in range(ROUNDS):
                for count in COUNTS:
                    # The small ones often enough that a round is long enough to be timed.
                    often = max(1, 1_000 // count)
                    start = time.perf_counter()
                    for _ in range(often):
                        await run_at_once(client, [definitions[count]])
                    taken_ms = (time.perf_counter() - start) * 1000
                    times[count].append(taken_ms / (often * count))
                work = run_at_once(client, [definitions[COUNTS[-1]]])
                meanwhile += await asking_while(client, work)
        per_step = {
            count: Figure(f"{curve}, {count:,} of them", taken) for count, taken in times.items()
        }
        return per_step, Figure(MEANWHILE, meanwhile), Figure("sidecar:info, idle", idle)

    per_step, meanwhile, idle = asyncio.run(measure())
    for count, figure in per_step.items():
        # Against 100: of ten steps, each bears a tenth of what a run costs by itself.
        yield figure.row(per_step[100] if count != 100 else None, curve=curve, size=count)
    yield meanwhile.row(idle)


BENCHMARKS = (chain_of_steps, fan_of_steps)
