"""What a step asks for beyond the project, and what of it the host has agreed to.

A workflow comes from anywhere, so its `permissions:` are a request: a folder is opened only if it
lies, links resolved, within one that was given with `--allow-read` or `--allow-write`; to write
is to read as well. What is the sidecar's own, the history, is given to nobody. How the kernel is
told, is known elsewhere.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from sidecar.errors import PathError, PermissionRefused
from sidecar.own_folder import OWN_FOLDER
from sidecar.scripts.interface import Permissions
from sidecar.scripts.path_rules import check_characters, leaves, split_components
from sidecar.scripts.quoting import quoted
from sidecar.scripts.system_paths import Rule, is_within

Kind = Literal["read", "write"]
#: The letters of `child/confine`. What may be read may be executed: it could be copied anyway.
_LETTERS: Final[dict[Kind, str]] = {"read": "x", "write": "w"}
_KINDS: Final[tuple[Kind, ...]] = ("read", "write")


class Agreement:
    """What one host agrees to, for one project."""

    def __init__(
        self,
        project: Path,
        *,
        read: Iterable[str | os.PathLike[str]] = (),
        write: Iterable[str | os.PathLike[str]] = (),
        network: bool = True,
        private: Iterable[Path] = (),
    ) -> None:
        """`read` and `write` are folders, `network` whether any step may use it at all;
        `private` are files that no permission opens."""
        self._project = str(project)
        writable = [os.path.realpath(folder) for folder in write]
        self._folders: dict[Kind, list[str]] = {
            "read": [os.path.realpath(folder) for folder in read] + writable,
            "write": writable,
        }
        self._network = network
        self._own = os.path.realpath(project / OWN_FOLDER)
        self._private = [os.path.realpath(file) for file in private]

    def network(self, permissions: Permissions) -> bool:
        """Whether the step has the network: unless it or the host says no."""
        return self._network and permissions.network is not False

    def network_problem(self, asked: bool) -> str | None:
        """Why a step may not ask for the network, or None."""
        if asked and not self._network:
            return "the network is closed to scripts: the sidecar was started with --no-network"
        return None

    def problem(self, kind: Kind, text: str) -> str | None:
        """Why a path may not stand under `permissions`, or None. It need not exist yet."""
        try:
            self._agreed(kind, text)
        except PermissionRefused as error:
            return error.message
        return None

    def covers(self, kind: Kind, real: str) -> bool:
        """Whether the host has agreed to a real path outside the project."""
        return any(is_within(real, folder) for folder in self._folders[kind])

    def rules(self, permissions: Permissions) -> list[Rule]:
        """What to open for one attempt: real paths, each with its letter.

        A path to be read that does not exist opens nothing. Raises PermissionRefused, also for
        one to be written that does not exist: only what is there can be opened.
        """
        if problem := self.network_problem(permissions.network is True):
            raise PermissionRefused(f"permissions.network: {problem}")
        rules = []
        for kind, texts in zip(_KINDS, (permissions.read, permissions.write), strict=True):
            for text in texts:
                real = self._agreed(kind, text)
                if os.path.lexists(real):
                    rules.append((real, _LETTERS[kind]))
                elif kind == "write":
                    raise PermissionRefused(
                        f"permissions.write: {quoted(text)} does not exist; make it before the "
                        "step runs, or name the folder that it is to be made in"
                    )
        return rules

    def _agreed(self, kind: Kind, text: str) -> str:
        """The real path. Raises PermissionRefused."""
        where = f"permissions.{kind}"
        try:
            check_characters(text, where)
            real = _resolved(Path(self._project, text))
        except PathError as error:
            raise PermissionRefused(error.message) from None
        except (OSError, ValueError, RuntimeError):
            raise PermissionRefused(f"{where} cannot be used: {quoted(text)}") from None
        if is_within(real, self._own) or any(self._opens(real, file) for file in self._private):
            raise PermissionRefused(f"{where}: {quoted(text)} is where the sidecar keeps its files")
        if not is_within(real, self._project) and not self.covers(kind, real):
            raise PermissionRefused(
                f"{where}: {quoted(text)} is outside the project and not allowed; "
                f"start with --allow-{kind} DIR, DIR being it or a folder that holds it"
            )
        return real

    def _opens(self, real: str, private: str) -> bool:
        if is_within(private, self._own):
            return False  # covered, whatever is opened around it
        # More files lie beside it whose names begin with its name.
        return is_within(private, real) or real.startswith(private)


def leads_outside(text: str) -> bool:
    """Whether a path leaves the project by its text alone, wherever that lies."""
    return Path(text).is_absolute() or leaves(split_components(text))


def _resolved(path: Path) -> str:
    """The path behind all links; see `ProjectRoot` for why the strict way comes first."""
    try:
        return os.path.realpath(path, strict=True)
    except FileNotFoundError:
        return os.path.realpath(path)
