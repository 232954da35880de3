"""What a step costs: with a script, and beside it, as their number grows."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sidecar.engine import Engine
from sidecar.history.executions import ExecutionHistory
from tests.performance.figures import Figure, Row, interleaved

#: The workload that engines are compared by: many steps that each do next to nothing.
LIGHT_SCRIPT = """
import json, sys
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
print(json.dumps({"fib": fib(10)}))
"""
LIGHT_STEPS = 40
COUNTS = (10, 100, 1_000, 10_000)


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


def chain_of_outputs(folder: Path) -> Iterator[Row]:
    """What a step costs beside its script, in chains: each step uses the one before."""
    steps: list[dict[str, Any]] = [{"id": "s0", "type": "output", "message": "begin"}]
    steps += [
        {"id": f"s{n}", "type": "output", "message": f"${{steps.s{n - 1}.outputs.message}}"}
        for n in range(1, COUNTS[-1])
    ]
    return _cost_of_a_step(folder, "a step of a chain", steps)


def fan_of_outputs(folder: Path) -> Iterator[Row]:
    """The same in a fan: all steps use the first one, and the last one waits for all."""
    steps: list[dict[str, Any]] = [{"id": "s0", "type": "output", "message": "begin"}]
    steps += [
        {"id": f"s{n}", "type": "output", "message": "${steps.s0.outputs.message}"}
        for n in range(1, COUNTS[-1])
    ]
    return _cost_of_a_step(folder, "a step of a fan", steps, gather=True)


def _cost_of_a_step(
    folder: Path, curve: str, steps: list[dict[str, Any]], *, gather: bool = False
) -> Iterator[Row]:
    """Milliseconds per step in workflows of the first steps, load and run."""
    definitions = {}
    for count in COUNTS:
        chosen = steps[: count - 1] if gather else steps[:count]
        if gather:
            needs = [step["id"] for step in chosen]
            chosen = [*chosen, {"id": "end", "type": "output", "message": "", "depends_on": needs}]
        definitions[count] = {"workflow": {"name": f"{curve} {count}"}, "steps": chosen}
    with asyncio.Runner() as runner:

        async def start() -> Engine:
            return Engine(folder, history=ExecutionHistory(folder / "history.db"))

        engine = runner.run(start())

        def work(count: int) -> None:
            # The small ones often enough that a round is long enough to be timed.
            for _ in range(max(1, 1_000 // count)):
                result = runner.run(engine.execute(definitions[count]))
                if not result.success:
                    raise RuntimeError(f"{curve} failed: {result.error}")

        figures = interleaved(
            5, **{str(count): (lambda count=count: work(count)) for count in COUNTS}
        )
        runner.run(engine.close())
    per_step = {
        count: figures[str(count)].per(max(count, 1_000), f"{curve}, {count:,} of them")
        for count in COUNTS
    }
    for count, figure in per_step.items():
        # Against 100: of ten steps, each bears a tenth of what a run costs by itself.
        baseline = per_step[100] if count != 100 else None
        yield figure.row(baseline, curve=curve, size=count)


BENCHMARKS = (light40, chain_of_outputs, fan_of_outputs)
