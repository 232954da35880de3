"""What the daemon holds in memory."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.performance.daemons import ask, resident_mib, serving
from tests.performance.figures import Row


def idle_memory(folder: Path) -> Iterator[Row]:
    """Resident memory of a daemon that has answered once, against a bare interpreter. Linux."""
    if not Path("/proc/self/status").exists():
        return
    with serving(folder) as daemon:
        ask(daemon, "sidecar:info")
        ours = resident_mib(daemon.pid)
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bare:
        if bare.stdout is not None:
            bare.stdout.readline()
        theirs = resident_mib(bare.pid)
        bare.communicate()
    yield Row("daemon's memory, idle", ours, unit="MiB", baseline="python", baseline_p50=theirs)


BENCHMARKS = (idle_memory,)
