"""The workflow file, after the feature's ADR-017 schema.

It knows the shape of a file: names, types, bounds, defaults. It does not know YAML, positions in
a text, or what a `${…}` reference means; `sidecar.engine.loader` adds those.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from protocol import limits
from protocol.base import Model

#: Step and input ids stand inside `${…}` references, where `.`, `[` and `}` end a name.
ID_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_-]*$"

Identifier = Annotated[str, Field(pattern=ID_PATTERN, max_length=limits.MAX_ID_CHARACTERS)]
Name = Annotated[str, Field(min_length=1, max_length=limits.MAX_NAME_CHARACTERS)]
InputType = Literal["string", "number", "boolean", "file", "directory", "select"]


class WorkflowInfo(Model):
    """Who the workflow is: the root key `workflow`."""

    id: Name | None = None
    """Stable id that runs are kept under; without it, `name` is the id."""
    name: Name
    """What people call the workflow."""
    version: str | None = None
    """The author's version of the workflow, in quotes: "1.0.0"."""
    description: str | None = None
    """What the workflow is for."""
    tags: list[str] = []
    """Words to find the workflow by."""
    author: str | None = None
    """Who wrote the workflow."""


class WorkflowInput(Model):
    """One value that whoever starts the workflow gives."""

    id: Identifier
    """Name of the input, as in `${workflow.inputs.ID}`."""
    type: InputType
    """Kind of value; `file` and `directory` are paths inside the project."""
    label: str | None = None
    """What a form shows beside the field."""
    description: str | None = None
    """Help for whoever fills in the field."""
    required: bool = False
    """Whether a run without a value for it is refused."""
    default: Any = None
    """Value used when none is given; must itself be of the input's type."""
    secret: bool = False
    """Hides the value in events, history and logs."""
    options: list[str] | None = Field(default=None, min_length=1)
    """The values allowed; a `select` needs them, a `string` may have them."""
    pattern: str | None = None
    """Regular expression (RE2 syntax, unanchored) that a `string` must match."""
    min: float | None = None
    """Least value of a `number`, or least number of characters of a `string`."""
    max: float | None = None
    """Greatest value of a `number`, or greatest number of characters of a `string`."""


class RetryPolicy(Model):
    """When and how often a failed step is tried again (FR-9.2.6)."""

    max_attempts: int = Field(default=limits.DEFAULT_MAX_ATTEMPTS, ge=1, le=limits.MAX_ATTEMPTS)
    """Attempts in all, the first included."""
    initial_delay_ms: int = Field(
        default=limits.DEFAULT_INITIAL_DELAY_MS, ge=0, le=limits.MAX_RETRY_DELAY_MS
    )
    """Milliseconds before the first retry."""
    backoff_multiplier: float = Field(default=limits.DEFAULT_BACKOFF_MULTIPLIER, ge=1, le=100)
    """Factor by which the delay grows from retry to retry."""
    max_delay_ms: int = Field(
        default=limits.DEFAULT_MAX_DELAY_MS, ge=0, le=limits.MAX_RETRY_DELAY_MS
    )
    """Milliseconds that no delay exceeds."""
    retry_on_error_types: list[Annotated[str, Field(min_length=1)]] | None = None
    """Only these errors are retried: names of exception classes, of their base classes, or of
    the sidecar's own error types such as `ScriptTimeout`."""


class StepPermissions(Model):
    """What a step needs beyond the project; whoever starts the sidecar must have agreed."""

    read: list[Annotated[str, Field(min_length=1)]] = []
    """Files and folders to read, project-relative or absolute; outside the project only within a
    folder given with `--allow-read` or `--allow-write`."""
    write: list[Annotated[str, Field(min_length=1)]] = []
    """Files and folders to read and write; outside the project only within a folder given with
    `--allow-write`."""
    network: bool | None = None
    """Whether the script has the network: yes by default, unless it was closed with
    `--no-network`."""


class PythonStep(Model):
    """A step that runs one Python script in a process of its own."""

    id: Identifier
    """Name of the step, as in `${steps.ID.outputs.NAME}`."""
    type: Literal["python"]
    """The kind of step: a Python script."""
    label: str | None = None
    """What people see on the node; without it, the id."""
    description: str | None = None
    """What the step does."""
    script: Annotated[str, Field(min_length=1)]
    """Path of the script, relative to the project, inside it."""
    inputs: dict[str, Any] = {}
    """The JSON object that the script reads on stdin; values may hold `${…}` references."""
    outputs: list[Annotated[str, Field(min_length=1)]] | None = None
    """Names that must be in the script's output."""
    depends_on: list[Identifier] = []
    """Steps that must have succeeded before, beside those that references name."""
    timeout: int = Field(default=limits.DEFAULT_TIMEOUT_MS, ge=1, le=limits.MAX_TIMEOUT_MS)
    """Milliseconds after which an attempt is stopped."""
    retry_policy: RetryPolicy | None = None
    """When to try again; without it the step runs once."""
    env: dict[str, str] = {}
    """Environment variables added for the script; values may hold `${…}` references."""
    permissions: StepPermissions | None = None
    """What the script may reach beyond the project."""


class OutputStep(Model):
    """A step that only composes a message; its one output is `message`."""

    id: Identifier
    """Name of the step, as in `${steps.ID.outputs.message}`."""
    type: Literal["output"]
    """The kind of step: a message."""
    label: str | None = None
    """What people see on the node; without it, the id."""
    description: str | None = None
    """What the step says."""
    message: str
    """The text; it may hold `${…}` references."""
    format: Literal["text", "markdown", "json"] = "text"
    """How a renderer may show the message."""
    depends_on: list[Identifier] = []
    """Steps that must have succeeded before, beside those that references name."""


Step = Annotated[PythonStep | OutputStep, Field(discriminator="type")]


class Position(Model):
    """A point on the canvas."""

    x: float
    """Pixels from the left at zoom 1."""
    y: float
    """Pixels from the top at zoom 1."""


class NodeMetadata(Model):
    """Where a step stands on the canvas."""

    id: Identifier
    """The step's id."""
    position: Position
    """The node's upper left corner."""
    width: float | None = Field(default=None, gt=0)
    """Width in pixels at zoom 1."""
    height: float | None = Field(default=None, gt=0)
    """Height in pixels at zoom 1."""


class Viewport(Model):
    """The part of the canvas last looked at."""

    zoom: float = Field(default=1.0, gt=0)
    """Scale; 1 is life size."""
    x: float = 0.0
    """Horizontal pan in pixels."""
    y: float = 0.0
    """Vertical pan in pixels."""


class UiMetadata(Model):
    """What an editor keeps about the drawing; running a workflow never reads it."""

    nodes: list[NodeMetadata] = []
    """One entry per placed step."""
    viewport: Viewport | None = None
    """Zoom and pan."""


class Workflow(Model):
    """A workflow file."""

    workflow: WorkflowInfo
    """Name, id and description."""
    inputs: list[WorkflowInput] = []
    """Values that whoever starts the workflow gives."""
    steps: list[Step] = Field(min_length=1, max_length=limits.MAX_STEPS)
    """What is done; the order follows from dependencies, then from the file."""
    ui_metadata: UiMetadata | None = None
    """What an editor keeps about the drawing."""

    @property
    def workflow_id(self) -> str:
        """The id that runs are kept under: `workflow.id`, else `workflow.name`."""
        return self.workflow.id or self.workflow.name
