"""Every problem of a workflow, its paths included.

Beside what the loader finds it looks at the project's folder: a script's path that leaves the
project is an error, since that step would fail, and so is such a default of an input; a script
that is missing is a warning, since an earlier step may write it.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, Literal

from protocol.problems import Located, Path, Problem, field_name
from sidecar.engine import catalog, checks, loader
from sidecar.engine.access import MachineAccess
from sidecar.engine.loader import LoadedWorkflow
from sidecar.errors import PathError, PathNotFound, WorkflowInvalid, WorkflowNotFound
from sidecar.scripts.paths import ProjectRoot

#: What no path has: a line's end, or a key; a colon is refused in paths (but for a drive's).
_YAML_TEXT: Final = re.compile(r"\n|:(?:\s|$)|^\s*\{.*:")


def load_file(project: ProjectRoot, path: str, access: MachineAccess) -> LoadedWorkflow:
    """Load a workflow file by its path in the project. Raises WorkflowNotFound, WorkflowInvalid."""
    return loader.load_text(_read(project, path), access)


def validate_file(project: ProjectRoot, path: str, access: MachineAccess) -> list[Problem]:
    """Every problem of a workflow file, in the order of the text. Raises WorkflowNotFound."""
    return _problems_of_text(project, _read(project, path), access)


def validate(
    project: ProjectRoot, workflow: str | Mapping[str, Any], access: MachineAccess
) -> list[Problem]:
    """Every problem of a path, a YAML text (of several lines, or with a `key: value`) or an object.

    Raises WorkflowNotFound.
    """
    if isinstance(workflow, str) and _YAML_TEXT.search(workflow) is None:
        return validate_file(project, workflow, access)
    if isinstance(workflow, str):
        return _problems_of_text(project, workflow, access)
    try:
        return loader.load_object(workflow, access, partial(_paths, project)).warnings
    except WorkflowInvalid as error:
        return error.problems


def _read(project: ProjectRoot, path: str) -> bytes:
    try:
        return catalog.read_workflow(project, path)
    except PathError as error:
        raise WorkflowNotFound(error.message) from None


def _problems_of_text(
    project: ProjectRoot, text: bytes | str, access: MachineAccess
) -> list[Problem]:
    try:
        return loader.load_text(text, access, partial(_paths, project)).warnings
    except WorkflowInvalid as error:
        return error.problems


def _paths(project: ProjectRoot, data: Mapping[str, Any]) -> Iterator[Located]:
    """What is wrong with the paths of a workflow's data."""
    for index, step in checks.entries(data.get("steps")):
        script = step.get("script")
        # One that holds a reference has been reported as such.
        if isinstance(script, str) and script and "${" not in script:
            try:
                project.check(script)
            except PathNotFound as error:
                yield _located(("steps", index, "script"), error.message, "warning")
            except PathError as error:
                yield _located(("steps", index, "script"), error.message, "error")
    for index, declared in checks.entries(data.get("inputs")):
        kind, default = declared.get("type"), declared.get("default")
        if (kind == "file" or kind == "directory") and isinstance(default, str):
            try:
                project.check_input_path(default, kind)
            except PathError as error:
                message = f"the default does not fit: {error.message}"
                yield _located(("inputs", index, "default"), message, "error")


def _located(path: Path, message: str, severity: Literal["error", "warning"]) -> Located:
    problem = Problem(field=field_name(path), message=message, severity=severity)
    return Located(path, False, problem)
