"""One zygote, seen from the daemon: its start, what it is asked, its end.

It does not know when a zygote is wanted, nor what becomes of scripts; see `child/zygote.py` for
what it does and the messages it takes.
"""

import asyncio
import json
import logging
import marshal
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, Self

from sidecar.errors import SidecarError
from sidecar.scripts.confinement import MARSHAL_VERSION
from sidecar.scripts.interpreter import Interpreter
from sidecar.scripts.launchers.hidden_modules import HiddenModules
from sidecar.scripts.launchers.spares import Spares
from sidecar.scripts.stderr import Stderr
from sidecar.scripts.streams import Drain

logger = logging.getLogger(__name__)

_ZYGOTE: Final = str(Path(__file__).parent.parent / "child" / "zygote.py")
#: Heavy modules may take long to load; meanwhile scripts are spawned.
READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 2.0
_MAX_MESSAGE_BYTES: Final = 64 * 1024


class CannotServe(SidecarError):
    """A zygote cannot do what was asked; the message says why."""


class ZygoteProcess:
    """A zygote that serves. It is every supervisor's parent, so it collects them too."""

    interpreter: Interpreter
    environment: Mapping[str, str]
    born: float
    """By the monotonic clock."""
    forks: int
    """How many scripts it has had, its spares' included."""
    spares: Spares
    hidden: HiddenModules

    def __init__(
        self,
        interpreter: Interpreter,
        environment: Mapping[str, str],
        process: "subprocess.Popen[bytes]",
        connection: socket.socket,
        output: int,
    ) -> None:
        self.interpreter, self.environment = interpreter, environment
        self.born, self.forks = time.monotonic(), 0
        self._process = process
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._on_death: Callable[[ZygoteProcess, str], None] | None = None
        self._stderr = Stderr(lambda line: None)
        self._output = Drain(output, self._stderr.feed)
        self._connected = True
        self.spares = Spares(self._fork_spare)
        self.hidden = HiddenModules(frozenset())
        self._loop.add_reader(connection.fileno(), self._hear)

    @classmethod
    async def start(
        cls,
        interpreter: Interpreter,
        environment: Mapping[str, str],
        preload: Sequence[str],
        on_death: "Callable[[ZygoteProcess, str], None]",
    ) -> Self:
        """Start one and wait until it serves. Raises CannotServe.

        `on_death` is called once if it dies later without having been ended.
        """
        try:
            zygote = cls._spawn(interpreter, environment, preload)
        except OSError as error:
            raise CannotServe(f"it cannot be started: {error.strerror}") from None
        try:
            await asyncio.wait_for(asyncio.shield(zygote._ready), READY_SECONDS)
        except TimeoutError:
            await zygote.end()
            raise CannotServe(f"it was not ready within {READY_SECONDS:.0f} s") from None
        except CannotServe as error:
            await zygote.end()
            raise CannotServe(f"{error.message}: {zygote._stderr.last_line()}") from None
        except BaseException:
            await zygote.end()
            raise
        zygote._on_death = on_death
        return zygote

    @classmethod
    def _spawn(
        cls, interpreter: Interpreter, environment: Mapping[str, str], preload: Sequence[str]
    ) -> Self:
        with ExitStack() as ours_on_failure:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours_on_failure.callback(ours.close)
            # Pipes as a script's own, since the interpreter sets up its streams after their kind.
            stdin, nobody = os.pipe()
            os.close(nobody)
            output, stdout = os.pipe()
            ours_on_failure.callback(os.close, output)
            try:
                process = subprocess.Popen(
                    [interpreter.path, _ZYGOTE, str(theirs.fileno()), *preload],
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stdout,
                    cwd="/",
                    env=dict(environment),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            finally:
                theirs.close()
                os.close(stdin)
                os.close(stdout)
            ours.setblocking(False)
            os.set_blocking(output, False)
            zygote = cls(interpreter, environment, process, ours, output)
            ours_on_failure.pop_all()
        return zygote

    def ask(self, request: bytes, descriptors: Sequence[int]) -> None:
        """Ask for a fork; the descriptors stay the caller's. Raises CannotServe."""
        try:
            socket.send_fds(self._connection, [request], descriptors)
        except OSError as error:  # too long for one message, too many of them, or dead
            raise CannotServe(error.strerror or "") from None

    def _fork_spare(
        self, kind: bytes, variables: Sequence[str], descriptors: Sequence[int]
    ) -> None:
        request = marshal.dumps((None, kind, list(variables)), MARSHAL_VERSION)
        socket.send_fds(self._connection, [request], descriptors)

    async def end(self) -> None:
        """Let go of it, and wait until it is gone; what runs may outlive it."""
        self._on_death = None
        self.spares.close()
        self._disconnect()
        deadline = self._loop.time() + _END_SECONDS
        pause = 0.001
        while self._process.poll() is None:
            if self._loop.time() > deadline:
                self._process.kill()
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.05)
        await self._output.finish()

    # --- as the parent of supervisors --------------------------------------------------------

    def kill_supervisor(self, pid: int) -> None:
        """See `Supervisor.kill_supervisor`; one that has not said its number never ran."""
        with suppress(OSError):
            os.kill(pid or self._process.pid, signal.SIGKILL)

    def kill_starting(self) -> None:
        """Nothing: the fork is no interpreter's start, and reads its socket in a moment."""

    def has_begun(self, pid: int) -> bool:
        """See `Supervisor.has_begun`."""
        return pid != 0

    def take_back(self, control: socket.socket, rest: bytes, *, reusable: bool) -> None:
        """See `Supervisor.take_back`: it serves one script."""
        control.close()

    async def collect(self) -> None:
        """It collects its own."""

    # --- what it says ------------------------------------------------------------------------

    def _hear(self) -> None:
        try:
            message = self._connection.recv(_MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if message:
            self._understand(json.loads(message))
            return
        self._disconnect()
        if not self._ready.done():
            self._ready.set_exception(CannotServe("it ended while it was starting"))
        elif self._on_death is not None:
            self._on_death(self, "it died")

    def _understand(self, message: dict[str, Any]) -> None:
        for name, why in message["failed"].items():
            fields = {"module": name, "error": why}
            logger.warning("module cannot be preloaded", extra={"fields": fields})
        self.hidden = HiddenModules(frozenset(message["loaded"]))
        if not self._ready.done():
            self._ready.set_result(None)

    def _disconnect(self) -> None:
        if self._connected:
            self._connected = False
            self._loop.remove_reader(self._connection.fileno())
            self._connection.close()
