"""What each method is given: a model for the params of each.

Params by position come in the order of the fields. A workflow stays a plain object here: it is
checked by whoever knows its place in a text.
"""

from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from protocol.base import Model
from protocol.events import OptionalEventType
from protocol.limits import HISTORY_PER_WORKFLOW
from protocol.problems import kind


def _path_or_object(value: Any) -> str | dict[str, Any]:
    # A union of the two would report two errors, under names that no author knows.
    if isinstance(value, dict) or (isinstance(value, str) and value):
        return value
    raise PydanticCustomError(
        "path_or_object",
        "expected a path or an object, got {got}",
        {"got": "empty text" if value == "" else kind(value)},
    )


_TEXT_SCHEMA: Final = {"type": "string", "minLength": 1}
#: A path relative to the project, or the workflow itself. `x-model` names the model that the
#: object is checked against later, when its place in a text is known: `schemas` refers to it.
WorkflowParam = Annotated[
    str | dict[str, Any],
    PlainValidator(_path_or_object),
    WithJsonSchema({"anyOf": [_TEXT_SCHEMA, {"type": "object", "x-model": "Workflow"}]}),
]
#: The same, where the object may be anything: finding out is what is asked for.
AnyWorkflowParam = Annotated[
    str | dict[str, Any],
    PlainValidator(_path_or_object),
    WithJsonSchema({"anyOf": [_TEXT_SCHEMA, {"type": "object"}]}),
]
RequestId = Annotated[
    Any, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]})
]


class NoParams(Model):
    """The method takes no params."""


class ExecutionOptions(Model):
    """How one execution is run."""

    execution_id: str | None = None
    """The caller's own id for the run, a UUID never used before; told in lower case."""
    deadline_ms: int | None = Field(default=None, ge=1)
    """Milliseconds after which the whole run ends as `failed` with `WorkflowTimeout`."""


class ExecuteParams(Model):
    """What to run."""

    workflow: WorkflowParam
    """Path of the workflow file, relative to the project, or the workflow as an object."""
    inputs: dict[str, Any] = {}
    """Values for the workflow's inputs, by id."""
    options: ExecutionOptions = ExecutionOptions()
    """How to run it."""


class SubscribeParams(Model):
    """A listener is keyed by (connection, workflow_id, subscriber)."""

    workflow_id: str = "*"
    """Whose executions to hear of; `*` means all."""
    subscriber: str = ""
    """Name that lets one connection serve several windows."""
    include: list[OptionalEventType] = []
    """Event types wanted beside the six."""


class UnsubscribeParams(Model):
    """Which listener to remove."""

    workflow_id: str | None = None
    """The listener's workflow; without it, all listeners of the subscriber."""
    subscriber: str = ""
    """The listener's subscriber."""


class HistoryParams(Model):
    """Whose past executions."""

    workflow_id: str
    """Id of the workflow."""
    limit: int = Field(default=HISTORY_PER_WORKFLOW, ge=0)
    """At most so many entries; five are kept."""


class ExecutionIdParams(Model):
    """Which execution."""

    execution_id: str
    """Id of the execution."""


class ClearParams(Model):
    """Whose past executions to forget."""

    workflow_id: str | None = None
    """Id of the workflow; without it, of all."""


class LoadParams(Model):
    """Which file."""

    path: str = Field(min_length=1)
    """Path of the workflow file, relative to the project."""


class ValidateParams(Model):
    """What to validate."""

    workflow: AnyWorkflowParam
    """A path, a YAML text (of several lines, or with a `key: value`), or an object."""


class CancelRequestParams(Model):
    """Which request."""

    id: RequestId
    """The id of a request in flight on the same connection."""
