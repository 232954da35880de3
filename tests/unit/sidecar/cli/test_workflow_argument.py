"""What a path on the command line means."""

from pathlib import Path

import pytest

from protocol.problems import Problem
from sidecar.cli.workflow_argument import hint_for_missing, locate, problem_line
from sidecar.errors import UsageError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with `flows/report.yaml` in it and `other/` beside it."""
    folder = tmp_path.resolve() / "here"
    (folder / "flows").mkdir(parents=True)
    (folder / "flows" / "report.yaml").touch()
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "nightly.yml").touch()
    monkeypatch.chdir(folder)
    return folder


def test_a_file_in_the_working_directory_belongs_to_it(here: Path) -> None:
    assert locate("flows/report.yaml", None) == (here, "flows/report.yaml")
    assert locate(str(here / "flows" / "report.yaml"), None) == (here, "flows/report.yaml")


def test_a_file_elsewhere_belongs_to_its_own_folder(here: Path) -> None:
    assert locate("../other/nightly.yml", None) == (here.parent / "other", "nightly.yml")


def test_a_given_project_counts(here: Path) -> None:
    assert locate("flows/report.yaml", here / "flows") == (here / "flows", "report.yaml")


def test_a_file_outside_the_given_project_is_refused(here: Path) -> None:
    with pytest.raises(UsageError, match="outside the project"):
        locate("../other/nightly.yml", here)


def test_a_path_from_the_given_project_is_found_there(here: Path) -> None:
    other = here.parent / "other"
    assert locate("nightly.yml", other) == (other, "nightly.yml")


def test_a_file_here_goes_before_one_of_that_name_in_the_project(here: Path) -> None:
    (here / "nightly.yml").touch()
    with pytest.raises(UsageError, match="outside the project"):
        locate("nightly.yml", here.parent / "other")


def test_a_missing_file_is_left_for_later(here: Path) -> None:
    assert locate("gone.yaml", None) == (here, "gone.yaml")


def test_a_folder_is_answered_with_the_workflows_in_it(here: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean one of report\.yaml in it"):
        locate("flows", None)
    with pytest.raises(UsageError, match=r"\. is a folder, not a workflow file$"):
        locate(".", None)


@pytest.mark.parametrize("typed", ["", "a\0b"])
def test_no_path_at_all_is_refused(here: Path, typed: str) -> None:
    with pytest.raises(UsageError):
        locate(typed, here)


def test_a_missing_file_gets_the_name_that_comes_near(here: Path) -> None:
    assert hint_for_missing("flows/reprot.yaml") == "; did you mean flows/report.yaml?"
    assert hint_for_missing("flows/report") == "; did you mean flows/report.yaml?"
    assert hint_for_missing("flows/other.yaml") == ""
    assert hint_for_missing("nowhere/report.yaml") == ""


def test_a_problem_is_one_line_with_its_place() -> None:
    known = Problem(line=3, column=7, field="x", message='no "a\n"', suggestion="b")
    assert problem_line("w.yaml", known) == ('w.yaml:3:7: error: no "a\\n"; did you mean "b"?')
    unknown = Problem(field="", message="odd", severity="warning")
    assert problem_line("w.yaml", unknown) == "w.yaml:1:1: warning: odd"


def test_a_place_is_told_whatever_the_file_is_called() -> None:
    problem = Problem(line=3, column=7, field="x", message="password=hunter2hunter2 is odd")
    line = problem_line("flows/rotate-token.yaml", problem)
    assert line == "flows/rotate-token.yaml:3:7: error: password=[REDACTED] is odd"
