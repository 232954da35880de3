"""A runner on a zygote, and what can be seen of the zygote and its spares from outside."""

import os
from pathlib import Path
from typing import Any

from sidecar.scripts.confinement import Confinement
from sidecar.scripts.interface import ScriptOutcome, ScriptRequest
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.launchers.zygote_process import ZygoteProcess
from sidecar.scripts.paths import ProjectRoot
from sidecar.scripts.runner import LocalRunner
from tests.unit.sidecar.scripts.conftest import PYTHON, until

#: Prints which of the two started it.
WHO = """
import json, os
command = open("/proc/self/cmdline").read()
print(json.dumps({"by": "zygote" if "zygote.py" in command else "spawn", "pid": os.getpid()}))
"""


class Nursery:
    """A runner on a zygote, and what is known of the zygote."""

    def __init__(
        self,
        project: ProjectRoot,
        launcher: ZygoteLauncher,
        confinement: Confinement | None = None,
    ) -> None:
        self.project = project
        self.launcher = launcher
        self.pythons = Interpreters(PYTHON, project.path)
        self.runner = LocalRunner(project, self.pythons, launcher, confinement)

    @property
    def zygote(self) -> ZygoteProcess:
        assert self.launcher._zygote is not None
        return self.launcher._zygote

    @property
    def pid(self) -> int:
        return self.zygote._process.pid

    async def spares(self) -> list[tuple[int, int]]:
        """Supervisors and the processes that they have ready, once each of them has one."""
        found: list[tuple[int, int]] = []

        def wait() -> bool:
            found.clear()
            supervisors = [pid for pid in children(self.pid) if _name(pid) == "sidecar-spare"]
            for supervisor in supervisors:
                ready = [pid for pid in children(supervisor) if is_ready(pid)]
                found.extend((supervisor, pid) for pid in ready)
            return len(found) == len(supervisors) > 0

        await until(wait, lambda: f"ready are {found}")
        return found

    async def ready(self) -> None:
        await self.launcher.prepare(await self.pythons.get())

    async def run(self, source: str, **more: Any) -> ScriptOutcome:
        (self.project.path / "script.py").write_text(source)
        request = ScriptRequest("script.py", {}, more.pop("timeout_ms", 20_000), **more)
        return await self.runner.run(request, lambda line: None)

    async def outputs(self, source: str, **more: Any) -> dict[str, Any]:
        outcome = await self.run(source, **more)
        assert outcome.outputs is not None, outcome.failure
        return outcome.outputs

    async def started_by(self, **more: Any) -> str:
        return str((await self.outputs(WHO, **more))["by"])


def children(pid: int) -> list[int]:
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def is_ready(pid: int) -> bool:
    """Whether it has come to wait for a script, in a session of its own."""
    try:
        return _name(pid) == "sidecar-spare" and os.getsid(pid) == pid and _waits(pid)
    except OSError:
        return False


def _waits(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
