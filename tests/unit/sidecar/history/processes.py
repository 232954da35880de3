"""Real Python processes for the history's tests."""

import os
import subprocess
import sys
from pathlib import Path

import sidecar

ROOT = Path(sidecar.__file__).parents[1]


def start(code: str, *arguments: object, **env: str) -> subprocess.Popen[str]:
    """A process that runs `code`, with its stdout and stdin as text pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(code: str, *arguments: object) -> str:
    """What a process that runs `code` prints; it must succeed."""
    with start(code, *arguments) as process:
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return printed
