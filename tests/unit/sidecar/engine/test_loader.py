"""Loading workflows given as objects; texts are in the table of malformed workflows."""

from typing import Any

import pytest

from protocol import limits
from sidecar.engine import loader
from sidecar.engine.access import MachineAccess
from sidecar.errors import WorkflowInvalid

NOTHING = MachineAccess()


def workflow(**more: Any) -> dict[str, Any]:
    step = {"id": "a", "type": "python", "script": "a.py"}
    return {"workflow": {"name": "W"}, "steps": [step], **more}


def with_value(value: Any) -> dict[str, Any]:
    data = workflow()
    data["steps"][0]["inputs"] = {"x": value}
    return data


def refused(data: Any) -> WorkflowInvalid:
    with pytest.raises(WorkflowInvalid) as raised:
        loader.load_object(data, NOTHING)
    return raised.value


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_an_object_becomes_a_workflow_with_its_plan() -> None:
    loaded = loader.load_object(workflow(), NOTHING)

    assert loaded.workflow.workflow_id == "W"
    assert loaded.plan.order == ("a",)
    assert loaded.warnings == []


def test_a_workflow_is_kept_under_its_id_if_it_has_one() -> None:
    loaded = loader.load_object(workflow(workflow={"name": "W", "id": "w-1"}), NOTHING)

    assert loaded.workflow.workflow_id == "w-1"


def test_later_changes_of_the_object_change_nothing() -> None:
    data = with_value([1])
    loaded = loader.load_object(data, NOTHING)
    data["steps"][0]["inputs"]["x"].append(2)

    assert loaded.workflow.steps[0].inputs == {"x": [1]}  # type: ignore[union-attr]


@pytest.mark.parametrize("data", [None, 5, "text", [], [workflow()], True])
def test_what_is_no_mapping_is_refused(data: Any) -> None:
    (problem,) = refused(data).problems

    assert problem.message.startswith("expected a mapping with workflow and steps, got ")
    assert (problem.line, problem.column, problem.field) == (None, None, "")


@pytest.mark.parametrize("value", [object(), {1: 2}, 2**64, b"bytes", "\ud800", {"\ud800": 1}])
def test_what_is_no_json_is_refused(value: Any) -> None:
    (problem,) = refused(with_value(value)).problems

    assert problem.message.startswith("not a JSON value: ")


@pytest.mark.parametrize(
    ("value", "field", "reason"),
    [
        ([1, {"n": 2**64}], "[1].n", "the number does not fit into 64 bits; give it as text"),
        (-(2**63) - 1, "", "the number does not fit into 64 bits; give it as text"),
        ({"a": {1: 2}}, ".a", "the key 1 is no text"),
        ([True, "\ud800"], "[1]", "str is not valid UTF-8: surrogates not allowed"),
    ],
)
def test_what_is_no_json_is_named_with_its_place(value: Any, field: str, reason: str) -> None:
    (problem,) = refused(with_value(value)).problems

    assert problem.field == f"steps[0].inputs.x{field}"
    assert problem.message == f"not a JSON value: {reason}"


def test_nesting_is_bounded_as_in_a_file() -> None:
    around = 4  # the root, steps, the step, its inputs

    loader.load_object(with_value(nested(limits.MAX_YAML_DEPTH - around)), NOTHING)
    for levels in (limits.MAX_YAML_DEPTH - around + 1, 100_000):
        (problem,) = refused(with_value(nested(levels))).problems
        assert problem.message == "nested deeper than 64 levels"


def test_size_is_bounded_as_in_a_file() -> None:
    (problem,) = refused(with_value("x" * limits.MAX_WORKFLOW_FILE_BYTES)).problems

    assert problem.message.endswith(" bytes as JSON; at most 8,388,608 are read")


def test_every_problem_of_an_object_names_its_field() -> None:
    data = workflow(extra=1)
    data["steps"][0] |= {"timeout": 0, "depends_on": ["b"]}
    error = refused(data)

    assert [problem.field for problem in error.problems] == [
        *("steps[0].timeout", "extra", "steps[0].depends_on[0]")
    ]
    assert error.message == (
        "Invalid workflow: steps[0].timeout: expected at least 1 (milliseconds), got 0 (and 2 more)"
    )


def test_the_first_error_of_a_text_stands_in_the_message_with_its_place() -> None:
    with pytest.raises(WorkflowInvalid) as raised:
        loader.load_text("workflow: {name: W, id: 5}\nsteps: [{}]\n", NOTHING)

    assert raised.value.message == (
        "Invalid workflow: line 1, column 25: expected text, got an integer (5); "
        'put it in quotes; did you mean "5"? (and 3 more)'
    )


def test_a_warning_alone_does_not_keep_a_workflow_from_running() -> None:
    position = {"x": 1, "y": 2}
    loaded = loader.load_object(
        workflow(ui_metadata={"nodes": [{"id": "z", "position": position}]}), NOTHING
    )

    assert [problem.severity for problem in loaded.warnings] == ["warning"]


def test_warnings_come_along_with_errors() -> None:
    error = refused(workflow(ui_metadata={"nodes": [{"id": "z"}]}))

    assert {problem.severity for problem in error.problems} == {"error", "warning"}


def test_the_data_given_is_not_changed() -> None:
    data = workflow()
    data["steps"][0]["type"] = "pyton"
    refused(data)

    assert data["steps"][0]["type"] == "pyton"
