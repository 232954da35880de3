"""One run of a workflow, from its first event to its last.

    created ── run() ──> running ──> success | failed | cancelled

    step:   pending ──> running ──> success
                          │  ^  └──> error          the run ends here
                          v  │ next attempt
                         error  (will_retry)
            pending ──────────────> skipped         the run ended before the step's turn

Every run ends with exactly one of `workflow_completed` and `workflow_failed`, whatever happens:
a failing step, a cancellation at any instant, the run's deadline, or a bug of ours. The history
entry is written before that event, so whoever reacts to the event finds it.

The steps themselves are moved by `step_execution`; this file knows neither scripts nor clients.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from protocol import events
from protocol.executions import EndStatus, ExecutionDetail, ExecutionResult, Snapshot
from sidecar.engine.events import EventStream, shown_workflow_id
from sidecar.engine.inputs import is_secret
from sidecar.engine.loader import LoadedWorkflow
from sidecar.engine.step_execution import StepExecution, Surroundings
from sidecar.engine.steps import StepRun, outputs_of, shown_outputs_of
from sidecar.errors import HistoryError
from sidecar.redaction import Redactor
from sidecar.scripts.interface import CANCELLED, ScriptFailure

logger = logging.getLogger(__name__)

#: A history that hangs, such as one that another process keeps locked, holds up no run for longer.
_RECORDING_S: Final = 0.5
WORKFLOW_TIMEOUT: Final = "WorkflowTimeout"
INTERNAL_ERROR: Final = "InternalError"
#: A detail or a result of more steps takes longer to make than the event loop may be held up.
MANY_STEPS: Final = 500

T = TypeVar("T")


class Execution:
    """One run. Create it, await `run()` once; `cancel()` may be called at any time."""

    def __init__(
        self,
        execution_id: str,
        loaded: LoadedWorkflow,
        inputs: Mapping[str, Any],
        surroundings: Surroundings,
        *,
        redactor: Redactor,
        deadline_ms: int | None = None,
    ) -> None:
        self._loaded = loaded
        self._inputs = dict(inputs)
        self._around = surroundings
        self._clock = surroundings.clock
        self._redactor = redactor
        self._deadline_ms = deadline_ms
        # Before anything is shown, be it the workflow's name.
        self._learn_secrets()
        self.execution_id = execution_id
        #: As it may be shown.
        self.workflow_id = shown_workflow_id(loaded.workflow.workflow_id)
        #: As it may be shown.
        self.workflow_name = redactor.text(loaded.workflow.workflow.name)
        #: Set once the history knows of the run.
        self.recorded = asyncio.Event()
        self.timestamp = self._clock.now_ms()
        by_id = {step.id: step for step in loaded.workflow.steps}
        self._steps = {
            step_id: StepRun(by_id[step_id], redactor.text(by_id[step_id].label or step_id))
            for step_id in loaded.plan.order
        }
        self.step_count = len(self._steps)
        self._events = EventStream(
            self.workflow_id,
            execution_id,
            # A step's id may hold a secret as everything else may, and stays unlike the others.
            dict(zip(self._steps, redactor.value(dict.fromkeys(self._steps)), strict=True)),
            clock=self._clock,
            redactor=redactor,
            listener=surroundings.listener,
        )
        self._shown_inputs: dict[str, Any] = self._events.show_now(self._inputs)
        self._stepping = StepExecution(
            surroundings, self._events, redactor, self._steps, self._inputs, self._log_fields()
        )
        self._end_status: EndStatus | None = None
        self._work: asyncio.Task[ScriptFailure | None] | None = None
        self._failure: ScriptFailure | None = None
        #: Why the run is to end early: a cancellation or its deadline. The first one counts.
        self._early_end: ScriptFailure | None = None
        self._started_ms = self._ended_ms = self._clock.monotonic_ms()

    # --- the run -----------------------------------------------------------------------------

    async def run(self) -> ExecutionResult:
        """Run all steps and return the result; raises nothing of what goes wrong inside."""
        self._started_ms = self._clock.monotonic_ms()
        logger.info("execution started", extra={"fields": self._log_fields()})
        recording = asyncio.create_task(self._record_start())
        recording.add_done_callback(lambda _: self.recorded.set())
        self._events.workflow(
            events.WorkflowStartedData(
                workflow_name=self.workflow_name,
                inputs=self._shown_inputs,
                step_ids=list(self._events.show_step_ids(self._steps)),
            ),
        )
        self._work = asyncio.create_task(self._run_steps(recording))
        if self._early_end is not None:
            self._work.cancel()
        deadline = self._start_deadline()
        try:
            await asyncio.wait({self._work})
        except asyncio.CancelledError:
            # Whoever awaits us is gone; the run must still end in order.
            self.cancel()
            await asyncio.wait({self._work})
        finally:
            if deadline is not None:
                deadline.cancel()
        self._failure = self._outcome(self._work)
        await recording
        return await self._end()

    def cancel(self) -> bool:
        """End the run as soon as its script is dead; false when it had ended."""
        return self._end_early(ScriptFailure("The execution was cancelled", CANCELLED))

    def _start_deadline(self) -> asyncio.TimerHandle | None:
        if self._deadline_ms is None:
            return None
        failure = ScriptFailure(f"Workflow timeout after {self._deadline_ms}ms", WORKFLOW_TIMEOUT)
        loop = asyncio.get_running_loop()
        return loop.call_later(self._deadline_ms / 1000, self._end_early, failure)

    def _end_early(self, why: ScriptFailure) -> bool:
        if self._work is not None and self._work.done():
            return False
        # A second reason must not disturb the stopping of the script that the first began.
        if self._early_end is None:
            self._early_end = why
            if self._work is not None:
                self._work.cancel()
        return True

    def _outcome(self, work: "asyncio.Task[ScriptFailure | None]") -> ScriptFailure | None:
        if self._early_end is not None:
            return self._early_end
        error = work.exception()
        if error is None:
            return work.result()
        logger.error(
            "internal error in an execution",
            exc_info=error,
            extra={"fields": self._log_fields()},
        )
        message = f"Internal error; the log says more under the execution id {self.execution_id}"
        return ScriptFailure(message, INTERNAL_ERROR)

    async def _run_steps(self, recording: asyncio.Task[None]) -> ScriptFailure | None:
        # What scripts have done is not to be without a trace if we are killed.
        await asyncio.wait({recording}, timeout=_RECORDING_S)
        for run in self._steps.values():
            failure = await self._stepping.run(run)
            if failure is not None:
                return failure
            await self._around.pace()
        return None

    async def _end(self) -> ExecutionResult:
        failure = self._failure
        self._end_status = end_status = _status_of(failure)
        for step_id, status in list(self._events.statuses.items()):
            if status == "running" and failure is not None:
                self._stepping.fail(self._steps[step_id], failure)
            elif status == "pending":
                self._events.step(
                    step_id,
                    events.StepSkippedData(reason="the run ended before this step's turn"),
                )
        self._ended_ms = self._clock.monotonic_ms()
        await self._record_end()
        result = await self._made(lambda: self._result(end_status))
        ended = {"status": end_status, "duration_ms": result.duration_ms}
        logger.info("execution ended", extra={"fields": {**self._log_fields(), **ended}})
        if failure is None:
            self._events.workflow(
                events.WorkflowCompletedData(
                    outputs=await self._made(self._shown_outputs),
                    duration_ms=result.duration_ms,
                    steps_executed=result.steps_executed,
                    steps_failed=result.steps_failed,
                ),
            )
        else:
            self._events.workflow(
                events.WorkflowFailedData(
                    error=self._events.show_error(failure.error),
                    error_type=self._redactor.text(failure.error_type),
                    failed_step_id=self._events.show_step_id(result.failed_step_id),
                    status="cancelled" if end_status == "cancelled" else "failed",
                    duration_ms=result.duration_ms,
                    steps_executed=result.steps_executed,
                    steps_failed=result.steps_failed,
                ),
            )
        return result

    # --- what others see ---------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The run at this instant; with the events after `seq` nothing is missed."""
        return Snapshot(
            execution_id=self.execution_id,
            workflow_id=self.workflow_id,
            workflow_name=self.workflow_name,
            timestamp=self.timestamp,
            seq=self._events.seq,
            steps=self._events.show_step_ids(self._events.statuses),
        )

    def detail(self) -> ExecutionDetail:
        """The run with every attempt so far, as it may be shown."""
        running = self._end_status is None
        ended_ms = self._clock.monotonic_ms() if running else self._ended_ms
        statuses = self._events.statuses
        failure = self._failure
        return ExecutionDetail(
            id=self.execution_id,
            workflow_id=self.workflow_id,
            workflow_name=self.workflow_name,
            timestamp=self.timestamp,
            duration_ms=max(0, round(ended_ms - self._started_ms)),
            status=self._end_status or "running",
            inputs=self._shown_inputs,
            outputs=self._shown_outputs() if self._end_status == "success" else None,
            error=self._events.show_error(failure.error) if failure else None,
            steps_executed=self._count_executed(),
            steps_failed=self._count_failed(),
            steps=self._events.show_step_ids(
                {step_id: run.detail(statuses[step_id]) for step_id, run in self._steps.items()}
            ),
        )

    def _result(self, status: EndStatus) -> ExecutionResult:
        failure = self._failure
        statuses = self._events.statuses
        failed = [step_id for step_id, status in statuses.items() if status == "error"]
        return ExecutionResult(
            execution_id=self.execution_id,
            workflow_id=self.workflow_id,
            status=status,
            success=failure is None,
            outputs=outputs_of(self._steps),
            steps={step_id: run.result(statuses[step_id]) for step_id, run in self._steps.items()},
            error=failure.error if failure else None,
            error_type=failure.error_type if failure else None,
            failed_step_id=failed[-1] if failed else None,
            duration_ms=max(0, round(self._ended_ms - self._started_ms)),
            steps_executed=self._count_executed(),
            steps_failed=self._count_failed(),
        )

    def _shown_outputs(self) -> Any:
        return self._events.fit(self._events.show_step_ids(shown_outputs_of(self._steps)))

    def _count_executed(self) -> int:
        return sum(1 for run in self._steps.values() if run.attempts)

    def _count_failed(self) -> int:
        return sum(1 for status in self._events.statuses.values() if status == "error")

    def _log_fields(self) -> dict[str, str]:
        return {"execution_id": self.execution_id, "workflow_id": self.workflow_id}

    def _learn_secrets(self) -> None:
        for name in self._loaded.env_uses:
            self._redactor.add_secret(self._around.environment[name], name)
        for declared in self._loaded.workflow.inputs:
            value = self._inputs.get(declared.id)
            if is_secret(declared):
                self._redactor.add_secret(value, declared.id)

    # --- history -----------------------------------------------------------------------------

    async def _record_start(self) -> None:
        if self._around.history is not None:
            await _recorded(self._around.history.started(await self._made(self.detail)))

    async def _record_end(self) -> None:
        if self._around.history is not None:
            await _recorded(self._around.history.ended(await self._made(self.detail)))

    async def _made(self, make: Callable[[], T]) -> T:
        """What `make` makes of all steps; of many, in a thread, while the loop goes on."""
        return make() if len(self._steps) <= MANY_STEPS else await asyncio.to_thread(make)


async def _recorded(write: Awaitable[None]) -> None:
    # A run does not fail because its record cannot be kept; that is the history's to tell.
    with contextlib.suppress(HistoryError):
        await write


def _status_of(failure: ScriptFailure | None) -> EndStatus:
    if failure is None:
        return "success"
    return "cancelled" if failure.error_type == CANCELLED else "failed"
