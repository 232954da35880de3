"""Running one script both ways: plain Python, and a launcher beneath the runner."""

import asyncio
import functools
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import orjson

from sidecar.scripts.confinement import UMASK
from sidecar.scripts.environment import script_environment
from sidecar.scripts.interface import ScriptRequest
from sidecar.scripts.interpreter import Interpreter, Interpreters
from sidecar.scripts.launchers import Launcher
from sidecar.scripts.paths import ProjectRoot
from tests.unit.sidecar.scripts.conftest import PYTHON, a_runner

INPUTS = {"greeting": "hällo", "n": 1}


class Printed(NamedTuple):
    """What a script printed, and its exit code or minus its signal's number."""

    out: str
    err: str
    end: int


async def the_interpreter() -> Interpreter:
    """The one that the tests' scripts run on."""
    return await Interpreters(PYTHON, Path("/nowhere")).get()


@functools.cache
def python_version() -> tuple[int, int]:
    """Of the interpreter of the scripts."""
    asked = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([PYTHON, "-c", asked], capture_output=True, check=True)
    major, minor = done.stdout.split()
    return int(major), int(minor)


async def plain_python(folder: Path) -> Printed:
    """`python script.py` in the folder, with the environment that scripts get."""
    done = await asyncio.to_thread(
        subprocess.run,
        [PYTHON, "script.py"],
        cwd=folder,
        env=script_environment(
            {},
            temporary="/tmp/workflow-sidecar-x/1",
            cache=folder / ".workflow-sidecar/cache",
            closes_global_git_settings=sys.platform == "linux",
        ),
        umask=UMASK,
        input=orjson.dumps(INPUTS) + b"\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Printed(_text(done.stdout), _text(done.stderr), done.returncode)


async def through(launcher: Launcher, project: ProjectRoot) -> Printed:
    """The same by a launcher, before the runner has made an outcome of it."""
    runner = a_runner(project, launcher)
    ends: list[tuple[bytes, int]] = []
    original = runner._process  # the raw end is what is compared, not its interpretation

    async def process(*args: object) -> object:
        ended = await original(*args)  # type: ignore[arg-type]
        ends.append((ended.stdout, ended.returncode))
        return ended

    runner._process = process  # type: ignore[method-assign,assignment]
    outcome = await runner.run(ScriptRequest("script.py", INPUTS, 60_000), lambda _: None)
    await runner._temporary.close()
    if not ends:
        raise AssertionError(f"not started: {outcome.failure}")
    (stdout, returncode) = ends[0]
    return Printed(_text(stdout), outcome.stderr, returncode)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
