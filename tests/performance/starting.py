"""From nothing to the first answer."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.performance.daemons import ask, serving
from tests.performance.figures import Figure, Row, timed

ROUNDS = 10


def daemon_ready(folder: Path) -> Iterator[Row]:
    """From the spawn to the first answer, against an interpreter that does nothing."""
    ready: list[float] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        with serving(folder) as daemon:
            ask(daemon, "workflow:execution:active")
            ready.append((time.perf_counter() - start) * 1000)
        bare.append(timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)))
    yield Figure("daemon ready (spawn to first answer)", ready).row(Figure("python -c pass", bare))


BENCHMARKS = (daemon_ready,)
