"""A function per channel: what each method of the protocol's table does.

Params arrive checked; what is returned is the result; what is raised gets its code in the
dispatcher. Nothing here knows messages or transports.
"""

import os
from collections.abc import Callable
from typing import Any

from protocol import PROTOCOL_VERSION, documents, limits
from protocol.executions import ExecutionDetail, ExecutionHistoryEntry, ExecutionResult, Snapshot
from protocol.params import (
    ClearParams,
    ExecuteParams,
    ExecutionIdParams,
    HistoryParams,
    LoadParams,
    NoParams,
    SubscribeParams,
    UnsubscribeParams,
    ValidateParams,
)
from protocol.results import (
    CancelResult,
    ClearResult,
    PythonInfo,
    SidecarInfo,
    StartResult,
    SubscribeResult,
    UnsubscribeResult,
    ValidateResult,
    WorkflowListEntry,
)
from protocol.workflow import Workflow
from sidecar import __version__
from sidecar.engine import Engine
from sidecar.engine.events import shown_workflow_id
from sidecar.errors import PythonNotFound
from sidecar.rpc.dispatcher import MAX_BATCH, Handler
from sidecar.rpc.json_text import MAX_VALUES
from sidecar.rpc.listeners import ALL_WORKFLOWS, Listeners
from sidecar.rpc.session import Session


class Methods:
    """The methods of one daemon. `history_file` is where runs are kept and `max_connections` how
    many clients are served, for `sidecar:info`; `shut_down` begins the daemon's end."""

    def __init__(
        self,
        engine: Engine,
        listeners: Listeners,
        *,
        history_file: str,
        max_connections: int,
        shut_down: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._listeners = listeners
        self._history_file = history_file
        self._max_connections = max_connections
        self._shut_down = shut_down

    def table(self) -> dict[str, Handler]:
        """Every channel with its function."""
        return {
            "workflow:execution:subscribe": self.subscribe,
            "workflow:execution:unsubscribe": self.unsubscribe,
            "workflow:execution:history": self.history,
            "workflow:execute": self.execute,
            "workflow:execution:start": self.start,
            "workflow:execution:cancel": self.cancel,
            "workflow:execution:get": self.get,
            "workflow:execution:active": self.active,
            "workflow:execution:clear": self.clear,
            "workflow:list": self.list_workflows,
            "workflow:load": self.load,
            "workflow:validate": self.validate,
            "sidecar:info": self.info,
            "sidecar:shutdown": self.shutdown,
            "rpc.discover": self.discover,
        }

    async def subscribe(self, session: Session, params: SubscribeParams) -> SubscribeResult:
        """Add a listener; snapshot and listener in one turn of the loop."""
        listened_to = shown_workflow_id(params.workflow_id)
        self._listeners.add(session, listened_to, params.subscriber, params.include)
        workflow_id = None if params.workflow_id == ALL_WORKFLOWS else params.workflow_id
        return SubscribeResult(
            subscribed=True,
            workflow_id=params.workflow_id,
            subscriber=params.subscriber,
            active=self._engine.active(workflow_id),
        )

    async def unsubscribe(self, session: Session, params: UnsubscribeParams) -> UnsubscribeResult:
        """Remove listeners of this session, and of nobody else."""
        listened_to = params.workflow_id and shown_workflow_id(params.workflow_id)
        removed = self._listeners.remove(session, listened_to, params.subscriber)
        return UnsubscribeResult(unsubscribed=removed)

    async def history(self, session: Session, params: HistoryParams) -> list[ExecutionHistoryEntry]:
        """Past executions, newest first; none for an unknown workflow."""
        return await self._engine.past(params.workflow_id, params.limit)

    async def execute(self, session: Session, params: ExecuteParams) -> ExecutionResult:
        """Run a workflow to its end."""
        return await self._engine.execute(
            params.workflow,
            params.inputs,
            execution_id=params.options.execution_id,
            deadline_ms=params.options.deadline_ms,
        )

    async def start(self, session: Session, params: ExecuteParams) -> StartResult:
        """Start a workflow; what is acknowledged has been recorded."""
        execution = await self._engine.start(
            params.workflow,
            params.inputs,
            execution_id=params.options.execution_id,
            deadline_ms=params.options.deadline_ms,
        )
        await execution.recorded.wait()
        return StartResult(execution_id=execution.execution_id, workflow_id=execution.workflow_id)

    async def cancel(self, session: Session, params: ExecutionIdParams) -> CancelResult:
        """End a running execution."""
        return CancelResult(cancelled=await self._engine.cancel(params.execution_id))

    async def get(self, session: Session, params: ExecutionIdParams) -> ExecutionDetail:
        """A running or kept execution."""
        return await self._engine.detail(params.execution_id)

    async def active(self, session: Session, params: NoParams) -> list[Snapshot]:
        """The executions that run now."""
        return self._engine.active()

    async def clear(self, session: Session, params: ClearParams) -> ClearResult:
        """Forget past executions."""
        return ClearResult(removed=await self._engine.clear(params.workflow_id))

    async def list_workflows(self, session: Session, params: NoParams) -> list[WorkflowListEntry]:
        """The project's workflow files."""
        found = await self._engine.workflows()
        return [WorkflowListEntry(**entry) for entry in found]

    async def load(self, session: Session, params: LoadParams) -> Workflow:
        """One workflow file."""
        return (await self._engine.load(params.path)).workflow

    async def validate(self, session: Session, params: ValidateParams) -> ValidateResult:
        """Every problem of a workflow."""
        problems = await self._engine.validate(params.workflow)
        found = [problem for problem in problems if problem.severity == "error"]
        warnings = [problem for problem in problems if problem.severity == "warning"]
        return ValidateResult(valid=not found, errors=found, warnings=warnings)

    async def info(self, session: Session, params: NoParams) -> SidecarInfo:
        """Who answers, and what is in force."""
        engine = self._engine
        try:
            found = await engine.python.get()
            python = PythonInfo(path=found.path, version=found.version_text, supported=True)
        except PythonNotFound as error:
            python = PythonInfo(
                path=None, version=None, supported=False, install_guide=error.install_guide
            )
        return SidecarInfo(
            version=__version__,
            protocol_version=PROTOCOL_VERSION,
            pid=os.getpid(),
            project=str(engine.project.path),
            history=self._history_file,
            history_notices=await engine.history_notices(),
            python=python,
            isolation=await engine.runner.isolation(),
            limits={
                **limits.LIMITS,
                **engine.isolation.limits_in_force(),
                "max_connections": self._max_connections,
                "max_parallel": engine.max_parallel,
                "max_batch": MAX_BATCH,
                "max_message_values": MAX_VALUES,
            },
        )

    async def shutdown(self, session: Session, params: NoParams) -> dict[str, Any]:
        """Begin the daemon's end; the answer goes out first."""
        self._shut_down()
        return {}

    async def discover(self, session: Session, params: NoParams) -> dict[str, Any]:
        """The OpenRPC document."""
        return documents.openrpc()
