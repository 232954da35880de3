"""A fault at every write, fsync, rename and deletion: the old state or the new, never mixed.

The calls are those of the C library, counted and broken by a few lines of C between it and SQLite.
"""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.history import layout
from sidecar.history.storage import Storage
from tests.unit.sidecar.history import processes
from tests.unit.sidecar.history.test_executions import ids, opened

SOURCE = Path(__file__).with_name("faults.c")
#: For each line of orders a fork of its own, so that the imports are paid once. What is asked for
#: is in `names`: each is recorded as a run, from start to end.
PROGRAM = """
import asyncio, json, os, sys
from pathlib import Path
from sidecar.errors import HistoryError
from sidecar.history.executions import ExecutionHistory
from tests.unit.sidecar.history.test_executions import make, running

async def record(file, names, out):
    history = ExecutionHistory(Path(file))
    try:
        for name in names:
            await history.started(running(name))
            await history.ended(make(name, inputs={"a": name * 3_000}))
            os.write(out, (name + " ").encode())
    except HistoryError:
        os.write(out, b"error ")
    await history.close()

for line in sys.stdin:
    orders = json.loads(line)
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.environ.update(orders["env"])
        asyncio.run(record(orders["file"], orders["names"], into))
        os._exit(0)
    os.close(into)
    with open(out) as printed:
        text = printed.read()
    os.waitpid(pid, 0)
    print(text, flush=True)
"""

compiler = shutil.which("cc") or shutil.which("gcc")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or (compiler is None and not os.environ.get("CI")),
    reason="needs Linux and a C compiler",
)


class Recorder:
    """A process whose writes to a history file can be made to fail."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def record(self, file: Path, *names: str, at: int = 0, does: str = "") -> list[str]:
        """Record runs, with a fault at the `at`-th call on the file; which were acknowledged, and
        "error" if the history said so."""
        env = {"FAULT_ON": "/history.db", "FAULT_COUNT": str(file.with_name("count"))}
        if at:
            env |= {"FAULT_AT": str(at), "FAULT_DOES": does}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        orders = {"file": str(file), "names": names, "env": env}
        self._process.stdin.write(json.dumps(orders) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().split()


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    library = tmp_path_factory.mktemp("shim") / "faults.so"
    assert compiler is not None, "no C compiler, which CI is to have"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    with processes.start(PROGRAM, LD_PRELOAD=str(library)) as process:
        yield Recorder(process)
        process.communicate(timeout=60)


BEFORE = [f"old{n}" for n in range(5)]


@pytest.fixture
def used(recorder: Recorder, tmp_path: Path) -> Path:
    """A folder with a history of five runs, so that the next pushes one out."""
    folder = tmp_path / "used"
    folder.mkdir()
    assert recorder.record(folder / "history.db", *BEFORE) == BEFORE
    (folder / "count").unlink()
    return folder


def stride(does: str) -> int:
    """Every call, or one in so many where the full count is not asked for."""
    return 1 if does == "kill" or os.environ.get("SOAK") else 4


def assert_whole(file: Path) -> None:
    """Every run has all of its keys, and no key is without its run: before anybody mends it."""
    with Storage(file) as storage:
        runs = {key.removeprefix("run:") for key in storage.last_keys("run:")}
        details = {key.removeprefix("detail:") for key in storage.last_keys("detail:")}
        indexed = [storage.getItem(key) for key in storage.last_keys("workflow:")]
        order = [layout.execution_id(storage, key) for key in storage.last_keys("order:")]
        assert len(runs) == 5
        assert runs == details == set(indexed)
        assert indexed == order


FAULTS = ["kill", str(errno.EIO), str(errno.ENOSPC)]


@pytest.mark.soak
@pytest.mark.parametrize("does", FAULTS, ids=["kill", "EIO", "ENOSPC"])
async def test_a_fault_at_any_call_leaves_the_runs_of_before_or_those_of_after(
    recorder: Recorder, used: Path, tmp_path: Path, does: str
) -> None:
    folder = tmp_path / "now"
    before, after = BEFORE[::-1], ["new", *BEFORE[:0:-1]]

    def anew() -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(used, folder)
        return folder / "history.db"

    assert recorder.record(anew(), "new") == ["new"]
    calls = (folder / "count").stat().st_size
    assert calls > 8  # else the calls are no longer seen
    states = set()
    for at in range(1, calls + 1, stride(does)):
        file = anew()
        printed = recorder.record(file, "new", at=at, does=does)
        assert_whole(file)
        async with opened(file) as history:
            found = await ids(history)
            notices = history.notices
            for name in found:
                detail = await history.detail(name)
                assert detail is not None
                assert list(detail.steps) == ["s"]
        assert notices == [], (at, printed)
        # What was recorded as running is interrupted now: new, and failed.
        assert found in (before, after), (at, printed)
        assert "new" not in printed or found == after
        states.add(tuple(found))
    assert len(states) == 2


@pytest.mark.soak
@pytest.mark.parametrize("does", FAULTS, ids=["kill", "EIO", "ENOSPC"])
async def test_a_fault_at_any_call_of_the_first_run_leaves_a_file_that_can_be_used(
    recorder: Recorder, tmp_path: Path, does: str
) -> None:
    folder = tmp_path / "now"
    folder.mkdir()
    assert recorder.record(folder / "history.db", "new") == ["new"]
    calls = (folder / "count").stat().st_size
    for at in range(1, calls + 1, stride(does)):
        shutil.rmtree(folder)
        folder.mkdir()
        printed = recorder.record(folder / "history.db", "new", at=at, does=does)
        async with opened(folder / "history.db") as history:
            found = await ids(history)
            assert history.notices == [], (at, printed)
        assert found in ([], ["new"])
        assert "new" not in printed or found == ["new"]
