"""`run`, in this process: inputs, exit status, what is told where."""

import asyncio
import io
import json
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sidecar.engine import Engine
from tests.unit.sidecar.cli.conftest import Cli, Project, output_step, script_step


def test_a_run_that_succeeds_is_status_0(cli: Cli, project: Project) -> None:
    status, out, err = cli("run", "greet.yaml")
    assert (status, err) == (0, "")
    assert "\nHello, world 3!\n" in out
    assert out.splitlines()[-1].startswith("success in ")


def test_a_failing_script_is_status_1_and_the_way_on_is_shown(cli: Cli, project: Project) -> None:
    project.write("boom.py", "def f():\n    raise ValueError('bad')\nf()\n")
    project.workflow("w", script_step("boom"))
    status, out, err = cli("run", "w.yaml", "--history", "kept here.db")
    assert (status, err) == (1, "")
    *error, last = out.splitlines()[-3:]
    assert error == ["ValueError in step boom: bad", "  at boom.py:2, in f"]
    label, command = last.split(": ", 1)
    assert label == "every attempt in full"
    words = shlex.split(command)
    assert words[3:] == ["--history", "kept here.db"]
    more = cli(*words[1:])
    assert more.status == 0
    assert "  attempt 1  " in more.out
    assert "    error    ValueError: bad" in more.out
    assert "          raise ValueError('bad')" in more.out


def test_input_goes_before_inputs(cli: Cli, project: Project) -> None:
    project.write("inputs.json", '{"who": "file", "n": 4}')
    ran = cli("run", "greet.yaml", "--inputs", "inputs.json", "--input", "who=flag")
    assert "Hello, flag 4!" in ran.out


def test_the_last_of_several_values_for_one_input_counts(cli: Cli, project: Project) -> None:
    ran = cli("run", "greet.yaml", "--input", "who=a", "--input", "who=b=c")
    assert "Hello, b=c 3!" in ran.out


def test_inputs_come_from_stdin(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"who": "stdin"}')))
    assert "Hello, stdin 3!" in cli("run", "greet.yaml", "--inputs", "-").out


def test_a_terminal_is_told_that_inputs_are_waited_for(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"{}"))
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)
    status, _, err = cli("run", "greet.yaml", "--inputs", "-")
    assert status == 0
    assert "Ctrl-D ends them" in err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("(1)", "not JSON: unexpected character"),
        ("", "not JSON: it is empty"),
        ("[1]", "expected one JSON object"),
        ('{"who": 7}', "input who: expected text, got an integer (7)"),
    ],
    ids=["text", "empty", "array", "type"],
)
def test_inputs_that_cannot_be_used_are_status_2(
    cli: Cli, project: Project, content: str, complaint: str
) -> None:
    project.write("inputs.json", content)
    status, out, err = cli("run", "greet.yaml", "--inputs", "inputs.json")
    assert (status, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "complaint"), [("gone.json", "No such file"), (".", "Is a directory"), ("a\0", "null")]
)
def test_an_inputs_file_that_cannot_be_read_is_status_2(
    cli: Cli, project: Project, file: str, complaint: str
) -> None:
    status, _, err = cli("run", "greet.yaml", "--inputs", file)
    assert status == 2
    assert complaint in err


def test_a_closed_stdin_holds_no_inputs(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    status, _, err = cli("run", "greet.yaml", "--inputs", "-")
    assert (status, err) == (2, "workflow-sidecar: error: --inputs -: stdin is closed\n")


def test_every_wrong_input_is_told_in_a_line_of_its_own(cli: Cli, project: Project) -> None:
    status, out, err = cli(
        "run", "greet.yaml", "--input", "wo=x", "--input", "n=many", "--input", "format=htm"
    )
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        'workflow-sidecar: error: input wo: unknown input "wo"; '
        'the workflow declares: who, n, format; did you mean "who"?',
        'workflow-sidecar: error: input n: expected a number, got text ("many")',
        "workflow-sidecar: error: input format: expected one of md, html, "
        'got "htm"; did you mean "html"?',
    ]


def test_a_missing_input_is_status_2(cli: Cli, project: Project) -> None:
    project.workflow(
        "w", output_step("a", "x"), inputs=[{"id": "who", "type": "string", "required": True}]
    )
    status, _, err = cli("run", "w.yaml")
    assert (status, err) == (
        2,
        "workflow-sidecar: error: input who: required, but not given (type string)\n",
    )


def test_an_invalid_workflow_is_status_2_with_the_lines_of_validate(
    cli: Cli, project: Project
) -> None:
    project.write("w.yaml", "workflow: {name: W}\nsteps:\n  - {id: a, typ: output, message: x}\n")
    status, out, err = cli("run", "w.yaml")
    assert (status, out) == (2, "")
    assert 'w.yaml:3:13: error: unknown key "typ" in steps[0]; did you mean "type"?' in err
    assert err == cli("validate", "w.yaml").out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["gret.yaml"], 'Workflow not found: "gret.yaml"; did you mean greet.yaml?'),
        (["."], ". is a folder, not a workflow file; did you mean one of greet.yaml in it?"),
        (["greet.yaml", "--project", "gone"], "No such file or directory"),
        (["greet.yaml", "--project", "greet.yaml"], "the project is not a folder"),
    ],
)
def test_a_workflow_that_cannot_be_found_is_status_2(
    cli: Cli, project: Project, arguments: list[str], complaint: str
) -> None:
    status, out, err = cli("run", *arguments)
    assert (status, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1


def test_a_workflow_outside_the_given_project_is_status_2(
    cli: Cli, project: Project, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    status, _, err = cli("run", "greet.yaml", "--project", "../other")
    assert status == 2
    assert "lies outside the project" in err


def test_json_is_the_result_alone(cli: Cli, project: Project) -> None:
    status, out, err = cli("run", "greet.yaml", "--json")
    result = json.loads(out)
    assert (status, err) == (0, "")
    assert (result["status"], result["success"]) == ("success", True)
    assert result["outputs"]["done"] == {"message": "Hello, world 3!"}


def test_json_of_a_failed_run_is_the_result_too(cli: Cli, project: Project) -> None:
    project.write("boom.py", "raise ValueError('bad')\n")
    project.workflow("w", script_step("boom"))
    status, out, err = cli("run", "w.yaml", "--json")
    result = json.loads(out)
    assert (status, err) == (1, "")
    assert (result["status"], result["error_type"]) == ("failed", "ValueError")


def test_only_what_is_allowed_is_read_from_the_environment(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREETING", "dear")
    project.workflow("w", output_step("a", "${env.GREETING}"))
    status, _, err = cli("run", "w.yaml")
    assert status == 2
    assert "start with --allow-env GREETING" in err
    allowed = cli("run", "w.yaml", "--allow-env", "GREETING", "--json")
    assert json.loads(allowed.out)["outputs"]["a"] == {"message": "dear"}


def test_a_run_is_in_the_history_of_its_project(cli: Cli, project: Project) -> None:
    ran = json.loads(cli("run", "greet.yaml", "--json").out)
    (entry,) = json.loads(cli("history", "--json").out)
    assert (entry["id"], entry["status"]) == (ran["execution_id"], "success")


def test_a_history_that_cannot_be_kept_is_one_warning(cli: Cli, project: Project) -> None:
    project.write(".workflow-sidecar", "a file where the folder should be")
    status, out, err = cli("run", "greet.yaml")
    assert status == 0
    assert "success in" in out
    assert err == (
        "workflow-sidecar: warning: this run is not kept in the history: "
        "The history's folder cannot be used: Not a directory\n"
    )


def test_a_failed_run_that_is_not_kept_is_not_said_to_be(cli: Cli, project: Project) -> None:
    project.write("boom.py", "raise ValueError('bad')\n")
    project.workflow("w", script_step("boom"))
    status, out, err = cli("run", "w.yaml", "--history", ".")
    assert status == 1
    assert "in full" not in out
    assert err.count("warning") == 1


def test_a_damaged_history_is_one_warning_and_a_new_one_is_kept(cli: Cli, project: Project) -> None:
    project.write("h.db", "not a database, but long enough to be read as one" * 100)
    status, _, err = cli("run", "greet.yaml", "--history", "h.db")
    assert status == 0
    assert err.startswith("workflow-sidecar: warning: The history file was damaged.")
    assert err.count("\n") == 1
    assert len(json.loads(cli("history", "--history", "h.db", "--json").out)) == 1


def test_scripts_beside_the_workflow_and_not_in_the_project_get_a_hint(
    cli: Cli, project: Project
) -> None:
    project.write("sub dir/boom.py", "print('{}')\n")
    project.write("sub dir/w.yaml", (project.path / "greet.yaml").read_text())
    project.workflow("sub dir/w", script_step("boom"))
    status, out, _ = cli("run", "sub dir/w.yaml")
    assert status == 1
    assert f"scripts are looked for in the project, which is {project.path.resolve()}" in out
    assert "did you mean --project 'sub dir'?" in out
    assert cli("run", "sub dir/w.yaml", "--project", "sub dir").status == 0


def test_a_script_that_is_nowhere_gets_no_such_hint(cli: Cli, project: Project) -> None:
    project.workflow("w", script_step("gone"))
    status, out, _ = cli("run", "w.yaml")
    assert status == 1
    assert 'ScriptNotFound in step gone: Script not found: "./gone.py"' in out
    assert "did you mean" not in out


def test_no_python_is_a_failed_run_that_says_how_to_mend_it(cli: Cli, project: Project) -> None:
    status, out, _ = cli("run", "greet.yaml", "--python", "/nowhere/python")
    assert status == 1
    assert 'PythonNotFound in step hello: Python not found: "/nowhere/python". Install' in out


def test_warnings_are_left_to_validate(cli: Cli, project: Project) -> None:
    project.workflow(
        "w",
        output_step("a", "${workflow.inputs.who}"),
        inputs=[{"id": "who", "type": "string"}],
    )
    assert "warning" in cli("validate", "w.yaml").out
    assert cli("run", "w.yaml", "--input", "who=Ada").err == ""


def test_a_signal_before_the_first_step_ends_the_run_without_a_result(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(*_: Any, **__: Any) -> NoReturn:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
        raise AssertionError("the event is never set")

    monkeypatch.setattr(Engine, "start", start)
    assert cli("run", "greet.yaml", "--json") == (143, "", "")


def test_a_permission_that_was_missing_is_told_with_the_whole_path(
    cli: Cli, project: Project
) -> None:
    # What the lines of the run lose: folders outside the project.
    hint = f'isolation keeps scripts from it; --allow-write "{project.path.resolve().parent}"'
    project.write("boom.py", f"raise PermissionError({f'no ({hint})'!r})\n")
    project.workflow("w", script_step("boom"))
    status, out, _ = cli("run", "w.yaml")
    assert status == 1
    assert f"\nwith whole paths: {hint}\n" in out
