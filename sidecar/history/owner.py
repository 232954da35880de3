"""Which process began a run, and whether that process still lives.

A process id alone is no answer, since ids are used again: the time the process started goes with
it. On Linux that comes from `/proc` (field 22 of `stat`, man 5 proc) together with the boot's id
and the pid namespace; elsewhere from `ps`, on Windows from `GetProcessTimes`. Where nothing can be
learned about a process that exists, it counts as alive. It knows nothing of runs.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

from sidecar.errors import HistoryError

_UNKNOWN: Final = "unknown"
_PROCESS_QUERY_LIMITED_INFORMATION: Final = 0x1000


@cache
def this_process() -> dict[str, Any]:
    """JSON-like description of this process: `pid`, `started`, `place`."""
    return describe(os.getpid())


def describe(pid: int) -> dict[str, Any]:
    """JSON-like description of a process of this machine: `pid`, `started`, `place`."""
    return {"pid": pid, "started": _started(pid) or _UNKNOWN, "place": _place()}


def is_alive(owner: dict[str, Any]) -> bool:
    """Whether the process that `this_process` described, maybe elsewhere, still runs.

    A process of another boot or another pid namespace cannot be looked up and counts as ended: a
    container that was started again is far likelier than two at once on one file. Should it live
    after all, the end of its run replaces what was recorded for it here.

    Raises HistoryError when `owner` is no such description.
    """
    pid, started, place = owner.get("pid"), owner.get("started"), owner.get("place")
    if type(pid) is not int or not isinstance(started, str) or pid <= 0:
        raise HistoryError("The record of a running execution does not say whose it is")
    if place != _place():
        return False
    now = _started(pid)
    return now is not None and (_UNKNOWN in (now, started) or now == started)


@cache
def _place() -> str:
    """Where process ids mean the same: a boot and a pid namespace; empty where neither is told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When the process started, in whatever form the system has; None if there is no process."""
    if sys.platform == "win32":
        return _started_windows(pid)
    if sys.platform == "linux":
        return _started_linux(pid)
    return _started_ps(pid)


def _started_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    except OSError:
        return _UNKNOWN
    # The command in parentheses may itself hold parentheses and spaces.
    fields = stat.rpartition(b")")[2].split()
    # A zombie has ended; only its parent has not noticed.
    return None if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")


def _started_ps(pid: int) -> str | None:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        listing = subprocess.run(
            ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
            env={"LC_ALL": "C", "TZ": "UTC"},
        )
        state, _, started = listing.stdout.strip().partition(" ")
        return None if listing.returncode != 0 or state.startswith("Z") else started.strip()
    return _UNKNOWN


def _started_windows(pid: int) -> str | None:
    kernel32 = getattr(ctypes, "windll").kernel32  # noqa: B009 - exists on Windows only
    kernel32.OpenProcess.restype = ctypes.c_void_p
    number: int | None = kernel32.OpenProcess(_PROCESS_QUERY_LIMITED_INFORMATION, False, pid)
    if number is None:
        return None
    handle = ctypes.c_void_p(number)
    try:
        times = [ctypes.c_uint64() for _ in range(4)]
        if not kernel32.GetProcessTimes(handle, *map(ctypes.byref, times)):
            return _UNKNOWN
        # A process that ended stays known while someone holds it; then it has an exit time.
        return None if times[1].value else str(times[0].value)
    finally:
        kernel32.CloseHandle(handle)
