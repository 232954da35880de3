"""The OpenRPC document: every method, error and notification, described by sound schemas."""

from typing import Any

import jsonschema
import orjson
import pytest

from protocol import PROTOCOL_VERSION
from protocol.errors import WIRE_ERRORS
from protocol.events import EVENT_NOTIFICATION
from protocol.examples import EXAMPLES, Example
from protocol.methods import CANCEL_NOTIFICATION, METHODS
from protocol.openrpc import openrpc
from tests.unit.protocol.test_events import EVENTS, event

DOCUMENT = openrpc()
OF = {method["name"]: method for method in DOCUMENT["methods"]}


def errors_in(schema: dict[str, Any], value: Any) -> list[str]:
    """What jsonschema finds wrong with a value; the document's components are at hand."""
    whole = {"components": DOCUMENT["components"], "allOf": [schema]}
    return [error.message for error in jsonschema.Draft7Validator(whole).iter_errors(value)]


def schemas() -> dict[str, Any]:
    named: dict[str, Any] = dict(DOCUMENT["components"]["schemas"])
    for method in DOCUMENT["methods"]:
        named[f"{method['name']} result"] = method["result"]["schema"]
        for param in method["params"]:
            named[f"{method['name']} {param['name']}"] = param["schema"]
    for name, schema in DOCUMENT["x-error-data"].items():
        named[f"{name} data"] = schema
    return named


def test_every_method_stands_there_with_its_params_in_order() -> None:
    assert list(OF) == list(METHODS)
    for name, method in OF.items():
        assert [p["name"] for p in method["params"]] == list(METHODS[name].params.model_fields)
        assert method["summary"]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_lists_its_errors_and_those_of_all_methods(name: str) -> None:
    listed = {error["$ref"].removeprefix("#/components/errors/") for error in OF[name]["errors"]}
    own = {error.type for error in METHODS[name].errors}

    assert listed == own | {"InvalidParams", "InternalError", "RequestCancelled"}


def test_every_error_has_its_code_and_its_data() -> None:
    assert {name: error["code"] for name, error in DOCUMENT["components"]["errors"].items()} == {
        error.type: error.code for error in WIRE_ERRORS
    }
    for name, schema in DOCUMENT["x-error-data"].items():
        assert errors_in(schema, {"type": "Other"})
        assert schema["properties"]["type"]["const"] == name


@pytest.mark.parametrize("name", schemas())
def test_every_schema_is_draft_07(name: str) -> None:
    schema = schemas()[name]

    jsonschema.Draft7Validator.check_schema(schema)
    assert b'"$defs"' not in orjson.dumps(schema)
    assert b'"x-model"' not in orjson.dumps(schema)


def test_every_schema_that_is_referred_to_is_there_and_no_other() -> None:
    text = orjson.dumps(DOCUMENT).decode()
    referred = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}

    assert referred == set(DOCUMENT["components"]["schemas"])


def test_every_field_is_described() -> None:
    undescribed = [
        f"{name}.{field}"
        for name, schema in schemas().items()
        for field, member in schema.get("properties", {}).items()
        if not member.get("description") and field not in ("event_type", "data")
    ]

    assert undescribed == []


def test_what_may_be_left_out_of_params_is_always_in_a_result_or_null() -> None:
    named = DOCUMENT["components"]["schemas"]

    assert "required" not in named["RetryPolicyDraft"]
    assert set(named["RetryPolicy"]["required"]) == {
        "max_attempts",
        "initial_delay_ms",
        "backoff_multiplier",
        "max_delay_ms",
    }
    assert {"type": "null"} in named["WorkflowInfoDraft"]["properties"]["author"]["anyOf"]
    assert named["WorkflowInfo"]["properties"]["author"]["type"] == "string"
    # A null that must be there stays.
    assert {"type": "null"} in named["PythonInfo"]["properties"]["path"]["anyOf"]


def test_the_document_names_its_versions() -> None:
    assert DOCUMENT["openrpc"] == "1.3.2"
    assert DOCUMENT["info"]["version"] == PROTOCOL_VERSION


def test_both_notifications_are_described() -> None:
    notifications = DOCUMENT["x-notifications"]
    cancel, event_schema = (
        notifications[name]["params"] for name in (CANCEL_NOTIFICATION, EVENT_NOTIFICATION)
    )

    assert notifications[CANCEL_NOTIFICATION]["sender"] == "client"
    assert notifications[EVENT_NOTIFICATION]["sender"] == "sidecar"
    assert [errors_in(cancel, {"id": value}) for value in (1, "a", None, 1.5)] == [[]] * 4
    assert errors_in(cancel, {"id": []})
    for event_type, (data, _) in EVENTS.items():
        assert errors_in(event_schema, event(event_type, data)) == []
        assert errors_in(event_schema, event(event_type, {**data, "extra": 1}))


def test_every_method_has_one_example() -> None:
    assert sorted(example.method for example in EXAMPLES) == sorted(METHODS)
    assert all(len(method["examples"]) == 1 for method in DOCUMENT["methods"])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.method)
def test_every_example_fits_its_method(example: Example) -> None:
    METHODS[example.method].params.model_validate(example.params)
    method = OF[example.method]
    members = {param["name"]: param["schema"] for param in method["params"]}

    assert [errors_in(members[name], value) for name, value in example.params.items()] == [
        [] for _ in example.params
    ]
    assert errors_in(method["result"]["schema"], example.result) == []
    assert method["examples"] == [
        {
            "name": example.name,
            "params": [{"name": name, "value": value} for name, value in example.params.items()],
            "result": {"name": "result", "value": example.result},
        }
    ]
