"""What a workflow's parts must satisfy together; the messages are in the malformed table."""

from typing import Any

import pytest

from sidecar.engine.access import MachineAccess
from sidecar.engine.checks import Findings, check, entries


def python(step_id: str, **more: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "python", "script": "a.py", **more}


def found(
    *steps: Any, inputs: Any = (), access: MachineAccess | None = None, **more: Any
) -> Findings:
    data = {"inputs": list(inputs), "steps": list(steps), **more}
    return check(data, access or MachineAccess())


def fields(findings: Findings) -> list[str]:
    return [problem.field for _, _, problem in findings.problems]


def test_references_and_depends_on_make_the_order() -> None:
    findings = found(
        python("c", inputs={"x": ["${steps.b.outputs.v}"]}),
        python("b", env={"A": "${steps.a.outputs.v}"}),
        {"id": "d", "type": "output", "message": "${steps.c.outputs}"},
        python("a"),
        python("first", depends_on=[]),
    )

    assert findings.problems == []
    assert findings.plan is not None
    assert findings.plan.order == ("a", "b", "c", "d", "first")
    assert findings.plan.dependencies["d"] == {"c"}


def test_what_the_run_will_need_is_noted_with_its_first_use() -> None:
    findings = found(
        python("a", inputs={"x": "${workflow.inputs.i}", "y": "${env.HOME}${workflow.inputs.i}"}),
        python("b", env={"Z": "${env.HOME}"}),
        inputs=[{"id": "i", "type": "string", "default": "x"}],
        access=MachineAccess(frozenset({"HOME"}), {"HOME": "/h"}),
    )

    assert findings.problems == []
    assert findings.input_uses == {"i": "steps[0].inputs.x"}
    assert findings.env_uses == {"HOME": "steps[0].inputs.y"}


@pytest.mark.parametrize("inputs", ["text", {"a": 1}, 5])
@pytest.mark.parametrize("steps", ["text", {"a": 1}, 5, None, [None, 1, "a", []]])
def test_nothing_of_the_wrong_shape_is_a_surprise(inputs: Any, steps: Any) -> None:
    findings = check({"inputs": inputs, "steps": steps, "ui_metadata": 1}, MachineAccess())

    assert findings.problems == []


@pytest.mark.parametrize("wrong", [5, None, [5], {"a": {"b": [None]}}, True])
def test_nothing_inside_a_step_is_a_surprise(wrong: Any) -> None:
    keys = ("type", "script", "inputs", "env", "depends_on", "outputs", "label", "message")
    for key in ("id", *keys):
        found(python("a") | {key: wrong}, python("b", inputs={"x": "${steps.a.outputs.v}"}))


def test_without_a_declaration_any_output_may_be_named() -> None:
    assert found(python("a"), python("b", inputs={"x": "${steps.a.outputs.v[0].w}"})).problems == []
    assert (
        found(
            python("a", outputs=["v"]), python("b", inputs={"x": "${steps.a.outputs.v[0].w}"})
        ).problems
        == []
    )


def test_a_step_without_id_is_still_checked() -> None:
    step = python("a", inputs={"x": "${steps.z.outputs.v}"}, depends_on=["y", "b"])
    del step["id"]

    assert fields(found(step, python("b"))) == ["steps[0].depends_on[0]", "steps[0].inputs.x"]


def test_the_first_of_two_steps_with_one_id_counts() -> None:
    findings = found(python("a"), python("b", depends_on=["a"]), python("a", depends_on=["b"]))

    assert fields(findings) == ["steps[2].id"]


def test_no_plan_comes_with_a_cycle() -> None:
    findings = found(python("a", depends_on=["b"]), python("b", depends_on=["a"]), python("c"))

    assert findings.plan is None
    assert fields(findings) == ["steps[0].depends_on[0]"]


def test_of_many_cycles_ten_are_told() -> None:
    pairs = [
        python(f"{side}{i}", depends_on=[f"{other}{i}"])
        for i in range(30)
        for side, other in (("a", "b"), ("b", "a"))
    ]
    findings = found(*pairs)

    assert findings.plan is None
    assert len(findings.problems) == 10


def test_suggestions_end_after_a_hundred() -> None:
    findings = found(python("step"), *(python(f"s{i}", depends_on=["stp"]) for i in range(150)))

    assert len(findings.problems) == 150
    assert sum(problem.suggestion == "step" for _, _, problem in findings.problems) == 100


def test_a_refused_variable_is_told_at_its_key() -> None:
    ((path, is_key, _),) = found(python("a", env={"PATH": "x"})).problems

    assert path == ("steps", 0, "env", "PATH")
    assert is_key


def test_entries_are_the_mappings_of_a_list_with_their_index() -> None:
    assert entries([1, {"a": 1}, None, {}]) == [(1, {"a": 1}), (3, {})]
    assert entries({"a": 1}) == []
