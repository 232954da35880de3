"""Scripts on every Python that this machine has, from 3.8 on, through both launchers.

They are found as `python3.N` on the PATH and in the versions of pyenv, uv and the tools of CI
(`hostedtoolcache`). In CI at least two must be there.
"""

import functools
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sidecar.scripts.interface import ScriptRequest
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.launchers import Launcher
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.paths import ProjectRoot
from sidecar.scripts.runner import LocalRunner

VERSIONS = [(3, minor) for minor in range(8, 15)]
PLACES = (
    os.environ.get("PYENV_ROOT", "~/.pyenv") + "/versions/3.{minor}.*/bin/python",
    "~/.local/share/uv/python/cpython-3.{minor}.*/bin/python3",
    os.environ.get("RUNNER_TOOL_CACHE", "/opt/hostedtoolcache")
    + "/Python/3.{minor}.*/*/bin/python",
)

SCRIPT = """
import json, os, sys
inputs = json.load(sys.stdin)
print("on stderr: ü", file=sys.stderr)
import helper
if inputs["raise"]:
    helper.fail()
if os.fork() == 0:
    os.setsid()
    import time
    time.sleep(99)
print(json.dumps({"version": list(sys.version_info[:2]), "echo": inputs["text"], "file": __file__,
                  "argv": sys.argv, "fds": len(os.listdir("/proc/self/fd")) - 1}))
"""


@functools.cache
def found(version: tuple[int, int]) -> str | None:
    """An interpreter of that version, or None."""
    for candidate in _candidates(version):
        asked = [candidate, "-c", "import sys; print(*sys.version_info[:2])"]
        try:
            done = subprocess.run(asked, capture_output=True, check=False, timeout=20)
        except OSError:
            continue
        if done.stdout.split() == [b"%d" % part for part in version]:
            return candidate
    return None


def _candidates(version: tuple[int, int]) -> Iterator[str]:
    for place in PLACES:
        pattern = os.path.expanduser(place.format(minor=version[1]))  # noqa: PTH111 - a pattern
        yield from sorted(map(str, Path("/").glob(pattern.lstrip("/"))), reverse=True)
    if on_the_path := shutil.which(f"python{version[0]}.{version[1]}"):
        yield on_the_path


@pytest.fixture(params=VERSIONS, ids=lambda version: ".".join(map(str, version)))
def python(request: pytest.FixtureRequest) -> str:
    path = found(request.param)
    if path is None:
        pytest.skip(f"no Python {request.param[0]}.{request.param[1]} on this machine")
    return path


@pytest.fixture(params=["zygote", "spawn"])
async def runner(
    request: pytest.FixtureRequest, project: ProjectRoot, python: str
) -> AsyncIterator[LocalRunner]:
    launcher: Launcher = ZygoteLauncher() if request.param == "zygote" else SpawnLauncher()
    runner = LocalRunner(project, Interpreters(python, project.path), launcher)
    await runner.prepare()
    assert launcher.name == request.param
    yield runner
    assert launcher.name == request.param
    await runner.close()


async def test_script_runs_on_it(runner: LocalRunner, project: ProjectRoot, python: str) -> None:
    (project.path / "script.py").write_text(SCRIPT)
    (project.path / "helper.py").write_text("def fail():\n    raise KeyError('k')\n")
    lines: list[str] = []
    for _ in range(2):  # the second from kept code
        request = ScriptRequest("script.py", {"text": "hällo 🙂", "raise": False}, 30_000)
        outcome = await runner.run(request, lines.append)
        assert outcome.outputs is not None, outcome.failure
        assert found(tuple(outcome.outputs.pop("version"))) == python
        assert outcome.outputs == {
            "echo": "hällo 🙂",
            "file": str(project.path / "script.py"),
            "argv": ["script.py"],
            "fds": 3,
        }
        failed = await runner.run(ScriptRequest("script.py", {"raise": True}, 30_000), lines.append)
        assert failed.failure is not None
        assert failed.failure.error_type == "KeyError"
        assert failed.failure.error_bases[:2] == ("LookupError", "Exception")
        assert "zygote.py" not in str(failed.failure.stack_trace)
        assert "bootstrap.py" not in str(failed.failure.stack_trace)
    assert "on stderr: ü" in lines


def test_ci_has_at_least_two_versions() -> None:
    versions = [version for version in VERSIONS if found(version)]
    if not os.environ.get("CI"):
        pytest.skip("only CI is held to it")
    assert len(versions) >= 2, versions
