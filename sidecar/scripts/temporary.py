"""A private temporary folder for every attempt, gone when the attempt is.

They lie side by side in one folder of this process (mode 0700), in the system's temporary folder,
where paths are short: a socket's may have 108 bytes. What a process leaves there that was killed
is removed by the next one; a lock that dies with its holder tells which those are.

It knows no scripts, but expects anything of what they leave: no permissions, a million files,
folders nested deeper than any path can name. All processes of the attempt are dead by then.
"""

import asyncio
import contextlib
import errno
import logging
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

_PREFIX: Final = "workflow-sidecar-"
_LOCK: Final = "lock"
#: After a folder was given away; by then its script has been started.
_AHEAD_SECONDS: Final = 0.002
_FOLDER_FLAGS: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_HAS_DIR_FD: Final = os.open in os.supports_dir_fd and os.rmdir in os.supports_dir_fd


class TemporaryFolders:
    """The temporary folders of one process's attempts."""

    def __init__(self) -> None:
        self._base: Path | None = None
        self._lock = -1
        self._numbers = count(1)
        #: Made while nobody waited: on a disk it takes longer than all else of a start.
        self._next: Path | None = None
        self._making: asyncio.TimerHandle | None = None
        self._sweeping: asyncio.Task[None] | None = None

    def make(self) -> Path:
        """A new, empty folder, mode 0700; its path holds no link. Raises OSError."""
        folder, self._next = self._next, None
        if self._making is None:
            loop = asyncio.get_running_loop()
            self._making = loop.call_later(_AHEAD_SECONDS, self._make_next)
        # Somebody may have tidied up the system's temporary folder while we were idle.
        return folder if folder is not None and folder.is_dir() else self._make()

    def _make_next(self) -> None:
        self._making = None
        with contextlib.suppress(OSError):  # whoever needs it is told
            self._next = self._make()

    def _make(self) -> Path:
        while True:
            base = self._base or self._make_base()
            folder = base / str(next(self._numbers))
            try:
                folder.mkdir(mode=0o700)
            except FileNotFoundError:
                self._base = None
            else:
                return folder

    async def remove(self, folder: Path) -> None:
        """Remove one of them with all that is in it; what cannot be is logged."""
        try:
            folder.rmdir()  # noqa: ASYNC240 - empty, as most are, or refused at once
        except FileNotFoundError:
            return
        except OSError:
            await _undisturbed(asyncio.to_thread(_remove_logged, folder))

    async def close(self) -> None:
        """Remove them all."""
        if self._making is not None:
            self._making.cancel()
            self._making = None
        self._next = None
        if self._sweeping is not None:
            await asyncio.wait({self._sweeping})
        if self._base is not None:
            await asyncio.to_thread(_remove_logged, self._base)
            self._base = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _make_base(self) -> Path:
        if self._lock >= 0:
            os.close(self._lock)
        base = Path(os.path.realpath(tempfile.mkdtemp(prefix=_PREFIX)))
        self._lock = os.open(base / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        _try_lock(self._lock)
        self._base = base
        if self._sweeping is None:
            self._sweeping = asyncio.create_task(asyncio.to_thread(_sweep, base))
        return base


async def _undisturbed(work: Coroutine[Any, Any, None]) -> None:
    """Await `work` to its end; a cancellation meanwhile is raised after it."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


def _try_lock(fd: int) -> bool:
    """Take the lock if nobody has it. Where files cannot be locked nothing is ever swept."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(ours: Path) -> None:
    """Remove the folders of processes that are gone."""
    for base in ours.parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = base.lstat()
            if base == ours or not stat.S_ISDIR(status.st_mode) or status.st_uid != _user():
                continue
            lock = os.open(base / _LOCK, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                if _try_lock(lock):
                    remove_tree(base)
            finally:
                os.close(lock)


def _user() -> int:
    return os.getuid() if sys.platform != "win32" else 0


def _remove_logged(folder: Path) -> None:
    try:
        remove_tree(folder)
    except OSError as error:
        logger.warning("temporary folder is left", extra={"fields": {"error": error.strerror}})


def remove_tree(folder: Path) -> None:
    """Remove a folder and all that is in it, however it is nested. Raises OSError.

    Nobody else may be writing in it. No link in it is followed. Takes no recursion, three
    descriptors, and no path longer than one name: a folder within a folder is moved up first.
    """
    if not _HAS_DIR_FD:
        shutil.rmtree(folder)
        return
    folder.chmod(0o700)
    top = os.open(folder, _FOLDER_FLAGS)
    moved = (f".removing-{number}" for number in count())
    try:
        while names := os.listdir(top):  # noqa: PTH208 - of a descriptor
            for name in names:
                if not _unlink(name, top):
                    _flatten(name, top, moved)
    finally:
        os.close(top)
    folder.rmdir()


def _flatten(name: str, top: int, moved: Iterator[str]) -> None:
    """Remove the folder `name` in `top`; the folders in it come to lie in `top`."""
    os.chmod(name, 0o700, dir_fd=top)
    inner = os.open(name, _FOLDER_FLAGS, dir_fd=top)
    try:
        for below in os.listdir(inner):  # noqa: PTH208
            if _unlink(below, inner):
                continue
            os.chmod(below, 0o700, dir_fd=inner)  # its `..` changes, so it must be writable
            _move_up(below, inner, top, moved)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=top)


def _move_up(name: str, inner: int, top: int, moved: Iterator[str]) -> None:
    for new in moved:
        try:
            os.rename(name, new, src_dir_fd=inner, dst_dir_fd=top)
        except OSError as error:
            # The script may have used our names.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
        else:
            return


def _unlink(name: str, folder: int) -> bool:
    """Remove what is no folder; false when it is one."""
    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        return False
    os.unlink(name, dir_fd=folder)
    return True
