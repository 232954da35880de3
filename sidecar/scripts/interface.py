"""The interface between the engine and whatever runs a script.

The engine knows this file and nothing else of this floor, so that steps can later run elsewhere.
It knows one script, its inputs and its outcome; it does not know workflows, steps or retries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

#: Error types of the sidecar's own, beside the class names of scripts' exceptions.
SCRIPT_PATH_ERROR: Final = "ScriptPathError"
SCRIPT_NOT_FOUND: Final = "ScriptNotFound"
INPUT_PATH_ERROR: Final = "InputPathError"
PYTHON_NOT_FOUND: Final = "PythonNotFound"
SCRIPT_TIMEOUT: Final = "ScriptTimeout"
SCRIPT_EXIT: Final = "ScriptExit"
SCRIPT_KILLED: Final = "ScriptKilled"
INVALID_OUTPUT: Final = "InvalidOutput"
OUTPUT_TOO_LARGE: Final = "OutputTooLarge"
CANCELLED: Final = "Cancelled"
PERMISSION_REFUSED: Final = "PermissionRefused"
ISOLATION_UNAVAILABLE: Final = "IsolationUnavailable"

#: Trying these again cannot help: nothing changes between two attempts of one run.
NEVER_RETRIED: Final = frozenset(
    {
        SCRIPT_PATH_ERROR,
        SCRIPT_NOT_FOUND,
        INPUT_PATH_ERROR,
        PYTHON_NOT_FOUND,
        PERMISSION_REFUSED,
        ISOLATION_UNAVAILABLE,
        CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a step asks for beyond its project: paths relative to it or absolute.

    `network` is True or False where the step says so, None where it does not.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    network: bool | None = None


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    """One script to run.

    `script` is the path as the workflow's author wrote it, relative to the project; `inputs`
    becomes the JSON object on stdin; `env` is added to the script's environment.
    """

    script: str
    inputs: Mapping[str, Any]
    timeout_ms: int
    env: Mapping[str, str] = field(default_factory=dict)
    permissions: Permissions = Permissions()


@dataclass(frozen=True, slots=True)
class ScriptFailure:
    """Why a script did not succeed.

    `error_type` is the exception's class name or one of the constants above; `error_bases` are
    the names of the exception's base classes, nearest first, without `object`.
    """

    error: str
    error_type: str
    error_bases: tuple[str, ...] = ()
    stack_trace: str | None = None


@dataclass(frozen=True, slots=True)
class ScriptOutcome:
    """What came of one script: `outputs` or `failure`, never both.

    `stderr` is head and tail of what it wrote there; `duration_ms` counts from the request to
    the death of the script's last process.
    """

    outputs: dict[str, Any] | None
    failure: ScriptFailure | None
    stderr: str
    duration_ms: int


class ScriptRunner(Protocol):
    """Runs scripts, several at once if asked."""

    async def run(self, request: ScriptRequest, on_stderr: Callable[[str], None]) -> ScriptOutcome:
        """Run one script to its end.

        `on_stderr` gets the script's stderr, line by line as it comes, without line ends; its
        last call is before the return. Whatever the script does is an outcome, not an exception.
        When the awaiting task is cancelled, the script is stopped (SIGTERM, grace, SIGKILL) and
        `asyncio.CancelledError` is raised once it is dead.
        """
        ...

    async def isolation(self) -> dict[str, str]:
        """What keeps scripts apart from us and from each other: what is in force, by name.

        The first call tries it out, and all later ones tell what was found then.
        """
        ...

    async def prepare(self) -> None:
        """Do ahead what makes a first script wait; to be called when idle. Raises nothing."""
        ...

    async def close(self) -> None:
        """Give back what is held between scripts; none may be running."""
        ...

    def kill_all(self) -> None:
        """Kill every running script at once, without grace; for a process that must end now."""
        ...
