"""Every problem of a workflow, those of its paths included."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli.workflow_argument import problem_line
from sidecar.engine import validation
from sidecar.engine.access import MachineAccess
from sidecar.errors import WorkflowInvalid, WorkflowNotFound
from sidecar.scripts.paths import ProjectRoot

NOTHING = MachineAccess()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectRoot]:
    folder = tmp_path / "project"
    (folder / "scripts").mkdir(parents=True)
    (folder / "scripts" / "a.py").write_text("")
    (tmp_path / "evil.py").write_text("")
    with ProjectRoot(folder) as root:
        yield root


def workflow(*scripts: str) -> str:
    steps = "".join(
        f"  - {{id: s{i}, type: python, script: '{script}'}}\n" for i, script in enumerate(scripts)
    )
    return f"workflow: {{name: W}}\nsteps:\n{steps}"


def lines(project: ProjectRoot, given: str | dict[str, Any]) -> list[str]:
    return [problem_line("w", p) for p in validation.validate(project, given, NOTHING)]


def test_a_workflow_whose_scripts_are_there_has_no_problems(project: ProjectRoot) -> None:
    assert lines(project, workflow("scripts/a.py", "./scripts/a.py")) == []


@pytest.mark.parametrize("script", ["../evil.py", "/etc/passwd", "C:/x.py", "a/../../evil.py"])
def test_a_script_outside_is_an_error_at_its_place(project: ProjectRoot, script: str) -> None:
    assert lines(project, workflow("scripts/a.py", script)) == [
        "w:4:36: error: Script path outside project directory"
    ]


def test_a_link_that_leads_outside_is_an_error(project: ProjectRoot, tmp_path: Path) -> None:
    (project.path / "link.py").symlink_to(tmp_path / "evil.py")

    assert lines(project, workflow("link.py")) == [
        "w:3:36: error: Script path outside project directory"
    ]


def test_a_folder_as_script_is_an_error(project: ProjectRoot) -> None:
    assert lines(project, workflow("scripts")) == [
        'w:3:36: error: Script is a directory, not a file: "scripts"'
    ]


def test_a_missing_script_is_a_warning(project: ProjectRoot) -> None:
    assert lines(project, workflow("scripts/b.py")) == [
        'w:3:36: warning: Script not found: "scripts/b.py"'
    ]


def test_a_default_outside_is_an_error(project: ProjectRoot) -> None:
    inputs = (
        "inputs:\n"
        "  - {id: a, type: file, default: ../evil.py}\n"
        "  - {id: b, type: directory, default: scripts/a.py}\n"
        "  - {id: c, type: directory, default: later}\n"
        "  - {id: d, type: string, default: ../evil.py}\n"
    )

    assert lines(project, workflow("scripts/a.py").replace("steps:", inputs + "steps:")) == [
        "w:3:34: error: the default does not fit: File path outside project directory",
        'w:4:39: error: the default does not fit: Directory is not a directory: "scripts/a.py"',
    ]


def test_paths_are_told_together_with_everything_else(project: ProjectRoot) -> None:
    text = workflow("../evil.py", "") + "extra: 1\n"

    assert lines(project, text) == [
        "w:3:36: error: Script path outside project directory",
        "w:4:36: error: must not be empty",
        'w:5:1: error: unknown key "extra"; the keys are workflow, inputs, steps, ui_metadata',
    ]


def test_a_reference_as_script_is_told_once(project: ProjectRoot) -> None:
    assert len(lines(project, workflow("../${workflow.inputs.x}"))) == 1


def test_an_output_step_has_no_script_to_look_for(project: ProjectRoot) -> None:
    step = {"id": "a", "type": "output", "message": "m"}

    assert lines(project, {"workflow": {"name": "W"}, "steps": [step]}) == []


def test_an_object_is_validated_like_a_text(project: ProjectRoot) -> None:
    step = {"id": "a", "type": "python", "script": "../evil.py"}
    (problem,) = validation.validate(project, {"workflow": {"name": "W"}, "steps": [step]}, NOTHING)

    assert (problem.field, problem.message) == (
        "steps[0].script",
        "Script path outside project directory",
    )
    assert lines(project, {"workflow": {"name": "W"}, "steps": [{**step, "script": "b.py"}]}) == [
        'w:1:1: warning: Script not found: "b.py"'
    ]


@pytest.mark.parametrize(
    "text",
    ["workflow: [", "{workflow: {name: W}}", '{"workflow":{"name":"W"}}', "steps:", "name: W"],
)
def test_a_text_of_one_line_that_holds_a_key_is_no_path(project: ProjectRoot, text: str) -> None:
    assert any(": error: " in line for line in lines(project, text))


def test_a_path_is_read_from_the_project(project: ProjectRoot) -> None:
    (project.path / "w.yaml").write_text(workflow("../evil.py"))

    assert lines(project, "w.yaml") == ["w:3:36: error: Script path outside project directory"]
    assert len(validation.validate_file(project, "w.yaml", NOTHING)) == 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none.yaml", 'Workflow not found: "none.yaml"'),
        ("../w.yaml", "Workflow path outside project directory"),
        ("/w.yaml", "Workflow path outside project directory"),
        ("scripts", 'Workflow is a directory, not a file: "scripts"'),
        ("", "Workflow path is empty"),
    ],
)
def test_a_path_that_is_no_file_of_the_project_is_told(
    project: ProjectRoot, path: str, message: str
) -> None:
    with pytest.raises(WorkflowNotFound) as raised:
        validation.validate(project, path, NOTHING)

    assert raised.value.message == message


def test_a_file_loads_whatever_its_scripts_are(project: ProjectRoot) -> None:
    (project.path / "w.yaml").write_text(workflow("../evil.py"))

    assert validation.load_file(project, "w.yaml", NOTHING).plan.order == ("s0",)


def test_a_broken_file_does_not_load(project: ProjectRoot) -> None:
    (project.path / "w.yaml").write_text("workflow: {}\n")

    with pytest.raises(WorkflowInvalid):
        validation.load_file(project, "w.yaml", NOTHING)
