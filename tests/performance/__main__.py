"""`python -m tests.performance [WORD...]`: prints one table of figures. Nothing is asserted.

With words, only benchmarks whose module or function has one of them in its name. The table also
goes to `build/bench/figures.json` (`--out DIR`: elsewhere), and its curves to `cost.svg` there.
"""

import argparse
import functools
import importlib
import json
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sidecar
from tests.performance.figures import HEADING, Benchmark, Row
from tests.performance.plot import plot

#: The parts of the table, in its order: modules of this folder, each with `BENCHMARKS`.
MODULES = (
    "starting",
    "launching",
    "steps",
    "containment",
    "load",
    "history",
    "keeping",
    "memory",
    "redacting",
    "painting",
    "wire",
)


def main() -> int:
    """Run the benchmarks; 1 when one of them could not be run to its end."""
    parser = argparse.ArgumentParser(prog="python -m tests.performance")
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), metavar="DIR")
    arguments = parser.parse_args()
    about = machine()
    print(", ".join(str(value) for value in about.values()))
    print(HEADING)
    rows: list[Row] = []
    figures: list[dict[str, Any]] = []
    failed = False
    for name, part, benchmark in benchmarks(arguments.words):
        try:
            with tempfile.TemporaryDirectory() as folder:
                for row in benchmark(Path(folder)):
                    print(row, flush=True)
                    rows.append(row)
                    figures.append({"part": part, **asdict(row), "ratio": row.ratio})
        except Exception:
            failed = True
            print(f"{name} was not measured to its end:", file=sys.stderr)
            traceback.print_exc()
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = {"machine": about, "figures": figures}
    (arguments.out / "figures.json").write_text(json.dumps(table, indent=2) + "\n")
    (arguments.out / "cost.svg").write_text(plot(rows))
    print(f"written to {arguments.out}: figures.json, cost.svg")
    return 1 if failed else 0


def benchmarks(words: list[str]) -> Iterator[tuple[str, str, Benchmark]]:
    """Name, title of the part of the table, and function of the benchmarks asked for.

    A module that cannot be imported stands for one benchmark that fails.
    """
    for module_name in MODULES:
        try:
            module = importlib.import_module(f"tests.performance.{module_name}")
        except ImportError as error:
            found: dict[str, Benchmark] = {module_name: functools.partial(_raise, error)}
            part = module_name
        else:
            found = {
                f"{module_name}.{benchmark.__name__}": benchmark for benchmark in module.BENCHMARKS
            }
            part = (module.__doc__ or module_name).partition("\n\n")[0]
        for name, benchmark in found.items():
            if not words or any(word in name for word in words):
                yield name, part, benchmark


def _raise(error: Exception, folder: Path) -> Iterator[Row]:
    raise error


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "version": f"workflow-sidecar {sidecar.__version__}",
        "python": f"Python {platform.python_version()}",
        "cores": f"{os.cpu_count()} cores",
        "processor": _processor(),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "load": _load(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def _load() -> str:
    """How busy the machine was with other things."""
    if not hasattr(os, "getloadavg"):
        return "load not known"
    return f"load {os.getloadavg()[0]:.1f} before"


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    if about.exists():
        for line in about.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    raise SystemExit(main())
