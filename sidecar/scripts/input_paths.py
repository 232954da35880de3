"""Path-like strings among a script's inputs, held to the project's boundary (ADR-011).

A string has no type that says "path", so this is a heuristic; what it takes for one is fixed here.

Paths, and escaping unless they lie inside the project behind all links:

* `~/…` and `~user/…`: nothing here expands them, but scripts do (`expanduser`).
* absolute, if its first name exists on this machine: `/etc/passwd`, not `/api/v1/users`;
* with a `..` component that climbs above the project, in either kind of slash, even if it comes
  back;
* `file:` URLs, percent-decoded;
* drives and UNC: `C:\\x`, `C:/x`, `\\\\server\\share`;
* relative, if the first name exists in the project: a link may lead out of it.

No paths: `/`, `//`, `/^foo$/`, `text/html`, `2024/01/02`, other URLs, text of several lines, text
with NUL, text of more than 4096 characters without `..` (no system opens such a path). Whitespace
around a string is ignored, since scripts strip it. Not looked into: keys of objects, options
such as `--out=/etc/x`, search paths after their first entry.
"""

import os
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from sidecar.scripts.path_rules import DRIVE, MAX_PATH_BYTES, leaves, split_components

_HOME: Final = re.compile(r"~[^/\\\s]*[/\\]")
_UNC: Final = re.compile(r"\\\\[^\\/\s]+[\\/][^\\/\s]")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_FILE_URL: Final = re.compile(r"file:", re.IGNORECASE)
_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def find_escaping_path(value: Any, root: str) -> tuple[str, str] | None:
    """The place and text of the first string in `value` that leaves `root`, depth first, or None.

    `root` is the real absolute path of the project. One pass, no recursion.
    """
    pending: list[tuple[tuple[Any, ...], Any]] = [((), value)]
    while pending:
        place, item = pending.pop()
        if isinstance(item, str):
            if escapes(item, root):
                return _field(place), item
        elif isinstance(item, dict):
            pending.extend(((place, key), item[key]) for key in reversed(item))
        elif isinstance(item, list):
            pending.extend(((place, i), item[i]) for i in range(len(item) - 1, -1, -1))
    return None


def escapes(text: str, root: str) -> bool:
    """Whether `text` is a path, by the rules above, that leaves `root`."""
    text = text.strip()
    if len(text) > MAX_PATH_BYTES:
        # No system opens it as it stands, but a script that normalises it first may.
        if ".." not in text:
            return False
        if leaves(split_components(text)) and not _URL.match(text):
            return "\n" not in text and "\0" not in text
        text = os.path.normpath(text)
        if len(text) > MAX_PATH_BYTES:
            return False
    if not text or "\n" in text or "\0" in text:
        return False
    if _FILE_URL.match(text):
        return _file_url_escapes(text[5:], root)
    if _URL.match(text):
        return False
    if _HOME.match(text) or _UNC.match(text):
        return True
    if DRIVE.match(text) and text[2:3] in ("/", "\\"):
        return not (Path(text).is_absolute() and _is_inside(text, root))
    if text[0] == "/":
        return _absolute_escapes(text, root)
    if leaves(text.split("/")) or leaves(split_components(text)):
        return True
    return _relative_escapes(text, root)


def _file_url_escapes(rest: str, root: str) -> bool:
    host, slash, path = rest[2:].partition("/") if rest.startswith("//") else ("", "", rest)
    if host not in ("", "localhost"):
        return True
    path = unquote(slash + path)
    if "\0" in path:
        return False
    if path.startswith("/"):
        # `file:///C:/x` names a drive behind its slash.
        return bool(DRIVE.match(path, 1)) or not _is_inside(path, root)
    return path != "" and escapes(path, root)


def _absolute_escapes(text: str, root: str) -> bool:
    path = "/" + os.path.normpath(text).lstrip("/")
    first = path[1:].partition("/")[0]
    if not first or not os.path.lexists("/" + first):
        return False
    return not _is_inside(text, root)


def _relative_escapes(text: str, root: str) -> bool:
    if not os.path.lexists(Path(root, text.partition("/")[0])):
        return False
    return not _is_inside(os.path.join(root, text), root)  # noqa: PTH118  # keeps `..` as it is


def _is_inside(path: str, root: str) -> bool:
    """Whether an absolute path leads to `root` or below it; what cannot be resolved does not."""
    if "\0" in path:
        return False
    try:
        try:
            real = os.path.realpath(path, strict=True)
        except (FileNotFoundError, NotADirectoryError):
            real = os.path.realpath(path)
    except (OSError, ValueError):
        return False
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)


def _field(place: tuple[Any, ...]) -> str:
    """`files[0].name`, from the linked list of keys that `find_escaping_path` keeps."""
    keys: list[Any] = []
    while place:
        place, key = place
        keys.append(key)
    text = ""
    for key in reversed(keys):
        if isinstance(key, int):
            text += f"[{key}]"
        elif _FIELD_NAME.fullmatch(key):
            text += f".{key}" if text else key
        else:
            text += f"[{key!r}]"
    return text
