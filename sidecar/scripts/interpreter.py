"""Which Python runs the scripts: found once, asked for its version once, failure included.

The order: the path given (`--python`), the environment's WORKFLOW_SIDECAR_PYTHON, then `python3`
and `python` along the PATH, on Windows also `py -3`; the first of these that is 3.8 or newer. A
path that was given is the user's word: if it does not work, nothing else is tried. A variable may
be left over from elsewhere: if it does not work, the log says so and the PATH is searched. The
project has no say: entries of the PATH that are relative or lie inside it are passed over (a
`.venv` there must not choose itself), and the probe runs isolated and outside the project, so that
no `.python-version` there steers a version manager's shim. A shim is asked for the executable
behind it and never run again; a virtual environment's own path is kept, its packages hang on it.
"""

import asyncio
import json
import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sidecar.errors import PythonNotFound
from sidecar.scripts.install_guide import install_guide
from sidecar.scripts.quoting import quoted

logger = logging.getLogger(__name__)

OLDEST: Final = (3, 8)
ENVIRONMENT_VARIABLE: Final = "WORKFLOW_SIDECAR_PYTHON"
PROBE_SECONDS: Final = 10.0
#: All candidates of the PATH together: one that hangs must not make each of the others wait.
SEARCH_SECONDS: Final = 20.0

_PROBE: Final = "import sys, json; print(json.dumps([sys.executable, sys.version_info[:3]]))"
_ANSWER_BYTES: Final = 8192
_WINDOWS: Final = os.name == "nt"
#: Anywhere but the project: version managers look for their files from here upwards.
_NEUTRAL_FOLDER: Final = Path(os.path.abspath(os.sep))  # noqa: PTH100  # the drive's root


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that answered."""

    path: str
    """Absolute, as `sys.executable` says: no shim, links of a virtual environment unresolved."""
    version: tuple[int, int, int]
    version_text: str
    """Such as "3.11.7"."""


class Interpreters:
    """The interpreter of one project, looked for when first asked for and never again."""

    def __init__(
        self, explicit: str | None, project: Path, environ: Mapping[str, str] = os.environ
    ) -> None:
        """`explicit` is what `--python` named, or None; `project` the root's real path."""
        self._explicit = explicit
        self._project = project
        self._environ = environ
        self._search: asyncio.Task[Interpreter] | None = None
        self._probes = Probes()

    async def get(self) -> Interpreter:
        """The interpreter; all who ask at once wait for one search. Raises PythonNotFound.

        A failure stays: every later call raises it again without a search.
        """
        if self._search is None:
            self._search = asyncio.create_task(
                asyncio.to_thread(
                    find_python, self._explicit, self._project, self._environ, self._probes
                )
            )
        # The search is everybody's: one caller's cancellation must not end it.
        return await asyncio.shield(self._search)

    @property
    def closed(self) -> bool:
        """Whether the search was ended: that nothing was found then says nothing."""
        return self._probes.stopped

    def close(self) -> None:
        """End a search under way, and the candidate that it is asking."""
        self._probes.stop()


class Probes:
    """The candidate being asked, so that another thread can end the search. Thread-safe."""

    def __init__(self) -> None:
        self.stopped = False
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Ask one candidate. Raises OSError or ValueError, and OSError once stopped."""
        with self._lock:
            if self.stopped:
                raise InterruptedError
            self._process = subprocess.Popen(
                [*command, "-I", "-S", "-c", _PROBE],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_NEUTRAL_FOLDER,
                env=dict(environ),
                start_new_session=not _WINDOWS,
                bufsize=0,
            )
            return self._process

    def stop(self) -> None:
        """Start no more; kill the one that is being asked."""
        with self._lock:
            self.stopped = True
            if self._process is not None and self._process.returncode is None:
                _kill(self._process)


def find_python(
    explicit: str | None,
    project: Path,
    environ: Mapping[str, str],
    probes: Probes | None = None,
) -> Interpreter:
    """The interpreter by the order above; blocks for up to 20 s. Raises PythonNotFound."""
    probes = probes or Probes()
    if explicit:
        return _given(explicit, project, environ, probes)
    passed_over = ""
    if variable := environ.get(ENVIRONMENT_VARIABLE):
        try:
            return _given(variable, project, environ, probes)
        except PythonNotFound as error:
            passed_over = f"{ENVIRONMENT_VARIABLE} cannot be used ({error.message})"
            logger.warning(passed_over)
    deadline = time.monotonic() + SEARCH_SECONDS
    newest: tuple[int, int, int] | None = None
    for command in _candidates(project, environ):
        left = deadline - time.monotonic()
        if left <= 0 or probes.stopped:
            break
        found = _probe(command, min(left, PROBE_SECONDS), environ, probes)
        if found is None or _is_within(Path(found.path), project):
            continue
        if found.version >= OLDEST:
            return found
        newest = max(newest or found.version, found.version)
    seen = f"; the newest found is {'.'.join(map(str, newest))}" if newest else ""
    also = f"; {passed_over}" if passed_over else ""
    raise PythonNotFound(f"No Python 3.8 or newer on the PATH{seen}{also}", install_guide())


def _given(given: str, project: Path, environ: Mapping[str, str], probes: Probes) -> Interpreter:
    shown = quoted(given)
    command: str | None = given
    if Path(given).name == given:
        # A bare name is looked up like any command, never in the working directory.
        path = os.pathsep.join(str(folder) for folder in _folders(project, environ))
        command = shutil.which(given, path=path)
    if command is None or not Path(command).is_file():
        raise PythonNotFound(f"Python not found: {shown}", install_guide())
    found = _probe([str(Path(command).absolute())], PROBE_SECONDS, environ, probes)
    if found is None:
        raise PythonNotFound(f"Python does not answer: {shown}", install_guide())
    if found.version < OLDEST:
        raise PythonNotFound(
            f"Python {found.version_text} is too old for scripts, 3.8 or newer is needed: {shown}",
            install_guide(),
        )
    return found


def _candidates(project: Path, environ: Mapping[str, str]) -> Iterator[list[str]]:
    suffix = ".exe" if _WINDOWS else ""
    folders = list(_folders(project, environ))
    for name in ("python3", "python"):
        for folder in folders:
            path = folder / f"{name}{suffix}"
            if os.access(path, os.X_OK) and path.is_file() and not _is_within(path, project):
                yield [str(path)]
    if _WINDOWS:
        launcher = shutil.which("py", path=os.pathsep.join(map(str, folders)))
        if launcher:
            yield [launcher, "-3"]


def _folders(project: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """The PATH's folders, each once, without the relative ones and the project's own."""
    for entry in dict.fromkeys(environ.get("PATH", os.defpath).split(os.pathsep)):
        if Path(entry).is_absolute() and not _is_within(Path(entry), project):
            yield Path(entry)


def _is_within(path: Path, project: Path) -> bool:
    """Whether `path`, as written or behind its links, lies in the project."""
    return path.is_relative_to(project) or Path(os.path.realpath(path)).is_relative_to(project)


def _probe(
    command: list[str], seconds: float, environ: Mapping[str, str], probes: Probes
) -> Interpreter | None:
    """What the interpreter says of itself, or None if it says nothing usable in time.

    Its answer is read after its end: more than a pipe holds is no answer, and blocks itself.
    """
    try:
        process = probes.start(command, environ)
    except (OSError, ValueError):
        return None
    with process:
        if process.stdout is None:  # never, with PIPE; said for the type checker
            return None
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.returncode is None:
                _kill(process)
        if not _WINDOWS:
            os.set_blocking(process.stdout.fileno(), False)
        return _understood(process.stdout.read(_ANSWER_BYTES) or b"")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the probe and, on POSIX, its whole group: a shim may have started others."""
    with suppress(ProcessLookupError, PermissionError):
        if _WINDOWS:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _understood(answer: bytes) -> Interpreter | None:
    try:
        path, (major, minor, micro) = json.loads(answer)
        version = (int(major), int(minor), int(micro))
    except (ValueError, TypeError):
        return None
    if not isinstance(path, str) or not Path(path).is_absolute():
        return None
    return Interpreter(path, version, ".".join(map(str, version)))
