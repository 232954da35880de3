"""The engine: workflows in, executions out. What the daemon and the command line stand on.

It puts the rooms of this floor together, bounds the scripts that run at once, and hands every event
to whoever listens. It does not know JSON-RPC, sockets or terminals, so it is also the library.
"""

import asyncio
import contextlib
import functools
import logging
import os
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
from protocol.problems import Problem
from sidecar.engine import catalog, loader, validation
from sidecar.engine.access import MachineAccess
from sidecar.engine.active import ActiveExecutions, bad_option, canonical, not_found
from sidecar.engine.clock import Clock, SystemClock
from sidecar.engine.events import EventListener, shown_workflow_id
from sidecar.engine.execution import MANY_STEPS, Execution
from sidecar.engine.inputs import complete_inputs, invalid_inputs_message
from sidecar.engine.loader import LoadedWorkflow
from sidecar.engine.step_execution import Surroundings
from sidecar.errors import (
    HistoryError,
    InvalidInputs,
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
        # Held and never asked: by it the log and errors of the wire know these values, also when
        # the runs that knew them have ended.
        self._secrets = Redactor(values.values())
        self._access = MachineAccess(frozenset(allow_env), values, confinement.agreement)
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
        self._active = ActiveExecutions(history)
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
        task = self._active.task_of(execution)
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
        if deadline_ms is not None and deadline_ms < 1:
            raise bad_option("deadline_ms", f"expected at least 1, got {deadline_ms}")
        async with self._active.reserved(execution_id) as own_id:
            loaded = workflow if isinstance(workflow, LoadedWorkflow) else await self.load(workflow)
            values = await asyncio.to_thread(
                complete_inputs, loaded.workflow, inputs or {}, self.project
            )
            _require_used_inputs(loaded, values)
            step_count = len(loaded.workflow.steps)
            self._active.require_room(step_count)
            make = functools.partial(
                Execution,
                own_id,
                loaded,
                values,
                self._around,
                redactor=Redactor(project=self.project.path),
                deadline_ms=deadline_ms,
            )
            if step_count > MANY_STEPS:
                execution = await asyncio.to_thread(make)
                self._active.require_room(step_count)
            else:
                execution = make()
            self._warn_if_open(execution)
            self._active.begin(execution)
            return execution

    def _warn_if_open(self, execution: Execution) -> None:
        if self.isolation.level == "off":
            fields = {
                "execution_id": execution.execution_id,
                "workflow_id": execution.workflow_id,
            }
            logger.warning(
                "isolation is off: this run's scripts can do what their user can",
                extra={"fields": fields},
            )

    async def cancel(self, execution_id: str) -> bool:
        """Ask an execution to end; false when it had ended. Raises ExecutionNotFound."""
        return await self._active.cancel(execution_id)

    def active(self, workflow_id: str | None = None) -> list[Snapshot]:
        """The executions that run now, oldest first, of one workflow or of all."""
        return [
            execution.snapshot()
            for execution in self._active.all()
            if workflow_id is None or execution.workflow_id == shown_workflow_id(workflow_id)
        ]

    async def detail(self, execution_id: str) -> ExecutionDetail:
        """A running or kept execution with all its attempts.

        Raises ExecutionNotFound, and HistoryError when the history cannot be read.
        """
        execution = self._active.find(execution_id)
        if execution is not None:
            return execution.detail()
        own_id = canonical(execution_id)
        kept = await self.history.detail(own_id) if self.history and own_id else None
        if kept is None:
            raise not_found(execution_id)
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
        self.python.close()
        await self._active.stop()

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
