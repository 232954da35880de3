"""The sidecar in this process and its host in memory: no process, no pipe, no frame.

What differs between this and the other transports is a matter of transports.
"""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from sidecar.cli.arguments import parse
from sidecar.daemon import Daemon, DaemonOptions
from sidecar.logs import JsonFormatter
from sidecar.rpc.session import Session
from tests.integration.host import MARKER, PATIENCE_S, Host


class MemoryDaemon(Daemon):
    """A daemon whose one peer is a queue in this process."""

    def __init__(self, options: DaemonOptions, host: "MemoryHost") -> None:
        super().__init__(options)
        self._host = host
        #: What the host says; None is its end.
        self.messages: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def _serve_stdio(self, stdin: int, stdout: int) -> None:
        session = Session(_Outbox(self._host), self._cut_off)
        self._sessions.add(session)
        await self._dispatcher.serve(session, self._said())
        self.end("end of stdin")

    async def _said(self) -> AsyncIterator[bytes]:
        while (message := await self.messages.get()) is not None:
            yield message

    def _watch_signals(self) -> None:
        """Signals are the tests' own here."""


class _Outbox:
    """Hands every message over at once."""

    pending_bytes = 0

    def __init__(self, host: "MemoryHost") -> None:
        self._host = host
        self.sent_bytes = 0

    def send(self, message: bytes) -> None:
        self.sent_bytes += len(message)
        self._host.take(message)


class _Log(logging.Handler):
    def __init__(self, host: "MemoryHost") -> None:
        super().__init__(logging.INFO)
        self.setFormatter(JsonFormatter())
        self._host = host

    def emit(self, record: logging.LogRecord) -> None:
        self._host.take_log(self.format(record))


class MemoryHost(Host):
    """A daemon in a thread of this process; as a context manager it leaves nothing running."""

    def __init__(self, project: Path, *flags: str, env: dict[str, str] | None = None) -> None:
        super().__init__(project)
        options = parse(["serve", "--python", sys.executable, *flags])
        self._options = DaemonOptions(
            project,
            Path(options.history or project / ".workflow-sidecar" / "history.db"),
            options.python,
            frozenset(options.allow_env),
            options.max_parallel,
        )
        self._patch = pytest.MonkeyPatch()
        for name, value in {MARKER: self.marker, **(env or {})}.items():
            self._patch.setenv(name, value)
        self._log = _Log(self)
        logging.getLogger("sidecar").addHandler(self._log)
        logging.getLogger("sidecar").setLevel(logging.INFO)
        self._loop = asyncio.new_event_loop()
        self._status: int | None = None
        self._daemon: MemoryDaemon | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(PATIENCE_S)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            self._status = runner.run(self._serve())
        self.take_end()

    async def _serve(self) -> int:
        self._daemon = MemoryDaemon(self._options, self)
        self._started.set()
        return await self._daemon.run(-1, -1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self.close_stdin()
        self._thread.join(PATIENCE_S)
        self._patch.undo()
        logging.getLogger("sidecar").removeHandler(self._log)
        logging.getLogger("sidecar").setLevel(logging.NOTSET)
        assert not self._thread.is_alive()
        if kind is None:
            self.assert_clean()

    @property
    def pid(self) -> int:
        return os.getpid()

    def send_bytes(self, *messages: bytes) -> None:
        for message in messages:
            self._say(message)

    def close_stdin(self) -> None:
        self._say(None)

    def _say(self, message: bytes | None) -> Any:
        assert self._daemon is not None
        return self._loop.call_soon_threadsafe(self._daemon.messages.put_nowait, message)

    def wait(self, timeout: float = PATIENCE_S) -> int:
        self._thread.join(timeout)
        assert self._status is not None, "the daemon goes on"
        return self._status
