"""`python -m tests.performance`: prints one table of figures. Nothing is asserted."""

import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from protocol.executions import ExecutionDetail
from sidecar.engine import Engine
from sidecar.history.executions import ExecutionHistory
from tests.performance.figures import Figure, interleaved, timed

LIGHT_SCRIPT = """
import json, sys
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
print(json.dumps({"fib": fib(10)}))
"""


def main() -> int:
    """Run every benchmark; the exit status."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}")
    print(f"{'':<44} {'p50 ms':>10} {'p99 ms':>10}   ratio of medians")
    for benchmark in (daemon_ready, light40, history_query, output_steps, idle_memory):
        with tempfile.TemporaryDirectory() as folder:
            benchmark(Path(folder))
    return 0


def _serve(folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "sidecar", "serve", "--project", str(folder)]
    command += ["--python", sys.executable, "--log-level", "error"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _ask(daemon: "subprocess.Popen[bytes]", method: str) -> Any:
    if daemon.stdin is None or daemon.stdout is None:
        raise RuntimeError("the daemon was started without pipes")
    daemon.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode() + b"\n")
    daemon.stdin.flush()
    return json.loads(daemon.stdout.readline())


def _end(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.communicate()


def daemon_ready(folder: Path) -> None:
    """From the spawn to the first answer, against an interpreter that does nothing."""

    def ready() -> None:
        daemon = _serve(folder)
        _ask(daemon, "workflow:execution:active")
        times.append((time.perf_counter() - start) * 1000)
        _end(daemon)

    times: list[float] = []
    bare: list[float] = []
    for _ in range(10):
        start = time.perf_counter()
        ready()
        bare.append(timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)))
    print(Figure("daemon ready (spawn to first answer)", times).row(Figure("python -c pass", bare)))


def light40(folder: Path) -> None:
    """40 steps of fib(10), one after the other, against a loop of subprocess.run."""
    script = folder / "light.py"
    script.write_text(textwrap.dedent(LIGHT_SCRIPT))
    steps = [{"id": f"s{n}", "type": "python", "script": "light.py"} for n in range(40)]
    definition = {"workflow": {"name": "light40"}, "steps": steps}
    loop = asyncio.new_event_loop()

    async def start() -> Engine:
        return Engine(folder, python=sys.executable)

    engine = loop.run_until_complete(start())

    def engine_run() -> None:
        result = loop.run_until_complete(engine.execute(definition))
        if not result.success:
            raise RuntimeError(f"light40 failed: {result.error}")

    def subprocess_loop() -> None:
        for _ in range(40):
            subprocess.run(
                [sys.executable, str(script)], input=b"{}", capture_output=True, check=True
            )

    figures = interleaved(7, engine=engine_run, subprocess_run=subprocess_loop)
    loop.run_until_complete(engine.close())
    loop.close()
    baseline = Figure("subprocess.run loop", figures["subprocess_run"].times_ms)
    print(baseline.row())
    print(Figure("light40: 40 steps of fib(10)", figures["engine"].times_ms).row(baseline))
    per_step = [ms / 40 for ms in figures["engine"].times_ms]
    print(Figure("  a step of it", per_step).row(limit_ms=500))


def history_query(folder: Path) -> None:
    """The newest runs of one workflow, in files of 10 and of 10,000 workflows."""
    loop = asyncio.new_event_loop()
    figures = {}
    for count in (10, 10_000):
        history = ExecutionHistory(folder / f"history-{count}.db")
        for number in range(count):
            loop.run_until_complete(history.ended(_detail(number)))
        ask: Callable[[], object] = lambda: loop.run_until_complete(  # noqa: E731
            history.history("workflow-7", 5)  # noqa: B023 - called within the loop
        )
        times = [timed(ask) for _ in range(500)]
        figures[count] = Figure(f"history query at {count:,} workflows", times)
        loop.run_until_complete(history.close())
    loop.close()
    print(figures[10].row())
    print(figures[10_000].row(figures[10], limit_ms=200))


def _detail(number: int) -> ExecutionDetail:
    return ExecutionDetail(
        id=f"00000000-0000-4000-8000-{number:012d}",
        workflow_id=f"workflow-{number}",
        workflow_name="A workflow",
        timestamp=1_700_000_000_000 + number,
        duration_ms=10,
        status="success",
        inputs={"folder": "."},
        outputs={"count": {"total": number}},
        steps_executed=1,
        steps_failed=0,
        steps={},
    )


def output_steps(folder: Path) -> None:
    """What a step costs beside its script, in a chain of 100 and of 5,000."""
    loop = asyncio.new_event_loop()

    async def start() -> Engine:
        return Engine(folder, history=ExecutionHistory(folder / "history.db"))

    engine = loop.run_until_complete(start())
    figures = {}
    for count in (100, 5_000):
        steps: list[dict[str, Any]] = [{"id": "s0", "type": "output", "message": "begin"}]
        steps += [
            {"id": f"s{n}", "type": "output", "message": f"${{steps.s{n - 1}.outputs.message}}"}
            for n in range(1, count)
        ]
        definition = {"workflow": {"name": f"chain of {count}"}, "steps": steps}
        loaded = loop.run_until_complete(engine.load(definition))
        run: Callable[[], object] = lambda: loop.run_until_complete(  # noqa: E731
            engine.execute(loaded)  # noqa: B023 - called within the loop
        )
        run()
        times = [timed(run) / count for _ in range(5)]
        figures[count] = Figure(f"cost of an output step, {count:,} of them", times)
    loop.run_until_complete(engine.close())
    loop.close()
    print(figures[100].row())
    print(figures[5_000].row(figures[100]))


def idle_memory(folder: Path) -> None:
    """Resident memory of a daemon that has answered once, against a bare interpreter."""
    status = Path("/proc/self/status")
    if not status.exists():
        print("idle memory: needs /proc")
        return
    daemon = _serve(folder)
    _ask(daemon, "sidecar:info")
    ours = _resident_mib(daemon.pid)
    _end(daemon)
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    bare = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if bare.stdout is not None:
        bare.stdout.readline()
    theirs = _resident_mib(bare.pid)
    bare.communicate()
    print(
        f"{'idle memory of the daemon':<44} {ours:7.1f} MiB{'':>13} {ours / theirs:6.2f} x python"
    )


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


if __name__ == "__main__":
    raise SystemExit(main())
