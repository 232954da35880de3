"""An attempt on Windows: a Job Object, which holds the script and all it starts.

After Microsoft's "Job Objects" and "JOBOBJECT_BASIC_LIMIT_INFORMATION": processes started by one in
a job are in the job; JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE ends all of them when the last handle to
the job is closed, which the system does when the daemon ends, however it ends. The script waits
for a byte until it is in the job (`child/guard.py`). Jobs nest since Windows 8, so it does not
matter that the daemon may be in one.
"""

import asyncio
import ctypes
import os
import subprocess
import threading
from contextlib import suppress
from ctypes import POINTER, Structure, byref, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, ClassVar, Final

from sidecar.scripts.launchers import End, report_file
from sidecar.scripts.launchers.pipes import Pipes

_BASIC_ACCOUNTING_INFORMATION: Final = 1
_EXTENDED_LIMIT_INFORMATION: Final = 9
_LIMIT_KILL_ON_JOB_CLOSE: Final = 0x2000
#: The exit code of those that are ended; also what `subprocess.Popen.terminate` gives.
_TERMINATED: Final = 1
_GONE_SECONDS: Final = 5.0


class _BasicLimits(Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("PerProcessUserTimeLimit", c_int64),
        ("PerJobUserTimeLimit", c_int64),
        ("LimitFlags", c_uint32),
        ("MinimumWorkingSetSize", c_size_t),
        ("MaximumWorkingSetSize", c_size_t),
        ("ActiveProcessLimit", c_uint32),
        ("Affinity", c_size_t),
        ("PriorityClass", c_uint32),
        ("SchedulingClass", c_uint32),
    ]


class _ExtendedLimits(Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", c_uint64 * 6),
        ("ProcessMemoryLimit", c_size_t),
        ("JobMemoryLimit", c_size_t),
        ("PeakProcessMemoryUsed", c_size_t),
        ("PeakJobMemoryUsed", c_size_t),
    ]


class _Accounting(Structure):
    """JOBOBJECT_BASIC_ACCOUNTING_INFORMATION."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("Times", c_int64 * 4),
        ("TotalPageFaultCount", c_uint32),
        ("TotalProcesses", c_uint32),
        ("ActiveProcesses", c_uint32),
        ("TotalTerminatedProcesses", c_uint32),
    ]


class Job:
    """One Job Object. Every method raises OSError when the system refuses."""

    def __init__(self) -> None:
        self._kernel = _kernel32()
        self._handle = self._kernel.CreateJobObjectW(None, None)
        self._check(self._handle)
        limits = _ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = _LIMIT_KILL_ON_JOB_CLOSE
        self._check(
            self._kernel.SetInformationJobObject(
                self._handle, _EXTENDED_LIMIT_INFORMATION, byref(limits), ctypes.sizeof(limits)
            )
        )

    def add(self, process_handle: int) -> None:
        """Put a process, and all that it will start, into the job."""
        self._check(self._kernel.AssignProcessToJobObject(self._handle, process_handle))

    def terminate(self) -> None:
        """End every process of the job."""
        self._check(self._kernel.TerminateJobObject(self._handle, _TERMINATED))

    def active(self) -> int:
        """How many processes of it live."""
        accounting = _Accounting()
        self._check(
            self._kernel.QueryInformationJobObject(
                self._handle,
                _BASIC_ACCOUNTING_INFORMATION,
                byref(accounting),
                ctypes.sizeof(accounting),
                None,
            )
        )
        return int(accounting.ActiveProcesses)

    def close(self) -> None:
        """Let go of it, which ends what is left in it."""
        self._kernel.CloseHandle(self._handle)

    def _check(self, result: int | None) -> None:
        if not result:
            raise OSError(ctypes.get_last_error(), "Job Object")  # type: ignore[attr-defined,unused-ignore]


def _kernel32() -> Any:
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.CreateJobObjectW.restype = c_void_p
    kernel.CreateJobObjectW.argtypes = [c_void_p, c_void_p]
    kernel.SetInformationJobObject.argtypes = [c_void_p, c_int, c_void_p, c_uint32]
    kernel.QueryInformationJobObject.argtypes = [
        c_void_p, c_int, c_void_p, c_uint32, POINTER(c_uint32)
    ]  # fmt: skip
    kernel.AssignProcessToJobObject.argtypes = [c_void_p, c_void_p]
    kernel.TerminateJobObject.argtypes = [c_void_p, c_uint32]
    kernel.CloseHandle.argtypes = [c_void_p]
    return kernel


class JobAttempt:
    """One script in its job; implements `Attempt`."""

    def __init__(
        self, pipes: Pipes, go: int, report: int, process: "subprocess.Popen[bytes]", job: Job
    ) -> None:
        """Takes over all but the script's ends of `pipes`; `go` lets the script begin."""
        self.pid = process.pid
        self.stdin, self.stdout, self.stderr = pipes.stdin, pipes.stdout, pipes.stderr
        self._report = report
        self._process = process
        self._job = job
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = self._loop.create_future()
        threading.Thread(target=self._wait, name=f"wait-{self.pid}", daemon=True).start()
        pipes.keep()
        os.write(go, b"G")
        os.close(go)

    def terminate(self) -> None:
        """End the script: Windows has nothing gentler for a process without a console."""
        self._process.terminate()

    def kill(self) -> None:
        """End all of them."""
        with suppress(OSError):
            self._job.terminate()

    async def reap(self) -> End:
        """End what is left of the job, and wait until it is empty."""
        returncode = self._process.wait()
        self.kill()
        deadline = self._loop.time() + _GONE_SECONDS
        with suppress(OSError):
            while self._job.active() and self._loop.time() < deadline:  # noqa: ASYNC110 - kernel
                await asyncio.sleep(0.002)
        self._job.close()
        return End(returncode, report_file.read(self._report))

    def _wait(self) -> None:
        self._process.wait()
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._on_exit)

    def _on_exit(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)
