"""Runs scripts as processes of this machine: a request in, an outcome out.

The one place that knows the order: inputs, script, interpreter, process, result. What any of
these is lies in the rooms around.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from protocol.limits import MAX_STDOUT_BYTES, MIB
from sidecar.errors import PathError, PathNotFound, PermissionRefused, PythonNotFound
from sidecar.scripts.confinement import Confinement, IsolationOptions, Place
from sidecar.scripts.environment import refused_value, script_environment
from sidecar.scripts.interface import (
    INPUT_PATH_ERROR,
    INVALID_OUTPUT,
    OUTPUT_TOO_LARGE,
    PERMISSION_REFUSED,
    PYTHON_NOT_FOUND,
    SCRIPT_NOT_FOUND,
    SCRIPT_PATH_ERROR,
    SCRIPT_TIMEOUT,
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

#: From this size on, work on a whole value leaves the event loop for a thread.
_LARGE_BYTES: Final = MIB


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
        self._running: set[Running] = set()

    async def isolation(self) -> dict[str, str]:
        """What keeps scripts apart from the rest of the machine, as `sidecar:info` shows it."""
        return {
            "launcher": self._launcher.name,
            "process_tree": self._launcher.process_tree,
            "filesystem": "none",
            "network": "none",
            "environment": "allowlist",
        }

    async def prepare(self) -> None:
        """Find the interpreter and get the launcher ready; see `ScriptRunner.prepare`."""
        try:
            interpreter = await self._python.get()
        except PythonNotFound:  # told to whoever runs a script
            return
        await self._launcher.prepare(interpreter)

    async def close(self) -> None:
        """End what the launcher keeps; remove what scripts have left in temporary folders."""
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
            return ScriptOutcome(None, result, stderr.text(), duration_ms)
        return ScriptOutcome(result, None, stderr.text(), duration_ms)

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
        except PathError as error:
            raise _NotStarted(error.message, SCRIPT_PATH_ERROR) from None
        with script:
            interpreter = await self._interpreter()
            async with self._place() as place:
                try:
                    try:
                        attempt = await self._start(script, interpreter, request, place)
                        return await self._watched(attempt, stdin, request, stderr)
                    except NeverStarted:
                        # The zygote died with the request; by now another way is taken.
                        os.lseek(script.fd, 0, os.SEEK_SET)
                        attempt = await self._start(script, interpreter, request, place)
                        return await self._watched(attempt, stdin, request, stderr)
                except OSError as error:  # found out only in the new process
                    raise _not_started(error) from None

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
        self, script: OpenedFile, interpreter: Interpreter, request: ScriptRequest, place: Place
    ) -> Attempt:
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
            policy = confinement.policy(interpreter, request.permissions, place, environment)
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
