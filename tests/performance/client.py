"""A host that keeps many requests under way on one daemon, and counts what it is told.

It stores no event: at the counts of a load test, that would be measuring itself.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Larger than any answer here; the stream's own default would cut a line at 64 KiB.
LINE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """What a process holds at one instant. Linux only."""

    memory_bytes: int
    descriptors: int
    threads: int


class LoadClient:
    """One connection. `events` counts them by type, `ends` the last events of runs by execution."""

    def __init__(self, process: Process, url: str) -> None:
        """`url` is where the daemon serves others."""
        self.process = process
        self.url = url
        self.events: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._reading = asyncio.create_task(self._read())

    async def call(self, method: str, params: Any = None) -> Any:
        """The result of a request. Raises RuntimeError for an error."""
        self._last_id += 1
        number = self._last_id
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        await self.process.stdin.drain()
        return await answer

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            message = json.loads(line)
            if "method" in message:
                event = message["params"]
                self.events[event["event_type"]] += 1
                if event["event_type"] in ("workflow_completed", "workflow_failed"):
                    self.ends[event["execution_id"]] += 1
                continue
            answer = self._waiting.pop(message["id"])
            if "error" in message:
                answer.set_exception(RuntimeError(str(message["error"])))
            else:
                answer.set_result(message["result"])
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(RuntimeError("the daemon ended"))

    def usage(self) -> Usage:
        """What the daemon holds now."""
        folder = Path(f"/proc/{self.process.pid}")
        status = dict(
            line.split(":", 1) for line in (folder / "status").read_text().splitlines() if line
        )
        return Usage(
            memory_bytes=int(status["VmRSS"].split()[0]) * 1024,
            descriptors=len(list((folder / "fd").iterdir())),
            threads=int(status["Threads"]),
        )

    async def close(self) -> None:
        """End the daemon as a host does."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()
        await self._reading


@asynccontextmanager
async def load_client(project: Path, *flags: str) -> AsyncIterator[LoadClient]:
    """A client of a daemon of its own on the project."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidecar", "serve", "--project", str(project)),
        *("--python", sys.executable, "--log-level", "error", "--stdio", "--ws", "0", *flags),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=LINE_BYTES,
    )
    assert process.stderr is not None
    # Its stdout is for messages alone.
    client = LoadClient(process, json.loads(await process.stderr.readline())["url"])
    passing_on = asyncio.create_task(_pass_on(process.stderr))
    try:
        yield client
    finally:
        await client.close()
        await passing_on


async def _pass_on(stderr: asyncio.StreamReader) -> None:
    while line := await stderr.readline():
        sys.stderr.write(line.decode())
