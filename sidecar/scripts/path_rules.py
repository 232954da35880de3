"""What a path may look like, before any file system is asked.

Workflow files travel between machines, so the rules are those of every system at once: a path
that Windows would read as a drive, a device or a stream is refused on Linux too. Nothing is ever
expanded: `~`, `$HOME`, `%2e%2e` and `*` are names. Sources: ADR-011; "Naming Files, Paths, and
Namespaces" (Win32 documentation) for the Windows shapes; path_resolution(7).
"""

import re
import unicodedata
from typing import Final

from sidecar.errors import PathError, PathOutsideProject
from sidecar.scripts.quoting import quoted

#: NAME_MAX and PATH_MAX of Linux, in bytes; no system we run on takes more.
MAX_NAME_BYTES: Final = 255
MAX_PATH_BYTES: Final = 4095

DRIVE: Final = re.compile(r"[A-Za-z]:")
_SEPARATORS: Final = re.compile(r"[/\\]")
_DEVICE: Final = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE
)


def outside(what: str) -> PathOutsideProject:
    """The one message for everything that leaves the project; `what` is "Script", "File" …"""
    return PathOutsideProject(f"{what} path outside project directory")


def leaves(components: list[str]) -> bool:
    """Whether `..` climbs above the start at any point, even if it comes back."""
    depth = 0
    for component in components:
        if component == "..":
            depth -= 1
            if depth < 0:
                return True
        elif component not in ("", "."):
            depth += 1
    return False


def split_components(path: str) -> list[str]:
    """The components of a path, taking both kinds of slash for a separator."""
    return _SEPARATORS.split(path)


def relative_components(path: str, what: str, *, root_allowed: bool = False) -> list[str]:
    """The names that lead from the project's root to `path`, without `.` and `..`.

    `a/../b` becomes `b` by its text alone, the same on every system. `[]` is the root itself,
    an error unless `root_allowed`. Raises PathOutsideProject or PathError; touches no disk.
    """
    check_characters(path, what)
    shown = quoted(path)
    either = split_components(path)
    if either[0] == "" or DRIVE.match(path) or leaves(either):
        raise outside(what)
    if "\\" in path:
        raise PathError(f"{what} path must use forward slashes: {shown}")
    components: list[str] = []
    for name in either:
        if name == "..":
            components.pop()
        elif name not in ("", "."):
            _check_name(name, what, shown)
            components.append(name)
    if root_allowed:
        return components
    if not components:
        raise PathError(f"{what} path names the project directory itself: {shown}")
    if either[-1] in ("", ".", ".."):
        raise PathError(f"{what} path names a directory, not a file: {shown}")
    return components


def check_characters(path: str, what: str) -> None:
    """Raise PathError for a path that is empty, too long, or text that no path can be."""
    if not path:
        raise PathError(f"{what} path is empty")
    shown = quoted(path)
    for character in path:
        category = unicodedata.category(character)
        if category == "Cc":
            raise PathError(f"{what} path holds a control character: {shown}")
        if category == "Cs":
            raise PathError(f"{what} path is not valid Unicode: {shown}")
    if len(path.encode()) > MAX_PATH_BYTES:
        raise PathError(f"{what} path is too long: {shown}")


def _check_name(name: str, what: str, shown: str) -> None:
    if len(name.encode()) > MAX_NAME_BYTES:
        raise PathError(f"{what} path is too long: {shown}")
    if ":" in name:
        raise PathError(f"{what} path must not hold a colon: {shown}")
    if name[-1] in ". ":
        raise PathError(f"{what} path has a name that ends in a dot or a space: {shown}")
    if _DEVICE.fullmatch(name):
        raise PathError(f"{what} path has a name that Windows keeps for a device: {shown}")
