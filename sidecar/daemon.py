"""The composition root of `serve`: builds everything below, watches for the end, ends in order.

The daemon ends when its parent is gone (end of stdin, stdout broken, the end of the process named
to it), on SIGTERM, SIGINT and SIGHUP, and on `sidecar:shutdown`: running executions are cancelled
and recorded as such, requests answered, the history closed, exit status 0. A second signal ends at
once with 128+n. It does not know how anything below works.
"""

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from protocol import limits
from sidecar import __version__, hang_up, parent
from sidecar.engine import Engine
from sidecar.errors import PythonNotFound
from sidecar.history.executions import ExecutionHistory
from sidecar.rpc.descriptors import STDERR, claim_stdio, is_pipe, write_line
from sidecar.rpc.dispatcher import Dispatcher
from sidecar.rpc.framing import Framing, Message
from sidecar.rpc.listeners import Listeners
from sidecar.rpc.methods import Methods
from sidecar.rpc.session import Session
from sidecar.rpc.stdio import StdinReader, StdoutWriter
from sidecar.rpc.websocket import (
    Endpoint,
    WebSocketOptions,
    WebSocketServer,
    listen,
    max_connections,
)
from sidecar.rpc.websocket_connection import Connection
from sidecar.scripts.confinement import IsolationOptions
from sidecar.signals import end_signals
from sidecar.undumpable import forbid_dumps

logger = logging.getLogger(__name__)

#: Kept of the end's time for what comes after the runs: once for the last bytes, once for the
#: history.
_LAST_WORDS_S: Final = 0.35
#: Of the end's time, what a busy machine may need for itself.
_SPARE_S: Final = 0.25
#: After the end of stdin, for requests that came before it and have not been taken yet.
_UNREAD_S: Final = 0.5
#: After the interpreter was found, before isolation is tried out.
_IDLE_S: Final = 0.3
_END_OF_STDIN: Final = "end of stdin"
#: How many new objects, young and middle-aged collections start the next one up. With Python's own
#: numbers a run of 10,000 steps spends a quarter of its time in full collections, each a pause.
_GC_THRESHOLDS: Final = (20_000, 20, 50)


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """What `serve` was asked for."""

    project: Path
    history: Path
    python: str | None = None
    allow_env: frozenset[str] = field(default_factory=frozenset)
    max_parallel: int | None = None
    #: The process to end with, whatever becomes of stdin.
    parent_pid: int | None = None
    preload: tuple[str, ...] = ()
    isolation: IsolationOptions = field(default_factory=IsolationOptions)
    #: The log file, if there is one beside stderr; no script may reach it.
    log: Path | None = None
    #: Whether stdin and stdout are a peer's.
    stdio: bool = True
    #: Where else to serve, if at all.
    websocket: WebSocketOptions | None = None
    #: Whether the end of a stdin that is no peer's, but a pipe or socket, is the parent's end.
    ends_with_stdin: bool = True


def ready_line(endpoint: Endpoint) -> str:
    """What tells a host where the WebSocket is: one line of JSON."""
    ready = {"ready": True, "url": endpoint.url, "pid": os.getpid(), "version": __version__}
    return json.dumps(ready)


class Daemon:
    """One serving process, from `run()` to its exit status."""

    def __init__(self, options: DaemonOptions, listening: socket.socket | None = None) -> None:
        """`listening` is the socket of `options.websocket`, if that is given."""
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
            preload=options.preload,
            isolation=options.isolation,
            private=() if options.log is None else (options.log,),
        )
        self._listeners = Listeners()
        self._engine.on_event(self._listeners.deliver)
        self._engine.wait_for_listeners = self._listeners.drained
        methods = Methods(
            self._engine,
            self._listeners,
            history_file=str(options.history),
            max_connections=max_connections(),
            shut_down=lambda: self.end("sidecar:shutdown"),
        )
        self._dispatcher = Dispatcher(methods.table())
        self._sessions: set[Session] = set()
        self._writer: StdoutWriter | None = None
        self._server: WebSocketServer | None = None
        if listening is not None and options.websocket is not None:
            self._server = WebSocketServer(listening, options.websocket, self._serve_websocket)

    def end(self, reason: str) -> None:
        """Begin the end; the first reason counts."""
        if not self.ending.is_set():
            self._reason = reason
            self.ending.set()

    def exit_at_once(self, status: int) -> NoReturn:
        """End the process without recording anything, with no script left."""
        self._engine.runner.kill_all()
        os._exit(status)

    async def run(
        self, stdin: int, stdout: int, announce: Callable[[Endpoint], str] = ready_line
    ) -> int:
        """Serve the peer on the given descriptors, and the WebSocket, until the end; the exit
        status. `announce` makes the line that tells where the WebSocket is: the first one on
        stdout, on stderr if stdout is a peer's. Raises UsageError when that cannot be written."""
        self._watch_signals()
        if self._server is not None:
            await self._server.start()
            try:
                line = announce(self._server.endpoint)
                write_line(STDERR if self._options.stdio else stdout, line)
            except BaseException:
                self._server.stop_accepting()
                raise
        background: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._look_for_python()),
            # What is wrong with the history is logged, and runs that were cut off are recorded.
            asyncio.create_task(self._engine.history_notices()),
        ]
        if self._options.parent_pid is not None:
            background.append(asyncio.create_task(self._watch_parent(self._options.parent_pid)))
        if self._options.stdio:
            background.append(asyncio.create_task(self._serve_stdio(stdin, stdout)))
        elif self._options.ends_with_stdin and is_pipe(stdin):
            background.append(asyncio.create_task(self._watch_stdin(stdin)))
        logger.info("serving", extra={"fields": {"version": __version__, "pid": os.getpid()}})
        await self.ending.wait()
        logger.info("ending", extra={"fields": {"reason": self._reason}})
        await self._end()
        for task in background:
            task.cancel()
        await asyncio.wait(background)
        if self._writer is not None:
            self._writer.close()
        return 0

    # --- peers -------------------------------------------------------------------------------

    async def _serve_stdio(self, stdin: int, stdout: int) -> None:
        framing = Framing()
        writer = self._writer = StdoutWriter(stdout, framing.frame, self._stdout_broke)
        session = Session(writer, self._cut_off)
        self._sessions.add(session)
        chunks = StdinReader(stdin, self._stdin_ended).chunks()
        await self._dispatcher.serve(session, _messages(chunks, framing))
        if framing.broken:
            logger.error("stdin holds no frame; its connection ends")
        if framing.broken and self._server is not None:
            # Only this connection; what is left of it is that its end is the parent's.
            await session.finished()
            self._forget(session)
            await writer.flush()
            writer.close()
            async for _ in chunks:
                pass
        self.end(_END_OF_STDIN)

    async def _serve_websocket(self, connection: Connection) -> None:
        def cut_off(session: Session) -> None:
            self._cut_off(session)
            connection.abort()

        session = Session(connection, cut_off)
        self._sessions.add(session)
        try:
            await self._dispatcher.serve(session, connection.messages())
        finally:
            self._forget(session)

    def _forget(self, session: Session) -> None:
        session.closed = True
        self._listeners.remove_session(session)
        self._sessions.discard(session)

    async def _watch_stdin(self, stdin: int) -> None:
        """Where it is no peer's: nobody means anything by it but its end."""
        async for _ in StdinReader(stdin, lambda: self.end(_END_OF_STDIN)).chunks():
            pass

    def _stdin_ended(self) -> None:
        # What came before the end is taken first, unless the peer does not read its answers.
        asyncio.get_running_loop().call_later(_UNREAD_S, self.end, _END_OF_STDIN)

    def _stdout_broke(self, error: OSError) -> None:
        logger.error("stdout cannot be written", extra={"fields": {"error": error.strerror}})
        self.end("stdout broke")

    def _cut_off(self, session: Session) -> None:
        self._listeners.remove_session(session)
        logger.error(
            "subscriber cut off: it stopped reading",
            extra={"fields": {"pending_bytes": session.pending_bytes}},
        )

    # --- the end -----------------------------------------------------------------------------

    async def _end(self) -> None:
        deadline_s = _end_takes_at_most_s() - 2 * _LAST_WORDS_S
        if self._server is not None:
            self._server.stop_accepting()
        # Requests that came just before the end have their first turn, so that they are answered.
        await asyncio.sleep(0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                await self._engine.stop()
                for session in list(self._sessions):
                    await session.finished()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._say_last_words()
        if self._server is not None:
            self._server.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._engine.close()

    async def _say_last_words(self) -> None:
        """Return when every peer has what waited for it."""
        async with asyncio.TaskGroup() as flushing:
            if self._writer is not None:
                flushing.create_task(self._writer.flush())
            if self._server is not None:
                flushing.create_task(self._server.close())

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

    async def _watch_parent(self, pid: int) -> None:
        await parent.ended(pid)
        self.end("end of the parent")

    async def _look_for_python(self) -> None:
        """Probe the interpreter while idle, so that the first step need not, then the isolation."""
        try:
            found = await self._engine.python.get()
        except PythonNotFound as error:
            if not self._engine.python.closed:
                fields = {"error": error.message, "install_guide": error.install_guide}
                logger.warning("no Python for scripts", extra={"fields": fields})
        else:
            logger.info("python found", extra={"fields": {"version": found.version_text}})
            await self._engine.runner.prepare()
            # The host's first requests come now; what is proven is needed later, or asked for.
            await asyncio.sleep(_IDLE_S)
            await self._engine.runner.isolation()


def _end_takes_at_most_s() -> float:
    return limits.SHUTDOWN_MS / 1000 - _UNREAD_S - _SPARE_S


def serve(options: DaemonOptions, announce: Callable[[Endpoint], str] = ready_line) -> int:
    """Run the daemon; the exit status. Raises UsageError.

    With a WebSocket, `announce` is called once it can be connected to, and makes the line that
    tells where: the first one on stdout (on stderr if stdio serves as well). It must not block.
    """
    forbid_dumps()
    stdin, stdout = claim_stdio(options.stdio)
    if options.ends_with_stdin and hang_up.by_parent(stdin, stdout):
        # While we were loaded; what was asked for is not begun, for it would end at once.
        return 0
    listening = None if options.websocket is None else listen(options.websocket)
    sys.stdout = sys.stderr
    _keep_selectors_out_of_the_log()
    return asyncio.run(_serve(options, listening, stdin, stdout, announce))


async def _serve(
    options: DaemonOptions,
    listening: socket.socket | None,
    stdin: int,
    stdout: int,
    announce: Callable[[Endpoint], str],
) -> int:
    daemon = Daemon(options, listening)
    # What is loaded by now stays, so that no collection need look at it.
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    watching = asyncio.create_task(_watch_the_end(daemon))
    try:
        return await daemon.run(stdin, stdout, announce)
    finally:
        watching.cancel()


def _keep_selectors_out_of_the_log() -> None:
    # All that asyncio says at debug level, and before the ready line, which is to be the first.
    log = logging.getLogger("asyncio")
    if log.getEffectiveLevel() < logging.INFO:
        log.setLevel(logging.INFO)


async def _messages(chunks: AsyncIterator[bytes], framing: Framing) -> AsyncIterator[Message]:
    """What the chunks hold, to their end or to where no frame can be found any more."""
    async for chunk in chunks:
        for message in framing.feed(chunk):
            yield message
        if framing.broken:
            return
    for message in framing.end():
        yield message


async def _watch_the_end(daemon: Daemon) -> None:
    """Once the daemon is ending: see to it that the process is gone in time, whatever hangs.

    Threads cannot be cancelled, and Python waits for them: one may write to a terminal that has
    been stopped, or wait for a Python that does not answer.
    """
    await daemon.ending.wait()
    timer = threading.Timer(_end_takes_at_most_s(), daemon.exit_at_once, [0])
    timer.daemon = True
    timer.start()
