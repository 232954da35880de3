"""Plain spawn: a new interpreter for every script.

The reference for every other launcher, and the one that works everywhere. `subprocess.Popen`
without `preexec_fn`, hence vfork on Linux; not asyncio's, which is slower and whose `wait()` hangs
while a grandchild holds a pipe (CPython gh-119710).

The script gets descriptors 0 to 2, a session of its own without a terminal, default signal
handlers; what it may reach, `child/confine.py` sees to. How its descendants
are kept together, and ended with it, is the system's matter and chosen here: a subreaper on Linux,
a Job Object on Windows, a process group elsewhere.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from sidecar.scripts.interpreter import Interpreter
from sidecar.scripts.launchers import Attempt, Start, report_file
from sidecar.scripts.launchers.code_cache import CodeCache
from sidecar.scripts.launchers.pipes import Pipes

_BOOTSTRAP: Final = str(Path(__file__).parent.parent / "child" / "bootstrap.py")
#: What of a script's descendants is reached at its end, by system.
_REACH: Final = {"linux": "subreaper", "win32": "job"}


class SpawnLauncher:
    """Starts every script with a fresh interpreter."""

    name = "spawn"
    process_tree = _REACH.get(sys.platform, "process-group")

    def __init__(self) -> None:
        # Whoever started us with SIGCHLD ignored would have the kernel throw exit statuses away.
        if sys.platform != "win32" and signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._codes = CodeCache()
        self._begin = {"subreaper": _supervised, "job": _in_job}.get(self.process_tree, _grouped)

    async def prepare(self, interpreter: Interpreter) -> None:
        """Nothing: every script has its own interpreter."""

    async def close(self) -> None:
        """Nothing is kept."""

    async def start(self, start: Start) -> Attempt:
        """Start a script; see `Launcher.start`. Blocks the loop for the exec, about a ms."""
        key = self._codes.key(start.interpreter, start.script)
        code = -1 if key is None else self._codes.open(key)
        with ExitStack() as on_failure:
            if key is not None:
                on_failure.callback(os.close, code)
            with Pipes() as pipes:
                attempt = self._begin(start, pipes, code)
            on_failure.pop_all()
        if key is not None:
            attempt.exited.add_done_callback(lambda _: self._codes.take(key, code))
        return attempt


def _supervised(start: Start, pipes: Pipes, code: int) -> Attempt:
    """Linux: the interpreter forks the script and becomes its supervisor."""
    from sidecar.scripts.launchers.supervised import SupervisedAttempt

    ours, theirs = socket.socketpair()
    with theirs, ExitStack() as on_failure:
        on_failure.callback(ours.close)
        process = _spawn(start, pipes, (start.script.fd, code, theirs.fileno(), -1))
        attempt = SupervisedAttempt(pipes, ours, _SpawnedSupervisor(process))
        on_failure.pop_all()
    return attempt


class _SpawnedSupervisor:
    """A supervisor that is our own child."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def kill_supervisor(self, pid: int) -> None:
        self._process.kill()

    def kill_starting(self) -> None:
        self._process.kill()

    def has_begun(self, pid: int) -> bool:
        return pid != 0

    def take_back(self, control: socket.socket, rest: bytes, *, reusable: bool) -> None:
        control.close()

    async def collect(self) -> None:
        pause = 0.0002
        while self._process.poll() is None:
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.02)


def _grouped(start: Start, pipes: Pipes, code: int) -> Attempt:
    """macOS: the interpreter runs the script, in a process group of its own."""
    from sidecar.scripts.launchers.grouped import GroupedAttempt

    ours, theirs = socket.socketpair()
    with theirs, ExitStack() as on_failure:
        on_failure.callback(ours.close)
        report = report_file.create()
        on_failure.callback(os.close, report)
        process = _spawn(start, pipes, (start.script.fd, code, theirs.fileno(), report))
        try:
            attempt = GroupedAttempt(pipes, ours, report, process)
        except BaseException:
            _end(process)
            raise
        on_failure.pop_all()
    return attempt


def _in_job(start: Start, pipes: Pipes, code: int) -> Attempt:
    """Windows: the interpreter runs the script once it is in its Job Object."""
    from sidecar.scripts.launchers.job import Job, JobAttempt

    theirs, go = os.pipe()
    with ExitStack() as always, ExitStack() as on_failure:
        always.callback(os.close, theirs)
        on_failure.callback(os.close, go)
        report = report_file.create()
        on_failure.callback(os.close, report)
        job = Job()
        on_failure.callback(job.close)
        process = _spawn(start, pipes, (start.script.fd, code, theirs, report))
        try:
            job.add(int(process._handle))  # type: ignore[attr-defined,unused-ignore]
            attempt = JobAttempt(pipes, go, report, process, job)
        except BaseException:
            _end(process)
            raise
        on_failure.pop_all()
    return attempt


def _policy_file(policy: bytes) -> int:
    """The policy for the child to read, or -1 where it has no use for one."""
    if sys.platform == "win32":
        return -1
    fd = os.memfd_create("policy") if hasattr(os, "memfd_create") else report_file.create()
    os.write(fd, policy)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _spawn(start: Start, pipes: Pipes, passed: Collection[int]) -> "subprocess.Popen[bytes]":
    """The interpreter on bootstrap.py; `passed` are its descriptors, -1 for none."""
    script = start.script
    policy = _policy_file(start.policy.whole())
    passed = [*passed, policy]
    numbers = list(passed)
    options: dict[str, Any]
    if sys.platform == "win32":
        import msvcrt

        numbers = [fd if fd < 0 else msvcrt.get_osfhandle(fd) for fd in passed]
        inherited = [handle for handle in numbers if handle >= 0]
        for handle in inherited:
            os.set_handle_inheritable(handle, True)
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": inherited})
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        flags |= subprocess.BELOW_NORMAL_PRIORITY_CLASS
        options = {"startupinfo": startup, "creationflags": flags}
    else:
        options = {"pass_fds": [fd for fd in passed if fd >= 0], "start_new_session": True}
    names = [script.absolute, script.relative, script.folder]
    try:
        return subprocess.Popen(
            [start.interpreter.path, _BOOTSTRAP, *map(str, numbers), *names],
            stdin=pipes.script_stdin,
            stdout=pipes.script_stdout,
            stderr=pipes.script_stderr,
            cwd=start.folder,
            env=dict(start.environment),
            **options,
        )
    finally:
        if policy >= 0:
            os.close(policy)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
