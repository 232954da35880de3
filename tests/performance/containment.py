"""What containment costs a script, and of what that is made up.

The same script runs with `--isolation best-effort` and `off`, in turn, through each launcher; the
difference of the medians is the cost. Beside it, what the parts take by themselves in a process
that does nothing else.
"""

import asyncio
import marshal
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sidecar.scripts.confinement import Confinement, IsolationLevel, IsolationOptions
from sidecar.scripts.interface import ScriptRequest
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.launchers import Launcher
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.paths import ProjectRoot
from sidecar.scripts.runner import LocalRunner
from tests.performance.figures import REST_S, Benchmark, Row, interleaved

TITLE = "containment"
ROUNDS: Final = 150
#: The plan's limit for the cost of a script.
LIMIT_MS: Final = 1.5


def cost_per_script(folder: Path) -> Iterator[Row]:
    """A script that prints an empty object, contained and not."""
    if sys.platform != "linux":
        return
    (folder / "script.py").write_text("print('{}')\n")
    launchers: dict[str, Callable[[], Launcher]] = {
        "zygote": ZygoteLauncher,
        "spawn": SpawnLauncher,
    }
    loop = asyncio.new_event_loop()
    try:
        for name, launcher in launchers.items():
            yield from _cost(folder, loop, name, launcher)
    finally:
        loop.close()


def _cost(
    folder: Path, loop: asyncio.AbstractEventLoop, name: str, launcher: Callable[[], Launcher]
) -> Iterator[Row]:
    with ProjectRoot(folder) as project:

        async def prepared(level: IsolationLevel) -> LocalRunner:
            confinement = Confinement(project.path, IsolationOptions(level))
            python = Interpreters(sys.executable, project.path)
            runner = LocalRunner(project, python, launcher(), confinement)
            await runner.prepare()
            return runner

        runners = [loop.run_until_complete(prepared(level)) for level in ("best-effort", "off")]

        def script(runner: LocalRunner) -> Callable[[], None]:
            def work() -> None:
                request = ScriptRequest("script.py", {}, 30_000)
                outcome = loop.run_until_complete(runner.run(request, lambda _: None))
                if outcome.failure is not None:
                    raise RuntimeError(outcome.failure.error)

            return work

        contained, free = map(script, runners)
        # At rest, as a script mostly finds the machine; how many a second, the launchers tell.
        figures = interleaved(ROUNDS, REST_S, contained=contained, not_contained=free)
        for runner in runners:
            loop.run_until_complete(runner.close())
    with_it, without = figures["contained"], figures["not_contained"]
    pairs = zip(with_it.times_ms, without.times_ms, strict=True)
    cost = statistics.median(a - b for a, b in pairs)
    yield Row(
        f"a script by {name}, contained",
        with_it.p50_ms,
        with_it.p99_ms,
        baseline="not contained",
        baseline_p50=without.p50_ms,
    )
    yield Row(f"cost of containment per script, {name}", cost, limit=LIMIT_MS)


def parts(folder: Path) -> Iterator[Row]:
    """What the system calls take, each part in a fresh process that has loaded everything."""
    if sys.platform != "linux":
        return
    sys.path.insert(0, str(Path(_child()).parent))
    try:
        import confine  # type: ignore[import-not-found,unused-ignore]
    finally:
        del sys.path[0]
    with ProjectRoot(folder) as project:
        confinement = Confinement(project.path, IsolationOptions())
        loop = asyncio.new_event_loop()
        python = loop.run_until_complete(Interpreters(sys.executable, project.path).get())
        loop.close()
        temporary = folder / "temporary"
        temporary.mkdir()
        place = confinement.place(temporary)
        request = ScriptRequest("script.py", {}, 1000)
        made = confinement.policy(python, request.permissions, place, dict(os.environ))
        confine.prepare(made.common)  # as the zygote does
        attempt = confine._InForce(made.common)
        policy = attempt.policy
        policy.update(marshal.loads(made.own))  # noqa: S302 - ours
        closed = {**policy, "network": False}
        steps = {
            "limits": lambda: confine._limit(attempt),
            "a view of its own (mount namespace)": lambda: attempt.view.change(policy, None),
            "no privileges": lambda: (
                confine._drop_capabilities(policy),
                confine._no_new_privileges(),
            ),
            f"Landlock, {len(policy['rules'])} rules, none made ahead": lambda: (
                attempt.rules.restrict()
            ),
            "the network closed (seccomp)": lambda: confine._close_network(closed),
        }
        times: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(60):
            for name, time_ms in _in_a_child(steps).items():
                times[name].append(time_ms)
    for name, values in times.items():
        yield Row(f"  of it: {name}", statistics.median(values), sorted(values)[-1])


def _child() -> str:
    from sidecar.scripts import isolation

    return str(isolation.CANARY)


def _in_a_child(steps: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of each step, all done one after the other in a process of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            found = {}
            for name, step in steps.items():
                start = time.perf_counter()
                step()
                found[name] = (time.perf_counter() - start) * 1000
            os.write(writing, marshal.dumps(found))
        finally:
            os._exit(0)
    os.close(writing)
    text = os.read(reading, 64 * 1024)
    os.close(reading)
    os.waitpid(pid, 0)
    answer: dict[str, float] = marshal.loads(text)  # noqa: S302 - our own child's
    return answer


BENCHMARKS: tuple[Benchmark, ...] = (cost_per_script, parts)
