"""`validate`: every problem of workflow files, one a line."""

import argparse

from protocol.problems import Problem
from sidecar.cli import streams
from sidecar.cli.wording import counted
from sidecar.cli.workflow_argument import hint_for_missing, locate, problem_line
from sidecar.engine.access import MachineAccess
from sidecar.engine.validation import validate_file
from sidecar.errors import SidecarError, WorkflowNotFound
from sidecar.scripts.paths import ProjectRoot


def run(options: argparse.Namespace) -> int:
    """Check every file; 0 when all are valid, else 1."""
    valid = sum(_check(path) for path in options.workflow)
    streams.flush()
    count = len(options.workflow)
    streams.tell(f"{valid} of {counted(count, 'workflow')} valid")
    return 0 if valid == count else 1


def _check(typed: str) -> bool:
    problems = _problems(typed)
    for problem in problems:
        streams.say(problem_line(typed, problem))
    return not any(problem.severity == "error" for problem in problems)


def _problems(typed: str) -> list[Problem]:
    try:
        project, path = locate(typed, None)
        root = ProjectRoot(project)
        try:
            # Which variables a later run allows is not known here: they are warnings.
            return validate_file(root, path, MachineAccess(allowed=None))
        finally:
            root.close()
    except WorkflowNotFound as error:
        message = error.message + hint_for_missing(typed)
    except SidecarError as error:
        message = error.message
    return [Problem(line=1, column=1, field="", message=message)]
