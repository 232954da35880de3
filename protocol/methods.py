"""Every method of the wire in one table: its name, its params, its result, its errors.

Named after the Electron IPC channels, so a host forwards `ipcMain.handle(channel, …)` one to one.
Params by position come in the order of the fields. Everything that describes the wire (dispatch,
OpenRPC, types, reference pages) reads this table; it knows no code that answers.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import Field

from protocol import errors
from protocol.base import Model
from protocol.errors import WireError
from protocol.executions import (
    ExecutionDetail,
    ExecutionHistoryEntry,
    ExecutionResult,
    Snapshot,
)
from protocol.params import (
    CancelRequestParams,
    ClearParams,
    ExecuteParams,
    ExecutionIdParams,
    ExecutionOptions,
    HistoryParams,
    LoadParams,
    NoParams,
    SubscribeParams,
    UnsubscribeParams,
    ValidateParams,
)
from protocol.problems import Problem
from protocol.workflow import Workflow

__all__ = [
    "CANCEL_NOTIFICATION",
    "COMMON_ERRORS",
    "METHODS",
    "CancelRequestParams",
    "CancelResult",
    "ClearParams",
    "ClearResult",
    "ExecuteParams",
    "ExecutionIdParams",
    "ExecutionOptions",
    "HistoryParams",
    "LoadParams",
    "Method",
    "NoParams",
    "Nothing",
    "OpenRpcDocument",
    "PythonInfo",
    "SidecarInfo",
    "StartResult",
    "SubscribeParams",
    "SubscribeResult",
    "UnsubscribeParams",
    "UnsubscribeResult",
    "ValidateParams",
    "ValidateResult",
    "WorkflowListEntry",
]

CANCEL_NOTIFICATION: Final = "$/cancelRequest"


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


@dataclass(frozen=True, slots=True)
class Method:
    """One method: `params` and `result` are types that pydantic can read."""

    name: str
    params: type[Model]
    result: Any
    summary: str
    errors: tuple[WireError, ...] = ()


_RUN_ERRORS: Final = (
    errors.WORKFLOW_NOT_FOUND,
    errors.WORKFLOW_INVALID,
    errors.INVALID_INPUTS,
    errors.SHUTTING_DOWN,
    errors.OVERLOADED,
)
_HISTORY_ERRORS: Final = (errors.HISTORY_UNAVAILABLE,)

_TABLE: Final = (
    Method(
        "workflow:execution:subscribe",
        SubscribeParams,
        SubscribeResult,
        "Hear of executions from now on; answers with those that run",
    ),
    Method(
        "workflow:execution:unsubscribe",
        UnsubscribeParams,
        UnsubscribeResult,
        "Stop hearing of executions; nobody else's listener is touched",
    ),
    Method(
        "workflow:execution:history",
        HistoryParams,
        list[ExecutionHistoryEntry],
        "The newest past executions of a workflow",
        _HISTORY_ERRORS,
    ),
    Method(
        "workflow:execute",
        ExecuteParams,
        ExecutionResult,
        "Run a workflow; answers when it has ended",
        _RUN_ERRORS,
    ),
    Method(
        "workflow:execution:start",
        ExecuteParams,
        StartResult,
        "Run a workflow; answers at once",
        _RUN_ERRORS,
    ),
    Method(
        "workflow:execution:cancel",
        ExecutionIdParams,
        CancelResult,
        "End a running execution",
        (errors.EXECUTION_NOT_FOUND,),
    ),
    Method(
        "workflow:execution:get",
        ExecutionIdParams,
        ExecutionDetail,
        "A running or kept execution with every attempt of every step",
        (errors.EXECUTION_NOT_FOUND, *_HISTORY_ERRORS),
    ),
    Method("workflow:execution:active", NoParams, list[Snapshot], "The executions that run now"),
    Method(
        "workflow:execution:clear",
        ClearParams,
        ClearResult,
        "Forget past executions",
        _HISTORY_ERRORS,
    ),
    Method("workflow:list", NoParams, list[WorkflowListEntry], "The project's workflow files"),
    Method(
        "workflow:load",
        LoadParams,
        Workflow,
        "A workflow file, checked, with defaults filled in",
        (errors.WORKFLOW_NOT_FOUND, errors.WORKFLOW_INVALID),
    ),
    Method(
        "workflow:validate",
        ValidateParams,
        ValidateResult,
        "Every problem of a workflow",
        (errors.WORKFLOW_NOT_FOUND,),
    ),
    Method("sidecar:info", NoParams, SidecarInfo, "Versions, paths, limits, what is in force"),
    Method("sidecar:shutdown", NoParams, Nothing, "End the daemon as end of stdin does"),
    Method("rpc.discover", NoParams, OpenRpcDocument, "The OpenRPC document of this table"),
)

#: What any method may answer, beside its own errors.
COMMON_ERRORS: Final = (errors.INVALID_PARAMS, errors.INTERNAL_ERROR, errors.REQUEST_CANCELLED)

METHODS: Final = MappingProxyType({method.name: method for method in _TABLE})
