"""What starts a script: the interface that every launcher implements.

A launcher turns an opened script into a running process with three pipes, and tells its end. It
does not know timeouts, output formats or outcomes.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sidecar.scripts.confinement import Policy
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
    policy: Policy


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ended."""

    returncode: int
    """The exit code, or minus the signal's number."""
    report: bytes
    """Empty unless an exception ended the script; see `child/report.py` for its form."""


class NeverStarted(OSError):
    """The script was not started and never will be, through no fault of the machine's; another
    start may well succeed."""


class Attempt(Protocol):
    """A script that has been started.

    The descriptors are the caller's to close, each once; on POSIX they do not block.
    """

    stdin: int
    stdout: int
    stderr: int
    exited: asyncio.Future[None]
    """Done when the script's own process has ended."""

    def terminate(self) -> None:
        """Ask the script and all that can be reached of what it started to end (SIGTERM)."""
        ...

    def kill(self) -> None:
        """End them (SIGKILL), stopped ones included."""
        ...

    async def reap(self) -> End:
        """Kill what is left and wait for its death.

        To be called once, when `exited` is done. Afterwards nothing of the attempt is left but
        the descriptors. Raises OSError when the script could not be started after all.
        """
        ...


class Launcher(Protocol):
    """Starts scripts, several at once if asked."""

    @property
    def name(self) -> str:
        """As `sidecar:info` shows it: "zygote" or "spawn", what the next script is started by."""
        ...

    @property
    def process_tree(self) -> str:
        """What of a script's descendants is ended with it: "subreaper", all of them, wherever they
        went; "job", the same on Windows; "process-group", those that stayed in its group."""
        ...

    async def prepare(self, interpreter: Interpreter) -> None:
        """Do ahead what makes the first start of a script take longer; to be called when idle."""
        ...

    async def start(self, start: Start) -> Attempt:
        """Start a script. Raises OSError or ValueError when there is no process to be had."""
        ...

    async def close(self) -> None:
        """Let go of all that is kept between scripts. To be called when none runs any more."""
        ...
