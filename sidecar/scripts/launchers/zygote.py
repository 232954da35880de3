"""The zygote launcher: an interpreter that is started once and forks itself for every script.

Plain spawn is the reference, and takes over whenever the zygote cannot serve: until it has
started, when it cannot start, when it has died (it is started again, but not for ever), and for an
attempt whose environment changes what an interpreter reads when it starts. What a script finds is
the same; only `sidecar:info` and the log tell the difference.

A script that has run before is given to a process that was forked before it came (`spares`): then
its start costs two messages and what of its confinement could not be done ahead, 2 to 3 ms with its
end, where `subprocess.run` takes 14 and a fork that waits for the request 5 to 6.

The zygote is the user's interpreter on `child/zygote.py`, with the environment that scripts get.
It is replaced now and then, so that the seed of `hash()` and an upgraded package are not those of
its start for ever.
"""

import asyncio
import logging
import marshal
import os
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final

from sidecar.scripts.confinement import MARSHAL_VERSION
from sidecar.scripts.environment import passed_environment
from sidecar.scripts.interpreter import Interpreter
from sidecar.scripts.launchers import Attempt, Start
from sidecar.scripts.launchers.code_cache import CodeCache
from sidecar.scripts.launchers.pipes import Pipes
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.supervised import SupervisedAttempt
from sidecar.scripts.launchers.zygote_process import CannotServe, ZygoteProcess

logger = logging.getLogger(__name__)

#: So many deaths within so long, and it is not started again.
MAX_DEATHS: Final = 3
DEATHS_WITHIN_SECONDS: Final = 60.0
#: A zygote is replaced after so many scripts or so long, whichever comes first.
MAX_FORKS: Final = 1000
MAX_AGE_SECONDS: Final = 600.0
#: Read by the C library and the interpreter when they start: locale, time zone, allocator.
_READ_AT_START: Final = frozenset({"LANG", "LANGUAGE", "TZ"})
_READ_AT_START_PREFIXES: Final = ("LC_", "MALLOC_")

_Wanted = dict[str, str | dict[str, str]]


class ZygoteLauncher:
    """Forks scripts from a zygote, and spawns them where that cannot be."""

    def __init__(self, preload: Sequence[str] = ()) -> None:
        """`preload` names modules that the zygote imports once, for all scripts."""
        self._preload = tuple(preload)
        self._spawn = SpawnLauncher()
        self._codes = CodeCache()
        self._zygote: ZygoteProcess | None = None
        self._starting: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)
        self._given_up = False
        self._closed = False

    @property
    def name(self) -> str:
        """Which of the two the next script would be started by."""
        return "zygote" if self._zygote is not None else "spawn"

    @property
    def process_tree(self) -> str:
        """The same supervisor serves both; see `Launcher.process_tree`."""
        return self._spawn.process_tree

    async def prepare(self, interpreter: Interpreter) -> None:
        """Start the zygote and wait until it serves, or cannot; see `Launcher.prepare`."""
        self._begin(interpreter)
        if self._starting is not None:
            await asyncio.wait({self._starting})

    async def start(self, start: Start) -> Attempt:
        """Start a script; see `Launcher.start`."""
        zygote = self._zygote
        if zygote is None or zygote.interpreter != start.interpreter or self._is_worn(zygote):
            self._begin(start.interpreter)
        if (
            zygote is not None
            and zygote.interpreter == start.interpreter
            and not _starts_differently(start.environment, zygote.environment)
        ):
            try:
                return self._fork(zygote, start)
            except CannotServe as error:
                logger.debug("zygote passed over", extra={"fields": {"reason": str(error)}})
        return await self._spawn.start(start)

    async def close(self) -> None:
        """End the zygote; see `Launcher.close`."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting})
        if self._zygote is not None:
            self._retire(self._zygote)
            self._zygote = None
        if self._ending:
            await asyncio.wait(self._ending)

    def _fork(self, zygote: ZygoteProcess, start: Start) -> Attempt:
        key = self._codes.key(start.interpreter, start.script)
        code = -1 if key is None else self._codes.open(key)
        with ExitStack() as on_failure:
            if key is not None:
                on_failure.callback(os.close, code)
            wanted: _Wanted = {
                "file": start.script.absolute,
                "argv0": start.script.relative,
                "folder": start.script.folder,
                "cwd": str(start.folder),
                "environment": dict(start.environment),
            }
            attempt = None
            # A spare loads code and compiles none: what goes wrong there is plain Python's to say.
            if code >= 0 and os.fstat(code).st_size and not zygote.hidden.by(start.script.folder):
                attempt = self._give(zygote, start, wanted, code)
            if attempt is None:
                attempt = self._ask(zygote, start, wanted, code)
            zygote.forks += 1
            zygote.spares.replenish(start.policy.common, list(start.environment))
            on_failure.pop_all()
        if key is not None:
            attempt.exited.add_done_callback(lambda _: self._codes.take(key, code))
        return attempt

    @staticmethod
    def _give(
        zygote: ZygoteProcess, start: Start, wanted: _Wanted, code: int
    ) -> SupervisedAttempt | None:
        """The attempt, by a process that is there already; None when there is none."""
        spare = zygote.spares.take(start.policy.common)
        if spare is None:
            return None
        with Pipes() as pipes:
            fds = [pipes.script_stdin, pipes.script_stdout, pipes.script_stderr]
            message = marshal.dumps((wanted, start.policy.own), MARSHAL_VERSION)
            try:
                return spare.give(message, [*fds, start.script.fd, code], pipes)
            except OSError:  # killed, or the message is too long
                zygote.spares.drop(spare)
        return None

    @staticmethod
    def _ask(zygote: ZygoteProcess, start: Start, wanted: _Wanted, code: int) -> SupervisedAttempt:
        """The attempt, by a process that is forked now. Raises CannotServe or OSError."""
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as on_failure, Pipes() as pipes:
            on_failure.callback(ours.close)
            fds = [pipes.script_stdin, pipes.script_stdout, pipes.script_stderr]
            fds += [start.script.fd, theirs.fileno()]
            message = (wanted, start.policy.common, start.policy.own)
            zygote.ask(marshal.dumps(message, MARSHAL_VERSION), fds if code < 0 else [*fds, code])
            attempt = SupervisedAttempt(pipes, ours, zygote)
            on_failure.pop_all()
        return attempt

    # --- the zygote's life -------------------------------------------------------------------

    def _begin(self, interpreter: Interpreter) -> None:
        """Have a new zygote started in the background, unless one is being started."""
        if self._starting is None and not self._given_up and not self._closed:
            self._starting = asyncio.create_task(self._bring_up(interpreter))

    async def _bring_up(self, interpreter: Interpreter) -> None:
        try:
            zygote = await ZygoteProcess.start(
                interpreter, passed_environment(), self._preload, self._died
            )
        except CannotServe as error:
            self._failed(str(error))
        else:
            if self._zygote is not None:
                self._retire(self._zygote)
            self._zygote = zygote
        finally:
            self._starting = None

    def _died(self, zygote: ZygoteProcess, why: str) -> None:
        """A zygote that served is gone, and nobody told it to go."""
        if zygote is self._zygote:
            self._zygote = None
            self._failed(why)
            self._begin(zygote.interpreter)
        self._retire(zygote)

    def _failed(self, why: str) -> None:
        now = time.monotonic()
        self._deaths.append(now)
        often = len(self._deaths) == MAX_DEATHS
        self._given_up = often and now - self._deaths[0] < DEATHS_WITHIN_SECONDS
        fields = {"reason": why, "will_retry": not self._given_up}
        logger.warning("no zygote: scripts are spawned", extra={"fields": fields})

    def _is_worn(self, zygote: ZygoteProcess) -> bool:
        return zygote.forks >= MAX_FORKS or time.monotonic() - zygote.born > MAX_AGE_SECONDS

    def _retire(self, zygote: ZygoteProcess) -> None:
        task = asyncio.create_task(zygote.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _starts_differently(ours: Mapping[str, str], zygotes: Mapping[str, str]) -> bool:
    """Whether an interpreter started with `ours` would differ from the zygote."""
    return any(
        ours.get(name) != zygotes.get(name)
        for name in ours.keys() | zygotes.keys()
        if name in _READ_AT_START or name.startswith(_READ_AT_START_PREFIXES)
    )
