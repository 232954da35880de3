"""Absolute paths in text: inside the project relative to it, elsewhere the file's name alone.

Knows the project's folder and how paths look; knows no secrets. It reads text and never the paths:
nothing here depends on whether a file exists, but for the folders at the root of this machine.
"""

import os
import re
from functools import cache
from pathlib import Path
from typing import Final

from sidecar.redaction.words import words

# A path begins where none goes on: not within a URL, a relative path or a word.
_POSIX: Final = re.compile(
    r"(?:(?<=file://)|(?<![\w./~%\]\\-]))/(?P<root>[\w.@+-]{1,64})"
    r"(?:/[^\s/\"'`<>|:;,()\[\]{}*?]*)*"
)
_WINDOWS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z]:[\\/](?!/)|\\\\[\w.-]{1,64}[\\/])(?:[^\s\"'`<>|:*?]|(?<=[\\/][A-Za-z]):(?=[\\/])){0,4096}"
)
# Quoted paths may hold spaces.
_QUOTED: Final = re.compile(
    r"""(?P<quote>["'])(?P<path>(?:/|[A-Za-z]:[\\/])[^"'\r\n]{1,4096})(?P=quote)"""
)
_FRAME: Final = re.compile(r'File "(?P<path>(?:/|[A-Za-z]:[\\/]|\\\\)[^"\r\n]{1,4096})"')
_SEPARATORS: Final = re.compile(r"[\\/]")

#: Folders at the root of POSIX systems. Other first parts, such as that of /api/v1/users, are
#: routes of web services unless this machine has such a folder.
_ROOTS: Final = words(
    """
    Applications Library System Users Volumes bin boot builds cores dev etc home lib lib32 lib64
    media mnt nix opt private proc root run sbin snap srv sys tmp usr var workspace workspaces
    """
)


class ProjectPaths:
    """What becomes of paths in the texts of one project."""

    def __init__(self, project: Path | None) -> None:
        """`project` is its folder; without one, all paths are outside."""
        folders = set() if project is None else {str(project.absolute()), os.path.realpath(project)}
        # Known, so these are found with spaces and all; the longest first, whole parts only.
        self._inside = [
            (
                folder,
                re.compile(rf"(?<![\w.-]){re.escape(folder)}(?:[\\/]+(?=[^\s\"'\\/])|(?![\w.-]))"),
            )
            for folder in sorted(folders, key=len, reverse=True)
            if len(folder) > 1
        ]
        home = os.environ.get("HOME") or os.environ.get("USERPROFILE") or ""
        # A home with spaces in it could not be told from the words around it.
        self._home = re.compile(rf"{re.escape(home)}(?![\w.-])") if " " in home else None

    def shorten(self, text: str) -> str:
        """`text` with its absolute paths shortened."""
        if "/" not in text and "\\" not in text:
            return text
        for folder, pattern in self._inside:
            if folder in text:
                text = pattern.sub(_inside, text)
        if self._home is not None:
            text = self._home.sub("/home", text)
        text = _QUOTED.sub(_shorten_quoted, text)
        text = _POSIX.sub(_shorten_posix, text)
        return _WINDOWS.sub(_shorten_windows, text)

    def shorten_trace(self, text: str) -> str:
        """Like `shorten`, for a Python traceback: all its files, wherever they lie."""
        return _FRAME.sub(_shorten_frame, self.shorten(text))


def _inside(match: re.Match[str]) -> str:
    """Nothing in front of a path in the folder, `.` for the folder itself."""
    return "" if match[0][-1] in "\\/" else "."


def _shorten_quoted(match: re.Match[str]) -> str:
    path = match["path"]
    if path[0] == "/" and not _is_root(path[1:].partition("/")[0]):
        return match[0]
    return f"{match['quote']}{_name_of(path)}{match['quote']}"


def _shorten_posix(match: re.Match[str]) -> str:
    return _name_of(match[0]) if _is_root(match["root"]) else match[0]


def _shorten_windows(match: re.Match[str]) -> str:
    return _name_of(match[0])


def _shorten_frame(match: re.Match[str]) -> str:
    return f'File "{_name_of(match["path"])}"'


def _name_of(path: str) -> str:
    parts = [part for part in _SEPARATORS.split(path) if part]
    return parts[-1] if parts else ""


@cache
def _is_root(name: str) -> bool:
    return name in _ROOTS or name in _folders_at_root()


@cache
def _folders_at_root() -> frozenset[str]:
    try:
        return frozenset(entry.name for entry in Path("/").iterdir())
    except OSError:
        return frozenset()
