"""Where a command works: the project's folder and the history file, from what was typed."""

import argparse
import os
import shlex
from pathlib import Path

from sidecar.errors import UsageError
from sidecar.own_folder import OWN_FOLDER


def project_folder(options: argparse.Namespace) -> Path:
    """The project's folder, as typed or the working directory. Raises UsageError."""
    typed = options.project or "."
    try:
        folder = Path(typed).resolve(strict=True)
        is_folder = folder.is_dir()
        if is_folder:
            # Entered: whether one may is more than a mode, or access(2), tells.
            os.stat(os.path.join(folder, "."))  # noqa: PTH116, PTH118 - a Path drops the dot
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"the project folder cannot be used: {typed}: {reason}") from None
    if not is_folder:
        raise UsageError(f"the project is not a folder: {typed}")
    return folder


def history_file(options: argparse.Namespace, project: Path) -> Path:
    """The history file, as typed or inside the project."""
    if options.history:
        return Path(os.path.abspath(options.history))  # noqa: PTH100 - links are not followed
    return own_history_file(project)


def own_history_file(project: Path) -> Path:
    """The history file inside the project, unless another one is named."""
    return project / OWN_FOLDER / "history.db"


def history_command(options: argparse.Namespace, project: Path, run_id: str) -> str:
    """What to type here to see a run in full, ready to be copied."""
    words = ["workflow-sidecar", "history", run_id]
    if project != Path.cwd().resolve():
        words += ["--project", options.project or str(project)]
    if options.history:
        words += ["--history", options.history]
    return shlex.join(words)
