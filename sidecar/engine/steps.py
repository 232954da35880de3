"""One step of one run: its attempts, and what is kept of each for the detail.

Records only; `step_execution` moves them. It knows no processes and sends no events.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol.executions import AttemptDetail, StepDetail, StepResult, StepStatus
from protocol.limits import MAX_STDERR_BYTES
from protocol.workflow import OutputStep, PythonStep
from sidecar.scripts.interface import ScriptFailure
from sidecar.scripts.stderr import HeadAndTail


@dataclass(slots=True)
class Attempt:
    """One try, as it may be shown: every value here is redacted and cut to size."""

    attempt: int
    timestamp: int
    inputs: dict[str, Any]
    duration_ms: int | None = None
    outputs: dict[str, Any] | None = None
    error: str | None = None
    error_type: str | None = None
    stack_trace: str | None = None
    #: All of it, once the script has ended; None before that, and after a cancellation.
    stderr: str | None = None
    #: What has been told of it so far.
    told: HeadAndTail = field(default_factory=lambda: HeadAndTail(MAX_STDERR_BYTES))

    def detail(self) -> AttemptDetail:
        """The attempt as hosts see it."""
        return AttemptDetail(
            attempt=self.attempt,
            timestamp=self.timestamp,
            duration_ms=self.duration_ms,
            inputs=self.inputs,
            outputs=self.outputs,
            error=self.error,
            error_type=self.error_type,
            stack_trace=self.stack_trace,
            stderr=(self.told.text() if self.stderr is None else self.stderr) or None,
        )


@dataclass(slots=True)
class StepRun:
    """Where one step of one run stands. `outputs` and `failure` are real, not redacted."""

    step: PythonStep | OutputStep
    #: What people see on the node, as it may be shown.
    label: str
    attempts: list[Attempt] = field(default_factory=list)
    outputs: dict[str, Any] | None = None
    failure: ScriptFailure | None = None
    started_ms: float = 0.0
    ended_ms: float = 0.0

    @property
    def retry_count(self) -> int:
        """Attempts after the first."""
        return max(0, len(self.attempts) - 1)

    @property
    def execution_time_ms(self) -> int:
        """From the first attempt's start to the last one's end, pauses included."""
        return max(0, round(self.ended_ms - self.started_ms))

    def result(self, status: StepStatus) -> StepResult:
        """How the step went, not redacted."""
        return StepResult(
            status=status,
            success=status == "success",
            outputs=self.outputs or {},
            error=self.failure.error if self.failure else None,
            error_type=self.failure.error_type if self.failure else None,
            retry_count=self.retry_count,
            execution_time_ms=self.execution_time_ms,
        )

    def detail(self, status: StepStatus) -> StepDetail:
        """The step with its attempts, as it may be shown."""
        return StepDetail(
            status=status, label=self.label, attempts=[a.detail() for a in self.attempts]
        )


def outputs_of(steps: Mapping[str, StepRun]) -> dict[str, dict[str, Any]]:
    """The outputs of the steps that have some, by step id, not redacted."""
    return {step_id: run.outputs for step_id, run in steps.items() if run.outputs is not None}


def shown_outputs_of(steps: Mapping[str, StepRun]) -> dict[str, Any]:
    """The same, as they may be shown."""
    return {
        step_id: run.attempts[-1].outputs
        for step_id, run in steps.items()
        if run.outputs is not None
    }
