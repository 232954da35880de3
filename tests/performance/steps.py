"""What a step costs: with a script, and beside it, as their number grows."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sidecar.engine import Engine
from tests.performance.client import load_client
from tests.performance.figures import Figure, Row, interleaved
from tests.performance.load import MEANWHILE, asking_while, run_at_once

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


def light40(folder: Path) -> Iterator[Row]:
    """40 steps of fib(10), one after the other, against loops that start a Python for each."""
    script = folder / "light.py"
    script.write_text(LIGHT_SCRIPT)
    steps = [{"id": f"s{n}", "type": "python", "script": "light.py"} for n in range(LIGHT_STEPS)]
    definition = {"workflow": {"name": "light40"}, "steps": steps}
    with asyncio.Runner() as runner:

        async def start() -> Engine:
            return Engine(folder, python=sys.executable)

        engine = runner.run(start())

        def engine_run() -> None:
            result = runner.run(engine.execute(definition))
            if not result.success:
                raise RuntimeError(f"light40 failed: {result.error}")

        def subprocess_loop() -> None:
            for _ in range(LIGHT_STEPS):
                command = [sys.executable, str(script)]
                subprocess.run(command, input=b"{}", capture_output=True, check=True)

        async def exec_loop() -> None:
            for _ in range(LIGHT_STEPS):
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, str(script)),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
                await process.communicate(b"{}")

        figures = interleaved(
            7,
            engine=engine_run,
            subprocess_run=subprocess_loop,
            create_subprocess_exec=lambda: runner.run(exec_loop()),
        )
        runner.run(engine.close())
    ours = figures["engine"].times_ms
    for baseline in (figures["subprocess_run"], figures["create_subprocess_exec"]):
        yield Figure("light40: 40 steps of fib(10)", ours).row(baseline)
    per_step = figures["engine"].per(LIGHT_STEPS, "light40: a step")
    yield per_step.row(figures["subprocess_run"].per(LIGHT_STEPS, "subprocess.run"), limit_ms=500)


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
            idle = [await client.timed_call_ms("sidecar:info") for _ in range(200)]
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


BENCHMARKS = (light40, chain_of_steps, fan_of_steps)
