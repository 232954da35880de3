"""What each method answers: a model for the results that have no model elsewhere.

Executions are described in `executions`, workflows in `workflow`.
"""

from typing import Any

from pydantic import Field

from protocol.base import Model
from protocol.executions import Snapshot
from protocol.problems import Problem


class Nothing(Model):
    """An object without fields."""


class OpenRpcDocument(Model):
    """The OpenRPC 1.3.2 document, told by its outermost members."""

    openrpc: str
    """Version of the document's form."""
    info: dict[str, Any]
    """Title, version and description of the wire."""
    methods: list[dict[str, Any]]
    """Every method: its params, its result, its errors, an example."""
    components: dict[str, Any]
    """The schemas and errors that methods refer to."""
    notifications: dict[str, Any] = Field(alias="x-notifications")
    """What is sent without being answered, by name."""
    error_data: dict[str, Any] = Field(alias="x-error-data")
    """Schema of `error.data`, by the error's type."""


class SubscribeResult(Model):
    """The listener, and what runs at the instant it was added."""

    subscribed: bool
    """Always true."""
    workflow_id: str
    """As asked."""
    subscriber: str
    """As asked."""
    active: list[Snapshot]
    """Running executions that match; the events that follow miss and repeat nothing."""


class UnsubscribeResult(Model):
    """Whether there was such a listener."""

    unsubscribed: bool
    """False when there was none."""


class StartResult(Model):
    """The execution that was started."""

    execution_id: str
    """UUID of the run."""
    workflow_id: str
    """Id of the workflow."""


class CancelResult(Model):
    """Whether there was something to cancel."""

    cancelled: bool
    """False when the execution had ended."""


class ClearResult(Model):
    """How many runs were forgotten."""

    removed: int = Field(ge=0)
    """Past executions removed."""


class WorkflowListEntry(Model):
    """One workflow file of the project; a broken one has `errors` instead of a name."""

    path: str
    """Relative to the project."""
    workflow_id: str | None = None
    """Id that runs are kept under."""
    name: str | None = None
    """What people call the workflow."""
    version: str | None = None
    """The author's version."""
    description: str | None = None
    """What the workflow is for."""
    tags: list[str] | None = None
    """Words to find it by."""
    author: str | None = None
    """Who wrote it."""
    step_count: int | None = None
    """How many steps it has."""
    errors: list[Problem] | None = None
    """Why the file cannot be run."""


class ValidateResult(Model):
    """Every problem of a workflow."""

    valid: bool
    """Whether there are no errors."""
    errors: list[Problem]
    """Problems that keep it from running through."""
    warnings: list[Problem]
    """Problems that do not."""


class PythonInfo(Model):
    """The interpreter that scripts run on."""

    path: str | None
    """Its executable; null when none was found."""
    version: str | None
    """Such as 3.12.4."""
    supported: bool
    """Whether scripts can run on it: 3.8 or newer."""
    install_guide: str | None = None
    """How to get one on this machine."""


class SidecarInfo(Model):
    """Who answers, and what is in force."""

    version: str
    """Version of the sidecar."""
    protocol_version: str
    """Version of the wire."""
    pid: int
    """Process id of the daemon."""
    project: str
    """The project's folder."""
    history: str
    """The history file."""
    history_notices: list[str] = []
    """What is wrong with it: damage that was set aside, and why runs are not being kept."""
    python: PythonInfo
    """The interpreter of the scripts."""
    isolation: dict[str, str]
    """What keeps scripts apart from the daemon and from each other, as proven."""
    limits: dict[str, int | float]
    """Every bound, by name."""
