"""List the files of a folder.

Reads    folder: a folder inside the project, such as "." or "src".
Returns  listing: path of a JSON file with every file's path, size and time of change;
         files, bytes: the totals; left_out: how many things the walk did not go into.
Raises   FileNotFoundError, NotADirectoryError, ValueError for a folder that cannot be used.

Hidden folders, version control, dependencies, build output and caches are no source and are left
out, links are not followed. All of it is counted, and the report says so.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from _common import WORK_FOLDER, Progress, finish, new_run_folder, read_inputs, say, store

DEPENDENCIES = {"node_modules", "bower_components", "vendor", "site-packages", "Pods"}
OUTPUT = {"build", "dist", "target", "coverage", "htmlcov", "DerivedData", WORK_FOLDER}
NOT_SOURCE = DEPENDENCIES | OUTPUT | {"__pycache__", "venv", "virtualenv", "CVS"}
JUNCTION = 0xA0000003  # A Windows link between folders that is_symlink() does not know of.


def checked(folder: object) -> str:
    """The folder relative to the project, with forward slashes; "" is the project itself."""
    if not isinstance(folder, str) or not folder:
        raise ValueError('input "folder" must name a folder, for example "." or "src"')
    path = Path(folder)
    if not path.exists():
        raise FileNotFoundError(f"there is no folder {folder!r} in this project: check the name")
    if not path.is_dir():
        raise NotADirectoryError(f"{folder!r} is a file: give the folder that it is in")
    try:
        relative = path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        raise ValueError(
            f"{folder!r} is outside this project: run the workflow with that folder as the project"
        ) from None
    return "" if relative == "." else relative


def walk(top: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Every file under `top`, in a stable order, and what was left out."""
    files: list[dict[str, Any]] = []
    folders: dict[str, int] = {}
    left_out: dict[str, Any] = {
        "hidden_folders": 0, "folders": folders, "links": 0, "special": 0, "unreadable": []
    }  # fmt: skip
    progress = Progress("inventory")
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder or ".") as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            say(f"inventory: cannot read folder {folder!r}: {error.strerror}")
            left_out["unreadable"].append(f"{folder or '.'}/")
            continue
        if folder != top and any(entry.name == "pyvenv.cfg" for entry in entries):
            folders["(virtual environments)"] = folders.get("(virtual environments)", 0) + 1
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            try:
                info = entry.stat(follow_symlinks=False)
                is_folder = entry.is_dir(follow_symlinks=False)
            except OSError as error:
                say(f"inventory: cannot look at {path!r}: {error.strerror}")
                left_out["unreadable"].append(path)
                continue
            if entry.is_symlink() or getattr(info, "st_reparse_tag", 0) == JUNCTION:
                left_out["links"] += 1
            elif is_folder and entry.name.startswith("."):
                left_out["hidden_folders"] += 1
            elif is_folder and (entry.name in NOT_SOURCE or entry.name.endswith(".egg-info")):
                folders[entry.name] = folders.get(entry.name, 0) + 1
            elif is_folder:
                waiting.append(path)
            elif entry.is_file(follow_symlinks=False):
                files.append({"path": path, "size": info.st_size, "changed": info.st_mtime_ns})
                progress.tick()
            else:
                left_out["special"] += 1  # A pipe, a socket, a device: reading it might never end.
    return sorted(files, key=lambda file: str(file["path"])), left_out


def main() -> None:
    folder = checked(read_inputs("folder")["folder"])
    # Made before the walk, so that a first run finds the same folders as a second one.
    run_folder = new_run_folder()
    say(f"inventory: walking through {folder or 'the whole project'}")
    files, left_out = walk(folder)
    # The next step looks again and needs to know when this look was over.
    listing = store(
        f"{run_folder}/files.json",
        {"folder": folder, "looked_at": time.time(), "files": files, "left_out": left_out},
    )
    say(f"inventory: {len(files):,} files")
    finish(
        listing=listing,
        files=len(files),
        bytes=sum(file["size"] for file in files),
        left_out=left_out["hidden_folders"] + sum(left_out["folders"].values())
        + left_out["links"] + left_out["special"] + len(left_out["unreadable"]),
    )  # fmt: skip


if __name__ == "__main__":
    main()
