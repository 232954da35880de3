"""What a policy opens, and what an attempt has for itself."""

import marshal
import sys
from pathlib import Path
from typing import Any

import pytest

from sidecar.errors import PermissionRefused
from sidecar.scripts import confinement as module
from sidecar.scripts.confinement import UMASK, Confinement, IsolationOptions, Place
from sidecar.scripts.interface import Permissions
from sidecar.scripts.interpreter import Interpreter

PYTHON = Interpreter("/usr/bin/python3", (3, 12, 0), "3.12.0")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "temporary").mkdir()
    return folder


@pytest.fixture
def temporary(project: Path) -> Path:
    return project.parent / "temporary"


def policy(
    confinement: Confinement,
    place: Place,
    permissions: Permissions | None = None,
    interpreter: Interpreter = PYTHON,
    **more: Any,
) -> dict[str, Any]:
    """A policy as the child reads it."""
    made = confinement.policy(
        interpreter, permissions or Permissions(), place, {"PATH": "/usr/bin"}, **more
    )
    halves: list[dict[str, Any]] = [marshal.loads(half) for half in marshal.loads(made.whole())]  # noqa: S302 - ours
    common, own = halves
    assert not common.keys() & own.keys()
    return common | own


def test_attempt_has_a_cache_that_lasts_in_a_folder_that_git_ignores(
    project: Path, temporary: Path
) -> None:
    confinement = Confinement(project, IsolationOptions())
    place = confinement.place(temporary)
    assert place == Place(temporary, project / ".workflow-sidecar" / "cache")
    assert place == confinement.place(temporary)
    assert (project / ".workflow-sidecar" / ".gitignore").read_text() == "*\n"
    assert place.cache.stat().st_mode & 0o777 == 0o700
    assert confinement.covers(place)


@pytest.mark.parametrize("obstacle", ["link", "file", "link in it", "refusal"])
def test_project_that_cannot_hold_the_cache_has_it_for_the_attempt(
    project: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    own = project / ".workflow-sidecar"
    if obstacle == "link":
        own.symlink_to(project.parent)
    elif obstacle == "file":
        own.touch()
    elif obstacle == "link in it":
        own.mkdir()
        (own / "cache").symlink_to(project.parent)
    else:

        def refuse(_: Path) -> bool:
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(module, "make_folder", refuse)
    confinement = Confinement(project, IsolationOptions())
    place = confinement.place(temporary)
    assert place.cache == temporary / "cache"
    assert place.cache.is_dir()
    assert not confinement.covers(place)
    assert policy(confinement, place)["hidden"] == []


def test_policy_opens_project_and_temporary_folder_and_covers_the_own_one(
    project: Path, temporary: Path
) -> None:
    confinement = Confinement(project, IsolationOptions())
    read = policy(confinement, confinement.place(temporary))
    rules = read["rules"] + read["own_rules"]
    writable = [path for path, letter in rules if letter == "w"]
    assert writable == [str(project), str(temporary)]
    assert read["hidden"] == [(str(project / ".workflow-sidecar"), "cache")]
    assert read["umask"] == UMASK
    assert read["level"] == "best-effort"
    assert read["network"] is True
    assert read["project"] == str(project)


def test_host_chooses_limits_and_level(project: Path, temporary: Path) -> None:
    options = IsolationOptions("require", script_limits={"open_files": 7}, network=False)
    confinement = Confinement(project, options)
    place = confinement.place(temporary)
    read = policy(confinement, place)
    assert read["limits"] == {"core": 0, "fsize": 8 * 2**30, "nofile": 7, "as": 16 * 2**30}
    assert read["network"] is False
    assert read["level"] == "require"
    assert policy(confinement, place, proving=True)["level"] == "best-effort"
    assert options.limits_in_force()["script_open_files"] == 7


def test_step_gets_what_it_asked_for_or_no_policy(project: Path, temporary: Path) -> None:
    options = IsolationOptions(allow_read=(project.parent,))
    confinement = Confinement(project, options)
    place = confinement.place(temporary)
    read = policy(confinement, place, Permissions(read=("..",)))
    assert (str(project.parent), "x") in read["own_rules"]
    with pytest.raises(PermissionRefused):
        policy(confinement, place, Permissions(write=("..",)))


def test_what_the_daemon_executes_cannot_be_written(project: Path, temporary: Path) -> None:
    environment = project / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "pyvenv.cfg").touch()
    confinement = Confinement(project, IsolationOptions())
    place = confinement.place(temporary)
    chosen = Interpreter(str(environment / "bin" / "python"), (3, 12, 0), "3.12.0")
    assert policy(confinement, place, interpreter=chosen)["fixed"] == [str(environment)]
    bare = Interpreter(str(project / "bin" / "python"), (3, 12, 0), "3.12.0")
    assert policy(confinement, place, interpreter=bare)["fixed"] == [str(project / "bin")]
    assert policy(confinement, place)["fixed"] == []


def test_private_files_are_told_by_where_they_lie(project: Path) -> None:
    own, exposed, apart = (
        project / ".workflow-sidecar" / "history.db",
        project / "runs.db",
        project.parent / "log",
    )
    confinement = Confinement(project, IsolationOptions(), [own, exposed, apart])
    assert confinement.private_within_project() == [own, exposed]
    assert confinement.exposed() == [exposed]


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is closed elsewhere")
def test_git_is_kept_from_settings_that_are_closed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = project.parent / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))

    def closes(options: IsolationOptions, *read: str) -> bool:
        confinement = Confinement(project, options)
        return confinement.closes_global_git_settings(Permissions(read=read))

    assert closes(IsolationOptions())
    assert not closes(IsolationOptions(allow_read=(home,)), str(home))
    assert not closes(IsolationOptions("off"))


def test_home_that_the_project_holds_is_not_closed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(project))
    assert Confinement(project, IsolationOptions()).closed_home() is None
    monkeypatch.setenv("HOME", str(project.parent))
    assert Confinement(project, IsolationOptions()).closed_home() == str(project.parent)

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert Confinement(project, IsolationOptions()).closed_home() is None
