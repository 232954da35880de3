"""The methods of the wire: names, and params in their order and with their defaults."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined

from protocol import errors
from protocol.methods import CANCEL_NOTIFICATION, METHODS
from protocol.params import (
    CancelRequestParams,
    ExecuteParams,
    ExecutionOptions,
    HistoryParams,
    LoadParams,
    SubscribeParams,
    ValidateParams,
)

NEEDED = PydanticUndefined

#: Each param by position, with its default.
PARAMS: dict[str, list[tuple[str, Any]]] = {
    "workflow:execution:subscribe": [("workflow_id", "*"), ("subscriber", ""), ("include", [])],
    "workflow:execution:unsubscribe": [("workflow_id", None), ("subscriber", "")],
    "workflow:execution:history": [("workflow_id", NEEDED), ("limit", 5)],
    "workflow:execute": [("workflow", NEEDED), ("inputs", {}), ("options", ExecutionOptions())],
    "workflow:execution:start": [
        ("workflow", NEEDED),
        ("inputs", {}),
        ("options", ExecutionOptions()),
    ],
    "workflow:execution:cancel": [("execution_id", NEEDED)],
    "workflow:execution:get": [("execution_id", NEEDED)],
    "workflow:execution:active": [],
    "workflow:execution:clear": [("workflow_id", None)],
    "workflow:list": [],
    "workflow:load": [("path", NEEDED)],
    "workflow:validate": [("workflow", NEEDED)],
    "sidecar:info": [],
    "sidecar:shutdown": [],
    "rpc.discover": [],
}


def test_every_method_is_there_and_no_other() -> None:
    assert set(METHODS) == set(PARAMS)


@pytest.mark.parametrize("name", PARAMS)
def test_params_come_in_the_order_of_the_table(name: str) -> None:
    fields = METHODS[name].params.model_fields

    assert [(field, info.default) for field, info in fields.items()] == PARAMS[name]


@pytest.mark.parametrize("name", PARAMS)
def test_every_method_says_what_it_answers(name: str) -> None:
    method = METHODS[name]

    assert method.name == name
    assert method.summary
    TypeAdapter(method.result).json_schema()
    assert set(method.errors) <= set(errors.WIRE_ERRORS)


@pytest.mark.parametrize("name", PARAMS)
def test_unknown_params_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        METHODS[name].params.model_validate({"__proto__": 1})


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        METHODS["x"] = METHODS["rpc.discover"]  # type: ignore[index]


@pytest.mark.parametrize("workflow", ["a.yaml", {}, {"workflow": {}}, "a: 1\nb: 2"])
def test_a_workflow_is_a_path_or_an_object(workflow: Any) -> None:
    assert ExecuteParams.model_validate({"workflow": workflow}).workflow == workflow
    assert ValidateParams.model_validate({"workflow": workflow}).workflow == workflow


@pytest.mark.parametrize(
    ("workflow", "got"),
    [("", "empty text"), (None, "null"), (5, "an integer"), ([], "a list"), (True, "a boolean")],
)
def test_anything_else_is_told_once(workflow: Any, got: str) -> None:
    with pytest.raises(ValidationError) as raised:
        ExecuteParams.model_validate({"workflow": workflow})

    assert [error["msg"] for error in raised.value.errors()] == [
        f"expected a path or an object, got {got}"
    ]


@pytest.mark.parametrize(
    ("model", "params"),
    [
        (HistoryParams, {"workflow_id": "a", "limit": -1}),
        (HistoryParams, {"workflow_id": "a", "limit": "5"}),
        (HistoryParams, {"workflow_id": "a", "limit": True}),
        (SubscribeParams, {"include": ["step_started"]}),
        (SubscribeParams, {"workflow_id": None}),
        (LoadParams, {"path": ""}),
        (ExecuteParams, {"workflow": "a", "inputs": []}),
        (ExecuteParams, {"workflow": "a", "options": {"deadline_ms": 0}}),
        (ExecuteParams, {"workflow": "a", "options": {"unknown": 0}}),
    ],
)
def test_params_are_neither_converted_nor_out_of_bounds(model: Any, params: Any) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(params)


@pytest.mark.parametrize("request_id", [0, "", 1.5, None, 2**63])
def test_a_request_of_any_id_can_be_cancelled(request_id: Any) -> None:
    assert CANCEL_NOTIFICATION == "$/cancelRequest"
    assert CancelRequestParams.model_validate({"id": request_id}).id == request_id
