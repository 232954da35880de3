"""Figures of starting scripts: the zygote against `subprocess.run` and a bare fork, interleaved.

From a request to its parsed output, beneath the runner with everything on, confinement included.
"""

import asyncio
import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from sidecar.engine import Engine
from sidecar.scripts.interface import ScriptRequest
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.launchers import Launcher
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.paths import ProjectRoot
from sidecar.scripts.runner import LocalRunner
from tests.performance.figures import Figure, interleaved, timed

LIGHT = """import json, sys
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
print(json.dumps({"fib": fib(10)}))
"""
ROUNDS = 200
T = TypeVar("T")


class Bench:
    """A runner on one launcher, driven from outside its loop."""

    def __init__(self, folder: Path, python: str, launcher: Callable[[], Launcher]) -> None:
        self.loop = asyncio.new_event_loop()
        self.project = ProjectRoot(folder)
        self.launcher = self.do(_made(launcher))
        pythons = Interpreters(python, self.project.path)
        self.runner = LocalRunner(self.project, pythons, self.launcher)
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


def start_of_a_script(folder: Path, python: str = sys.executable) -> None:
    """p50 and p99 of one script: zygote, plain spawn, and `subprocess.run`, in turn."""
    script = folder / "light.py"
    script.write_text(LIGHT)
    zygote, spawn = Bench(folder, python, ZygoteLauncher), Bench(folder, python, SpawnLauncher)

    def plain() -> None:
        done = subprocess.run(
            [python, str(script)], input=b"{}", capture_output=True, check=True, cwd=folder
        )
        json.loads(done.stdout)

    try:
        figures = interleaved(ROUNDS, zygote=zygote.run, spawn=spawn.run, plain=plain)
        baseline = Figure("subprocess.run([python, script])", figures["plain"].times_ms)
        print(baseline.row())
        print(Figure("script by plain spawn", figures["spawn"].times_ms).row(baseline))
        ours = Figure("script by the zygote", figures["zygote"].times_ms)
        print(ours.row(baseline))
        print(f"{'  so many times less':<44} {baseline.p50_ms / ours.p50_ms:10.1f}")
        _print_memory(zygote)
    finally:
        zygote.close()
        spawn.close()


def _print_memory(bench: Bench) -> None:
    launcher = bench.launcher
    if isinstance(launcher, ZygoteLauncher) and launcher._zygote is not None:
        status = Path(f"/proc/{launcher._zygote._process.pid}/smaps_rollup").read_text()
        fields = {
            line.split(":")[0]: int(line.split()[1])
            for line in status.splitlines()
            if line.endswith("kB")
        }
        print(
            f"{'idle memory of the zygote':<44} {fields['Pss'] / 1024:7.1f} MiB of its own share, "
            f"{fields['Rss'] / 1024:.1f} resident"
        )


def light40_against_fork(folder: Path) -> None:
    """40 steps through the engine, a loop of `subprocess.run`, and a fork per step."""
    script = folder / "light.py"
    script.write_text(LIGHT)
    steps = [{"id": f"s{n}", "type": "python", "script": "light.py"} for n in range(40)]
    definition = {"workflow": {"name": "light40"}, "steps": steps}
    loop = asyncio.new_event_loop()

    async def start() -> Engine:
        engine = Engine(folder, python=sys.executable)
        await engine.runner.prepare()
        return engine

    engine = loop.run_until_complete(start())
    context = multiprocessing.get_context("fork")

    def ours() -> None:
        result = loop.run_until_complete(engine.execute(definition))
        if not result.success:
            raise RuntimeError(f"light40 failed: {result.error}")

    def spawned() -> None:
        for _ in range(40):
            subprocess.run([sys.executable, str(script)], input=b"{}", stdout=-1, check=True)

    def forked() -> None:
        code = compile(LIGHT, "light.py", "exec")
        for _ in range(40):
            reading, writing = context.Pipe(duplex=False)
            process = context.Process(target=_in_fork, args=(code, writing))
            process.start()
            writing.close()
            reading.recv()
            process.join()
            process.close()
            reading.close()

    figures = interleaved(9, ours=ours, spawned=spawned, forked=forked)
    loop.run_until_complete(engine.close())
    loop.close()
    loop_of, fork = figures["spawned"], Figure("fork per step", figures["forked"].times_ms)
    engine_run = Figure("light40 by the zygote", figures["ours"].times_ms)
    print(Figure("light40: subprocess.run loop", loop_of.times_ms).row())
    print(Figure("light40: multiprocessing fork per step", fork.times_ms).row())
    print(engine_run.row(fork))
    print(f"{'  times less than the loop':<44} {loop_of.p50_ms / engine_run.p50_ms:10.1f}")


def _in_fork(code: Any, writing: Any) -> None:
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})  # noqa: S102 - the baseline's whole point
    writing.send(json.loads(out.getvalue()))


def scripts_per_second(folder: Path) -> None:
    """How many light scripts a second, with 1, 2 and 4 at once, forked and spawned."""
    (folder / "light.py").write_text(LIGHT)
    for name, launcher in (("zygote", ZygoteLauncher), ("spawn", SpawnLauncher)):
        bench = Bench(folder, sys.executable, launcher)
        try:
            bench.run_at_once(2, 10)
            total = 200 if name == "zygote" else 60
            for count in (1, 2, 4):
                seconds = timed(lambda: bench.run_at_once(count, total)) / 1000  # noqa: B023
                print(f"{f'scripts a second, {name}, {count} at once':<44} {total / seconds:10.0f}")
        finally:
            bench.close()


def preloading(folder: Path, python: str = sys.executable) -> None:
    """A script that imports numpy, with and without `--preload numpy`, where numpy is there."""
    if subprocess.run([python, "-c", "import numpy"], capture_output=True, check=False).returncode:
        print(f"{'import of numpy, preloaded':<44} needs numpy beside {python}")
        return
    (folder / "light.py").write_text("import numpy\nprint('{\"n\": %d}' % numpy.arange(5).sum())")
    without = Bench(folder, python, ZygoteLauncher)
    with_it = Bench(folder, python, lambda: ZygoteLauncher(["numpy"]))
    try:
        figures = interleaved(30, without=without.run, with_it=with_it.run)
        baseline = Figure("script that imports numpy", figures["without"].times_ms)
        print(baseline.row())
        print(Figure("  with --preload numpy", figures["with_it"].times_ms).row(baseline))
    finally:
        without.close()
        with_it.close()


def start_of_the_zygote(folder: Path) -> None:
    """From asking for it to its being ready, against an interpreter that does nothing."""
    (folder / "light.py").write_text(LIGHT)
    times, bare = [], []
    for _ in range(10):
        start = time.perf_counter()
        bench = Bench(folder, sys.executable, ZygoteLauncher)
        times.append((time.perf_counter() - start) * 1000)
        bench.close()
        bare.append(timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)))
    print(Figure("zygote ready", times).row(Figure("python -c pass", bare)))


BENCHMARKS = (
    start_of_a_script,
    light40_against_fork,
    scripts_per_second,
    preloading,
    start_of_the_zygote,
)
