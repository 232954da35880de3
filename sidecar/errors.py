"""The one exception tree. Messages are written for users; wire codes are not known here.

    SidecarError
    ├── WorkflowNotFound      no such workflow file
    ├── WorkflowInvalid       a workflow with problems, each with its place
    ├── InvalidInputs         inputs that do not fit the workflow's declaration
    ├── InvalidOptions        options of a run that cannot be met
    ├── ExecutionNotFound     an execution_id that nobody knows
    ├── Overloaded            more executions than are taken at once
    ├── ShuttingDown          the daemon is on its way out
    ├── PathError             a path that may not be used
    │   ├── PathOutsideProject
    │   ├── PathNotFound
    │   └── PathUnavailable   the system has no means left to open it
    ├── PermissionRefused     what a step asks for and the host has not agreed to
    ├── PythonNotFound        no Python 3.8 or newer to run scripts on
    ├── HistoryError          the history file cannot be used
    └── UsageError            arguments of the command line that cannot be used

No message holds an absolute path of the machine unless the user typed it.
"""

from collections.abc import Sequence

from protocol.problems import Problem


class SidecarError(Exception):
    """Base of all errors that the product raises on purpose."""

    @property
    def message(self) -> str:
        """One line for a person."""
        return str(self)


class WorkflowNotFound(SidecarError):
    """There is no workflow file at the given path."""


class _WithProblems(SidecarError):
    def __init__(self, message: str, problems: Sequence[Problem]) -> None:
        super().__init__(message)
        self.problems = list(problems)


class WorkflowInvalid(_WithProblems):
    """A workflow that cannot be run; `problems` holds every error, each with its place."""


class InvalidInputs(_WithProblems):
    """Inputs that do not fit what the workflow declares; `problems` names each field."""


class InvalidOptions(_WithProblems):
    """Options of a run that cannot be met, such as an execution_id used before."""


class ExecutionNotFound(SidecarError):
    """No running or kept execution has this id."""


class Overloaded(SidecarError):
    """As many executions run or wait as are taken at once; later there may be room."""


class ShuttingDown(SidecarError):
    """The daemon accepts no new executions."""


class PathError(SidecarError):
    """A path that may not be used, whatever the reason (ADR-011)."""


class PathOutsideProject(PathError):
    """The path leaves the project directory, or could."""


class PathNotFound(PathError):
    """Nothing is there."""


class PathUnavailable(PathError):
    """The system has no descriptor or memory left to open it; nothing is wrong with the path."""


class PermissionRefused(SidecarError):
    """A step's `permissions` ask for more than the host agreed to, or for what is not there."""


class PythonNotFound(SidecarError):
    """No usable interpreter for scripts; `install_guide` says how to get one."""

    def __init__(self, message: str, install_guide: str) -> None:
        super().__init__(message)
        self.install_guide = install_guide


class HistoryError(SidecarError):
    """The history file cannot be read or written."""


class UsageError(SidecarError):
    """Unusable arguments on the command line."""
