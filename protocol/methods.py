"""Every method of the wire in one table: its name, its params, its result, its errors.

Named after the Electron IPC channels, so a host forwards `ipcMain.handle(channel, …)` one to one.
Everything that describes the wire (dispatch, OpenRPC, types, reference pages) reads this table; it
knows no code that answers.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

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
    Nothing,
    OpenRpcDocument,
    SidecarInfo,
    StartResult,
    SubscribeResult,
    UnsubscribeResult,
    ValidateResult,
    WorkflowListEntry,
)
from protocol.workflow import Workflow

CANCEL_NOTIFICATION: Final = "$/cancelRequest"


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
