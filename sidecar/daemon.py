"""The composition root of `serve`: builds everything below, watches for the end, ends in order.

The daemon ends when its parent is gone (end of stdin, or stdout broken), on SIGTERM, SIGINT and
SIGHUP, and on `sidecar:shutdown`: running executions are cancelled and recorded as such, requests
answered, the history closed, exit status 0. A second signal ends at once with 128+n. It does not
know how anything below works.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from protocol import limits
from sidecar import __version__
from sidecar.engine import Engine
from sidecar.errors import PythonNotFound, UsageError
from sidecar.history.executions import ExecutionHistory
from sidecar.rpc.dispatcher import Dispatcher
from sidecar.rpc.framing import LineFraming
from sidecar.rpc.listeners import Listeners
from sidecar.rpc.methods import Methods
from sidecar.rpc.session import Session
from sidecar.rpc.stdio import StdinReader, StdoutWriter
from sidecar.signals import end_signals

logger = logging.getLogger(__name__)

#: Kept of the end's time for what comes after the runs: once for the last bytes, once for the
#: history.
_LAST_WORDS_S: Final = 0.35
#: Of the end's time, what a busy machine may need for itself.
_SPARE_S: Final = 0.25
#: After the end of stdin, for requests that came before it and have not been taken yet.
_UNREAD_S: Final = 0.5
_STDERR: Final = 2
_END_OF_STDIN: Final = "end of stdin"


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """What `serve` was asked for."""

    project: Path
    history: Path
    python: str | None = None
    allow_env: frozenset[str] = field(default_factory=frozenset)
    max_parallel: int | None = None


def claim_stdio() -> tuple[int, int]:
    """Take stdin and stdout for the protocol: (descriptor to read, descriptor to write).

    From now on descriptor 1 is stderr, so that no stray print can break a frame, and descriptor 0
    is empty. Raises UsageError when one of them was closed from the start.
    """
    # Python sets these to None when the descriptor was closed from the start.
    for stream, name in ((sys.stdin, "stdin"), (sys.stdout, "stdout")):
        if stream is None:
            raise UsageError(
                f"{name} is closed; the sidecar speaks JSON-RPC over stdin and stdout, "
                "so start it with both connected to pipes"
            )
    null = os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None and null != _STDERR:
        # Else the next file to be opened, such as the history, would be stderr to every library.
        os.dup2(null, _STDERR, inheritable=False)
    claimed = os.dup(0), os.dup(1)
    os.dup2(null, 0)
    os.dup2(_STDERR, 1)
    if null != _STDERR:
        os.close(null)
    return claimed


class Daemon:
    """One serving process, from `run()` to its exit status."""

    def __init__(self, options: DaemonOptions) -> None:
        self._options = options
        #: Set once the end has begun.
        self.ending = asyncio.Event()
        self._reason = ""
        self._signalled = False
        self._engine = Engine(
            options.project,
            history=ExecutionHistory(options.history),
            python=options.python,
            allow_env=options.allow_env,
            max_parallel=options.max_parallel,
        )
        self._listeners = Listeners()
        self._engine.on_event(self._listeners.deliver)
        self._engine.wait_for_listeners = self._listeners.drained
        methods = Methods(
            self._engine,
            self._listeners,
            history_file=str(options.history),
            isolation=self._engine.runner.isolation,
            shut_down=lambda: self.end("sidecar:shutdown"),
        )
        self._dispatcher = Dispatcher(methods.table())

    def end(self, reason: str) -> None:
        """Begin the end; the first reason counts."""
        if not self.ending.is_set():
            self._reason = reason
            self.ending.set()

    def exit_at_once(self, status: int) -> NoReturn:
        """End the process without recording anything, with no script left."""
        self._engine.runner.kill_all()
        os._exit(status)

    async def run(self, stdin: int, stdout: int) -> int:
        """Serve the peer on the given descriptors until the end; the exit status."""
        framing = LineFraming()
        writer = StdoutWriter(stdout, framing.frame, self._stdout_broke)
        session = Session(writer, self._cut_off)
        self._watch_signals()
        reader = StdinReader(stdin, self._stdin_ended)
        background = [
            asyncio.create_task(self._receive(reader, framing, session)),
            asyncio.create_task(self._look_for_python()),
        ]
        logger.info("serving", extra={"fields": {"version": __version__, "pid": os.getpid()}})
        await self.ending.wait()
        logger.info("ending", extra={"fields": {"reason": self._reason}})
        await self._end(session, writer)
        for task in background:
            task.cancel()
        await asyncio.wait(background)
        writer.close()
        return 0

    async def _receive(self, reader: StdinReader, framing: LineFraming, session: Session) -> None:
        """Take the peer's messages, each when those before it have had their first turn."""
        async for chunk in reader.chunks():
            for message in framing.feed(chunk):
                self._dispatcher.receive(session, message)
                await session.has_room()
        for message in framing.end():
            self._dispatcher.receive(session, message)
        self.end(_END_OF_STDIN)

    def _stdin_ended(self) -> None:
        # What came before the end is taken first, unless the peer does not read its answers.
        asyncio.get_running_loop().call_later(_UNREAD_S, self.end, _END_OF_STDIN)

    async def _end(self, session: Session, writer: StdoutWriter) -> None:
        deadline_s = _end_takes_at_most_s() - 2 * _LAST_WORDS_S
        # Requests that came just before the end have their first turn, so that they are answered.
        await asyncio.sleep(0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                await self._engine.stop()
                await session.finished()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await writer.flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._engine.close()

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in end_signals():
            try:
                loop.add_signal_handler(number, self._on_signal, number)
            except NotImplementedError:
                # Windows: handlers run between bytecodes and must wake the loop.
                signal.signal(
                    number,
                    lambda n, _: loop.call_soon_threadsafe(self._on_signal, signal.Signals(n)),
                )

    def _on_signal(self, number: signal.Signals) -> None:
        # Not "the second reason": a host may close stdin and send SIGTERM in one go.
        if self._signalled:
            self.exit_at_once(128 + number)
        self._signalled = True
        self.end(number.name)

    def _stdout_broke(self, error: OSError) -> None:
        logger.error("stdout cannot be written", extra={"fields": {"error": error.strerror}})
        self.end("stdout broke")

    def _cut_off(self, session: Session) -> None:
        self._listeners.remove_session(session)
        logger.error(
            "subscriber cut off: it stopped reading",
            extra={"fields": {"pending_bytes": session.pending_bytes}},
        )

    async def _look_for_python(self) -> None:
        """Probe the interpreter while idle, so that the first step need not."""
        try:
            found = await self._engine.python.get()
        except PythonNotFound as error:
            fields = {"error": error.message, "install_guide": error.install_guide}
            logger.warning("no Python for scripts", extra={"fields": fields})
        else:
            logger.info("python found", extra={"fields": {"version": found.version_text}})


def _end_takes_at_most_s() -> float:
    return limits.SHUTDOWN_MS / 1000 - _UNREAD_S - _SPARE_S


def serve(options: DaemonOptions) -> int:
    """Run the daemon over stdio; the exit status. Raises UsageError."""
    stdin, stdout = claim_stdio()
    sys.stdout = sys.stderr
    return asyncio.run(_serve(options, stdin, stdout))


async def _serve(options: DaemonOptions, stdin: int, stdout: int) -> int:
    daemon = Daemon(options)
    watching = asyncio.create_task(_watch_the_end(daemon))
    try:
        return await daemon.run(stdin, stdout)
    finally:
        watching.cancel()


async def _watch_the_end(daemon: Daemon) -> None:
    """Once the daemon is ending: see to it that the process is gone in time, whatever hangs.

    Threads cannot be cancelled, and Python waits for them: one may write to a terminal that has
    been stopped, or wait for a Python that does not answer.
    """
    await daemon.ending.wait()
    timer = threading.Timer(_end_takes_at_most_s(), daemon.exit_at_once, [0])
    timer.daemon = True
    timer.start()
