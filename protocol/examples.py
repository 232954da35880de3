"""One session of a host with the sidecar, call by call: the examples of the OpenRPC document.

The project holds `greet.yaml` (a Python step `hello` and an output step `done`) and `nightly.yaml`
(one Python step `count` that is still running when it is cancelled). A test holds the session with
a real sidecar and compares its answers with these. It knows no code that answers.
"""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Example:
    """One call: params by name, and the result."""

    method: str
    name: str
    params: dict[str, Any]
    result: Any


_GREETED: Final = "6f6f2b0e-8d3c-4c67-9d35-2f1c0f1f7c11"
_NIGHTLY: Final = "b3a5c1de-51a5-4f3b-8a0e-0f6f6f4f2a22"
_MESSAGE: Final = {"message": "Hello, Ada!"}
_SNAPSHOT: Final = {
    "execution_id": _NIGHTLY,
    "workflow_id": "nightly",
    "workflow_name": "Nightly count",
    "timestamp": 1_767_225_600_000,
    "seq": 2,
    "steps": {"count": "running"},
}
_GREET_ENTRY: Final = {
    "id": _GREETED,
    "workflow_id": "greet",
    "workflow_name": "Greet somebody",
    "timestamp": 1_767_225_590_000,
    "duration_ms": 26,
    "status": "success",
    "inputs": {"who": "Ada"},
    "outputs": {"hello": {"greeting": "Hello, Ada!"}, "done": _MESSAGE},
    "steps_executed": 2,
    "steps_failed": 0,
}

#: In the order of the session; one for each method.
EXAMPLES: Final = (
    Example(
        "workflow:execute",
        "run a workflow file to its end",
        {
            "workflow": "greet.yaml",
            "inputs": {"who": "Ada"},
            "options": {"execution_id": _GREETED, "deadline_ms": 60_000},
        },
        {
            "execution_id": _GREETED,
            "workflow_id": "greet",
            "status": "success",
            "success": True,
            "outputs": {"hello": {"greeting": "Hello, Ada!"}, "done": _MESSAGE},
            "steps": {
                "hello": {
                    "status": "success",
                    "success": True,
                    "outputs": {"greeting": "Hello, Ada!"},
                    "retry_count": 0,
                    "execution_time_ms": 25,
                },
                "done": {
                    "status": "success",
                    "success": True,
                    "outputs": _MESSAGE,
                    "retry_count": 0,
                    "execution_time_ms": 0,
                },
            },
            "duration_ms": 26,
            "steps_executed": 2,
            "steps_failed": 0,
        },
    ),
    Example(
        "workflow:execution:start",
        "start one and go on",
        {"workflow": "nightly.yaml", "options": {"execution_id": _NIGHTLY}},
        {"execution_id": _NIGHTLY, "workflow_id": "nightly"},
    ),
    Example(
        "workflow:execution:subscribe",
        "hear of every workflow, scripts' stderr included",
        {"workflow_id": "*", "subscriber": "main-window", "include": ["step_output"]},
        {
            "subscribed": True,
            "workflow_id": "*",
            "subscriber": "main-window",
            "active": [_SNAPSHOT],
        },
    ),
    Example("workflow:execution:active", "what runs now", {}, [_SNAPSHOT]),
    Example(
        "workflow:execution:cancel",
        "end it",
        {"execution_id": _NIGHTLY},
        {"cancelled": True},
    ),
    Example(
        "workflow:execution:unsubscribe",
        "hear of nothing any more",
        {"subscriber": "main-window"},
        {"unsubscribed": True},
    ),
    Example(
        "workflow:execution:history",
        "the newest run of a workflow",
        {"workflow_id": "greet", "limit": 1},
        [_GREET_ENTRY],
    ),
    Example(
        "workflow:execution:get",
        "one run with every attempt",
        {"execution_id": _GREETED},
        {
            **_GREET_ENTRY,
            "steps": {
                "hello": {
                    "status": "success",
                    "label": "Say hello",
                    "attempts": [
                        {
                            "attempt": 1,
                            "timestamp": 1_767_225_590_000,
                            "duration_ms": 25,
                            "inputs": {"name": "Ada"},
                            "outputs": {"greeting": "Hello, Ada!"},
                            "stderr": "greeting Ada\n",
                        }
                    ],
                },
                "done": {
                    "status": "success",
                    "label": "done",
                    "attempts": [
                        {
                            "attempt": 1,
                            "timestamp": 1_767_225_590_025,
                            "duration_ms": 0,
                            "inputs": {},
                            "outputs": _MESSAGE,
                        }
                    ],
                },
            },
        },
    ),
    Example(
        "workflow:list",
        "every workflow file of the project",
        {},
        [
            {
                "path": "greet.yaml",
                "workflow_id": "greet",
                "name": "Greet somebody",
                "version": "1.0.0",
                "tags": ["sample"],
                "step_count": 2,
            },
            {
                "path": "nightly.yaml",
                "workflow_id": "nightly",
                "name": "Nightly count",
                "tags": [],
                "step_count": 1,
            },
        ],
    ),
    Example(
        "workflow:load",
        "one workflow file, defaults filled in",
        {"path": "nightly.yaml"},
        {
            "workflow": {"id": "nightly", "name": "Nightly count", "tags": []},
            "inputs": [],
            "steps": [
                {
                    "id": "count",
                    "type": "python",
                    "script": "./count.py",
                    "inputs": {},
                    "depends_on": [],
                    "timeout": 30_000,
                    "env": {},
                }
            ],
        },
    ),
    Example(
        "workflow:validate",
        "every problem of a text",
        {
            "workflow": "workflow: {name: w}\n"
            "steps:\n"
            "  - {id: a, type: python, scirpt: ./hello.py}\n"
        },
        {
            "valid": False,
            "errors": [
                {
                    "line": 3,
                    "column": 27,
                    "field": "steps[0].scirpt",
                    "message": 'unknown key "scirpt" in steps[0]',
                    "severity": "error",
                    "suggestion": "script",
                }
            ],
            "warnings": [],
        },
    ),
    Example(
        "sidecar:info",
        "who answers, and what is in force",
        {},
        {
            "version": "0.1.0",
            "protocol_version": "1.0.0",
            "pid": 4711,
            "project": "/home/ada/project",
            "history": "/home/ada/project/.workflow-sidecar/history.db",
            "history_notices": [],
            "python": {"path": "/usr/bin/python3", "version": "3.12.4", "supported": True},
            "isolation": {"launcher": "spawn"},
            "limits": {"default_timeout_ms": 30_000, "history_per_workflow": 5},
        },
    ),
    Example(
        "workflow:execution:clear",
        "forget the runs of a workflow",
        {"workflow_id": "greet"},
        {"removed": 1},
    ),
    Example(
        "rpc.discover",
        "the document that this example stands in, here cut short",
        {},
        {
            "openrpc": "1.3.2",
            "info": {"title": "workflow-sidecar", "version": "1.0.0"},
            "methods": [],
            "components": {"schemas": {}, "errors": {}},
            "x-notifications": {},
            "x-error-data": {},
        },
    ),
    Example("sidecar:shutdown", "the end", {}, {}),
)
