"""`doctor`: what is there, what is missing, how to mend it."""

import os
import sys
from pathlib import Path

import pytest

from sidecar import __version__
from sidecar.scripts.runner import LocalRunner
from tests.unit.sidecar.cli.conftest import Cli, Project


def test_a_machine_that_has_everything_is_status_0(cli: Cli, project: Project) -> None:
    status, out, err = cli("doctor")
    lines = out.splitlines()
    version = ".".join(map(str, sys.version_info[:3]))
    assert (status, err) == (0, "")
    assert lines[0] == f"workflow-sidecar {__version__}, project {project.path.resolve()}"
    assert lines[1].startswith(f"ok    Python for scripts: {version} (")
    assert "ok    isolation, level: best-effort" in lines
    assert any(line.split(": ")[0].endswith("isolation, process tree") for line in lines)
    assert any(line.split(": ")[0].endswith("isolation, filesystem") for line in lines)
    assert lines[-2].startswith("ok    history: none yet; it will be ")
    assert lines[-1] == "nothing to mend"
    assert not (project.path / ".workflow-sidecar").exists()


def test_what_this_machine_does_not_offer_is_noted_with_what_it_takes(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def isolation(_: LocalRunner) -> dict[str, str]:
        return {"filesystem": "landlock", "signals": "none"}

    monkeypatch.setattr(LocalRunner, "isolation", isolation)
    status, out, _ = cli("doctor")
    assert status == 0
    assert "ok    isolation, filesystem: landlock\n" in out
    assert "note  isolation, signals: none\n      Scripts can signal other processes: " in out


def test_runs_that_are_kept_are_counted(cli: Cli, project: Project) -> None:
    cli("run", "greet.yaml")
    assert "ok    history: 1 run in " in cli("doctor").out


@pytest.mark.parametrize("how", ["flag", "variable", "path"])
def test_no_python_is_status_1_with_how_to_get_one(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    arguments = []
    if how == "flag":
        arguments = ["--python", "/nowhere/python"]
    elif how == "variable":
        monkeypatch.setenv("WORKFLOW_SIDECAR_PYTHON", "/nowhere/python")
        monkeypatch.setenv("PATH", "")
    else:
        monkeypatch.delenv("WORKFLOW_SIDECAR_PYTHON")
        monkeypatch.setenv("PATH", "")
    status, out, _ = cli("doctor", *arguments)
    lines = out.splitlines()
    assert status == 1
    assert lines[1].startswith("FAIL  Python for scripts: ")
    assert "--python PATH or WORKFLOW_SIDECAR_PYTHON" in lines[2]
    assert lines[-1] == "1 thing to mend"
    assert "it needs Linux" not in out, "nothing is known of what could not be tried"
    for index, line in enumerate(lines):
        if line.endswith(": unproven"):
            assert lines[index + 1].strip() == (
                "It is tried with the Python for scripts: mend that first."
            )


def test_a_variable_that_names_no_python_is_noted(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKFLOW_SIDECAR_PYTHON", "/nowhere/python")
    status, out, _ = cli("doctor")
    ok, note = out.splitlines()[1:3]
    assert status == 0
    assert ok.startswith("ok    Python for scripts: ")
    assert note.startswith("note  Python for scripts: WORKFLOW_SIDECAR_PYTHON cannot be used")


def test_a_damaged_history_is_status_1_once(cli: Cli, project: Project) -> None:
    project.write("h.db", "no database at all, but long enough" * 100)
    status, out, _ = cli("doctor", "--history", "h.db")
    assert status == 1
    assert "FAIL  history: The history file was damaged." in out
    assert "      Nothing is left to do: the new file is in use.\n" in out
    status, out, _ = cli("doctor", "--history", "h.db")
    assert status == 0
    assert "note  history, set aside: h.db.damaged-" in out
    assert "      Delete it when nothing in there is needed.\n" in out


def test_a_history_that_cannot_be_opened_is_status_1(cli: Cli, project: Project) -> None:
    status, out, _ = cli("doctor", "--history", ".")
    assert status == 1
    assert "FAIL  history: The history file is a directory" in out
    assert "or name another file with --history." in out


def test_a_history_that_could_not_be_made_is_status_1(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("file", "")
    status, out, _ = cli("doctor", "--history", "file/h.db")
    assert status == 1
    assert "is in its place and no folder" in out

    def access(path: Path, mode: int) -> bool:
        return not mode & os.W_OK

    monkeypatch.setattr(os, "access", access)
    status, out, _ = cli("doctor", "--python", sys.executable)
    assert status == 1
    assert "FAIL  history: it cannot be kept: " in out
    assert f"      Make {project.path.resolve()} writable, or name another" in out


def test_what_preloading_would_save_is_measured_for_what_the_scripts_import(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.cli.doctor_command._WORTH_PRELOADING_MS", 0.5)
    (project.path / "slow.py").write_text("import asyncio, sys\nprint('{}')")
    (project.path / "w.yaml").write_text(
        "workflow: {name: w}\nsteps:\n"
        "  - {id: a, type: python, script: slow.py}\n  - {id: b, type: python, script: gone.py}\n"
    )
    status, out, _ = cli("doctor")
    assert status == 0
    assert "note  preloading: asyncio takes every script that imports it " in out
    assert "      --preload asyncio saves them." in out
    assert "sys takes" not in out
