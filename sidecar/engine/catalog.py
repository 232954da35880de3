"""Finding the workflow files of a project.

It knows folders and file names; what is in a file it asks the loader.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from protocol import limits
from protocol.problems import Problem
from protocol.workflow import Workflow
from sidecar.engine import loader, yaml_text
from sidecar.engine.access import MachineAccess
from sidecar.errors import PathError, WorkflowInvalid
from sidecar.scripts.paths import ProjectRoot

#: Folders of dependencies and build products, never of an author's workflows.
LEFT_OUT: Final = frozenset(
    {"node_modules", "bower_components", "site-packages", "__pycache__", "venv", "virtualenv",
     "env", "vendor", "dist", "build", "target", "workflow-report"}
)  # fmt: skip
_ROOT_KEY: Final = re.compile(rb"^(?:\xef\xbb\xbf)?[\"']?(workflow|steps)[\"']?\s*:", re.MULTILINE)
#: A root in braces, as in a JSON file: its keys stand anywhere.
_BRACES: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|#[^\n]*\n|---)*\{")


def workflow_files(project: Path) -> Iterator[str]:
    """Paths of all `.yaml` and `.yml` files, relative to the project, in a stable order.

    Hidden folders, folders of dependencies and links to folders are left out.
    """
    folders = [project]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue  # a folder that cannot be read holds nothing we could run
        inner = []
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith(".") and entry.name not in LEFT_OUT:
                    inner.append(Path(entry.path))
            elif entry.name.endswith((".yaml", ".yml")):
                yield Path(entry.path).relative_to(project).as_posix()
        folders.extend(reversed(inner))


def list_workflows(project: ProjectRoot, access: MachineAccess) -> list[dict[str, Any]]:
    """Every workflow of the project: `{path, workflow_id, name, …}`, or `{path, errors}`.

    A workflow is a file with `workflow` and `steps` at its root, valid or not.
    """
    found = []
    for path in workflow_files(project.path):
        try:
            source = read_workflow(project, path)
        except PathError:
            continue  # a link to outside, a FIFO: nothing that could be run
        if not _is_workflow(source):
            continue
        try:
            loaded = loader.load_text(source, access)
        except WorkflowInvalid as error:
            found.append({"path": path, "errors": _errors(error)})
        else:
            found.append({"path": path, **_summary(loaded.workflow)})
    return found


def _is_workflow(source: bytes) -> bool:
    """Whether `workflow` and `steps` stand at the root, as far as can be told without parsing.

    A project may hold thousands of YAML files, and a broken workflow is to be listed too.
    """
    if b"workflow" not in source or b"steps" not in source:
        return False
    if _BRACES.match(source):
        data = yaml_text.parse(source).data
        return data is None or (isinstance(data, dict) and {"workflow", "steps"} <= data.keys())
    return len({match.group(1) for match in _ROOT_KEY.finditer(source)}) == 2


def read_workflow(project: ProjectRoot, path: str) -> bytes:
    """The bytes of a workflow file. Raises PathError or one of its kinds.

    Reads one byte more than is allowed, so that the loader can say that it is too large.
    """
    with (
        project.open_file(path, "Workflow") as opened,
        os.fdopen(opened.fd, "rb", closefd=False) as stream,
    ):
        return stream.read(limits.MAX_WORKFLOW_FILE_BYTES + 1)


def _errors(error: WorkflowInvalid) -> list[Problem]:
    return [problem for problem in error.problems if problem.severity == "error"]


def _summary(workflow: Workflow) -> dict[str, Any]:
    info = workflow.workflow
    return {
        "workflow_id": workflow.workflow_id,
        "name": info.name,
        "version": info.version,
        "description": info.description,
        "tags": info.tags,
        "author": info.author,
        "step_count": len(workflow.steps),
    }
