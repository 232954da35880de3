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
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"the project folder cannot be used: {typed}: {reason}") from None
    if not folder.is_dir():
        raise UsageError(f"the project is not a folder: {typed}")
    return folder


def history_file(options: argparse.Namespace, project: Path) -> Path:
    """The history file, as typed or inside the project."""
    if options.history:
        return Path(os.path.abspath(options.history))  # noqa: PTH100 - links are not followed
    return project / OWN_FOLDER / "history.db"


def history_command(options: argparse.Namespace, project: Path, workflow_id: str) -> str:
    """What to type here to see the newest run of a workflow, ready to be copied."""
    words = ["--limit", "1", "--json"]
    if project != Path.cwd().resolve():
        words += ["--project", options.project or str(project)]
    if options.history:
        words += ["--history", options.history]
    # A workflow without an id goes by its name, which may hold anything.
    if workflow_id.startswith("-") and workflow_id.isprintable():
        words += ["--", workflow_id]
    elif workflow_id.isprintable():
        words.insert(0, workflow_id)
    return shlex.join(["workflow-sidecar", "history", *words])
