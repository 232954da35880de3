"""Execution events: the notification `workflow:execution:event` and its payloads.

The six event types of the feature plan, and two more that a listener must ask for by `include`.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from protocol.base import Model

EVENT_NOTIFICATION = "workflow:execution:event"

#: What a listener may ask for on top of the six; they carry the `seq` of the event before them.
OptionalEventType = Literal["step_output", "step_skipped"]
OPTIONAL_EVENT_TYPES: frozenset[str] = frozenset({"step_output", "step_skipped"})


class WorkflowStartedData(Model):
    """Payload of `workflow_started`."""

    workflow_name: str
    """Name of the workflow."""
    inputs: dict[str, Any]
    """The workflow's inputs, defaults included."""
    step_ids: list[str]
    """All steps, in the order of execution."""


class StepStartedData(Model):
    """Payload of `step_started`, sent once per attempt."""

    step_label: str
    """What people see on the node."""
    inputs: dict[str, Any]
    """What the script is given."""
    attempt: int = Field(ge=1)
    """Counts from 1."""


class StepCompletedData(Model):
    """Payload of `step_completed`."""

    outputs: dict[str, Any]
    """What the step produced."""
    execution_time_ms: int = Field(ge=0)
    """Milliseconds from the first attempt's start to the last one's end, pauses included."""
    retry_count: int = Field(ge=0)
    """Attempts after the first."""


class StepFailedData(Model):
    """Payload of `step_failed`, sent once per failed attempt."""

    error: str
    """What went wrong."""
    error_type: str
    """Class name of the script's exception, or one of the sidecar's own error types."""
    stack_trace: str | None = None
    """The script's traceback, without directories outside the project."""
    inputs: dict[str, Any]
    """What the script was given."""
    retry_attempt: int = Field(ge=0)
    """Which try failed, counted from 0."""
    will_retry: bool
    """Whether another attempt follows."""
    next_delay_ms: int | None = Field(default=None, ge=0)
    """Milliseconds until it starts."""


class WorkflowCompletedData(Model):
    """Payload of `workflow_completed`."""

    outputs: dict[str, Any]
    """Outputs by step id."""
    duration_ms: int = Field(ge=0)
    """Milliseconds from start to end."""
    steps_executed: int = Field(ge=0)
    """Steps of which at least one attempt started."""
    steps_failed: int = Field(ge=0)
    """Steps that ended in an error: none."""


class WorkflowFailedData(Model):
    """Payload of `workflow_failed`: the run failed or was cancelled."""

    error: str
    """Why."""
    error_type: str
    """Type of that error."""
    failed_step_id: str | None = None
    """The step that ended the run."""
    status: Literal["failed", "cancelled"]
    """Which of the two."""
    duration_ms: int = Field(ge=0)
    """Milliseconds from start to end."""
    steps_executed: int = Field(ge=0)
    """Steps of which at least one attempt started."""
    steps_failed: int = Field(ge=0)
    """Steps that ended in an error."""


class StepOutputData(Model):
    """Payload of `step_output`."""

    stream: Literal["stderr"]
    """Where the script wrote."""
    text: str
    """One line or several, without the last line's end."""


class StepSkippedData(Model):
    """Payload of `step_skipped`: the run ended before the step's turn."""

    reason: str
    """Why."""


class _Event(Model):
    """What all events share."""

    workflow_id: str
    """Id of the workflow."""
    execution_id: str
    """UUID of the run."""
    seq: int = Field(ge=0)
    """1, 2, 3 … within a run, no gaps; optional events repeat the one before them."""
    timestamp: int
    """When it happened."""


class _StepEvent(_Event):
    step_id: str
    """Id of the step."""


class WorkflowStartedEvent(_Event):
    """The first event of every run."""

    event_type: Literal["workflow_started"] = "workflow_started"
    data: WorkflowStartedData


class StepStartedEvent(_StepEvent):
    """An attempt starts."""

    event_type: Literal["step_started"] = "step_started"
    data: StepStartedData


class StepCompletedEvent(_StepEvent):
    """The step succeeded."""

    event_type: Literal["step_completed"] = "step_completed"
    data: StepCompletedData


class StepFailedEvent(_StepEvent):
    """An attempt failed."""

    event_type: Literal["step_failed"] = "step_failed"
    data: StepFailedData


class WorkflowCompletedEvent(_Event):
    """The last event of a run that succeeded."""

    event_type: Literal["workflow_completed"] = "workflow_completed"
    data: WorkflowCompletedData


class WorkflowFailedEvent(_Event):
    """The last event of a run that failed or was cancelled."""

    event_type: Literal["workflow_failed"] = "workflow_failed"
    data: WorkflowFailedData


class StepOutputEvent(_StepEvent):
    """What a script writes to stderr, as it comes (only with `include: [step_output]`)."""

    event_type: Literal["step_output"] = "step_output"
    data: StepOutputData


class StepSkippedEvent(_StepEvent):
    """A step that never had its turn (only with `include: [step_skipped]`)."""

    event_type: Literal["step_skipped"] = "step_skipped"
    data: StepSkippedData


ExecutionEvent = Annotated[
    WorkflowStartedEvent
    | StepStartedEvent
    | StepCompletedEvent
    | StepFailedEvent
    | WorkflowCompletedEvent
    | WorkflowFailedEvent
    | StepOutputEvent
    | StepSkippedEvent,
    Field(discriminator="event_type"),
]

#: Reads any event from JSON-like data.
EVENT_ADAPTER: TypeAdapter[ExecutionEvent] = TypeAdapter(
    ExecutionEvent, config=ConfigDict(defer_build=True)
)
