"""`validate`: one line a problem."""

from pathlib import Path

from tests.unit.sidecar.cli.conftest import Cli, Project, output_step, script_step

BROKEN = "workflow: {name: W}\nsteps:\n  - {id: a, type: output, massage: x, message: x}\n"
ITS_LINE = 'broken.yaml:3:27: error: unknown key "massage" in steps[0]; did you mean "message"?'


def test_valid_files_print_nothing_on_stdout(cli: Cli, project: Project) -> None:
    assert cli("validate", "greet.yaml") == (0, "", "1 of 1 workflow valid\n")


def test_every_problem_of_every_file_is_a_line_with_its_place(cli: Cli, project: Project) -> None:
    project.write("broken.yaml", BROKEN)
    project.write("yaml.yaml", "workflow: [\n")
    status, out, err = cli("validate", "broken.yaml", "greet.yaml", "yaml.yaml")
    lines = out.splitlines()
    assert (status, err) == (1, "1 of 3 workflows valid\n")
    assert lines[0] == ITS_LINE
    assert [line.split(": ")[:2] for line in lines[1:]] == [["yaml.yaml:2:1", "error"]]


def test_files_that_cannot_be_read_are_problems_too(cli: Cli, project: Project) -> None:
    status, out, _ = cli("validate", "gret.yaml", ".", "")
    assert status == 1
    assert out.splitlines() == [
        'gret.yaml:1:1: error: Workflow not found: "gret.yaml"; did you mean greet.yaml?',
        ".:1:1: error: . is a folder, not a workflow file; did you mean one of greet.yaml in it?",
        ":1:1: error: the workflow's path is empty",
    ]


def test_a_file_elsewhere_is_judged_in_its_own_folder(
    cli: Cli, project: Project, tmp_path: Path
) -> None:
    project.write("../other/x.py", "")
    project.workflow("../other/w", script_step("x"))
    typed = str(tmp_path / "other" / "w.yaml")
    assert cli("validate", typed).status == 0


def test_warnings_leave_a_workflow_valid(cli: Cli, project: Project) -> None:
    project.workflow("w", script_step("gone"), output_step("b", "${env.HOME}"))
    status, out, _ = cli("validate", "w.yaml")
    assert status == 0
    assert [line.split(": ")[1] for line in out.splitlines()] == ["warning", "warning"]
