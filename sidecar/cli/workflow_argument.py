"""A workflow file on the command line: what it means, and how its problems are printed."""

import os
from pathlib import Path

from protocol.problems import Problem, closest, some
from sidecar.errors import UsageError
from sidecar.redaction import Redactor, escape_control

_SUFFIXES = (".yaml", ".yml")


def locate(typed: str, project: Path | None) -> tuple[Path, str]:
    """The project's folder and the file's path relative to it.

    Without a project it is the working directory if the file lies in it, else the file's folder.
    With one, a file that is not here is looked for there. Raises UsageError for a folder, and when
    the file lies outside the given project. Whether the file exists, and what its links lead to,
    is decided where it is opened.
    """
    if not typed or "\0" in typed:
        raise UsageError("the workflow's path is empty" if not typed else "a path holds no NUL")
    # Not by methods of Path, which raise where one may not even look.
    in_project = None if project is None else os.path.join(project, typed)  # noqa: PTH118
    if in_project and not os.path.lexists(typed) and os.path.isfile(in_project):  # noqa: PTH113
        typed = in_project
    file = Path(os.path.abspath(typed))  # noqa: PTH100 - links are judged where they are followed
    if os.path.isdir(file):  # noqa: PTH112
        names = _workflows_in(file)
        hint = f"; did you mean one of {some(names)} in it?" if names else ""
        raise UsageError(f"{typed} is a folder, not a workflow file{hint}")
    folder = file.parent.resolve()
    file = folder / file.name
    if project is not None:
        if not file.is_relative_to(project):
            raise UsageError(
                f"the workflow {typed} lies outside the project {project}; without --project its "
                "own folder is the project"
            )
        return project, file.relative_to(project).as_posix()
    here = Path.cwd().resolve()
    if file.is_relative_to(here):
        return here, file.relative_to(here).as_posix()
    return folder, file.name


def hint_for_missing(typed: str) -> str:
    """What to append to the message that there is no such file; empty when nothing comes near."""
    folder, name = Path(typed).parent, Path(typed).name
    # Without the suffix, which makes any two names look alike.
    by_stem = {Path(there).stem: there for there in _workflows_in(folder)}
    near = closest(name.removesuffix(".yml").removesuffix(".yaml"), by_stem)
    return f"; did you mean {folder / by_stem[near]}?" if near else ""


def _workflows_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.suffix in _SUFFIXES)
    except OSError:
        return []


def problem_line(typed: str, problem: Problem) -> str:
    """One problem as `file:line:column: error: message`, the file as it was typed."""
    redactor = Redactor()
    # The name by itself: `token.yaml:3:7` would look like a token and its value.
    place = f"{redactor.text(typed)}:{problem.line or 1}:{problem.column or 1}"
    return escape_control(f"{place}: {problem.severity}: {redactor.text(problem.text())}")
