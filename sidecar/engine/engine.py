"""The engine: workflows in, executions out. What the daemon and the command line stand on.

It keeps the executions that run, bounds the scripts that run at once, and hands every event to
whoever listens. It does not know JSON-RPC, sockets or terminals, so it is also the library.
"""

import asyncio
import contextlib
import functools
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from protocol import limits
from protocol.events import ExecutionEvent
from protocol.executions import (
    ExecutionDetail,
    ExecutionHistoryEntry,
    ExecutionResult,
    Snapshot,
)
from protocol.problems import Problem, shown
from sidecar.engine import catalog, loader, validation
from sidecar.engine.checks import EnvironmentAccess
from sidecar.engine.clock import Clock, SystemClock
from sidecar.engine.events import EventListener, shown_workflow_id
from sidecar.engine.execution import MANY_STEPS, Execution
from sidecar.engine.inputs import complete_inputs, invalid_inputs_message
from sidecar.engine.loader import LoadedWorkflow
from sidecar.engine.step_execution import Surroundings
from sidecar.errors import (
    ExecutionNotFound,
    HistoryError,
    InvalidInputs,
    InvalidOptions,
    Overloaded,
    ShuttingDown,
)
from sidecar.history.executions import ExecutionHistory
from sidecar.redaction import Redactor
from sidecar.scripts.confinement import Confinement, IsolationOptions
from sidecar.scripts.interface import ScriptRunner
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.launchers.choice import best_launcher
from sidecar.scripts.paths import ProjectRoot
from sidecar.scripts.runner import LocalRunner

logger = logging.getLogger(__name__)

#: A workflow: the path of its file relative to the project, or the object itself.
WorkflowSource = str | Mapping[str, Any]


#: A file that another process keeps locked must not hold up who only asks how things are.
_HISTORY_LOOK_S: Final = 0.3
#: Enough to answer for any execution that a host may still ask about.
MAX_ENDED_IDS: Final = 10_000


def default_max_parallel() -> int:
    """Scripts that may run at once unless said otherwise: one per core, at least two."""
    return max(2, os.cpu_count() or 2)


class Engine:
    """Runs workflows of one project.

    `project` is the folder that scripts must lie in and run in. `history` is where runs are
    kept; without it none are. `python` is the interpreter of the scripts, by default the first
    on the PATH. `allow_env` names the environment variables that `${env.NAME}` may read.
    `max_parallel` bounds the scripts that run at once over all executions; `isolation` says what
    they may reach, and `private` names files that they must not, the history being one anyway;
    `preload` names modules that are loaded once for all of them. `runner` and `clock` replace the
    local processes and the machine's clock.
    """

    def __init__(
        self,
        project: str | os.PathLike[str],
        *,
        history: ExecutionHistory | None = None,
        python: str | None = None,
        allow_env: Collection[str] = (),
        max_parallel: int | None = None,
        isolation: IsolationOptions | None = None,
        preload: Sequence[str] = (),
        private: Collection[Path] = (),
        runner: ScriptRunner | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.project = ProjectRoot(project)
        self.history = history
        self.python = Interpreters(python, self.project.path)
        self.max_parallel = max_parallel or default_max_parallel()
        self.isolation = isolation or IsolationOptions()
        confinement = Confinement(
            self.project.path,
            self.isolation,
            private=[*private, *([] if history is None else [history.file])],
        )
        self.runner = runner or LocalRunner(
            self.project, self.python, best_launcher(preload), confinement
        )
        values = {name: os.environ[name] for name in allow_env if name in os.environ}
        # For the log: a run forgets what it knew when it has ended.
        self._secrets = Redactor(values.values())
        self._access = EnvironmentAccess(frozenset(allow_env), values, confinement.agreement)
        self._listeners: list[EventListener] = []
        self._around = Surroundings(
            runner=self.runner,
            slots=asyncio.Semaphore(self.max_parallel),
            clock=clock or SystemClock(),
            listener=self._emit,
            pace=self._pace,
            environment=values,
            history=history,
        )
        self._active: dict[str, tuple[Execution, asyncio.Task[ExecutionResult]]] = {}
        #: Of all that are active.
        self._active_steps = 0
        #: Ids whose execution is being prepared, so that none is used twice.
        self._reserved: set[str] = set()
        #: Ids of ended executions, oldest first: they can be neither cancelled nor used again.
        self._ended: dict[str, None] = {}
        self._closing = False
        #: Awaited after each step; whoever must keep up with events may replace it.
        self.wait_for_listeners: Callable[[], Awaitable[None]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    # --- events ------------------------------------------------------------------------------

    def on_event(self, listener: EventListener) -> Callable[[], None]:
        """Call `listener` with every event of every execution; the return value undoes it.

        Called in the event loop, in order; it must not block. Events are redacted.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _emit(self, event: ExecutionEvent) -> None:
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception:
                # A listener's bug is its own; the run and the other listeners go on.
                logger.exception("an event listener failed")

    async def _pace(self) -> None:
        await asyncio.sleep(0)
        if self.wait_for_listeners is not None:
            await self.wait_for_listeners()

    # --- workflows ---------------------------------------------------------------------------

    async def load(self, workflow: WorkflowSource) -> LoadedWorkflow:
        """Load a workflow. Raises WorkflowNotFound or WorkflowInvalid."""
        if isinstance(workflow, str):
            return await asyncio.to_thread(
                validation.load_file, self.project, workflow, self._access
            )
        return await asyncio.to_thread(loader.load_object, workflow, self._access)

    async def validate(self, workflow: WorkflowSource) -> list[Problem]:
        """Every problem of a path, a YAML text (as `validation.validate` tells it) or an object.

        Raises WorkflowNotFound.
        """
        return await asyncio.to_thread(validation.validate, self.project, workflow, self._access)

    async def workflows(self) -> list[dict[str, Any]]:
        """Every workflow of the project: `{path, workflow_id, name, …}` or `{path, errors}`."""
        return await asyncio.to_thread(catalog.list_workflows, self.project, self._access)

    # --- executions --------------------------------------------------------------------------

    async def execute(
        self,
        workflow: WorkflowSource | LoadedWorkflow,
        inputs: Mapping[str, Any] | None = None,
        *,
        execution_id: str | None = None,
        deadline_ms: int | None = None,
    ) -> ExecutionResult:
        """Run a workflow to its end. A failing script is a result, not an exception.

        Raises what `start` raises. When the awaiting task is cancelled, so is the execution.
        """
        execution = await self.start(
            workflow, inputs, execution_id=execution_id, deadline_ms=deadline_ms
        )
        _, task = self._active[execution.execution_id]
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            execution.cancel()
            while not task.done():
                # Nor does a second cancellation leave while a script still runs.
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({task})
            raise

    async def start(
        self,
        workflow: WorkflowSource | LoadedWorkflow,
        inputs: Mapping[str, Any] | None = None,
        *,
        execution_id: str | None = None,
        deadline_ms: int | None = None,
    ) -> Execution:
        """Start a workflow and return at once.

        Raises WorkflowNotFound, WorkflowInvalid, InvalidInputs, InvalidOptions (an execution_id
        used before or no UUID, a deadline below 1 ms), Overloaded and ShuttingDown.
        """
        execution_id = await self._reserve(execution_id, deadline_ms)
        try:
            loaded = workflow if isinstance(workflow, LoadedWorkflow) else await self.load(workflow)
            values = await asyncio.to_thread(
                complete_inputs, loaded.workflow, inputs or {}, self.project
            )
            _require_used_inputs(loaded, values)
            step_count = len(loaded.workflow.steps)
            self._require_open(step_count)
            make = functools.partial(
                Execution,
                execution_id,
                loaded,
                values,
                self._around,
                redactor=Redactor(project=self.project.path),
                deadline_ms=deadline_ms,
            )
            if step_count > MANY_STEPS:
                execution = await asyncio.to_thread(make)
                self._require_open(step_count)
            else:
                execution = make()
            self._tell_if_open(execution)
            task = asyncio.create_task(self._run(execution), name=f"execution {execution_id}")
            self._active[execution_id] = (execution, task)
            self._active_steps += step_count
        finally:
            self._reserved.discard(execution_id)
        return execution

    def _require_open(self, step_count: int) -> None:
        """Raise ShuttingDown or Overloaded when no run of so many steps can be taken now."""
        if self._closing:
            raise ShuttingDown("The sidecar is shutting down and starts nothing new")
        if self._active_steps + step_count > limits.MAX_ACTIVE_STEPS:
            raise _overloaded(limits.MAX_ACTIVE_STEPS, "steps")

    async def _reserve(self, execution_id: str | None, deadline_ms: int | None) -> str:
        if self._closing:
            raise ShuttingDown("The sidecar is shutting down and starts nothing new")
        if deadline_ms is not None and deadline_ms < 1:
            raise _bad_option("deadline_ms", f"expected at least 1, got {deadline_ms}")
        if len(self._active) + len(self._reserved) >= limits.MAX_ACTIVE_EXECUTIONS:
            raise _overloaded(limits.MAX_ACTIVE_EXECUTIONS, "executions")
        if execution_id is None:
            execution_id = str(uuid.uuid4())
            self._reserved.add(execution_id)
            return execution_id
        execution_id = _canonical(execution_id)
        if execution_id is None:
            raise _bad_option("execution_id", "expected a UUID")
        used = (
            execution_id in self._reserved
            or execution_id in self._active
            or execution_id in self._ended
        )
        if not used:
            self._reserved.add(execution_id)
            try:
                used = self.history is not None and await self._is_kept(self.history, execution_id)
            except asyncio.CancelledError:
                self._reserved.discard(execution_id)
                raise
            if used:
                self._reserved.discard(execution_id)
        if used:
            raise _bad_option("execution_id", f"{execution_id} has been used before")
        return execution_id

    async def _run(self, execution: Execution) -> ExecutionResult:
        try:
            return await execution.run()
        finally:
            del self._active[execution.execution_id]
            self._active_steps -= execution.step_count
            self._ended[execution.execution_id] = None
            if len(self._ended) > MAX_ENDED_IDS:
                del self._ended[next(iter(self._ended))]

    def _tell_if_open(self, execution: Execution) -> None:
        if self.isolation.level == "off":
            logger.warning(
                "isolation is off: this run's scripts can do what their user can",
                extra={
                    "fields": {
                        "execution_id": execution.execution_id,
                        "workflow_id": execution.workflow_id,
                    }
                },
            )

    async def _is_kept(self, history: ExecutionHistory, execution_id: str) -> bool:
        try:
            return await history.contains(execution_id)
        except HistoryError:
            # Runs go on without their history, which tells of that by itself.
            return False

    async def cancel(self, execution_id: str) -> bool:
        """Ask an execution to end; false when it had ended. Raises ExecutionNotFound."""
        canonical = _canonical(execution_id)
        if canonical in self._active:
            return self._active[canonical][0].cancel()
        if canonical in self._ended:
            return False
        if canonical and self.history and await self._is_kept(self.history, canonical):
            return False
        raise ExecutionNotFound(f"no execution has the id {shown(execution_id)}")

    def active(self, workflow_id: str | None = None) -> list[Snapshot]:
        """The executions that run now, oldest first, of one workflow or of all."""
        return [
            execution.snapshot()
            for execution, _ in self._active.values()
            if workflow_id is None or execution.workflow_id == shown_workflow_id(workflow_id)
        ]

    async def detail(self, execution_id: str) -> ExecutionDetail:
        """A running or kept execution with all its attempts.

        Raises ExecutionNotFound, and HistoryError when the history cannot be read.
        """
        canonical = _canonical(execution_id)
        if canonical in self._active:
            return self._active[canonical][0].detail()
        kept = await self.history.detail(canonical) if self.history and canonical else None
        if kept is None:
            raise ExecutionNotFound(f"no execution has the id {shown(execution_id)}")
        return kept

    async def past(
        self, workflow_id: str | None, limit: int = limits.HISTORY_PER_WORKFLOW
    ) -> list[ExecutionHistoryEntry]:
        """Past executions, newest first, of one workflow or of all. Raises HistoryError."""
        if self.history is None:
            return []
        if workflow_id is None:
            return await self.history.recent(limit)
        return await self.history.history(shown_workflow_id(workflow_id), limit)

    async def history_notices(self) -> list[str]:
        """What is wrong with the history file; looks at it first, if that does not take long."""
        if self.history is None:
            return []
        with contextlib.suppress(HistoryError, TimeoutError):
            async with asyncio.timeout(_HISTORY_LOOK_S):
                await self.history.open()
        return self.history.notices

    async def clear(self, workflow_id: str | None = None) -> int:
        """Forget past executions, of one workflow or of all; how many. Raises HistoryError."""
        if self.history is None:
            return 0
        shown_id = None if workflow_id is None else shown_workflow_id(workflow_id)
        return await self.history.clear(shown_id)

    async def stop(self) -> None:
        """Start nothing new, cancel what runs, and wait until all of it has ended."""
        self._closing = True
        self.python.close()
        for execution, _ in list(self._active.values()):
            execution.cancel()
        # Executions take themselves out of the table, so look again until it is empty.
        while tasks := [task for _, task in self._active.values()]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Stop, then close the history and the project."""
        await self.stop()
        # The history first: whoever ends us may not have the time for all of it.
        if self.history is not None:
            await self.history.close()
        await self.runner.close()
        self.project.close()


def _require_used_inputs(loaded: LoadedWorkflow, values: Mapping[str, Any]) -> None:
    """Raise InvalidInputs when a reference would find no value."""
    problems = [
        Problem(
            field=name,
            message=f"not given, but {use} needs it; give it, or give the input a default",
        )
        for name, use in loaded.input_uses.items()
        if name not in values
    ]
    if problems:
        raise InvalidInputs(invalid_inputs_message(problems), problems)


def _canonical(execution_id: str) -> str | None:
    """A UUID in the one spelling that is told (RFC 9562, section 4); None for what is none."""
    try:
        return str(uuid.UUID(execution_id))
    except ValueError:
        return None


def _overloaded(limit: int, what: str) -> Overloaded:
    return Overloaded(
        f"The sidecar takes {limit:,} {what} at once, and so many run or wait;"
        " start this execution again when some have ended"
    )


def _bad_option(name: str, message: str) -> InvalidOptions:
    problem = Problem(field=f"options.{name}", message=message)
    return InvalidOptions(f"Invalid params: options.{name}: {message}", [problem])
