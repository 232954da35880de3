"""The walk: what it lists, what it leaves out, and that it says so."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.unit.sample_project.steps import attempt, run_step, stored


def listed(project: Path, folder: str = ".") -> list[str]:
    listing = run_step(project, "inventory", {"folder": folder})["listing"]
    return [file["path"] for file in stored(project, listing)["files"]]


def make(project: Path, *paths: str, content: str = "x\n") -> None:
    for path in paths:
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(content, encoding="utf-8")


def link(project: Path, name: str, target: Path) -> None:
    try:
        (project / name).symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("this account may not create links")


def test_files_are_listed_with_paths_relative_to_the_project(tmp_path: Path) -> None:
    make(tmp_path, "b.py", "src/deep/a.py", "src/c.txt", content="12345")

    outputs = run_step(tmp_path, "inventory", {"folder": "."})

    assert listed(tmp_path) == ["b.py", "src/c.txt", "src/deep/a.py"]
    assert (outputs["files"], outputs["bytes"]) == (3, 15)


def test_a_folder_inside_the_project_is_listed_alone(tmp_path: Path) -> None:
    make(tmp_path, "b.py", "src/a.py")

    assert listed(tmp_path, "src") == ["src/a.py"]
    assert listed(tmp_path, str(tmp_path / "src")) == ["src/a.py"]


def test_an_empty_folder_is_an_empty_list_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    outputs = run_step(tmp_path, "inventory", {"folder": "empty"})

    assert (outputs["files"], outputs["bytes"], outputs["left_out"]) == (0, 0, 0)


def test_what_is_no_source_is_left_out_and_counted(tmp_path: Path) -> None:
    make(tmp_path, "a.py", ".env-example", ".git/config", "node_modules/m/i.js", "x/build/o.c")
    make(tmp_path, "y/build/o.c", "my.egg-info/PKG-INFO", "own/pyvenv.cfg", "own/lib/z.py")

    outputs = run_step(tmp_path, "inventory", {"folder": "."})

    assert listed(tmp_path) == [".env-example", "a.py"]
    left_out = stored(tmp_path, outputs["listing"])["left_out"]
    assert left_out["hidden_folders"] == 1
    assert left_out["folders"] == {
        "node_modules": 1,
        "build": 2,
        "my.egg-info": 1,
        "(virtual environments)": 1,
        "workflow-report": 1,
    }


def test_links_are_not_followed_neither_out_of_the_folder_nor_round_in_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    project = tmp_path / "project"
    make(tmp_path, "outside/private.py", "project/a.py")
    link(project, "to-outside", outside)
    link(project, "to-a-file", outside / "private.py")
    link(project, "round", project)
    link(project, "to-nothing", project / "missing")

    outputs = run_step(project, "inventory", {"folder": "."})

    assert listed(project) == ["a.py"]
    assert stored(project, outputs["listing"])["left_out"]["links"] == 4


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders there")
def test_a_pipe_is_counted_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    outputs = run_step(tmp_path, "inventory", {"folder": "."})

    assert outputs["files"] == 0
    assert stored(tmp_path, outputs["listing"])["left_out"]["special"] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="names there are always Unicode")
def test_a_name_that_is_no_utf8_is_listed(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.py")).write_text("x = 1\n", encoding="utf-8")

    assert listed(tmp_path) == ["caf\udce9.py"]


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="this account may read every folder"
)
def test_a_folder_that_may_not_be_read_is_named_and_the_rest_is_listed(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "locked/b.py")
    (tmp_path / "locked").chmod(0)
    try:
        outputs = run_step(tmp_path, "inventory", {"folder": "."})
    finally:
        (tmp_path / "locked").chmod(0o700)

    assert outputs["files"] == 1
    assert stored(tmp_path, outputs["listing"])["left_out"]["unreadable"] == ["locked/"]


def test_the_work_folder_ignores_itself_and_two_runs_do_not_share_lists(tmp_path: Path) -> None:
    first = run_step(tmp_path, "inventory", {"folder": "."})
    second = run_step(tmp_path, "inventory", {"folder": "."})

    assert (tmp_path / "workflow-report" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert first["listing"] != second["listing"]
    assert (tmp_path / first["listing"]).is_file()
    assert "\\" not in first["listing"]


def test_lists_of_long_ago_are_cleared_away(tmp_path: Path) -> None:
    old = tmp_path / run_step(tmp_path, "inventory", {"folder": "."})["listing"]
    os.utime(old.parent, (1, 1))

    run_step(tmp_path, "inventory", {"folder": "."})

    assert not old.parent.exists()


def test_a_work_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere").mkdir()
    link(tmp_path / "project", "workflow-report", tmp_path / "elsewhere")

    done = attempt(tmp_path / "project", "inventory", {"folder": "."})

    assert "must be a real folder" in done.error
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "error"),
    [
        ("missing", "FileNotFoundError: there is no folder 'missing' in this project"),
        ("a.py", "NotADirectoryError: 'a.py' is a file: give the folder that it is in"),
        ("..", "ValueError: '..' is outside this project"),
        ("", 'ValueError: input "folder" must name a folder'),
        (7, 'ValueError: input "folder" must name a folder'),
    ],
)
def test_a_folder_that_cannot_be_used_is_an_error_that_says_why(
    tmp_path: Path, folder: object, error: str
) -> None:
    make(tmp_path, "a.py")

    done = attempt(tmp_path, "inventory", {"folder": folder})

    assert done.code == 1
    assert done.error.startswith(error)
    assert done.stdout == ""


def test_a_missing_input_is_an_error_that_says_where_it_belongs(tmp_path: Path) -> None:
    done = attempt(tmp_path, "inventory", {})

    assert done.error.startswith("KeyError")
    assert "input 'folder' is missing: add it under this step's 'inputs'" in done.error
