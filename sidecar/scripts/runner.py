"""Runs scripts as processes of this machine: a request in, an outcome out.

The one place that knows the order: inputs, script, interpreter, process, result. What any of
these is lies in the rooms around.
"""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from protocol.limits import MAX_STDOUT_BYTES, MIB
from sidecar.errors import (
    PathError,
    PathNotFound,
    PathUnavailable,
    PermissionRefused,
    PythonNotFound,
)
from sidecar.scripts import isolation
from sidecar.scripts.confinement import Confinement, IsolationOptions, Place
from sidecar.scripts.environment import refused_value, script_environment
from sidecar.scripts.hints import with_hint
from sidecar.scripts.interface import (
    INPUT_PATH_ERROR,
    INVALID_OUTPUT,
    ISOLATION_UNAVAILABLE,
    OUTPUT_TOO_LARGE,
    PERMISSION_REFUSED,
    PYTHON_NOT_FOUND,
    SCRIPT_NOT_FOUND,
    SCRIPT_PATH_ERROR,
    SCRIPT_TIMEOUT,
    Permissions,
    ScriptFailure,
    ScriptOutcome,
    ScriptRequest,
    ScriptRunner,
)
from sidecar.scripts.interpreter import Interpreter, Interpreters
from sidecar.scripts.launchers import Attempt, Launcher, NeverStarted, Start
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.outcome import failed_exit
from sidecar.scripts.output import InvalidOutput, parse_output
from sidecar.scripts.paths import OpenedFile, ProjectRoot
from sidecar.scripts.quoting import quoted
from sidecar.scripts.running import Ended, Running
from sidecar.scripts.stderr import Stderr
from sidecar.scripts.temporary import TemporaryFolders

logger = logging.getLogger(__name__)

#: From this size on, work on a whole value leaves the event loop for a thread.
_LARGE_BYTES: Final = MIB
#: Each of those that were ready for a script may be gone, one after the other, when it comes.
_MAX_STARTS: Final = 5


class _NotStarted(Exception):
    """Carries a failure past everything that needs a process."""

    def __init__(self, error: str, error_type: str, error_bases: tuple[str, ...] = ()) -> None:
        super().__init__(error)
        self.failure = ScriptFailure(error, error_type, error_bases)


class LocalRunner(ScriptRunner):
    """Runs the scripts of one project, each in a process of its own."""

    def __init__(
        self,
        project: ProjectRoot,
        python: Interpreters,
        launcher: Launcher | None = None,
        confinement: Confinement | None = None,
    ) -> None:
        """Plain spawn unless another launcher is given, which is closed with the runner."""
        self._project = project
        self._python = python
        self._launcher = launcher or SpawnLauncher()
        self._confinement = confinement or Confinement(project.path, IsolationOptions())
        self._temporary = TemporaryFolders()
        self._proof: asyncio.Task[dict[str, str]] | None = None
        self._running: set[Running] = set()

    async def isolation(self) -> dict[str, str]:
        """What keeps scripts apart from the rest of the machine; see `ScriptRunner.isolation`."""
        if self._proof is None:
            self._proof = asyncio.create_task(self._prove())
        # One caller's cancellation must not end it for the others.
        proven = await asyncio.shield(self._proof)
        return {
            "level": self._confinement.options.level,
            "launcher": self._launcher.name,
            "process_tree": self._launcher.process_tree,
            "environment": "allowlist",
            **proven,
        }

    async def prepare(self) -> None:
        """Find the interpreter and get the launcher ready; see `ScriptRunner.prepare`."""
        try:
            interpreter = await self._python.get()
        except PythonNotFound:  # told to whoever runs a script
            return
        await self._launcher.prepare(interpreter)

    async def _prove(self) -> dict[str, str]:
        answer = None
        if self._confinement.options.level != isolation.OFF and sys.platform == "linux":
            try:
                answer = await self._canary()
            except (_NotStarted, InvalidOutput, OSError) as error:
                reason = error.failure.error if isinstance(error, _NotStarted) else str(error)
                logger.warning("isolation is not proven", extra={"fields": {"error": reason}})
        found = isolation.understood(answer, self._confinement)
        possible = {name: attempts for name, attempts in (answer or {}).items() if attempts}
        fields = {"level": self._confinement.options.level, **found, "possible": possible}
        lacks = isolation.missing(found, network_closed=True)
        logger.log(
            logging.WARNING if lacks else logging.INFO,
            "isolation is incomplete" if lacks else "isolation proven",
            extra={"fields": fields},
        )
        return found

    async def _canary(self) -> dict[str, Any]:
        """What the canary says. Raises _NotStarted, InvalidOutput or OSError when it does not."""
        stderr = Stderr(lambda _: None)
        permissions = Permissions(network=False)
        path = str(isolation.CANARY)
        interpreter = await self._interpreter()
        async with self._place() as place:
            request = ScriptRequest(path, {}, isolation.CANARY_MS, permissions=permissions)
            fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            with (
                isolation.bait(self._confinement, place) as given,
                OpenedFile(fd, "canary.py", path, str(place.temporary)) as script,
            ):
                stdin = _as_json(given)
                ended = await self._run_to_end(
                    script, interpreter, request, place, stdin, stderr, proving=True
                )
        if ended.returncode != 0:
            failure = failed_exit(ended.returncode, ended.report, stderr.last_line())
            raise _NotStarted(failure.error, failure.error_type)
        return parse_output(ended.stdout)

    async def _require_isolation(self, permissions: Permissions) -> None:
        """Raises _NotStarted where the host requires what this machine does not offer."""
        if self._confinement.options.level != "require":
            return
        closed = not self._confinement.agreement.network(permissions)
        lacks = isolation.missing(await self.isolation(), network_closed=closed)
        if lacks:
            raise _NotStarted(
                f"Isolation is required, and not proven here: {', '.join(lacks)}; "
                "workflow-sidecar doctor says what is missing",
                ISOLATION_UNAVAILABLE,
            )

    async def close(self) -> None:
        """End what the launcher keeps; remove what scripts have left in temporary folders."""
        if self._proof is not None and not self._proof.done():
            self._proof.cancel()
            await asyncio.wait({self._proof})
        await self._launcher.close()
        await self._temporary.close()

    def kill_all(self) -> None:
        """Kill every running script and all it started at once; see `ScriptRunner.kill_all`."""
        for running in self._running:
            running.kill()

    async def run(self, request: ScriptRequest, on_stderr: Callable[[str], None]) -> ScriptOutcome:
        """Run one script to its end; see `ScriptRunner.run`."""
        started = time.monotonic()
        stderr = Stderr(on_stderr)
        try:
            ended = await self._process(request, stderr)
        except _NotStarted as error:
            return ScriptOutcome(None, error.failure, "", _milliseconds_since(started))
        duration_ms = _milliseconds_since(started)
        result = await _judged(ended, request.timeout_ms, stderr)
        if isinstance(result, ScriptFailure):
            if result.stack_trace is not None:
                result = await asyncio.to_thread(self._with_hint, result, request.permissions)
            return ScriptOutcome(None, result, stderr.text(), duration_ms)
        return ScriptOutcome(result, None, stderr.text(), duration_ms)

    def _with_hint(self, failure: ScriptFailure, permissions: Permissions) -> ScriptFailure:
        """What isolation kept an exception's script from, said with the exception."""
        confinement = self._confinement
        if confinement.options.level == isolation.OFF or sys.platform != "linux":
            return failure
        try:
            rules = confinement.rules(permissions, os.environ)
        except PermissionRefused:
            return failure
        return with_hint(failure, self._project.path, confinement.agreement, permissions, rules)

    async def _process(self, request: ScriptRequest, stderr: Stderr) -> Ended:
        """Everything from the request to the script's death. Raises _NotStarted."""
        stdin = _as_json(request.inputs)
        await self._check_inputs(request.inputs, len(stdin))
        for name, value in request.env.items():
            if reason := refused_value(value):
                raise _NotStarted(f"Environment variable {quoted(name)} {reason}", "ValueError")
        try:
            script = self._project.open_file(request.script)
        except PathNotFound as error:
            raise _NotStarted(error.message, SCRIPT_NOT_FOUND) from None
        except PathUnavailable as error:
            raise _NotStarted(error.message, "OSError", ("Exception", "BaseException")) from None
        except PathError as error:
            raise _NotStarted(error.message, SCRIPT_PATH_ERROR) from None
        with script:
            interpreter = await self._interpreter()
            await self._require_isolation(request.permissions)
            async with self._place() as place:
                return await self._run_to_end(script, interpreter, request, place, stdin, stderr)

    async def _run_to_end(
        self,
        script: OpenedFile,
        interpreter: Interpreter,
        request: ScriptRequest,
        place: Place,
        stdin: bytes,
        stderr: Stderr,
        *,
        proving: bool = False,
    ) -> Ended:
        """Start one attempt and wait for its death; `proving` requires no protection.

        Raises _NotStarted.
        """
        starts = 0
        while True:
            starts += 1
            try:
                attempt = await self._start(script, interpreter, request, place, proving=proving)
                return await self._watched(attempt, stdin, request, stderr)
            except OSError as error:  # found out only in the new process
                if not isinstance(error, NeverStarted) or starts == _MAX_STARTS:
                    raise _not_started(error) from None
                # Whoever was to run it died with the request; by now another way is taken.
                os.lseek(script.fd, 0, os.SEEK_SET)

    async def _watched(
        self, attempt: Attempt, stdin: bytes, request: ScriptRequest, stderr: Stderr
    ) -> Ended:
        """The attempt's end. Raises OSError when it turns out that it did not start."""
        running = Running(attempt, stdin, request.timeout_ms, stderr)
        self._running.add(running)
        try:
            return await running.end()
        finally:
            self._running.discard(running)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[Place]:
        """What an attempt has for itself, as long as it lives. Raises _NotStarted."""
        try:
            temporary = self._temporary.make()
            place = self._confinement.place(temporary)
        except OSError as error:
            message = f"Script could not be started: no temporary folder: {error.strerror}"
            raise _NotStarted(message, type(error).__name__, ("OSError",)) from None
        try:
            yield place
        finally:
            await self._temporary.remove(temporary)

    async def _check_inputs(self, inputs: Mapping[str, Any], size: int) -> None:
        check = self._project.find_escaping_path
        if size > _LARGE_BYTES:
            found = await asyncio.to_thread(check, inputs)
        else:
            found = check(inputs)
        if found is not None:
            field, text = found
            raise _NotStarted(
                f"Input path outside project directory: {field} is {quoted(text)}",
                INPUT_PATH_ERROR,
            )

    async def _interpreter(self) -> Interpreter:
        try:
            return await self._python.get()
        except PythonNotFound as error:
            message = f"{error.message}. {error.install_guide}"
            raise _NotStarted(message, PYTHON_NOT_FOUND) from None

    async def _start(
        self,
        script: OpenedFile,
        interpreter: Interpreter,
        request: ScriptRequest,
        place: Place,
        *,
        proving: bool = False,
    ) -> Attempt:
        """Start one attempt; `proving` tries out even what is required and missing."""
        confinement = self._confinement
        try:
            environment = script_environment(
                request.env,
                temporary=place.temporary,
                cache=place.cache,
                closes_global_git_settings=confinement.closes_global_git_settings(
                    request.permissions
                ),
            )
            policy = confinement.policy(
                interpreter, request.permissions, place, environment, proving=proving
            )
        except PermissionRefused as error:
            raise _NotStarted(error.message, PERMISSION_REFUSED) from None
        try:
            return await self._launcher.start(
                Start(script, interpreter, environment, self._project.path, policy)
            )
        except (OSError, ValueError) as error:
            raise _not_started(error, interpreter) from None


def _not_started(
    error: OSError | ValueError, interpreter: Interpreter | None = None
) -> _NotStarted:
    """Which failure it is that no process could be had; no message holds a path."""
    if interpreter and isinstance(error, FileNotFoundError) and not Path(interpreter.path).exists():
        return _NotStarted("Python is no longer where it was found", PYTHON_NOT_FOUND)
    reason = error.strerror if isinstance(error, OSError) else str(error)
    bases = tuple(base.__name__ for base in type(error).__mro__[1:-1])
    return _NotStarted(f"Script could not be started: {reason}", type(error).__name__, bases)


async def _judged(ended: Ended, timeout_ms: int, stderr: Stderr) -> dict[str, Any] | ScriptFailure:
    """What the end of the script means: its outputs or why there are none."""
    if ended.stopped == "timeout":
        return ScriptFailure(f"Script timeout after {timeout_ms}ms", SCRIPT_TIMEOUT)
    if ended.stopped == "output":
        return ScriptFailure(
            f"Script printed more than {MAX_STDOUT_BYTES // MIB} MiB on stdout; "
            "write large results to a file and print its path",
            OUTPUT_TOO_LARGE,
        )
    if ended.returncode != 0:
        return failed_exit(ended.returncode, ended.report, stderr.last_line())
    try:
        if len(ended.stdout) > _LARGE_BYTES:
            return await asyncio.to_thread(parse_output, ended.stdout)
        return parse_output(ended.stdout)
    except InvalidOutput as error:
        return ScriptFailure(error.message, INVALID_OUTPUT)


def _as_json(inputs: Mapping[str, Any]) -> bytes:
    """The inputs as one JSON object on one line. Raises _NotStarted if there is no such."""
    try:
        return orjson.dumps(dict(inputs)) + b"\n"
    except TypeError:
        pass
    # What orjson does not take, a script may: integers beyond 64 bits, half surrogates, depth.
    try:
        return json.dumps(dict(inputs)).encode() + b"\n"
    except (TypeError, ValueError, RecursionError):
        raise _NotStarted("Inputs cannot be written as JSON", "ValueError", ()) from None


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
