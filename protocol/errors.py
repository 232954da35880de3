"""The error codes of the wire, in one table. Exceptions are given their code by the dispatcher.

JSON-RPC 2.0, section 5.1, reserves -32768 to -32000; -32800 is LSP's RequestCancelled.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from protocol.base import Model
from protocol.problems import Problem


class ErrorData(Model):
    """What every error response holds as `error.data`."""

    type: str
    """Name of the error; one for each code."""


class InvalidParamsData(ErrorData):
    """`error.data` of params that do not fit."""

    errors: list[Problem] | None = None
    """One for each field that does not fit; absent when a path may not be used."""


class ProblemsData(ErrorData):
    """`error.data` of a workflow, or of inputs, with problems."""

    errors: list[Problem]
    """Every problem, as `workflow:validate` shows it."""


class InternalErrorData(ErrorData):
    """`error.data` of a bug of ours."""

    correlation_id: str | None = None
    """Finds the bug in the log."""


_DataModel: TypeAlias = type[ErrorData]  # `type` means something else inside of WireError


@dataclass(frozen=True, slots=True)
class WireError:
    """One kind of error response: its code, the name that stands in `data.type`, what `data` is."""

    code: int
    type: str
    meaning: str
    data: _DataModel = ErrorData


PARSE_ERROR: Final = WireError(-32700, "ParseError", "the message is not JSON")
INVALID_REQUEST: Final = WireError(-32600, "InvalidRequest", "the JSON is no request")
METHOD_NOT_FOUND: Final = WireError(-32601, "MethodNotFound", "there is no such method")
INVALID_PARAMS: Final = WireError(
    -32602,
    "InvalidParams",
    "params do not fit the method; data.errors names each field",
    InvalidParamsData,
)
INTERNAL_ERROR: Final = WireError(
    -32603,
    "InternalError",
    "a bug of ours; data.correlation_id finds it in the log",
    InternalErrorData,
)
WORKFLOW_NOT_FOUND: Final = WireError(-32001, "WorkflowNotFound", "no such workflow file")
WORKFLOW_INVALID: Final = WireError(
    -32002,
    "WorkflowInvalid",
    "the workflow has errors; data.errors holds every one",
    ProblemsData,
)
EXECUTION_NOT_FOUND: Final = WireError(
    -32003, "ExecutionNotFound", "no running or kept execution has this id"
)
INVALID_INPUTS: Final = WireError(
    -32004,
    "InvalidInputs",
    "inputs do not fit the workflow; data.errors names each field",
    ProblemsData,
)
SHUTTING_DOWN: Final = WireError(-32005, "ShuttingDown", "the sidecar starts nothing new")
HISTORY_UNAVAILABLE: Final = WireError(
    -32006, "HistoryUnavailable", "the history file cannot be read or written"
)
OVERLOADED: Final = WireError(
    -32007,
    "Overloaded",
    "as many executions run or wait as the sidecar takes; start it again when some have ended",
)
REQUEST_CANCELLED: Final = WireError(
    -32800, "RequestCancelled", "the client cancelled the request with $/cancelRequest"
)

WIRE_ERRORS: Final = (
    PARSE_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    INVALID_PARAMS,
    INTERNAL_ERROR,
    WORKFLOW_NOT_FOUND,
    WORKFLOW_INVALID,
    EXECUTION_NOT_FOUND,
    INVALID_INPUTS,
    SHUTTING_DOWN,
    HISTORY_UNAVAILABLE,
    OVERLOADED,
    REQUEST_CANCELLED,
)
