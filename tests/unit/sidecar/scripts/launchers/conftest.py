"""Starting attempts by hand: what the tests of all launchers share."""

import asyncio
import marshal
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.scripts.confinement import Policy
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.launchers import Attempt, End, Launcher, Start
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.paths import ProjectRoot
from tests.unit.sidecar.scripts.conftest import PYTHON, at_rest, left_open, until
from tests.unit.sidecar.scripts.launchers.nursery import Nursery

#: A policy that confines nothing: what one does is another test's matter.
OPEN = Policy(marshal.dumps({"level": "off", "umask": 0o077}, 2), marshal.dumps({}, 2))


class GroupLauncher(SpawnLauncher):
    """Plain spawn the way it is where there is no subreaper."""

    process_tree = "process-group"


class Hand:
    """Starts scripts given as text and waits for their end, without a runner."""

    def __init__(self, project: ProjectRoot, launcher: Launcher) -> None:
        self.project = project
        self.launcher = launcher
        self.pythons = Interpreters(PYTHON, project.path)

    async def start(self, source: str) -> Attempt:
        (self.project.path / "script.py").write_text(source)
        python = await self.pythons.get()
        with self.project.open_file("script.py") as script:
            return await self.launcher.start(
                Start(script, python, dict(os.environ), self.project.path, OPEN)
            )

    async def end(self, attempt: Attempt) -> End:
        """The attempt's end; what it wrote is thrown away."""
        await attempt.exited
        try:
            return await attempt.reap()
        finally:
            for fd in (attempt.stdin, attempt.stdout, attempt.stderr):
                os.close(fd)

    async def run(self, source: str) -> End:
        return await self.end(await self.start(source))

    def written(self, name: str) -> str:
        """What a script wrote into a file of the project."""
        return Path(self.project.path, name).read_text()


@pytest.fixture
def launcher() -> Launcher:
    """A module that tests another one defines its own."""
    return SpawnLauncher()


@pytest.fixture
async def hand(project: ProjectRoot, launcher: Launcher) -> AsyncIterator[Hand]:
    """Whatever a test does with it must leave nothing behind."""
    hand = Hand(project, launcher)
    tasks = len(asyncio.all_tasks())
    await hand.run("")
    before = await at_rest(tasks)
    yield hand
    await until(lambda: left_open() == before, lambda: f"{before} became {left_open()}")


@pytest.fixture
async def nursery(project: ProjectRoot) -> AsyncIterator[Nursery]:
    """Whatever a test does, the end of it leaves no process, descriptor, thread or task."""
    await SpawnLauncher().prepare(await Interpreters(PYTHON, project.path).get())
    before = left_open()
    nursery = Nursery(project, ZygoteLauncher())
    yield nursery
    await nursery.runner.close()
    await until(lambda: left_open() == before, lambda: f"{before} became {left_open()}")
