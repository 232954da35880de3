"""The project's boundary (ADR-011): one function for every path that the sidecar opens.

Check and open are one step: a file is opened beneath the root's own descriptor, one component at
a time and never through a link, so what was checked is what was opened, whatever is swapped
meanwhile. Links are resolved first and their target, free of links, is opened the same way;
a link that appears in between makes the open fail. (`openat2(RESOLVE_BENEATH)` gives no more, and
refuses absolute links that stay inside; through ctypes it costs about what two `openat` do.)
Where there is no `dir_fd` (Windows) the fully resolved path is checked, then opened.

A check of paths stops mistakes and swaps, not code: a script that runs can open what its user
can. This file knows scripts only as files.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

from sidecar.errors import PathError, PathNotFound, PathUnavailable
from sidecar.scripts.input_paths import find_escaping_path
from sidecar.scripts.path_rules import check_characters, outside, relative_components
from sidecar.scripts.quoting import quoted

_HAS_DIR_FD: Final = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_COMMON_FLAGS: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
#: O_NONBLOCK so that a FIFO or a device cannot hang us; on a regular file it means nothing.
_FILE_FLAGS: Final = (
    _COMMON_FLAGS
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
)
_FOLDER_FLAGS: Final = _COMMON_FLAGS | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0)
#: How the systems say "there is a link where you wanted none".
_LINK_ERRNOS: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})

_REASONS: Final = {
    errno.EACCES: "may not be read",
    errno.EPERM: "may not be read",
    errno.ELOOP: "leads through links that never end",
    errno.ENAMETOOLONG: "is too long",
    errno.ENXIO: "is not a regular file",
    errno.EOPNOTSUPP: "is not a regular file",
}


_NO_MEANS: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A regular file of the project, open for reading; closing is the holder's duty."""

    fd: int
    """Close-on-exec, at offset 0."""
    relative: str
    """From the root, with forward slashes, as messages show it."""
    absolute: str
    """The root's path and `relative`; links in `relative` stand unresolved."""
    folder: str
    """Absolute path of the folder that the opened file really lies in."""

    def close(self) -> None:
        """Close the descriptor; once only."""
        os.close(self.fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ProjectRoot:
    """A project directory, opened once; every path of the product is held against it."""

    path: Path
    """Real absolute path: links in the way to the root are resolved."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """Open `directory`, which may be a link. Raises PathNotFound or PathError."""
        shown = quoted(os.fspath(directory))
        try:
            self.path = Path(directory).resolve(strict=True)
            if not self.path.is_dir():
                raise PathError(f"Project is not a directory: {shown}")
            # Entered: opened as a mere place it would only fail with each file in it.
            os.stat(os.path.join(self.path, "."))  # noqa: PTH116, PTH118 - a Path drops the dot
            self._fd = os.open(self.path, _FOLDER_FLAGS) if _HAS_DIR_FD else -1
        except FileNotFoundError:
            raise PathNotFound(f"Project directory not found: {shown}") from None
        except (OSError, ValueError, RuntimeError) as error:
            # RuntimeError: how pathlib of 3.11 and 3.12 reports a link that never ends
            reason = getattr(error, "strerror", None) or "not a usable path"
            raise PathError(f"Project directory cannot be used: {shown}: {reason}") from error
        self._text = str(self.path)
        self._prefix = self._text.rstrip(os.sep) + os.sep

    def close(self) -> None:
        """Close the root's descriptor; safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open_file(self, relative: str, what: str = "Script") -> OpenedFile:
        """Open a regular file of the project by its path from the root.

        `what` names the kind of file in messages. Raises PathOutsideProject (absolute, `..`,
        a drive, a link to outside), PathNotFound, or PathError (malformed, not a regular file,
        unreadable). Never blocks, whatever lies there.
        """
        components = relative_components(relative, what)
        with _reported(relative, what):
            fd, real = self._open(components, _FILE_FLAGS, what)
            try:
                _require_file(os.fstat(fd).st_mode, relative, what)
            except BaseException:
                os.close(fd)
                raise
        return OpenedFile(
            fd,
            "/".join(components),
            str(Path(self._text, *components)),
            str(Path(self._text, *real[:-1])),
        )

    def check(self, relative: str, what: str = "Script") -> None:
        """Raise what `open_file` would raise; keep nothing open."""
        self.open_file(relative, what).close()

    def check_input_path(self, value: str, kind: Literal["file", "directory"]) -> None:
        """Hold a typed input to the boundary; the path may be absolute when it lies inside.

        It may not exist yet; what exists must be of that `kind`. Raises PathOutsideProject or
        PathError.
        """
        what = kind.capitalize()
        check_characters(value, what)
        is_absolute = Path(value).is_absolute()
        inner = self._strip_root(os.path.normpath(value)) if is_absolute else value
        if is_absolute and inner is None:
            # Another spelling of the project's path, perhaps through a link.
            inner = self._strip_root(os.path.realpath(value))
        if inner is None:
            raise outside(what)
        components = relative_components(inner, what, root_allowed=True)
        with _reported(value, what):
            real = self._inside(self._resolve(components), what)
            try:
                mode = Path(self._text, *real).stat().st_mode
            except FileNotFoundError:
                return
            check = _require_file if kind == "file" else _require_directory
            check(mode, value, what)

    def find_escaping_path(self, value: Any) -> tuple[str, str] | None:
        """The first path-like string in a JSON value that leaves the project, with its place.

        `("files[0].name", "../../etc/passwd")`, or None. Which strings count as paths is said in
        `input_paths`. Linear in the size of the value; recurses nowhere.
        """
        return find_escaping_path(value, self._text)

    def _strip_root(self, absolute: str) -> str | None:
        """An absolute path as one from the root, or None when it lies outside."""
        if absolute == self._text:
            return "."
        if not absolute.startswith(self._prefix):
            return None
        return absolute[len(self._prefix) :].replace(os.sep, "/")

    def _inside(self, real: str, what: str) -> list[str]:
        """The components from the root to a resolved path. Raises PathOutsideProject."""
        inner = self._strip_root(real)
        if inner is None:
            raise outside(what)
        return [] if inner == "." else inner.split("/")

    def _resolve(self, components: list[str]) -> str:
        """The absolute path behind all links; names that do not exist stand as they are.

        The lenient `realpath` is asked only after the strict one has found that something is
        missing: alone, it also shrugs at paths that are too long and says "inside".
        """
        path = Path(self._text, *components)
        try:
            return os.path.realpath(path, strict=True)
        except FileNotFoundError:
            return os.path.realpath(path)

    def _open(self, components: list[str], flags: int, what: str) -> tuple[int, list[str]]:
        """A descriptor beneath the root and the components it was opened by."""
        if _HAS_DIR_FD:
            try:
                return self._walk(components, flags), components
            except OSError as error:
                if error.errno not in _LINK_ERRNOS:
                    raise
        real = self._inside(self._resolve(components), what)
        if _HAS_DIR_FD:
            return self._walk(real, flags), real
        return os.open(Path(self._text, *real), flags), real

    def _walk(self, components: list[str], flags: int) -> int:
        """Open name by name from the root's descriptor; a link anywhere is an OSError."""
        folder = self._fd
        try:
            for name in components[:-1]:
                below = os.open(name, _FOLDER_FLAGS, dir_fd=folder)
                if folder != self._fd:
                    os.close(folder)
                folder = below
            return os.open(components[-1], flags, dir_fd=folder)
        finally:
            if folder != self._fd:
                os.close(folder)


@contextmanager
def _reported(path: str, what: str) -> Iterator[None]:
    """Turn the system's errors into ours, which name the path as it was written."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise PathNotFound(f"{what} not found: {quoted(path)}") from None
    except OSError as error:
        if error.errno in _NO_MEANS:
            raise PathUnavailable(f"{what} cannot be opened: {error.strerror}") from None
        reason = _REASONS.get(error.errno or 0, "cannot be opened")
        raise PathError(f"{what} {reason}: {quoted(path)}") from None


def _require_file(mode: int, path: str, what: str) -> None:
    if stat.S_ISDIR(mode):
        raise PathError(f"{what} is a directory, not a file: {quoted(path)}")
    if not stat.S_ISREG(mode):
        raise PathError(f"{what} is not a regular file: {quoted(path)}")


def _require_directory(mode: int, path: str, what: str) -> None:
    if not stat.S_ISDIR(mode):
        raise PathError(f"{what} is not a directory: {quoted(path)}")
