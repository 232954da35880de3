"""What inputs may be declared, and which values fit them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol.problems import Problem
from protocol.workflow import Workflow, WorkflowInput
from sidecar.engine.inputs import (
    complete_inputs,
    declaration_problems,
    invalid_inputs_message,
    value_from_text,
    value_problem,
)
from sidecar.errors import InvalidInputs
from sidecar.scripts.paths import ProjectRoot


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectRoot]:
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "a.csv").write_text("x")
    (tmp_path / "outside.csv").write_text("x")
    with ProjectRoot(folder) as root:
        yield root


def declared(kind: str, **more: Any) -> WorkflowInput:
    return WorkflowInput.model_validate({"id": "i", "type": kind, **more})


def workflow(*inputs: WorkflowInput) -> Workflow:
    return Workflow.model_validate(
        {
            "workflow": {"name": "W"},
            "inputs": [given.model_dump() for given in inputs],
            "steps": [{"id": "a", "type": "output", "message": "m"}],
        }
    )


def refused(project: ProjectRoot, given: dict[str, Any], *inputs: WorkflowInput) -> list[Problem]:
    with pytest.raises(InvalidInputs) as raised:
        complete_inputs(workflow(*inputs), given, project)
    return raised.value.problems


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", ""),
        ("string", "x"),
        ("number", 0),
        ("number", -1.5),
        ("boolean", False),
        ("file", "a.txt"),
        ("directory", "."),
        ("number", 2**64 - 1),
    ],
)
def test_a_value_of_its_type_fits(kind: str, value: Any) -> None:
    assert value_problem(declared(kind), value, None) is None


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("string", 5, "expected text, got an integer (5)"),
        ("string", None, "expected text, got nothing (null)"),
        ("file", ["a"], 'expected text, got a list (["a"])'),
        ("directory", {}, "expected text, got a mapping ({})"),
        ("number", True, "expected a number, got a boolean (true)"),
        ("number", "5", 'expected a number, got text ("5")'),
        ("number", float("nan"), "expected a finite number, got nan"),
        ("number", float("-inf"), "expected a finite number, got -inf"),
        ("number", 2**64, "the number does not fit into 64 bits"),
        ("boolean", 1, "expected true or false, got an integer (1)"),
        ("boolean", "true", 'expected true or false, got text ("true")'),
    ],
)
def test_a_value_of_another_type_is_told(kind: str, value: Any, problem: str) -> None:
    assert value_problem(declared(kind), value, None) == problem


@pytest.mark.parametrize("kind", ["select", "string"])
def test_a_value_among_the_options_fits(kind: str) -> None:
    assert value_problem(declared(kind, options=["md", "html"]), "html", None) is None


def test_a_value_beside_the_options_is_told_with_what_was_meant() -> None:
    given = declared("select", options=["markdown", "html"])

    assert value_problem(given, "markdwn", None) == (
        'expected one of markdown, html, got "markdwn"; did you mean "markdown"?'
    )
    assert value_problem(given, "zzz", None) == 'expected one of markdown, html, got "zzz"'


def test_many_options_are_cut_short() -> None:
    given = declared("select", options=[f"option {i}" for i in range(5_000)])

    assert "option 9 and 4,990 more, got" in str(value_problem(given, "zzz", None))


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("^[a-z]+$", "abc", True),
        ("^[a-z]+$", "abc1", False),
        ("b", "abc", True),
        ("^.$", "é", True),
        ("^a$", "a\n", False),
        ("", "", True),
        (r"^\d{4}$", "2024", True),
    ],
)
def test_a_pattern_is_searched_for(pattern: str, value: str, fits: bool) -> None:
    problem = value_problem(declared("string", pattern=pattern), value, None)

    assert (problem is None) == fits


def test_a_catastrophic_pattern_takes_no_time() -> None:
    given = declared("string", pattern="^(a+)+$")
    started_s = time.process_time()

    assert "does not match" in str(value_problem(given, "a" * 50_000 + "!", None))
    assert time.process_time() - started_s < 2


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("number", 1, None),
        ("number", 2.5, None),
        ("number", 0.9, "expected at least 1, got 0.9"),
        ("number", 3, "expected at most 2.5, got 3"),
        ("string", "a", None),
        ("string", "", "expected at least 1 characters, got 0"),
        ("string", "abc", "expected at most 2.5 characters, got 3"),
    ],
)
def test_bounds_hold_for_numbers_and_lengths(kind: str, value: Any, problem: str | None) -> None:
    assert value_problem(declared(kind, min=1.0, max=2.5), value, None) == problem


def test_large_bounds_are_written_out() -> None:
    given = declared("number", max=1_234_567.0)

    assert value_problem(given, 1_234_568, None) == "expected at most 1,234,567, got 1,234,568"


def test_a_sound_declaration_has_no_problems() -> None:
    given = declared("string", options=["a"], pattern="a", min=1.0, max=1.0, default="a")

    assert list(declaration_problems(given)) == []


def test_every_key_of_a_declaration_is_judged() -> None:
    given = declared("boolean", options=["a"], pattern="a", min=1.0, max=0.0, default=1)

    assert [key for key, _ in declaration_problems(given)] == ["options", "pattern"]
    given = declared("boolean", options=["a"], min=1.0, max=0.0, default=1)
    assert [key for key, _ in declaration_problems(given)] == [
        *("options", "min", "max", "max", "default")
    ]


def test_given_values_and_defaults_are_put_together(project: ProjectRoot) -> None:
    inputs = (
        declared("string").model_copy(update={"id": "a", "default": "x"}),
        declared("number").model_copy(update={"id": "b", "default": 1}),
        declared("boolean").model_copy(update={"id": "c"}),
        declared("string").model_copy(update={"id": "d", "required": True}),
    )

    assert complete_inputs(workflow(*inputs), {"d": "", "b": 0}, project) == {
        "a": "x",
        "b": 0,
        "d": "",
    }


def test_null_counts_as_not_given(project: ProjectRoot) -> None:
    assert complete_inputs(workflow(declared("string", default="x")), {"i": None}, project) == {
        "i": "x"
    }


def test_a_required_input_must_be_given(project: ProjectRoot) -> None:
    (problem,) = refused(project, {}, declared("file", required=True))

    assert (problem.field, problem.message) == ("i", "required, but not given (type file)")


def test_every_problem_is_told_at_once(project: ProjectRoot) -> None:
    inputs = (declared("number"), declared("string", required=True).model_copy(update={"id": "s"}))

    assert [problem.field for problem in refused(project, {"x": 1, "i": "a"}, *inputs)] == [
        *("x", "i", "s")
    ]


def test_an_unknown_input_is_told_with_what_was_meant(project: ProjectRoot) -> None:
    given = declared("string").model_copy(update={"id": "folder"})
    (problem,) = refused(project, {"foldr": "x"}, given)

    assert problem.text() == (
        'unknown input "foldr"; the workflow declares: folder; did you mean "folder"?'
    )


def test_a_workflow_without_inputs_says_so(project: ProjectRoot) -> None:
    (problem,) = refused(project, {"x": 1})

    assert problem.message == 'unknown input "x"; the workflow declares: none'


def test_thousands_of_unknown_inputs_are_told_quickly_and_briefly(project: ProjectRoot) -> None:
    many = [declared("string").model_copy(update={"id": f"known_{i}"}) for i in range(2_000)]
    started_s = time.process_time()
    problems = refused(project, {f"unknown_{i}": 1 for i in range(5_000)}, *many)

    assert len(problems) == 5_000
    assert invalid_inputs_message(problems).endswith("; and 4,990 more")
    assert time.process_time() - started_s < 10


def test_a_long_name_is_cut_short(project: ProjectRoot) -> None:
    problems = refused(project, {"x" * 100_000: 1})

    assert len(invalid_inputs_message(problems)) < 300


@pytest.mark.parametrize("value", ["hunter2hunter2", ["hunter2hunter2"]])
def test_the_value_of_a_secret_stands_in_no_message(project: ProjectRoot, value: Any) -> None:
    given = declared("string", secret=True, pattern="^[0-9]+$")
    with pytest.raises(InvalidInputs) as raised:
        complete_inputs(workflow(given), {"i": value}, project)

    said = raised.value.message + json.dumps([p.model_dump() for p in raised.value.problems])
    assert "hunter2" not in said
    assert "the value does not fit the declaration (type string)" in said


def test_the_default_of_a_secret_stands_in_no_message() -> None:
    given = declared("string", secret=True, pattern="^a", default="hunter2hunter2")

    assert list(declaration_problems(given)) == [
        ("default", "the default does not fit: its value is not what the declaration asks for")
    ]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("file", "data/a.csv"),
        ("file", "data/new.csv"),
        ("file", "./data/../data/a.csv"),
        ("directory", "data"),
        ("directory", "."),
        ("directory", "new/folder"),
    ],
)
def test_paths_inside_the_project_fit(project: ProjectRoot, kind: str, value: str) -> None:
    assert complete_inputs(workflow(declared(kind)), {"i": value}, project) == {"i": value}


def test_an_absolute_path_inside_the_project_fits(project: ProjectRoot) -> None:
    path = str(project.path / "data" / "a.csv")

    assert complete_inputs(workflow(declared("file")), {"i": path}, project) == {"i": path}


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("file", "../outside.csv", "File path outside project directory"),
        ("directory", "..", "Directory path outside project directory"),
        ("file", "/etc/passwd", "File path outside project directory"),
        ("file", "data", 'File is a directory, not a file: "data"'),
        ("directory", "data/a.csv", 'Directory is not a directory: "data/a.csv"'),
        ("file", "", "File path is empty"),
    ],
)
def test_other_paths_are_refused(project: ProjectRoot, kind: str, value: str, message: str) -> None:
    (problem,) = refused(project, {"i": value}, declared(kind))

    assert problem.message == message


def test_a_default_is_held_to_the_boundary_too(project: ProjectRoot) -> None:
    (problem,) = refused(project, {}, declared("file", default="../outside.csv"))

    assert problem.message == "File path outside project directory"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "5", "5"),
        ("select", "true", "true"),
        ("file", "1.txt", "1.txt"),
        ("boolean", "true", True),
        ("boolean", "False", False),
        ("boolean", "yes", "yes"),
        ("number", "5", 5),
        ("number", "-2.5", -2.5),
        ("number", "1e3", 1000.0),
        ("number", "010", 10),
        ("number", "five", "five"),
        ("number", "nan", "nan"),
        ("number", ".inf", ".inf"),
        ("number", "1_000", "1_000"),
        ("number", "", ""),
        ("number", "true", "true"),
        ("number", "9" * 5_000, "9" * 5_000),
    ],
)
def test_a_text_of_the_command_line_means_what_the_type_says(
    kind: str, text: str, value: Any
) -> None:
    found = value_from_text(declared(kind), text)

    assert found == value
    assert type(found) is type(value)


def test_a_text_for_an_unknown_input_stays_text() -> None:
    assert value_from_text(None, "5") == "5"
