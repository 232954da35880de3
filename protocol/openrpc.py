"""The OpenRPC 1.3.2 document of the wire, from the table of methods.

OpenRPC has no word for what is sent without being answered: `x-notifications` describes it, by
name, and `x-error-data` the `error.data` of each error.
"""

from typing import Any, Final

from protocol import PROTOCOL_VERSION
from protocol.errors import WIRE_ERRORS, WireError
from protocol.events import EVENT_NOTIFICATION, ExecutionEvent
from protocol.examples import EXAMPLES, Example
from protocol.methods import (
    CANCEL_NOTIFICATION,
    COMMON_ERRORS,
    METHODS,
    Method,
)
from protocol.params import CancelRequestParams
from protocol.schemas import REF, Named, accepted, sent

EVENT_SUMMARY: Final = "What happens in the executions that the client subscribed to"
CANCEL_SUMMARY: Final = (
    "Cancels a request in flight, which then answers -32800; "
    "for workflow:execute that cancels the run"
)


def openrpc() -> dict[str, Any]:
    """The whole document."""
    named: Named = {}
    methods = [_method(method, named) for method in METHODS.values()]
    notifications = _notifications(named)
    error_data = {error.type: error_data_schema(error, named) for error in WIRE_ERRORS}
    return {
        "openrpc": "1.3.2",
        "info": {
            "title": "workflow-sidecar",
            "version": PROTOCOL_VERSION,
            "description": "Runs workflows of Python scripts. Events arrive as the notification "
            f"{EVENT_NOTIFICATION}, described under x-notifications.",
            "license": {"name": "MIT"},
        },
        "methods": methods,
        "components": {
            "schemas": dict(sorted(named.items())),
            "errors": {error.type: _error(error) for error in WIRE_ERRORS},
        },
        "x-notifications": notifications,
        "x-error-data": error_data,
    }


def error_data_schema(error: WireError, named: Named) -> dict[str, Any]:
    """Schema of `error.data`, in which `type` can only be the one."""
    added: Named = {}
    sent(error.data, added)
    schema = added.pop(error.data.__name__)
    named |= added
    schema["properties"]["type"] |= {"const": error.type}
    return schema


def _method(method: Method, named: Named) -> dict[str, Any]:
    params = accepted(method.params, named)
    required = params.get("required", [])
    result: dict[str, Any] = {"name": "result", "schema": sent(method.result, named)}
    return {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "either",
        "params": [
            {
                "name": name,
                "summary": member["description"],
                "required": name in required,
                "schema": member,
            }
            for name, member in params.get("properties", {}).items()
        ],
        "result": result,
        "errors": [
            {"$ref": f"#/components/errors/{error.type}"}
            for error in (*COMMON_ERRORS, *method.errors)
        ],
        "examples": [_example(example) for example in EXAMPLES if example.method == method.name],
    }


def _example(example: Example) -> dict[str, Any]:
    return {
        "name": example.name,
        "params": [{"name": name, "value": value} for name, value in example.params.items()],
        "result": {"name": "result", "value": example.result},
    }


def _error(error: WireError) -> dict[str, Any]:
    return {"code": error.code, "message": error.meaning, "data": {"type": error.type}}


def _notifications(named: Named) -> dict[str, Any]:
    cancel = accepted(CancelRequestParams, named)
    named["CancelRequestParams"] = cancel
    named["ExecutionEvent"] = {"title": "ExecutionEvent", **sent(ExecutionEvent, named)}
    return {
        CANCEL_NOTIFICATION: {
            "summary": CANCEL_SUMMARY,
            "sender": "client",
            "params": {"$ref": f"{REF}CancelRequestParams"},
        },
        EVENT_NOTIFICATION: {
            "summary": EVENT_SUMMARY,
            "sender": "sidecar",
            "params": {"$ref": f"{REF}ExecutionEvent"},
        },
    }
