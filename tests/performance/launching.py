"""What the start of a script costs: the zygote against plain spawn and a bare fork.

From a request to its parsed output, beneath the runner with everything on, confinement included.
"""

import asyncio
import contextlib
import io
import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sidecar.engine import Engine
from sidecar.scripts.confinement import Confinement, IsolationOptions
from sidecar.scripts.interface import ScriptRequest
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.launchers import Launcher
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.paths import ProjectRoot
from sidecar.scripts.runner import LocalRunner
from tests.performance.figures import REST_S, Figure, Row, interleaved, timed
from tests.performance.steps import LIGHT_SCRIPT, LIGHT_STEPS

T = TypeVar("T")


class Bench:
    """A runner on one launcher, driven from outside its loop."""

    def __init__(
        self,
        folder: Path,
        launcher: Callable[[], Launcher],
        isolation: IsolationOptions | None = None,
    ) -> None:
        self.loop = asyncio.new_event_loop()
        self.project = ProjectRoot(folder)
        self.launcher = self.do(_made(launcher))
        pythons = Interpreters(sys.executable, self.project.path)
        confinement = Confinement(self.project.path, isolation or IsolationOptions())
        self.runner = LocalRunner(self.project, pythons, self.launcher, confinement)
        self.do(self.runner.prepare())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def run(self, script: str = "light.py") -> None:
        """One script; a failing one is a bug of the benchmark."""
        outcome = self.do(self.runner.run(ScriptRequest(script, {}, 60_000), _ignore))
        if outcome.failure is not None:
            raise RuntimeError(outcome.failure.error)

    def run_at_once(self, count: int, total: int) -> None:
        """`total` scripts, `count` of them at any time."""

        async def several() -> None:
            slots = asyncio.Semaphore(count)

            async def one() -> None:
                async with slots:
                    await self.runner.run(ScriptRequest("light.py", {}, 60_000), _ignore)

            await asyncio.gather(*(one() for _ in range(total)))

        self.do(several())

    def close(self) -> None:
        self.do(self.runner.close())
        self.project.close()
        self.loop.close()


async def _made(launcher: Callable[[], Launcher]) -> Launcher:
    return launcher()


def _ignore(line: str) -> None:
    return None


def start_of_a_script(folder: Path) -> Iterator[Row]:
    """One script by the zygote and by plain spawn, against `subprocess.run`."""
    script = folder / "light.py"
    script.write_text(LIGHT_SCRIPT)
    zygote, spawn = Bench(folder, ZygoteLauncher), Bench(folder, SpawnLauncher)
    unconfined = Bench(folder, ZygoteLauncher, IsolationOptions(level="off"))

    def plain() -> None:
        command = [sys.executable, str(script)]
        json.loads(subprocess.run(command, input=b"{}", stdout=-1, check=True).stdout)

    try:
        figures = interleaved(
            200,
            REST_S,
            zygote=zygote.run,
            unconfined=unconfined.run,
            spawn=spawn.run,
            subprocess_run=plain,
        )
        baseline = figures["subprocess_run"]
        yield Figure("script by the zygote", figures["zygote"].times_ms).row(baseline)
        without = Figure("script by the zygote, not confined", figures["unconfined"].times_ms)
        yield without.row(baseline)
        yield Figure("script by plain spawn", figures["spawn"].times_ms).row(baseline)
        costs = figures["zygote"].p50_ms - without.p50_ms
        yield Row("cost of containment per script", costs)
        yield from _memory(zygote)
    finally:
        for bench in (zygote, spawn, unconfined):
            bench.close()


def _memory(bench: Bench) -> Iterator[Row]:
    """What the idle zygote holds: its share of what it has in common with others, and all."""
    zygote = getattr(bench.launcher, "_zygote", None)
    rollup = Path(f"/proc/{zygote._process.pid}/smaps_rollup") if zygote else Path("/nowhere")
    if rollup.exists():
        lines = [line.split() for line in rollup.read_text().splitlines()[1:]]
        kib = {line[0].rstrip(":"): int(line[1]) for line in lines}
        yield Row("idle zygote, its share of memory", kib["Pss"] / 1024, unit="MiB")
        yield Row("idle zygote, resident", kib["Rss"] / 1024, unit="MiB")


def light40(folder: Path) -> Iterator[Row]:
    """40 steps through the engine, against loops that start a Python or fork for each."""
    script = folder / "light.py"
    script.write_text(LIGHT_SCRIPT)
    steps = [{"id": f"s{n}", "type": "python", "script": "light.py"} for n in range(LIGHT_STEPS)]
    definition = {"workflow": {"name": "light40"}, "steps": steps}
    with asyncio.Runner() as runner:

        async def start() -> Engine:
            engine = Engine(folder, python=sys.executable)
            await engine.runner.prepare()
            return engine

        engine = runner.run(start())

        def ours() -> None:
            result = runner.run(engine.execute(definition))
            if not result.success:
                raise RuntimeError(f"light40 failed: {result.error}")

        def subprocess_loop() -> None:
            for _ in range(LIGHT_STEPS):
                command = [sys.executable, str(script)]
                subprocess.run(command, input=b"{}", stdout=-1, check=True)

        async def exec_loop() -> None:
            for _ in range(LIGHT_STEPS):
                process = await asyncio.create_subprocess_exec(
                    sys.executable, str(script), stdin=-1, stdout=-1
                )
                await process.communicate(b"{}")

        figures = interleaved(
            9,
            ours=ours,
            subprocess_run_loop=subprocess_loop,
            create_subprocess_exec_loop=lambda: runner.run(exec_loop()),
            fork_per_step=_fork_loop,
        )
        runner.run(engine.close())
    light = figures.pop("ours")
    for baseline in figures.values():
        yield Figure("light40: 40 steps of fib(10)", light.times_ms).row(baseline)
    one = figures["subprocess_run_loop"].per(LIGHT_STEPS, "subprocess.run")
    yield light.per(LIGHT_STEPS, "light40: a step").row(one, limit_ms=500)


def _fork_loop() -> None:
    context = multiprocessing.get_context("fork")
    code = compile(LIGHT_SCRIPT, "light.py", "exec")
    for _ in range(LIGHT_STEPS):
        reading, writing = context.Pipe(duplex=False)
        process = context.Process(target=_in_fork, args=(code, writing))
        process.start()
        writing.close()
        reading.recv()
        process.join()
        process.close()
        reading.close()


def _in_fork(code: Any, writing: Any) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})  # noqa: S102 - the baseline's whole point
    writing.send(json.loads(out.getvalue()))


def scripts_per_second(folder: Path) -> Iterator[Row]:
    """Light scripts a second, with 1, 2 and 4 at once, forked against spawned."""
    (folder / "light.py").write_text(LIGHT_SCRIPT)
    zygote, spawn = Bench(folder, ZygoteLauncher), Bench(folder, SpawnLauncher)
    try:
        for count in (1, 2, 4):
            rates = {}
            for name, bench, total in (("zygote", zygote, 200), ("spawn", spawn, 60)):
                rates[name] = total / timed(partial(bench.run_at_once, count, total)) * 1000
            yield Row(
                f"scripts a second, {count} at once",
                rates["zygote"],
                unit="1/s",
                baseline="plain spawn",
                baseline_p50=rates["spawn"],
            )
    finally:
        zygote.close()
        spawn.close()


def preloading(folder: Path) -> Iterator[Row]:
    """A script that imports a heavy module, preloaded and not: numpy, or what comes near it."""
    command = [sys.executable, "-c", "import numpy"]
    there = subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    module = "numpy" if there else "asyncio"
    (folder / "light.py").write_text(f"import {module}\nprint('{{}}')")
    without = Bench(folder, ZygoteLauncher)
    with_it = Bench(folder, lambda: ZygoteLauncher([module]))
    try:
        figures = interleaved(40, REST_S, without_preload=without.run, with_it=with_it.run)
        ours = Figure(f"script that imports {module}, preloaded", figures["with_it"].times_ms)
        yield ours.row(figures["without_preload"])
    finally:
        without.close()
        with_it.close()


def zygote_ready(folder: Path) -> Iterator[Row]:
    """From asking for a zygote to its being ready, against an interpreter that does nothing."""
    times: list[float] = []
    bare: list[float] = []
    for _ in range(10):
        start = time.perf_counter()
        bench = Bench(folder, ZygoteLauncher)
        times.append((time.perf_counter() - start) * 1000)
        bench.close()
        bare.append(timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)))
    yield Figure("zygote ready", times).row(Figure("python -c pass", bare))


BENCHMARKS = (start_of_a_script, light40, scripts_per_second, preloading, zygote_ready)
