"""What every script of this project needs: inputs in, outputs out, files in the work folder.

A script gets its inputs as one JSON object on stdin and prints one JSON object on stdout.
Everything meant for a person's eyes goes to stderr. Python 3.8 and newer, standard library only.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WORK_FOLDER = "workflow-report"
_KEEP_SECONDS = 3600  # Lists of earlier runs are only of use to somebody looking into a failure.


def read_inputs(*names: str) -> dict[str, Any]:
    """The step's inputs; a missing one is an error that says where it belongs."""
    # Bytes, not text: JSON is UTF-8 whatever the console's encoding (Windows) is.
    inputs = json.loads(sys.stdin.buffer.read() or b"null")
    if not isinstance(inputs, dict):
        raise TypeError("the inputs must be one JSON object on stdin, for example {}")
    for name in names:
        if name not in inputs:
            raise KeyError(
                f"input {name!r} is missing: add it under this step's 'inputs' in the workflow file"
            )
    return inputs


def finish(**outputs: Any) -> None:
    """Print the step's outputs. Plain ASCII JSON survives every console and every pipe."""
    print(json.dumps(outputs, indent=2), flush=True)


def say(text: str) -> None:
    """Progress for whoever is watching: stderr, at once, never stdout."""
    print(text, file=sys.stderr, flush=True)


class Progress:
    """Says how far a long loop has come: about once a second, however fast the loop is."""

    def __init__(self, step: str, total: int | None = None) -> None:
        self.step, self.done = step, 0
        self.of = "" if total is None else f" of {total:,}"
        self.last = time.monotonic()

    def tick(self) -> None:
        self.done += 1
        if time.monotonic() - self.last >= 1:
            self.last = time.monotonic()
            say(f"{self.step}: {self.done:,}{self.of} files ...")


def new_run_folder() -> str:
    """Make this run's own folder under the work folder; the name is relative to the project.

    Each run has its own, so two runs at once never read each other's lists.
    """
    work = Path(WORK_FOLDER)
    if work.is_symlink() or (work.exists() and not work.is_dir()):
        raise NotADirectoryError(
            f"{WORK_FOLDER} must be a real folder, it holds what this workflow writes:"
            " remove or rename what is there"
        )
    work.mkdir(exist_ok=True)
    # The folder hides itself from git, so that nobody's own .gitignore has to know of it.
    (work / ".gitignore").write_text("*\n", encoding="utf-8")
    for old in work.glob("run-*"):
        try:
            if not old.is_symlink() and time.time() - old.stat().st_mtime > _KEEP_SECONDS:
                shutil.rmtree(str(old), ignore_errors=True)
        except FileNotFoundError:
            pass  # Another run was tidying up at the same moment.
    return f"{WORK_FOLDER}/{Path(tempfile.mkdtemp(prefix='run-', dir=str(work))).name}"


def store(path: str, content: Any) -> str:
    """Write a list that is too long to travel as an output; later steps get its path instead."""
    write_whole(path, json.dumps(content))  # ASCII: file names that are no UTF-8 come back intact
    return path


def load(path: str) -> Any:
    """Read what an earlier step has stored."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} does not exist: it is written by an earlier step, run the whole workflow"
        ) from None


def write_whole(path: str, text: str) -> None:
    """Write a file in one go: a reader sees the old text or the new one, never half of it."""
    fresh = Path(f"{path}.{os.getpid()}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def beside(path: str, name: str) -> str:
    """The path of a file in the same folder as `path`, with forward slashes on every system."""
    return f"{path.rpartition('/')[0]}/{name}"


def shown(text: str) -> str:
    """A file name or a line as it can be shown: one line, and nothing invisible in it."""
    # Names need not be UTF-8, and may hold line breaks or characters that reorder the line.
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    if "\udc80" <= char <= "\udcff":  # How Python keeps a byte that is no UTF-8.
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")
