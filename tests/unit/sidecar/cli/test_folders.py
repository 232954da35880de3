"""Where a command works, from what was typed."""

import argparse
import shlex
from pathlib import Path

import pytest

from sidecar.cli.arguments import parse
from sidecar.cli.folders import history_command, history_file, project_folder
from sidecar.errors import UsageError


def options(project: str | None = None, history: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(project=project, history=history)


def test_the_project_is_the_working_directory_unless_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner").mkdir()
    assert project_folder(options()) == tmp_path.resolve()
    assert project_folder(options("inner")) == (tmp_path / "inner").resolve()


def test_a_project_that_is_no_folder_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(UsageError, match="not a folder"):
        project_folder(options(str(file)))
    with pytest.raises(UsageError, match="No such file"):
        project_folder(options(str(tmp_path / "missing")))
    with pytest.raises(UsageError, match="cannot be used"):
        project_folder(options(str(loop)))
    with pytest.raises(UsageError, match="null"):
        project_folder(options("a\0b"))


def test_the_history_lies_in_the_project_unless_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = history_file(options(), Path("/p"))
    assert kept == Path("/p/.workflow-sidecar/history.db")
    assert history_file(options(history="h.db"), Path("/p")) == tmp_path / "h.db"


def test_the_command_to_copy_means_this_project_this_history_and_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path / "a folder"
    copied = shlex.split(history_command(options(history="h.db"), elsewhere, "0f8fad5b"))
    assert copied[0] == "workflow-sidecar"
    read = parse(copied[1:])
    assert read.workflow_id == "0f8fad5b"
    assert (read.project, read.history) == (str(elsewhere), "h.db")


def test_the_command_to_copy_is_short_where_nothing_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = history_command(options(), tmp_path.resolve(), "0f8fad5b")
    assert command == "workflow-sidecar history 0f8fad5b"
    typed = history_command(options("other"), Path("/other"), "0f8fad5b")
    assert typed == "workflow-sidecar history 0f8fad5b --project other"
