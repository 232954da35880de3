"""What starts a script: the interface that every launcher implements.

A launcher turns an opened script into a running process with three pipes and a report file. It
does not know timeouts, output formats or outcomes.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sidecar.scripts.interpreter import Interpreter
from sidecar.scripts.paths import OpenedFile


@dataclass(frozen=True, slots=True)
class Start:
    """One attempt to be started."""

    script: OpenedFile
    """What is run; it stays the caller's to close, once `start` has returned."""
    interpreter: Interpreter
    environment: Mapping[str, str]
    """The whole of it."""
    folder: Path
    """The working directory."""


class Attempt(Protocol):
    """A script that has been started.

    The descriptors are the caller's to close, each once; on POSIX they do not block.
    """

    pid: int
    stdin: int
    stdout: int
    stderr: int
    report: int
    """A file, empty unless an exception ended the script; see `child/report.py` for its form."""
    exited: asyncio.Future[None]
    """Done when the script's own process has ended, before anything has reaped it."""

    def terminate(self) -> None:
        """Ask the script and all that can be reached of what it started to end (SIGTERM)."""
        ...

    def kill(self) -> None:
        """End them (SIGKILL), stopped ones included."""
        ...

    async def reap(self) -> int:
        """Kill what is left, wait for its death; the exit code, or minus the signal's number.

        To be called once, when `exited` is done. Afterwards nothing of the attempt is left but
        the descriptors.
        """
        ...


class Launcher(Protocol):
    """Starts scripts, several at once if asked."""

    name: str
    """As `sidecar:info` shows it: "spawn"."""
    process_tree: str
    """What of a script's descendants is reached at its end: "process-group", "process"."""

    async def start(self, start: Start) -> Attempt:
        """Start a script. Raises OSError or ValueError when there is no process to be had."""
        ...
