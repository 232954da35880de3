"""Folders of attempts: made, and gone whatever lies in them; those of the dead are swept up."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sidecar.scripts import temporary
from sidecar.scripts.temporary import TemporaryFolders, remove_tree
from tests.unit.sidecar.scripts.conftest import until


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is swept is this test's alone."""
    folder = tmp_path / "system"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


async def test_each_is_empty_private_and_gone_at_the_end(elsewhere: Path) -> None:
    folders = TemporaryFolders()
    first, second = folders.make(), folders.make()
    assert first != second
    assert first.parent.parent == elsewhere
    for folder in (first, first.parent):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(second.iterdir()) == []
    (first / "file").touch()
    await folders.remove(first)
    await folders.remove(first)
    assert not first.exists()
    (second / "left").touch()
    await folders.close()
    await folders.close()
    assert list(elsewhere.iterdir()) == []


async def test_one_that_was_tidied_away_is_made_again(elsewhere: Path) -> None:
    folders = TemporaryFolders()
    remove_tree(folders.make().parent)
    assert folders.make().is_dir()
    await folders.close()
    assert list(elsewhere.iterdir()) == []


async def test_next_one_is_made_while_nobody_waits(elsewhere: Path) -> None:
    folders = TemporaryFolders()
    first = folders.make()
    await until(lambda: len(list(first.parent.glob("[0-9]*"))) == 2)
    (ahead,) = set(first.parent.glob("[0-9]*")) - {first}
    assert folders.make() == ahead
    assert ahead.stat().st_mode & 0o777 == 0o700
    await until(lambda: len(list(first.parent.glob("[0-9]*"))) == 3)
    remove_tree(first.parent)
    again = folders.make()
    assert again.is_dir()
    assert again.parent != first.parent
    await until(lambda: len(list(again.parent.glob("[0-9]*"))) == 2)
    await folders.close()
    assert list(elsewhere.iterdir()) == []


async def test_removal_ends_although_its_caller_is_cancelled(elsewhere: Path) -> None:
    folders = TemporaryFolders()
    folder = folders.make()
    for number in range(200):
        (folder / str(number)).touch()
    removing = asyncio.create_task(folders.remove(folder))
    await asyncio.sleep(0)
    removing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await removing
    assert not folder.exists()
    await folders.close()


def test_folders_nested_deeper_than_a_path_can_name_are_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    folder = os.open(top, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("nested", dir_fd=folder)
        below = os.open("nested", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    remove_tree(top)
    assert not top.exists()


def test_what_a_script_did_to_it_does_not_keep_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o750)
    (outside / "file").touch()
    top = tmp_path / "top"
    (top / "a" / "b" / "c").mkdir(parents=True)
    (top / ".removing-0").mkdir()
    (top / ".removing-0" / "file").touch()
    (top / ".removing-1").touch()
    (top / "link").symlink_to(outside)
    (top / "a" / "link").symlink_to(outside)
    (top / "a" / "b" / "dangling").symlink_to("nowhere")
    os.mkfifo(top / "a" / "fifo")
    (top / "a" / "b" / "c" / "file").touch()
    for folder in (top / "a" / "b" / "c", top / "a" / "b", top / "a", top):
        folder.chmod(0)
    remove_tree(top)
    assert not top.exists()
    assert outside.stat().st_mode & 0o777 == 0o750
    assert [path.name for path in outside.iterdir()] == ["file"]


async def test_failure_to_remove_is_logged_and_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folders = TemporaryFolders()
    folder = folders.make()
    (folder / "file").touch()

    def busy(_: Path) -> None:
        raise OSError(16, "Device or resource busy")

    with monkeypatch.context() as patch:
        patch.setattr(temporary, "remove_tree", busy)
        await folders.remove(folder)
    assert "temporary folder is left" in caplog.text
    await folders.close()


DAEMON = """
import asyncio, sys, tempfile
from sidecar.scripts.temporary import TemporaryFolders
tempfile.tempdir = sys.argv[1]
async def main():
    folder = TemporaryFolders().make()
    (folder / "left").touch()
    print(folder, flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""


def start(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def test_folders_of_a_killed_process_are_swept_and_those_of_a_living_one_stay(
    elsewhere: Path,
) -> None:
    command = [sys.executable, "-c", DAEMON, str(elsewhere)]
    processes = [start(command) for _ in range(2)]
    try:
        made = []
        for process in processes:
            assert process.stdout is not None
            made.append(Path(process.stdout.readline().strip()))
        processes[0].kill()
        processes[0].wait()
        (elsewhere / "workflow-sidecar-file").touch()
        (elsewhere / "workflow-sidecar-no-lock").mkdir()
        folders = TemporaryFolders()
        folders.make()
        await folders.close()
        assert not made[0].parent.exists()
        assert (made[1] / "left").exists()
        assert (elsewhere / "workflow-sidecar-file").exists()
        assert (elsewhere / "workflow-sidecar-no-lock").exists()
    finally:
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.communicate()
