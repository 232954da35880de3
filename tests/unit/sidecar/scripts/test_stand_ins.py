"""The tests of protections are worth their name: with a broken stand-in they would fail."""

import os
import signal
from collections.abc import Callable

import pytest

from sidecar.scripts import running
from sidecar.scripts.launchers.grouped import GroupedAttempt
from sidecar.scripts.paths import ProjectRoot
from sidecar.scripts.streams import Drain
from tests.unit.sidecar.scripts.conftest import Bench, is_alive
from tests.unit.sidecar.scripts.launchers.conftest import GroupLauncher, Hand

#: Leaves a child in a session of its own, and tells its number.
LEAVES_ONE = (
    "import subprocess\np = subprocess.Popen(['sleep', '100'], start_new_session=True)\n"
    "open('pids', 'w').write(str(p.pid))"
)


async def test_killing_only_the_child_would_leave_what_it_started(project: ProjectRoot) -> None:
    hand = Hand(project, GroupLauncher())
    await hand.run(LEAVES_ONE)
    left = int(hand.written("pids"))
    assert is_alive(left), "a subreaper is what it takes"
    os.kill(left, signal.SIGKILL)


async def test_killing_only_the_child_would_leave_its_group(
    project: ProjectRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reap(self: GroupedAttempt) -> None:
        self._process.wait()
        os.close(self._pidfd)
        self._control.send(b"D")
        self._control.close()
        os.close(self._report)

    monkeypatch.setattr(GroupedAttempt, "reap", reap)
    hand = Hand(project, GroupLauncher())
    await hand.run(LEAVES_ONE.replace(", start_new_session=True", ""))
    left = int(hand.written("pids"))
    assert is_alive(left)
    os.kill(left, signal.SIGKILL)


async def test_without_a_drain_a_flood_would_never_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deaf(Drain):
        def __init__(self, fd: int, on_data: Callable[[bytes], None]) -> None:
            super().__init__(fd, on_data)
            self._loop.remove_reader(fd)

    monkeypatch.setattr(running, "Drain", Deaf)
    source = "import os\nos.write(2, bytes(1_000_000))\nprint('{}')"
    outcome = await bench.run(source, timeout_ms=700)
    assert outcome.failure is not None
    assert outcome.failure.error_type == "ScriptTimeout"


async def test_without_a_cap_all_of_a_flood_would_be_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MAX_STDOUT_BYTES", 1 << 40)
    outcome = await bench.run("print('x' * 20_000_000)")
    assert outcome.failure is not None
    assert outcome.failure.error_type == "InvalidOutput", "with the cap, OutputTooLarge"
