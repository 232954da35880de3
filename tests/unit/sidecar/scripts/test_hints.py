"""Which permission a refused script lacked, told from its exception."""

from pathlib import Path

import pytest

from sidecar.scripts.hints import hint_of, with_hint
from sidecar.scripts.interface import Permissions, ScriptFailure
from sidecar.scripts.permissions import Agreement


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "it's").touch()
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def hint(project: Path, error: str, trace: str = "", **host: object) -> str:
    """What is added to an error."""
    failure = ScriptFailure(error, "PermissionError", ("OSError",), trace or f"…\nX: {error}")
    agreement = Agreement(project, **host)  # type: ignore[arg-type]
    rules = [("/usr", "x"), (str(project), "w")]
    told = with_hint(failure, project, agreement, Permissions(), rules)
    assert (told.error_type, told.error_bases) == (failure.error_type, failure.error_bases)
    assert told.error.startswith(error)
    return told.error[len(error) :]


def denied(path: object, second: object = None) -> str:
    more = "" if second is None else f" -> {str(second)!r}"
    return f"[Errno 13] Permission denied: {str(path)!r}{more}"


def test_file_that_is_there_was_to_be_read_or_written(project: Path) -> None:
    path = project.parent / "outside" / "it's"
    text = hint(project, denied(path))
    assert f'permissions: {{read: ["{path}"]}} or {{write: ["{path}"]}} on the step' in text
    assert f'--allow-read "{path}" or --allow-write "{path}"' in text


def test_flag_is_not_named_where_the_host_has_agreed(project: Path) -> None:
    outside = project.parent / "outside"
    text = hint(project, denied("../outside/it's"), read=[outside], write=[outside])
    assert "permissions: {read:" in text
    assert "--allow" not in text


def test_file_that_is_not_there_was_to_be_made_in_its_folder(project: Path) -> None:
    text = hint(project, denied("../outside/new"))
    assert f'permissions: {{write: ["{project.parent / "outside"}"]}} on the step' in text


def test_what_could_be_read_was_to_be_written(project: Path) -> None:
    assert 'permissions: {write: ["/usr/bin' in hint(project, denied("/usr/bin"))


def test_of_two_files_the_one_outside_is_meant(project: Path) -> None:
    error = denied("in", project.parent / "outside" / "x").replace("[Errno 13]", "[Errno 18]")
    assert f'{{write: ["{project.parent / "outside"}"]}}' in hint(project, error)


def test_error_behind_the_error_is_found(project: Path) -> None:
    trace = f"PermissionError: {denied('/nowhere/x')}\n\nThe above…\n\nRuntimeError: no"
    assert 'write: ["/nowhere"]' in hint(project, "no", trace)


@pytest.mark.parametrize(
    "error",
    [
        denied("in the project"),
        "[Errno 2] No such file or directory: '/nowhere'",
        "[Errno 13] Permission denied: 'a\\x00b'",
        "[Errno 13] Permission denied: '\\x'",
        "[Errno 13] Permission denied",
        "no such table",
        "",
    ],
)
def test_where_nothing_follows_nothing_is_said(project: Path, error: str) -> None:
    assert hint(project, error) == ""


def test_closed_network_is_told_by_whom_it_was_closed(project: Path) -> None:
    for error in (
        "[Errno 13] Permission denied",
        "<urlopen error [Errno -3] Temporary failure in name resolution>",
    ):
        assert "started with --no-network" in hint(project, error, network=False)
    failure = ScriptFailure("[Errno 13] Permission denied", "PermissionError", (), "…")
    told = with_hint(failure, project, Agreement(project), Permissions(network=False), [])
    assert told.error.endswith(
        "(the network is closed to this step; permissions: {network: true} opens it)"
    )


def test_a_hint_about_a_path_can_be_told_from_the_error_before_it(project: Path) -> None:
    error = denied("../outside/new (1)")
    told = error + hint(project, error)
    assert told == f"{error} ({hint_of(told)})"
    assert hint_of(told).startswith("isolation keeps scripts from it; what opens it is")
    assert hint_of(error) == ""
