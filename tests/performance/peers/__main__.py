"""`python -m tests.performance.peers [NAME...]`: one table, light40 on each of them.

Installs what is missing into `build/peers`, each in an environment of its own, where their logs go
too. Each is a process that stands ready while it is measured, alone but for the baseline: a loop
that starts a Python per step, in turn with it, so that the machine's noise hits both alike.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.performance.__main__ import machine
from tests.performance.figures import Figure
from tests.performance.steps import LIGHT_SCRIPT, LIGHT_STEPS

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
INSTALLED = CHECKOUT / "build" / "peers"
ROUNDS = 7
#: What the scripts run on: no virtual environment, which would make its start dearer.
PYTHON = getattr(sys, "_base_executable", sys.executable)
ROW = "| {name} | {ms:.1f} | {loop_ms:.1f} | {ratio:.2f} x |"
#: Nobody is told of what runs here.
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


@dataclass(frozen=True)
class Peer:
    """One engine. `command` installs it, and gives what starts its driver."""

    title: str
    command: Callable[[], list[str]]


def _ours(driver: str) -> list[str]:
    return [sys.executable, str(HERE / driver)]


def _from_pypi(package: str) -> list[str]:
    folder = INSTALLED / package
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "installed").exists():
        print(f"installing {package} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", package], check=True)
        (folder / "installed").touch()
    return [str(python), str(HERE / f"run_{package}.py")]


def _from_npm(package: str) -> list[str]:
    folder = INSTALLED / package
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise FileNotFoundError("needs Node and npm")
    if not (folder / "installed").exists():
        print(f"installing {package} ...", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", package]
        subprocess.run(command, cwd=folder, check=True)
        (folder / "installed").touch()
    driver = shutil.copy(HERE / f"run_{package.replace('-', '_')}.js", folder)
    return [node, str(driver)]


BASELINE = Peer("subprocess.run in a loop, Python", lambda: _ours("run_loop.py"))
PEERS = {
    "sidecar": Peer("workflow-sidecar", lambda: _ours("run_sidecar.py")),
    "node-red": Peer("Node-RED, exec nodes", lambda: _from_npm("node-red")),
    "luigi": Peer("Luigi, local scheduler", lambda: _from_pypi("luigi")),
    "prefect": Peer("Prefect, tasks that start the script", lambda: _from_pypi("prefect")),
}


@contextmanager
def ready(peer: Peer, script: Path) -> Iterator[tuple[str, Callable[[], float]]]:
    """Its title with its version, and what makes one run and tells its milliseconds."""
    environment = {**os.environ, **QUIET, "PREFECT_HOME": str(script.parent / "prefect")}
    environment["PYTHONPATH"] = str(CHECKOUT)
    command = peer.command()
    log = INSTALLED / f"{Path(command[1]).stem}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [*command, PYTHON, str(script), str(LIGHT_STEPS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment,
        ) as process,
    ):
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def answer() -> dict[str, object]:
            # Some of them greet on stdout.
            for line in stdout:
                if line.startswith("{"):
                    found: dict[str, object] = json.loads(line)
                    return found
            raise RuntimeError(f"it ended; see {log}")

        def run() -> float:
            stdin.write("run\n")
            stdin.flush()
            told = answer()
            if told["output"] != {"fib": 55}:
                raise RuntimeError(f"{peer.title} did something else: {told}")
            return float(str(told["took_ms"]))

        version = answer()["version"]
        run()
        yield f"{peer.title} {version}", run
        stdin.close()


def main(names: list[str]) -> int:
    """Print the table; 1 when one of them could not be measured."""
    failed = False
    rows: list[dict[str, Any]] = []
    print(", ".join(str(value) for value in machine().values()))
    title = f"{LIGHT_STEPS} steps of fib(10), a script each"
    print(f"| {title} | ms a step | a loop beside it | ratio |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "light.py")
        script.write_text(LIGHT_SCRIPT)
        for name, peer in PEERS.items():
            if names and name not in names:
                continue
            try:
                row = _measured(peer, script)
                rows.append(row)
                print(
                    "| {name} | {ms:.1f} | {loop_ms:.1f} | {ratio:.2f} x |".format(**row),
                    flush=True,
                )
            except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
                print(f"{peer.title} was not measured: {error}", file=sys.stderr)
                failed = True
    if not names:
        INSTALLED.mkdir(parents=True, exist_ok=True)
        table = {"machine": machine(), "peers": rows}
        (INSTALLED / "peers.json").write_text(json.dumps(table, indent=2) + "\n")
    return 1 if failed else 0


def _measured(peer: Peer, script: Path) -> dict[str, Any]:
    """Its row: medians of milliseconds a step, and their ratio."""
    ours: list[float] = []
    loop: list[float] = []
    with ready(peer, script) as (title, run), ready(BASELINE, script) as (_, run_baseline):
        for _ in range(ROUNDS):
            ours.append(run())
            loop.append(run_baseline())
    step = Figure(title, ours).per(LIGHT_STEPS, title)
    baseline = Figure(BASELINE.title, loop).per(LIGHT_STEPS, BASELINE.title)
    return {
        "name": title,
        "ms": step.p50_ms,
        "loop_ms": baseline.p50_ms,
        "ratio": step.p50_ms / baseline.p50_ms,
    }


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
