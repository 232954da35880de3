"""An attempt where the kernel has no subreaper (macOS): its process group, and a sweep.

The script's process leads a group, which is killed as a whole. Before that a sweep finds those
that left the group and still hang below the script, by their parents (ps(1), POSIX); those that
left both, by a double fork, are out of reach here. When the daemon is gone, a watcher kills the
group (`child/guard.py`). The end of the process comes from a pidfd, or from a thread where there
is none.
"""

import asyncio
import os
import signal
import socket
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from sidecar.scripts.launchers import End, report_file
from sidecar.scripts.launchers.pipes import Pipes

#: For the last of a killed group to vanish; the kernel needs well under a millisecond each.
_GROUP_END_SECONDS: Final = 1.0
_PS_SECONDS: Final = 5.0
#: Tells the watcher that its work is done.
_DONE: Final = b"D"


class GroupedAttempt:
    """One script and its process group; implements `Attempt`."""

    def __init__(
        self,
        pipes: Pipes,
        control: socket.socket,
        report: int,
        process: "subprocess.Popen[bytes]",
    ) -> None:
        """Takes over our ends of `pipes`, `control`, which leads to the watcher, and `report`."""
        self.pid = process.pid
        self.stdin, self.stdout, self.stderr = pipes.stdin, pipes.stdout, pipes.stderr
        self._control = control
        self._report = report
        self._process = process
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = self._loop.create_future()
        self._reaped = False
        self._strays: list[int] = []
        self._pidfd = _open_pidfd(self.pid)
        if self._pidfd >= 0:
            self._loop.add_reader(self._pidfd, self._on_exit)
        else:
            threading.Thread(target=self._wait, name=f"wait-{self.pid}", daemon=True).start()
        pipes.keep()

    def terminate(self) -> None:
        """SIGTERM to all of them, and SIGCONT, so that a stopped script can act on it."""
        self._sweep()
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL to all of them."""
        if not self.exited.done():
            self._sweep()
        self._signal(signal.SIGKILL)

    async def reap(self) -> End:
        """Kill the rest of the group, collect the exit status, wait for the group to be gone."""
        # While the leader is a zombie its number cannot belong to anybody else.
        self._signal(signal.SIGKILL)
        self._reaped = True
        returncode = self._process.wait()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        with suppress(OSError):
            self._control.send(_DONE)
        self._control.close()
        await self._group_gone()
        return End(returncode, report_file.read(self._report))

    async def _group_gone(self) -> None:
        deadline = self._loop.time() + _GROUP_END_SECONDS
        pause = 0.0005
        while self._loop.time() < deadline and self._lives():
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.02)

    def _lives(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except OSError:  # nobody left, or (EPERM) only those that we cannot reach
            return False
        # A zombie is dead; its parent by now, init, may take its time, or in a container never
        # come.
        return any(group == self.pid and "Z" not in state for _, _, group, state in processes())

    def _sweep(self) -> None:
        """Remember who hangs below the script now: at its death they lose their parent."""
        found = descendants(self.pid, processes())
        self._strays = [pid for pid, group in found.items() if group != self.pid]

    def _signal(self, number: int) -> None:
        if self._reaped:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
        for pid in self._strays:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def _on_exit(self) -> None:
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
        if not self.exited.done():
            self.exited.set_result(None)

    def _wait(self) -> None:
        """In a thread: until the process has ended, leaving it unreaped where that is possible."""
        if hasattr(os, "waitid"):
            with suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:  # macOS before Python 3.13
            self._process.wait()
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._on_exit)


#: Process, parent, group and state.
Row = tuple[int, int, int, str]


def processes() -> list[Row]:
    """Every process of the machine, as ps(1) of POSIX and the BSDs tells; empty without it."""
    try:
        done = subprocess.run(
            ["/bin/ps", "-A", "-o", "pid=,ppid=,pgid=,stat="],
            capture_output=True,
            timeout=_PS_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.split() for line in done.stdout.decode(errors="replace").splitlines()]
    return [(int(row[0]), int(row[1]), int(row[2]), row[3]) for row in rows if len(row) == 4]


def descendants(ancestor: int, rows: Iterable[Row]) -> dict[int, int]:
    """Each descendant with its group."""
    children: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pid, parent, group, _ in rows:
        children[parent].append((pid, group))
    found: dict[int, int] = {}
    waiting = [ancestor]
    while waiting:
        for pid, group in children.pop(waiting.pop(), ()):
            found[pid] = group
            waiting.append(pid)
    return found


def _open_pidfd(pid: int) -> int:
    """A pidfd, or -1 where the kernel has none to give."""
    if not hasattr(os, "pidfd_open"):
        return -1
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1
