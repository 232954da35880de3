"""The file of a store before and after SQLite: making it safely, moving it aside when damaged.

It knows file systems and names, not what is in the file.
"""

import contextlib
import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sidecar.errors import HistoryError

if sys.platform != "win32":
    import fcntl

#: The folder inside a project; it ignores itself in git.
_OWN_FOLDER: Final = ".workflow-sidecar"
#: What SQLite keeps beside its file (sqlite.org/tempfiles.html).
_COMPANIONS: Final = ("-wal", "-shm")


@contextlib.contextmanager
def folder_locked(path: Path) -> Iterator[None]:
    """Be alone among all processes in opening or moving `path`; makes its folder if missing.

    Raises HistoryError when the folder cannot be made or used.
    """
    try:
        _make_folder(path.parent)
        if sys.platform != "win32":
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise HistoryError(f"The history's folder cannot be used: {error.strerror}") from error
    if sys.platform == "win32":
        # No folder can be locked there, and no file moved that another process has open.
        yield
        return
    try:
        # Some network file systems lock no folders; then it is as without this.
        with contextlib.suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def prepare_file(path: Path) -> None:
    """Make `path` (mode 0600) if missing; raise HistoryError if what is there is no plain file."""
    for companion in _COMPANIONS:
        if path.with_name(path.name + companion).is_symlink():
            raise HistoryError(f"Beside the history file, {companion} is a link; remove it")
    try:
        try:
            found = path.lstat()
        except FileNotFoundError:
            _create(path)
            return
        _check(found)
        if stat.S_IMODE(found.st_mode) & 0o077:
            with contextlib.suppress(PermissionError):
                path.chmod(0o600)
        effective = os.access in os.supports_effective_ids
        if not os.access(path, os.R_OK | os.W_OK, effective_ids=effective):
            # SQLite would open it for reading alone and fail at the first write.
            raise HistoryError("The history file cannot be written: permission denied")
    except OSError as error:
        raise HistoryError(f"The history file cannot be used: {error.strerror}") from error


def set_aside(path: Path) -> str:
    """Rename `path` and what SQLite keeps beside it; returns the new name, without the folder."""
    dated = f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    name, number = dated, 1
    while os.path.lexists(path.with_name(name)):
        number += 1
        name = f"{dated}-{number}"
    try:
        for companion in ("", *_COMPANIONS):
            with contextlib.suppress(FileNotFoundError):
                # SQLite reads the three as one under the new name too.
                path.with_name(path.name + companion).rename(path.with_name(name + companion))
    except OSError as error:
        raise HistoryError(
            f"The history file is damaged and cannot be set aside: {error.strerror}"
        ) from error
    return name


def _make_folder(folder: Path) -> None:
    if folder.name == _OWN_FOLDER and folder.is_symlink():
        raise HistoryError(f"The folder {_OWN_FOLDER} is a link; history is not kept through links")
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        return
    if folder.name == _OWN_FOLDER:
        (folder / ".gitignore").write_text("*\n", "ascii")


def _create(path: Path) -> None:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(path, flags, 0o600))


def _check(found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise HistoryError("The history file is a link; history is not kept through links")
    if stat.S_ISDIR(found.st_mode):
        raise HistoryError("The history file is a directory")
    if not stat.S_ISREG(found.st_mode):
        raise HistoryError("The history file is no regular file")
    if found.st_nlink > 1:
        # sqlite.org/howtocorrupt.html, 2.5: two names mean two logs for one file.
        raise HistoryError("The history file has several names (hard links); SQLite cannot use it")
