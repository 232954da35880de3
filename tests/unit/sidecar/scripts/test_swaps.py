"""A folder that is swapped with a link to outside while scripts run: theirs never does (P6)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.scripts.interface import ScriptRequest
from sidecar.scripts.launchers import Launcher
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.paths import ProjectRoot
from tests.unit.sidecar.scripts.conftest import a_runner

#: Scripts that really run; many more are not found, or are a link's.
RUNS = 2000 if os.environ.get("SOAK") else 120


#: Swaps the folder with a link to outside and back until its stdin ends; prints how often.
SWAPPER = """
import os, select, sys
folder, outside = sys.argv[1:]
swaps = 0
print("ready", flush=True)
# As it should be for half a millisecond each time, so that scripts are found at all.
while not select.select([0], [], [], .0005)[0]:
    os.rename(folder, folder + "-aside")
    os.symlink(outside, folder)
    os.unlink(folder)
    os.rename(folder + "-aside", folder)
    swaps += 1
print(swaps)
"""


@contextmanager
def swapping(folder: Path, outside: Path) -> Iterator[list[int]]:
    """In a process of its own; afterwards the list holds how often."""
    swaps: list[int] = []
    command = [sys.executable, "-c", SWAPPER, str(folder), str(outside)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield swaps
    finally:
        out, _ = process.communicate()
        swaps.append(int(out))


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["zygote", "spawn"])
async def test_script_outside_never_runs_however_the_folder_is_swapped(
    project: ProjectRoot, tmp_path: Path, kind: str
) -> None:
    for folder, where in ((project.path / "steps", "inside"), (tmp_path / "outside", "outside")):
        folder.mkdir()
        (folder / "s.py").write_text(f'print(\'{{"ran": "{where}"}}\')')
    launcher: Launcher = ZygoteLauncher() if kind == "zygote" else SpawnLauncher()
    runner = a_runner(project, launcher)
    await runner.prepare()
    seen: dict[str, int] = {}
    with swapping(project.path / "steps", tmp_path / "outside") as swaps:
        while seen.get("inside", 0) < RUNS:
            outcome = await runner.run(ScriptRequest("steps/s.py", {}, 20_000), lambda line: None)
            failure = outcome.failure
            what = failure.error_type if failure else str((outcome.outputs or {}).get("ran"))
            seen[what] = seen.get(what, 0) + 1
    await runner.close()
    assert swaps[0] >= RUNS
    assert seen.get("outside", 0) == 0
    assert set(seen) <= {"inside", "ScriptPathError", "ScriptNotFound"}
