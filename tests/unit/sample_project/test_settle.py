"""The second look, and why the first attempt at it fails."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.unit.sample_project.steps import attempt, let_time_pass, run_step, stored


def first_look(project: Path) -> str:
    for name in ("a.py", "b.py", "c.py"):
        (project / name).write_bytes(b"x = 1\n")
    listing: str = run_step(project, "inventory", {"folder": "."})["listing"]
    return listing


def test_right_after_the_first_look_the_step_fails_and_later_it_succeeds(tmp_path: Path) -> None:
    listing = first_look(tmp_path)
    first = stored(tmp_path, listing)["looked_at"]

    too_early = [
        attempt(tmp_path, "settle", {"listing": listing}, clock=first + later)
        for later in (0, 0.25, 1.25)
    ]
    in_time = attempt(tmp_path, "settle", {"listing": listing}, clock=first + 1.75)

    assert [done.code for done in too_early] == [1, 1, 1]
    assert too_early[1].error.startswith("NotSettledYet: the files were first looked at 0.25 s ago")
    assert {done.stdout for done in too_early} == {""}
    assert in_time.code == 0, in_time.stderr
    outputs = json.loads(in_time.stdout)
    assert (outputs["files"], outputs["bytes"], outputs["changing"]) == (3, 18, 0)


def test_files_that_changed_or_went_away_in_between_are_left_out_and_named(tmp_path: Path) -> None:
    listing = first_look(tmp_path)
    let_time_pass(tmp_path, listing)
    os.utime(tmp_path / "a.py", (1, 1))
    (tmp_path / "b.py").unlink()

    outputs = run_step(tmp_path, "settle", {"listing": listing})

    content = stored(tmp_path, outputs["listing"])
    assert [file["path"] for file in content["files"]] == ["c.py"]
    assert content["changing"] == ["a.py", "b.py"]
    assert (outputs["files"], outputs["changing"]) == (1, 2)


def test_a_clock_that_was_set_back_does_not_hold_the_run_up(tmp_path: Path) -> None:
    listing = first_look(tmp_path)
    let_time_pass(tmp_path, listing, -3600)

    assert run_step(tmp_path, "settle", {"listing": listing})["files"] == 3


def test_a_list_that_is_not_there_is_an_error_that_says_what_to_run(tmp_path: Path) -> None:
    done = attempt(tmp_path, "settle", {"listing": "workflow-report/run-x/files.json"})

    assert done.error.startswith("FileNotFoundError: workflow-report/run-x/files.json does not")
    assert "run the whole workflow" in done.error
