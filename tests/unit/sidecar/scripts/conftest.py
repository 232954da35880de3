"""What the tests of this floor share: a project, a runner, and a look at what is left behind."""

import asyncio
import os
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sidecar.scripts.interface import ScriptOutcome, ScriptRequest
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.launchers import Launcher
from sidecar.scripts.paths import ProjectRoot
from sidecar.scripts.runner import LocalRunner

#: The Python that scripts run on; another one to try is named in the environment.
PYTHON = os.environ.get("WORKFLOW_SIDECAR_TEST_PYTHON", sys.executable)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectRoot]:
    """An empty project, `<tmp>/project`, so that a test may lay things beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    with ProjectRoot(folder) as root:
        yield root


def a_runner(project: ProjectRoot, launcher: Launcher | None = None) -> LocalRunner:
    """On the tests' interpreter; plain spawn unless said otherwise."""
    return LocalRunner(project, Interpreters(PYTHON, project.path), launcher)


@dataclass
class Bench:
    """Runs scripts given as text and remembers what they said."""

    project: ProjectRoot
    runner: LocalRunner
    lines: list[str] = field(default_factory=list)

    def write(self, source: str, name: str = "script.py") -> Path:
        """Lay a script into the project."""
        path = self.project.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    async def run(
        self,
        source: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        timeout_ms: int = 30_000,
        env: Mapping[str, str] | None = None,
        on_stderr: Callable[[str], None] | None = None,
    ) -> ScriptOutcome:
        """Run a script and wait for its outcome."""
        self.write(source)
        request = ScriptRequest("script.py", inputs or {}, timeout_ms, env or {})
        return await self.runner.run(request, on_stderr or self.lines.append)


@pytest.fixture
async def bench(project: ProjectRoot) -> AsyncIterator[Bench]:
    """A runner on this very interpreter. Whatever a test does with it must leave nothing behind:
    no descriptor, no thread, no child, no task."""
    runner = LocalRunner(project, Interpreters(PYTHON, project.path))
    bench = Bench(project, runner)
    tasks = len(asyncio.all_tasks())
    await bench.run("print('{}')")
    before = await at_rest(tasks)
    yield bench
    await until(lambda: left_open() == before, lambda: f"{before} became {left_open()}")
    await runner.close()


def left_open() -> dict[str, Any]:
    """What this process holds that a run could leak."""
    executor = ("asyncio_", "ThreadPoolExecutor")
    return {
        "descriptors": open_descriptors(),
        "threads": sorted(t.name for t in threading.enumerate() if not t.name.startswith(executor)),
        "children": Path(f"/proc/self/task/{os.getpid()}/children").read_text(),
        "tasks": len(asyncio.all_tasks()),
    }


async def at_rest(tasks: int) -> dict[str, Any]:
    """The same after a first run, once what goes on behind it is over: no more tasks than `tasks`,
    which were there before it, and nobody who waits for an end that has been told."""

    def rests() -> bool:
        now = left_open()
        waiting = [name for name in now["threads"] if name.startswith("wait-")]
        return now["tasks"] <= tasks and not waiting

    await until(rests, lambda: f"{left_open()} does not come to rest")
    return left_open()


def open_descriptors() -> int:
    """How many descriptors this process holds, the one for counting included."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(
    condition: Callable[[], bool], message: Callable[[], str] = lambda: "", seconds: float = 5
) -> None:
    """Wait for a state of the kernel that nothing announces."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not within {seconds} s: {message()}")
        await asyncio.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
