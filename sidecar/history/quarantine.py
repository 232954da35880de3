"""The file of a store before and after SQLite: looking at it, moving it aside, making a new one.

It knows file systems and names, not what is in the file.
"""

import contextlib
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sidecar.errors import HistoryError
from sidecar.history.schema import DamagedFile, ForeignFile
from sidecar.own_folder import OWN_FOLDER, make_folder

if sys.platform != "win32":
    import fcntl

#: What SQLite keeps beside its file (sqlite.org/tempfiles.html).
WRITE_AHEAD_LOG: Final = "-wal"
#: SQLite takes a file of one byte for empty too (os_unix.c, unixFileSize).
_EMPTY_BYTES: Final = 1
_COMPANIONS: Final = (WRITE_AHEAD_LOG, "-shm", "-journal")


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


def is_own(path: Path) -> bool:
    """Whether `path` lies in the folder that is ours alone, where nobody else has put anything."""
    return path.parent.name == OWN_FOLDER


def is_there(path: Path) -> bool:
    """Whether there is a file that a store can be tried on; gives it mode 0600.

    Raises ForeignFile when something is there that is none, DamagedFile when only the log of a
    store is left, and HistoryError when the file may not be used.
    """
    try:
        for companion in _COMPANIONS:
            if path.with_name(path.name + companion).is_symlink():
                raise ForeignFile(f"has a link beside it, {companion}", "Remove that link.")
        found = path.lstat()
    except FileNotFoundError:
        _require_no_log(path, "is missing while its log is there")
        return False
    except OSError as error:
        raise HistoryError(f"The history file cannot be used: {error.strerror}") from error
    try:
        _check(path, found)
        if stat.S_IMODE(found.st_mode) & 0o077:
            with contextlib.suppress(PermissionError):
                path.chmod(0o600)
        effective = os.access in os.supports_effective_ids
        if not os.access(path, os.R_OK | os.W_OK, effective_ids=effective):
            # SQLite would open it for reading alone and fail at the first write.
            raise HistoryError("The history file cannot be written: permission denied")
    except OSError as error:
        raise HistoryError(f"The history file cannot be used: {error.strerror}") from error
    return True


def require_whole_pages(path: Path, page_bytes: int) -> None:
    """Raise DamagedFile when a store ends within a page, which SQLite takes for full of zeros."""
    # With a log it may be that the disk was full when the file was to grow.
    if path.stat().st_size % page_bytes and not _has_log(path):
        raise DamagedFile("was cut off")


def make(path: Path, fill: Callable[[Path], None], *, replaces: bool = False) -> str | None:
    """Make the file `path` (mode 0600): whole, as `fill` leaves it, or not at all.

    `fill` gets an empty file of another name. What was at `path`, and what SQLite keeps beside it,
    is set aside if it `replaces` something; then the return value is its new name, without the
    folder. The caller holds the folder's lock. Raises HistoryError.
    """
    new = path.with_name(path.name + ".new")
    try:
        # One that was cut off in here before.
        for companion in ("", *_COMPANIONS):
            new.with_name(new.name + companion).unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        os.close(os.open(new, flags, 0o600))
        fill(new)
        name = set_aside(path) if replaces else None
        new.replace(path)
    except OSError as error:
        raise HistoryError(f"The history file cannot be made: {error.strerror}") from error
    _sync_folder(path.parent)
    return name


def set_aside(path: Path) -> str:
    """Rename `path` and what SQLite keeps beside it; returns the new name, without the folder."""
    dated = f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    name, number = dated, 1
    while any(os.path.lexists(path.with_name(name + c)) for c in ("", *_COMPANIONS)):
        number += 1
        name = f"{dated}-{number}"
    try:
        # The log last: without it the file could look whole, and older than it is.
        for companion in ("", *_COMPANIONS):
            with contextlib.suppress(FileNotFoundError):
                # SQLite reads them as one under the new name too.
                path.with_name(path.name + companion).rename(path.with_name(name + companion))
    except OSError as error:
        raise HistoryError(
            f"The history file is damaged and cannot be set aside: {error.strerror}"
        ) from error
    return name


def set_aside_before(path: Path) -> list[str]:
    """Names of what was set aside for `path` in the past, oldest first; of what can be seen."""
    try:
        names = [found.name for found in path.parent.iterdir()]
    except OSError:
        return []
    of_ours = (name for name in names if name.startswith(f"{path.name}.damaged-"))
    return sorted(name for name in of_ours if not name.endswith(_COMPANIONS))


def _make_folder(folder: Path) -> None:
    own = folder.name == OWN_FOLDER
    if own and folder.is_symlink():
        raise HistoryError(f"The folder {OWN_FOLDER} is a link; history is not kept through links")
    if make_folder(folder):
        _sync_folder(folder.parent)
    elif own and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        with contextlib.suppress(PermissionError):
            folder.chmod(0o700)


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut, where the system lets one ask for that."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _check(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise ForeignFile("is a link", "History is not kept through links.")
    if stat.S_ISDIR(found.st_mode):
        raise ForeignFile("is a directory")
    if not stat.S_ISREG(found.st_mode):
        raise ForeignFile("is no regular file")
    if found.st_nlink > 1:
        # sqlite.org/howtocorrupt.html, 2.5: two names mean two logs for one file.
        raise ForeignFile("has several names (hard links)", "SQLite cannot use it.")
    if found.st_size <= _EMPTY_BYTES:
        # SQLite would throw the log away, and with it what has been acknowledged.
        _require_no_log(path, "is empty while its log is not")
        if is_own(path):
            # We make none that is empty.
            raise ForeignFile("is empty")
    if is_own(path) and hasattr(os, "geteuid"):
        owners = {os.geteuid()}
        if 0 in owners:
            # Who works for somebody else as root finds that user's file.
            owners.add(path.parent.stat().st_uid)
        if found.st_uid not in owners:
            raise ForeignFile("belongs to another user")


def _require_no_log(path: Path, reason: str) -> None:
    if _has_log(path):
        raise DamagedFile(reason)


def _has_log(path: Path) -> bool:
    try:
        return path.with_name(path.name + WRITE_AHEAD_LOG).stat().st_size > 0
    except OSError:
        return False
