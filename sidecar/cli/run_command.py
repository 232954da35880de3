"""`run`: one workflow, from the arguments to the exit status."""

import argparse
import asyncio
import shlex
import sys
import uuid
from pathlib import Path
from typing import Any

import orjson

from protocol.executions import ExecutionResult
from protocol.workflow import PythonStep
from sidecar.cli import exit_status, streams
from sidecar.cli.complaints import Complaints
from sidecar.cli.display import make_progress
from sidecar.cli.estimates import step_durations
from sidecar.cli.folders import history_command, history_file, project_folder
from sidecar.cli.history_command import SHORT_ID
from sidecar.cli.interruption import Interruption
from sidecar.cli.isolation import isolation_options
from sidecar.cli.progress import Progress
from sidecar.cli.workflow_argument import hint_for_missing, locate, problem_line
from sidecar.engine import Engine
from sidecar.engine.inputs import value_from_text
from sidecar.engine.loader import LoadedWorkflow
from sidecar.errors import (
    ExecutionNotFound,
    HistoryError,
    InvalidInputs,
    UsageError,
    WorkflowInvalid,
    WorkflowNotFound,
)
from sidecar.history.executions import ExecutionHistory
from sidecar.redaction import Redactor
from sidecar.scripts.hints import hint_of
from sidecar.scripts.interface import SCRIPT_NOT_FOUND
from sidecar.undumpable import forbid_dumps


def run(options: argparse.Namespace) -> int:
    """Run the workflow; the exit status. Raises UsageError and what cannot be printed."""
    project, path = locate(options.workflow, project_folder(options) if options.project else None)
    given = _given_inputs(options.inputs)
    forbid_dumps()
    try:
        return asyncio.run(_run(options, project, path, given))
    except WorkflowNotFound as error:
        streams.complain(error.message + hint_for_missing(options.workflow))
    except WorkflowInvalid as error:
        for problem in error.problems:
            streams.tell(problem_line(options.workflow, problem))
    except InvalidInputs as error:
        for problem in error.problems:
            streams.complain(f"input {problem.field}: {problem.text()}")
    return exit_status.UNUSABLE


async def _run(options: argparse.Namespace, project: Path, path: str, given: dict[str, Any]) -> int:
    with Complaints() as complaints:
        try:
            async with Engine(
                project,
                history=ExecutionHistory(history_file(options, project)),
                python=options.python,
                allow_env=options.allow_env,
                preload=options.preload,
                isolation=isolation_options(options),
            ) as engine:
                loaded = await engine.load(path)
                inputs = {**given, **_typed_inputs(loaded, options.input)}
                progress = make_progress(loaded, project, as_json=options.json)
                if progress.has_estimate:
                    progress.expect(await _durations(engine, loaded.workflow.workflow_id))
                engine.on_event(progress.on_event)
                result, status = await _execute(engine, loaded, inputs, progress)
                progress.summary(_hints(options, project, loaded, result, complaints))
        finally:
            for line in complaints.lines:
                streams.complain(line, "warning")
    if options.json and result is not None:
        streams.say_json(result.model_dump(exclude_none=True))
    return status


async def _durations(engine: Engine, workflow_id: str) -> dict[str, float]:
    """How long the steps took in the runs that are kept, in milliseconds by step id."""
    try:
        return step_durations(
            [await engine.detail(entry.id) for entry in await engine.past(workflow_id)]
        )
    except (HistoryError, ExecutionNotFound):
        # What is wrong is told when this run cannot be kept either; an estimate is nobody's need.
        return {}


def _hints(
    options: argparse.Namespace,
    project: Path,
    loaded: LoadedWorkflow,
    result: ExecutionResult | None,
    complaints: Complaints,
) -> list[str]:
    """What to do about a run that failed, a line each."""
    if result is None or result.status != "failed":
        return []
    hints = []
    if result.error_type == SCRIPT_NOT_FOUND:
        # The one thing about projects that everybody gets wrong once.
        folder = Path(options.workflow).parent
        failed = [step for step in loaded.workflow.steps if step.id == result.failed_step_id]
        if any(
            isinstance(step, PythonStep) and (folder / step.script).is_file() for step in failed
        ):
            hints.append(
                f"scripts are looked for in the project, which is {project}; did you mean "
                f"--project {shlex.quote(str(folder))}?"
            )
    if hint := hint_of(result.error or ""):
        # Events, which the lines above are made of, tell no folders outside the project.
        hints.append(f"with whole paths: {Redactor(of_all_runs=True).text(hint)}")
    if complaints.history_is_kept:
        command = history_command(options, project, result.execution_id[:SHORT_ID])
        hints.append(f"every attempt in full: {command}")
    return hints


async def _execute(
    engine: Engine, loaded: LoadedWorkflow, inputs: dict[str, Any], progress: Progress
) -> tuple[ExecutionResult | None, int]:
    """The result and the exit status; no result when a signal came before the first step."""
    execution_id = str(uuid.uuid4())
    end = asyncio.create_task(engine.execute(loaded, inputs, execution_id=execution_id))
    cancelling: list[asyncio.Task[None]] = []

    async def cancel() -> None:
        try:
            await engine.cancel(execution_id)
        except ExecutionNotFound:
            end.cancel()  # it has not begun

    def on_first_signal() -> None:
        progress.stopping()
        cancelling.append(asyncio.create_task(cancel()))

    with Interruption(on_first_signal, engine.runner.kill_all) as interruption, progress:
        try:
            result = await end
        except asyncio.CancelledError:
            return None, interruption.status
    if result.status == "cancelled":
        return result, interruption.status
    return result, exit_status.SUCCESS if result.success else exit_status.FAILED


def _given_inputs(source: str | None) -> dict[str, Any]:
    """The object from `--inputs`. Raises UsageError."""
    if source is None:
        return {}
    name = "from stdin" if source == "-" else source
    try:
        text = _stdin() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"--inputs {name}: {error.strerror}") from None
    except ValueError as error:  # a NUL in the path
        raise UsageError(f"--inputs {name}: {error}") from None
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        reason = "it is empty" if not text.strip() else f"{error.msg} at {_position(error)}"
        raise UsageError(f"--inputs {name}: not JSON: {reason}") from None
    if not isinstance(given, dict):
        raise UsageError(
            f"--inputs {name}: expected one JSON object with all inputs, such as "
            '{"NAME": "VALUE"}'
        )
    return given


def _stdin() -> bytes:
    if sys.stdin is None:
        raise UsageError("--inputs -: stdin is closed")
    if sys.stdin.isatty():
        streams.tell("reading the inputs as JSON from the terminal; Ctrl-D ends them")
    return sys.stdin.buffer.read()


def _position(error: orjson.JSONDecodeError) -> str:
    return f"line {error.lineno}, column {error.colno}"


def _typed_inputs(loaded: LoadedWorkflow, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    declared = {item.id: item for item in loaded.workflow.inputs}
    return {name: value_from_text(declared.get(name), text) for name, text in pairs}
