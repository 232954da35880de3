"""The machine-readable contract, held against a real daemon.

The examples of the OpenRPC document are one session; here it takes place, and what the daemon
answers and tells must be what the document says.
"""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from protocol.events import EVENT_NOTIFICATION
from protocol.examples import EXAMPLES
from tests.integration.driver import PATIENCE_S, Driver

GREET = """\
workflow: {id: greet, name: Greet somebody, version: "1.0.0", tags: [sample]}
inputs:
  - {id: who, type: string, default: world}
steps:
  - id: hello
    type: python
    label: Say hello
    script: ./hello.py
    inputs: {name: "${workflow.inputs.who}"}
  - {id: done, type: output, message: "${steps.hello.outputs.greeting}"}
"""
HELLO = """\
import json, sys

inputs = json.load(sys.stdin)
print("greeting", inputs["name"], file=sys.stderr)
print(json.dumps({"greeting": f"Hello, {inputs['name']}!"}))
"""
NIGHTLY = """\
workflow: {id: nightly, name: Nightly count}
steps:
  - {id: count, type: python, script: ./count.py}
"""
HANG = "import time\nwhile True: time.sleep(1)\n"
#: Objects whose keys depend on the machine, or that the example cuts short.
OPEN = ("isolation", "limits", "info", "methods", "components", "x-notifications", "x-error-data")


@pytest.fixture
def daemon(tmp_path: Path) -> Any:
    files = {"greet.yaml": GREET, "hello.py": HELLO, "nightly.yaml": NIGHTLY, "count.py": HANG}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with Driver(tmp_path) as driver:
        yield driver


def problems(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    whole = {"components": document["components"], "allOf": [schema]}
    return [error.message for error in jsonschema.Draft7Validator(whole).iter_errors(value)]


def shape(value: Any) -> Any:
    """Keys and types, with no values."""
    if isinstance(value, dict):
        return {
            key: type(member).__name__ if key in OPEN else shape(member)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [shape(member) for member in value]
    return type(value).__name__


@pytest.mark.parametrize("by", ["name", "position"])
def test_the_session_of_the_examples_takes_place(daemon: Driver, by: str) -> None:
    document = daemon.call("rpc.discover")
    methods = {method["name"]: method for method in document["methods"]}
    for example in EXAMPLES:
        method = methods[example.method]
        params: Any = example.params
        names = [param["name"] for param in method["params"]]
        if by == "position" and names[: len(params)] == list(params):
            params = list(params.values())
        result = daemon.call(example.method, params)
        assert problems(document, method["result"]["schema"], result) == [], example.method
        assert problems(document, method["result"]["schema"], example.result) == []
        assert shape(result) == shape(example.result), example.method
    assert daemon.wait(PATIENCE_S) == 0


def test_every_event_is_as_described(daemon: Driver) -> None:
    schema = daemon.call("rpc.discover")
    event_schema = schema["x-notifications"][EVENT_NOTIFICATION]["params"]
    daemon.call("workflow:execution:subscribe", {"include": ["step_output", "step_skipped"]})
    daemon.call("workflow:execute", {"workflow": "greet.yaml"})
    fails = {"id": "a", "type": "python", "script": "./missing.py"}
    skipped = {"id": "b", "type": "output", "message": "never", "depends_on": ["a"]}
    failing = {"workflow": {"name": "failing"}, "steps": [fails, skipped]}
    daemon.call("workflow:execute", {"workflow": failing})

    assert {event["event_type"] for event in daemon.events} == {
        "workflow_started",
        "step_started",
        "step_output",
        "step_completed",
        "step_failed",
        "step_skipped",
        "workflow_completed",
        "workflow_failed",
    }
    assert [problems(schema, event_schema, event) for event in daemon.events] == [
        [] for _ in daemon.events
    ]


@pytest.mark.parametrize(
    ("method", "params", "error_type"),
    [
        ("workflow:nothing", {}, "MethodNotFound"),
        ("workflow:execution:history", {"limit": -1}, "InvalidParams"),
        ("workflow:execute", ["greet.yaml", {}, {"execution_id": "mine"}], "InvalidParams"),
        ("workflow:execute", {"workflow": "none.yaml"}, "WorkflowNotFound"),
        ("workflow:execute", {"workflow": {"steps": []}}, "WorkflowInvalid"),
        ("workflow:execute", ["greet.yaml", {"whom": 1}], "InvalidInputs"),
        ("workflow:execution:cancel", ["none"], "ExecutionNotFound"),
    ],
)
def test_every_error_is_as_described(
    daemon: Driver, method: str, params: Any, error_type: str
) -> None:
    document = daemon.call("rpc.discover")
    error = daemon.error(method, params)

    assert error["data"]["type"] == error_type
    assert error["code"] == document["components"]["errors"][error_type]["code"]
    assert problems(document, document["x-error-data"][error_type], error["data"]) == []
    listed = [m["errors"] for m in document["methods"] if m["name"] == method]
    assert not listed or {"$ref": f"#/components/errors/{error_type}"} in listed[0]
