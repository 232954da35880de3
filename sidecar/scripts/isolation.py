"""What keeps scripts in, as proven: a canary that tries to get out.

Run like any script, under the policy of one that has no permission, it reads, writes, signals and
connects where it must not; the bait is laid by us, so that a refusal is the protection's work and
not its absence. It knows no workflows, and nothing of how a policy is put in force.
"""

import os
import secrets
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sidecar.scripts.confinement import KEPT_CAPABILITIES, Confinement, Place

#: What each protection is called when it is proven, by its name in `sidecar:info`.
PROVEN: Final[Mapping[str, str]] = {
    "filesystem": "landlock",
    "history": "hidden",
    "daemon": "closed",
    "signals": "landlock",
    "abstract_sockets": "landlock",
    "privileges": "dropped",
    "limits": "rlimits",
    "temporary_folder": "private",
    "network_filter": "seccomp",
}
#: The history's, where it lies outside the project.
_APART: Final = "landlock"
NONE: Final = "none"
OFF: Final = "off"
#: The canary did not run or did not answer.
UNPROVEN: Final = "unproven"
CANARY: Final = Path(__file__).parent / "child" / "canary.py"
CANARY_MS: Final = 10_000

_MENDING: Final[Mapping[str, str]] = {
    "filesystem": "Landlock is missing: it needs Linux 5.13 or newer with landlock among the "
    "security modules (/sys/kernel/security/lsm), and a Python that was built with libffi.",
    "history": "Scripts can reach the history: keep it outside the project with --history FILE, or "
    "let this user make user and mount namespaces (user_namespaces(7)).",
    "daemon": "Scripts can read the memory of the sidecar: /proc is open to them.",
    "signals": "Scripts can signal other processes: Landlock does so from Linux 6.12 on.",
    "abstract_sockets": "Scripts can reach abstract sockets: Landlock does so from Linux 6.12 on.",
    "privileges": "Scripts keep privileges: prctl(2) or capset(2) is refused here.",
    "limits": "Scripts have no limits: prlimit(2) is refused here.",
    "temporary_folder": "Scripts have no temporary folder of their own.",
    "network_filter": "The network cannot be closed to a script: seccomp(2) is refused, or not "
    "known for this processor.",
}


def how_to_mend(protection: str) -> str:
    """What this machine lacks for a protection, in a sentence."""
    return _MENDING.get(protection, "")


@contextmanager
def bait(confinement: Confinement, place: Place) -> Iterator[dict[str, Any]]:
    """What the canary is given on stdin; what it is to try lies there as long as this lasts."""
    name = f"workflow-sidecar-{secrets.token_hex(8)}"
    with ExitStack() as laid:
        outside = place.temporary.parent / f"{place.temporary.name}-bait"
        _lay(outside, laid)
        covered = None
        if confinement.covers(place):
            covered = place.cache.parent / name
            _lay(covered, laid)
        listening = laid.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listening.bind("\0" + name)
        listening.listen()
        # Where we may not look, there is nothing that the canary could find.
        private = [file for file in map(str, confinement.private) if os.path.exists(file)]  # noqa: PTH110
        yield {
            "private": private,
            "covered": covered and str(covered),
            "bait": str(outside),
            "beside": str(outside) + "-made",
            "home": confinement.closed_home(),
            "daemon": os.getpid(),
            "socket": name,
            "temporary": str(place.temporary),
            "limits": {"core": 0, **confinement.native_limits()},
            "capabilities": KEPT_CAPABILITIES if os.geteuid() == 0 else 0,
        }


def _lay(file: Path, laid: ExitStack) -> None:
    file.write_bytes(secrets.token_bytes(16))
    laid.callback(_take_away, file)
    file.read_bytes()  # what we cannot read, it would prove nothing not to be able to read


def _take_away(file: Path) -> None:
    for path in (file, Path(f"{file}-made")):
        with suppress(OSError):
            path.unlink()


def understood(answer: Mapping[str, Any] | None, confinement: Confinement) -> dict[str, str]:
    """The canary's answer, or that it gave none, as `sidecar:info` shows it."""
    if confinement.options.level == OFF:
        return dict.fromkeys(PROVEN, OFF) | {"network": "open"}
    if sys.platform != "linux":
        found = dict.fromkeys(PROVEN, NONE)
        found["temporary_folder"] = PROVEN["temporary_folder"]
    elif answer is None:
        found = dict.fromkeys(PROVEN, UNPROVEN)
    else:
        found = {
            name: proven if answer.get(name) == [] else NONE for name, proven in PROVEN.items()
        }
        if found["history"] != NONE:
            found["history"] = _history(confinement)
    closed = not confinement.options.network and found["network_filter"] not in (NONE, UNPROVEN)
    return found | {"network": "closed" if closed else "open"}


def _history(confinement: Confinement) -> str:
    """How it is kept apart, the canary not having found it."""
    if confinement.exposed():
        return NONE  # it had not been made yet
    within = confinement.private_within_project()
    return PROVEN["history"] if within or not confinement.private else _APART


def missing(found: Mapping[str, str], *, network_closed: bool) -> list[str]:
    """The protections that a script would be without; the filter counts where it is needed."""
    return [
        name
        for name in PROVEN
        if found.get(name) in (NONE, UNPROVEN) and (network_closed or name != "network_filter")
    ]
