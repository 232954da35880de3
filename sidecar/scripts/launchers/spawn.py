"""Plain spawn: a new interpreter for every script, in a process group of its own.

The reference for every other launcher, and the one that works everywhere. `subprocess.Popen`
without `preexec_fn`, hence vfork on Linux; not asyncio's, which is slower and whose `wait()` hangs
while a grandchild holds a pipe (CPython gh-119710). The end of the process comes from a pidfd, or
from a thread where there is none.

The script gets descriptors 0 to 2 and the report file, a session of its own without a terminal,
default signal handlers, and the daemon's umask: files come out as they would from a terminal.

Out of reach here are descendants that left the process group (`setsid`, double fork). On Windows
there is no group: the script's own process is ended.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from sidecar.scripts.launchers import Attempt, Start
from sidecar.scripts.launchers.code_cache import CodeCache

_WINDOWS: Final = sys.platform == "win32"
_BOOTSTRAP: Final = str(Path(__file__).parent.parent / "child" / "bootstrap.py")
#: For the last of a killed group to vanish; the kernel needs well under a millisecond each.
_GROUP_END_SECONDS: Final = 1.0


class SpawnLauncher:
    """Starts every script with a fresh interpreter."""

    name = "spawn"
    process_tree = "process" if _WINDOWS else "process-group"

    def __init__(self) -> None:
        # Whoever started us with SIGCHLD ignored would have the kernel throw exit statuses away.
        if not _WINDOWS and signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._codes = CodeCache()

    async def start(self, start: Start) -> Attempt:
        """Start a script; see `Launcher.start`. Blocks the loop for the exec, about a ms."""
        with ExitStack() as theirs, ExitStack() as ours:
            stdin, our_stdin = os.pipe()
            theirs.callback(os.close, stdin)
            ours.callback(os.close, our_stdin)
            our_stdout, stdout = os.pipe()
            ours.callback(os.close, our_stdout)
            theirs.callback(os.close, stdout)
            our_stderr, stderr = os.pipe()
            ours.callback(os.close, our_stderr)
            theirs.callback(os.close, stderr)
            report = _report_file()
            ours.callback(os.close, report)
            key = self._codes.key(start.interpreter, start.script)
            code = -1
            take_code: Callable[[], None] | None = None
            if key is not None:
                code = self._codes.open(key)
                ours.callback(os.close, code)
                take_code = partial(self._codes.take, key, code)
            process = _spawn(start, stdin, stdout, stderr, report, code)
            try:
                attempt = _SpawnedAttempt(
                    process, our_stdin, our_stdout, our_stderr, report, take_code
                )
            except BaseException:
                process.kill()
                process.wait()
                raise
            ours.pop_all()
        return attempt


def _report_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("report")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _spawn(
    start: Start, stdin: int, stdout: int, stderr: int, report: int, code: int
) -> subprocess.Popen[bytes]:
    script = start.script
    options: dict[str, Any]
    if sys.platform == "win32":
        import msvcrt

        inherited = [msvcrt.get_osfhandle(fd) for fd in (script.fd, report)]
        for handle in inherited:
            os.set_handle_inheritable(handle, True)
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": inherited})
        handles = [*inherited, -1]
        options = {
            "startupinfo": startup,
            "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW,
        }
    else:
        handles = [script.fd, report, code]
        options = {"pass_fds": [fd for fd in handles if fd >= 0], "start_new_session": True}
    names = [script.absolute, script.relative, script.folder]
    return subprocess.Popen(
        [start.interpreter.path, _BOOTSTRAP, *map(str, handles), *names],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=start.folder,
        env=dict(start.environment),
        **options,
    )


class _SpawnedAttempt:
    """One process and its group; implements `Attempt`."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        stdin: int,
        stdout: int,
        stderr: int,
        report: int,
        take_code: Callable[[], None] | None,
    ) -> None:
        self.pid = process.pid
        self.stdin, self.stdout, self.stderr, self.report = stdin, stdout, stderr, report
        self._process = process
        self._take_code = take_code
        self._loop = asyncio.get_running_loop()
        self.exited = self._loop.create_future()
        self._reaped = False
        self._pidfd = _open_pidfd(self.pid)
        if self._pidfd >= 0:
            self._loop.add_reader(self._pidfd, self._on_exit)
        else:
            threading.Thread(target=self._wait, name=f"wait-{self.pid}", daemon=True).start()
        if not _WINDOWS:
            for fd in (stdin, stdout, stderr):
                os.set_blocking(fd, False)

    def terminate(self) -> None:
        """SIGTERM to the group, and SIGCONT, so that a stopped script can act on it."""
        if sys.platform == "win32":
            self._process.terminate()
        else:
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL to the group."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            self._signal(signal.SIGKILL)

    async def reap(self) -> int:
        """Kill the rest of the group, collect the exit status, wait for the group to be gone."""
        # While the leader is a zombie its number cannot belong to anybody else.
        self.kill()
        self._reaped = True
        returncode = self._process.wait()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        if self._take_code is not None:
            self._take_code()
        if not _WINDOWS:
            await self._group_gone()
        return returncode

    async def _group_gone(self) -> None:
        deadline = self._loop.time() + _GROUP_END_SECONDS
        pause = 0.0005
        while self._loop.time() < deadline and _lives(self.pid):
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.02)

    def _signal(self, number: int) -> None:
        if not self._reaped:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

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
        else:  # Windows, where a handle keeps the number; macOS before Python 3.13
            self._process.wait()
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._on_exit)


def _lives(group: int) -> bool:
    """Whether a process group has a member that is no zombie.

    A zombie is dead; its parent by now, init, may take its time, or in a container never come.
    """
    try:
        os.killpg(group, 0)
    except OSError:  # nobody left, or (EPERM) only those that we cannot reach
        return False
    try:
        processes = [entry for entry in os.scandir("/proc") if entry.name.isdigit()]
    except OSError:  # not Linux
        return True
    for process in processes:
        with suppress(OSError):
            # proc(5): the name stands in parentheses and may hold anything; then state, parent,
            # group.
            fields = Path(process.path, "stat").read_text(errors="replace").rpartition(")")[2]
            state, _, its_group = fields.split()[:3]
            if its_group == str(group) and state not in "ZX":
                return True
    return False


def _open_pidfd(pid: int) -> int:
    """A pidfd, or -1 where the kernel has none to give."""
    if not hasattr(os, "pidfd_open"):
        return -1
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1
