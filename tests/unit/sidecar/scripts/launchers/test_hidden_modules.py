"""Files that a loaded module would hide: found whenever they come, and seldom looked for."""

import os
import time
from pathlib import Path

import pytest

from sidecar.scripts.launchers import hidden_modules as module
from sidecar.scripts.launchers.hidden_modules import HiddenModules

NAMES = frozenset({"json", "typing"})


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that were searched."""
    seen: list[str] = []
    scandir = os.scandir

    def watched(folder: str) -> object:
        seen.append(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", watched)
    return seen


def settle(folder: Path) -> None:
    """As if the folder had not been changed for a while."""
    long_ago = time.time() - 60
    os.utime(folder, (long_ago, long_ago))


@pytest.mark.parametrize("name", ["json.py", "json", "typing.cpython-311-x86_64-linux-gnu.so"])
def test_file_that_is_named_like_a_module_is_found(tmp_path: Path, name: str) -> None:
    hidden = HiddenModules(NAMES)
    (tmp_path / "script.py").touch()
    assert not hidden.by(str(tmp_path))
    (tmp_path / name).touch()
    assert hidden.by(str(tmp_path))
    (tmp_path / name).unlink()
    assert not hidden.by(str(tmp_path))


def test_folder_is_searched_once_until_it_changes(tmp_path: Path, looks: list[str]) -> None:
    hidden = HiddenModules(NAMES)
    settle(tmp_path)
    assert [hidden.by(str(tmp_path)) for _ in range(5)] == [False] * 5
    assert len(looks) == 1
    (tmp_path / "json.py").touch()
    assert hidden.by(str(tmp_path))


def test_folder_that_was_just_changed_is_searched_every_time(
    tmp_path: Path, looks: list[str]
) -> None:
    hidden = HiddenModules(NAMES)
    (tmp_path / "script.py").touch()
    before = tmp_path.stat()
    assert not hidden.by(str(tmp_path))
    # Within the grain of the file system's clock the folder looks as it did.
    (tmp_path / "json.py").touch()
    os.utime(tmp_path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hidden.by(str(tmp_path))
    assert len(looks) == 2


def test_folder_that_cannot_be_searched_may_hold_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = HiddenModules(NAMES)
    assert hidden.by(str(tmp_path / "gone"))
    monkeypatch.setattr(module, "_MAX_ENTRIES", 3)
    for number in range(4):
        (tmp_path / f"{number}.txt").touch()
    assert hidden.by(str(tmp_path))


def test_few_folders_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_FOLDERS", 2)
    hidden = HiddenModules(NAMES)
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        settle(folder)
        assert not hidden.by(str(folder))
    assert len(hidden._clear) == 2
