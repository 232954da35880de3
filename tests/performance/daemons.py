"""A daemon for a benchmark: started on a folder, asked over stdio, ended."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def serving(project: Path, *flags: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A daemon of this interpreter on the project, from its spawn to its exit."""
    command = [sys.executable, "-m", "sidecar", "serve", "--project", str(project)]
    command += ["--python", sys.executable, "--log-level", "error", *flags]
    daemon = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield daemon
    finally:
        daemon.communicate()


def ask(daemon: "subprocess.Popen[bytes]", method: str, params: Any = None) -> Any:
    """The result of a request that is the only one under way, with no listeners."""
    if daemon.stdin is None or daemon.stdout is None:
        raise RuntimeError("the daemon was started without pipes")
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    daemon.stdin.write(json.dumps(message).encode() + b"\n")
    daemon.stdin.flush()
    answer = json.loads(daemon.stdout.readline())
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["result"]


def resident_mib(pid: int) -> float:
    """Resident memory of a process. Linux only."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")
