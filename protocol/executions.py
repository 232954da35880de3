"""Executions as hosts see them: the result of one, its snapshot, its history entry, its detail.

A workflow is the definition, an execution one run of it, an attempt one try of a step.
Times are integer milliseconds, timestamps milliseconds since the Unix epoch (UTC).
"""

from typing import Any, Literal

from pydantic import Field

from protocol.base import Model

StepStatus = Literal["pending", "running", "success", "error", "skipped"]
EndStatus = Literal["success", "failed", "cancelled"]


class StepResult(Model):
    """How one step of an ended execution went."""

    status: StepStatus
    """`success`, `error`, or `skipped` when the run ended before the step's turn."""
    success: bool
    """Whether the step succeeded."""
    outputs: dict[str, Any]
    """What the step produced; empty unless it succeeded."""
    error: str | None = None
    """What went wrong in the last attempt."""
    error_type: str | None = None
    """Class name of the script's exception, or one of the sidecar's own error types."""
    retry_count: int = Field(ge=0)
    """Attempts after the first."""
    execution_time_ms: int = Field(ge=0)
    """Milliseconds from the first attempt's start to the last one's end, pauses included."""


class ExecutionResult(Model):
    """The answer to `workflow:execute`. Not redacted: it goes to whoever gave the inputs."""

    execution_id: str
    """UUID of the run."""
    workflow_id: str
    """Id of the workflow."""
    status: EndStatus
    """How the run ended."""
    success: bool
    """Whether `status` is `success`."""
    outputs: dict[str, dict[str, Any]]
    """Outputs of each step that succeeded, by step id."""
    steps: dict[str, StepResult]
    """Every step of the workflow, by step id."""
    error: str | None = None
    """Why the run did not succeed."""
    error_type: str | None = None
    """Type of that error."""
    failed_step_id: str | None = None
    """The step that ended the run."""
    duration_ms: int = Field(ge=0)
    """Milliseconds from start to end."""
    steps_executed: int = Field(ge=0)
    """Steps of which at least one attempt started."""
    steps_failed: int = Field(ge=0)
    """Steps that ended in an error."""


class Snapshot(Model):
    """A running execution at one instant: with the events after `seq`, nothing is missed."""

    execution_id: str
    """UUID of the run."""
    workflow_id: str
    """Id of the workflow."""
    workflow_name: str
    """Name of the workflow."""
    timestamp: int
    """When the run started."""
    seq: int = Field(ge=0)
    """The last event's number; 0 before the first."""
    steps: dict[str, StepStatus]
    """Status of every step, by step id."""


class ExecutionHistoryEntry(Model):
    """One past run, redacted."""

    id: str
    """The execution_id."""
    workflow_id: str
    """Id of the workflow."""
    workflow_name: str
    """Name of the workflow when it ran."""
    timestamp: int
    """When the run started."""
    duration_ms: int = Field(ge=0)
    """Milliseconds from start to end."""
    status: EndStatus
    """How the run ended."""
    inputs: dict[str, Any]
    """The workflow's inputs, defaults included."""
    outputs: dict[str, Any] | None = None
    """Outputs by step id, of a run that succeeded."""
    error: str | None = None
    """Why the run did not succeed."""
    steps_executed: int = Field(ge=0)
    """Steps of which at least one attempt started."""
    steps_failed: int = Field(ge=0)
    """Steps that ended in an error."""


class AttemptDetail(Model):
    """One try of a step, redacted."""

    attempt: int = Field(ge=1)
    """Counts from 1."""
    timestamp: int
    """When the attempt started."""
    duration_ms: int | None = Field(default=None, ge=0)
    """Milliseconds it took; absent while it runs."""
    inputs: dict[str, Any]
    """What the script was given."""
    outputs: dict[str, Any] | None = None
    """What it produced."""
    error: str | None = None
    """What went wrong."""
    error_type: str | None = None
    """Type of that error."""
    stack_trace: str | None = None
    """The script's traceback, without directories outside the project."""
    stderr: str | None = None
    """Head and tail of what the script wrote to stderr."""


class StepDetail(Model):
    """One step of a kept or running execution, with its attempts."""

    status: StepStatus
    """Where the step stands."""
    label: str
    """What people see on the node."""
    attempts: list[AttemptDetail]
    """In order."""


class ExecutionDetail(ExecutionHistoryEntry):
    """A kept or running execution with every attempt of every step, redacted."""

    status: Literal["running", "success", "failed", "cancelled"]  # type: ignore[assignment]
    """`running` while it runs, then how it ended."""
    steps: dict[str, StepDetail]
    """Every step of the workflow, by step id."""
