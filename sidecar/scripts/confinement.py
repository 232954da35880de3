"""What a script may reach: the policy that `child/confine.py` puts in force in its process.

Everything is closed that is not opened here (landlock(7)): the project to read and write, a
temporary folder of the attempt's own, what every program needs of the system, what the step was
permitted; the interpreter and its packages are added in the child, which knows them best.

The history lies within the project, in a folder of fixed name, and Landlock allows by hierarchy:
it cannot open a folder and keep a part of it closed. Measured and weighed:

* a rule per entry of the project instead of one: a script could then make no file in the
  project's root, since a rule needs something that exists; that is where scripts write;
* permission bits, another name, encryption: a script runs as the user that the history belongs
  to, and Landlock does not restrict chmod(2);
* seccomp with a supervisor that looks at every open(2): some 20 µs each, and racy by its manual;
* a mount namespace in which something else lies in front of that folder: 0.5 ms as root;
  unprivileged, in a user namespace, 0.9 ms. This is what is done. There, files of other users
  appear as nobody's.

Where the system gives no namespace, as some containers and distributions do not, the history is
reported as reachable; `--history FILE` outside the project closes it by Landlock alone.

Landlock has no rule for modes, times, owners and extended attributes: a script can change those of
its user's files anywhere. A view in which all else is read-only would forbid it; but then what is
denied fails as EROFS, and scripts, their authors and our hints know PermissionError.
"""

import marshal
import os
import stat
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from protocol import limits
from sidecar.own_folder import CACHE, OWN_FOLDER, make_folder
from sidecar.scripts.interface import Permissions
from sidecar.scripts.interpreter import Interpreter
from sidecar.scripts.permissions import Agreement
from sidecar.scripts.system_paths import (
    CLOSED,
    Rule,
    command_rules,
    is_within,
    system_rules,
    without_needless,
)

IsolationLevel = Literal["require", "best-effort", "off"]

#: Files of a script are its user's alone, unless the script says otherwise.
UMASK: Final = 0o077
#: capabilities(7): what the owner of files needs (chown, dac_override, fowner, fsetid, kill,
#: setgid, setuid), and serving a port below 1024. Kept by root: with the others it would read
#: memory and disks past every rule about files.
KEPT_CAPABILITIES: Final = sum(1 << number for number in (0, 1, 3, 4, 5, 6, 7, 10))
#: Read by every Python from 3.4 on.
MARSHAL_VERSION: Final = 2
#: A workflow's steps need few; what is forgotten is made anew.
_MAX_KINDS: Final = 16
_SIDECAR: Final = Path(__file__).parent.parent

#: The resource limits that a host may set, by name, each with getrlimit(2)'s and its default.
SCRIPT_LIMITS: Final[Mapping[str, tuple[str, int]]] = {
    "file_bytes": ("fsize", limits.MAX_SCRIPT_FILE_BYTES),
    "open_files": ("nofile", limits.MAX_SCRIPT_OPEN_FILES),
    "address_space_bytes": ("as", limits.MAX_SCRIPT_ADDRESS_SPACE_BYTES),
}


@dataclass(frozen=True, slots=True)
class IsolationOptions:
    """What the host decides about scripts.

    `level`: "require" runs none where protection is missing, "best-effort" runs them with what
    there is, "off" without. `allow_read` and `allow_write` are folders that steps may ask for;
    without `network` no step has it. `script_limits` replaces defaults of SCRIPT_LIMITS by name.
    """

    level: IsolationLevel = "best-effort"
    allow_read: tuple[Path, ...] = ()
    allow_write: tuple[Path, ...] = ()
    network: bool = True
    script_limits: Mapping[str, int] = field(default_factory=dict)

    def agreement(self, project: Path, private: Collection[Path]) -> Agreement:
        """What steps may ask for."""
        return Agreement(
            project,
            read=self.allow_read,
            write=self.allow_write,
            network=self.network,
            private=private,
        )

    def limits_in_force(self) -> dict[str, int]:
        """The resource limits of every script, as `sidecar:info` shows them."""
        chosen = {name: default for name, (_, default) in SCRIPT_LIMITS.items()}
        return {f"script_{name}": n for name, n in {**chosen, **self.script_limits}.items()}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one attempt keeps what is not the project's."""

    temporary: Path
    """Its own, empty at the start."""
    cache: Path
    """XDG_CACHE_HOME; lasts if the project can be written."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What one attempt may reach, as `child/confine.py` reads it: two marshalled dicts."""

    common: bytes
    """What is the same for one attempt after another: put in force ahead, where that can be."""
    own: bytes

    def whole(self) -> bytes:
        """Both, for a process that gets them at once."""
        return marshal.dumps((self.common, self.own), MARSHAL_VERSION)


class Confinement:
    """The policies of one project's scripts."""

    def __init__(
        self, project: Path, options: IsolationOptions, private: Collection[Path] = ()
    ) -> None:
        """`project` is the root's real path; `private` files that scripts must not reach."""
        self.options = options
        self.agreement = options.agreement(project, private)
        self.private = tuple(private)
        self._project = str(project)
        self._own = project / OWN_FOLDER
        self._cache = self._own / CACHE
        self.home = os.path.realpath(Path.home()) if _has_home() else ""
        #: Folders that no PATH and no interpreter opens by containing them.
        self._closed = tuple(path for path in (self.home, self._project) if path)
        self._found: dict[str, list[Rule]] = {}
        self._fixed: dict[str, list[str]] = {}
        self._commons: dict[tuple[object, ...], bytes] = {}

    def place(self, temporary: Path) -> Place:
        """Make what an attempt needs around it, `temporary` being there already."""
        try:
            if _is_folder(self._own) and _is_folder(self._cache):
                return Place(temporary, self._cache)
            if not self._own.is_symlink():
                make_folder(self._own)
                self._cache.mkdir(mode=0o700, exist_ok=True)
                if not self._cache.is_symlink():
                    return Place(temporary, self._cache)
        except OSError:
            pass  # a project that cannot be written
        cache = temporary / CACHE
        cache.mkdir(mode=0o700)
        return Place(temporary, cache)

    def policy(
        self,
        interpreter: Interpreter,
        permissions: Permissions,
        place: Place,
        environment: Mapping[str, str],
        *,
        proving: bool = False,
    ) -> Policy:
        """The policy of one attempt. Raises PermissionRefused.

        With `proving` nothing is required: what is missing is to be found out.
        """
        level = "best-effort" if proving else self.options.level
        network = self.agreement.network(permissions)
        path, covers = environment.get("PATH", ""), self.covers(place)
        kind = (interpreter, level, network, path, covers)
        if kind not in self._commons:
            if len(self._commons) >= _MAX_KINDS:
                self._commons.clear()
            common = {
                "level": level,
                "umask": UMASK,
                "limits": {"core": 0, **self.native_limits()},
                "capabilities": KEPT_CAPABILITIES,
                "project": self._project,
                "rules": self._common_rules(environment),
                "closed": [*self._closed, *CLOSED],
                "hidden": [(str(self._own), CACHE)] if covers else [],
                "fixed": self._executed_by_us(interpreter),
                "daemon": os.getpid(),
                "network": network,
            }
            self._commons[kind] = marshal.dumps(common, MARSHAL_VERSION)
        rules = [*self.agreement.rules(permissions), (str(place.temporary), "w")]
        own = {
            "own_rules": list(dict.fromkeys(rules)),
            "covered": self._covered(place) if covers else [],
        }
        return Policy(self._commons[kind], marshal.dumps(own, MARSHAL_VERSION))

    def _covered(self, place: Place) -> list[object]:
        """What there is to be covered now; what was covered ahead may have changed since."""
        stats = [folder.stat() for folder in (self._own, place.cache)]
        names = sorted(os.listdir(self._own))  # noqa: PTH208 - nothing but the names
        return [*((status.st_dev, status.st_ino) for status in stats), names]

    def rules(self, permissions: Permissions, environment: Mapping[str, str]) -> list[Rule]:
        """What is open to a step's script, but for its temporary folder and the interpreter.

        Raises PermissionRefused.
        """
        return [*self._common_rules(environment), *self.agreement.rules(permissions)]

    def _common_rules(self, environment: Mapping[str, str]) -> list[Rule]:
        """What is open to every script with this PATH; the child makes its ruleset ahead."""
        return [*self._programs(environment.get("PATH", "")), (self._project, "w")]

    def _programs(self, search_path: str) -> list[Rule]:
        """What is open to every script; found out once, for what is installed stays."""
        if search_path not in self._found:
            system = system_rules() if sys.platform == "linux" else []
            rules = [*system, *command_rules(search_path, self._closed)]
            self._found = {search_path: without_needless(rules)}
        return self._found[search_path]

    def native_limits(self) -> dict[str, int]:
        """The resource limits by getrlimit(2)'s names."""
        return {
            native: self.options.script_limits.get(name, default)
            for name, (native, default) in SCRIPT_LIMITS.items()
        }

    def closed_home(self) -> str | None:
        """The user's home folder, unless there is none or the project holds it."""
        if not self.home or is_within(self.home, self._project):
            return None
        return self.home

    def covers(self, place: Place) -> bool:
        """Whether the sidecar's own folder is there to be covered."""
        return place.cache.parent == self._own

    def private_within_project(self) -> list[Path]:
        """The private files that only the covering keeps from scripts."""
        return [file for file in self.private if self._lies_in(file, self._project)]

    def exposed(self) -> list[Path]:
        """The private files that nothing keeps from scripts: in the project, not in its own
        folder."""
        within = self.private_within_project()
        return [file for file in within if not self._lies_in(file, str(self._own))]

    @staticmethod
    def _lies_in(file: Path, folder: str) -> bool:
        return is_within(os.path.realpath(file), os.path.realpath(folder))

    def closes_global_git_settings(self, permissions: Permissions) -> bool:
        """Whether git would find its user's settings and not be able to read them, which it
        takes for a reason to give up."""
        if self.options.level == "off" or not self.home or sys.platform != "linux":
            return False
        opened = [path for path, _ in self.agreement.rules(permissions)]
        return not any(is_within(f"{self.home}/.gitconfig", path) for path in opened)

    def _executed_by_us(self, interpreter: Interpreter) -> list[str]:
        """Folders within the project whose files run outside any confinement, later or already:
        what a script could write there would be free of it."""
        if interpreter.path not in self._fixed:
            folders = {str(_SIDECAR), os.path.realpath(sys.prefix), _prefix_of(interpreter)}
            self._fixed[interpreter.path] = sorted(
                folder
                for folder in folders
                if is_within(folder, self._project) and folder != self._project
            )
        return self._fixed[interpreter.path]


def _prefix_of(interpreter: Interpreter) -> str:
    """The virtual environment that an interpreter lies in, or the folder it lies in."""
    folder = Path(interpreter.path).parent
    return str(folder.parent if (folder.parent / "pyvenv.cfg").exists() else folder)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _has_home() -> bool:
    try:
        Path.home()
    except RuntimeError:
        return False
    return True
