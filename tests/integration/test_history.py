"""What was acknowledged is kept: whatever is killed, full, damaged or in the way."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Project, Start, definition, step
from tests.integration.driver import Driver, poll

SOAK = bool(os.environ.get("SOAK"))
KILLS = 200 if SOAK else 6
NOT_KEPT, KEPT_AGAIN = "history is not being kept", "history is being kept again"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills and mounts as POSIX does")


def output(name: str, size: int = 1) -> dict[str, Any]:
    """A workflow that takes next to no time."""
    return definition(name, {"id": "o", "type": "output", "message": "x" * size})


def history_file(project: Project) -> Path:
    return project.path / ".workflow-sidecar" / "history.db"


def ids_of(driver: Driver, workflow_id: str) -> list[str]:
    return [entry["id"] for entry in driver.call("workflow:execution:history", [workflow_id])]


# Killed


@pytest.mark.soak
def test_what_was_answered_survives_kill_9_of_two_daemons_at_any_instant(start: Start) -> None:
    chance = random.Random(9)  # noqa: S311 - which instant it is need not be a secret
    for number in range(KILLS // 2):
        daemons = [start("--log-level", "warning") for _ in range(2)]
        requests: list[tuple[Driver, str, int]] = []
        for n in range(24):
            daemon = daemons[n % 2]
            # Every other one of a workflow that all daemons run all the time.
            name = "shared" if n % 4 < 2 else f"w{number}-{n}"
            requests.append((daemon, name, daemon.request("workflow:execute", [output(name)])))
        for daemon in daemons:
            # Any instant: after so many of its answers, then at once.
            count = chance.randrange(0, 12)
            daemon.wait_until(lambda d=daemon, n=count: len(d.answers) >= n)  # type: ignore[misc]
            daemon.signal(signal.SIGKILL)
        for daemon in daemons:
            daemon.wait()
        with start("--log-level", "warning") as next_one:
            assert next_one.call("sidecar:info")["history_notices"] == []
            assert next_one.call("workflow:execution:active") == []
            assert len(next_one.call("workflow:execution:history", ["shared", 100])) == 5
            for daemon, name, request in requests:
                if name == "shared":
                    continue
                found = next_one.call("workflow:execution:history", [name])
                if daemon.is_answered(request):
                    execution_id = daemon.answer(request)["result"]["execution_id"]
                    assert [(e["id"], e["status"]) for e in found] == [(execution_id, "success")]
                for entry in found:
                    assert entry["status"] == "success" or entry["error"].startswith("Interrupted")


def test_a_daemon_that_lives_sees_the_run_of_one_that_was_killed_as_interrupted(
    start: Start,
) -> None:
    living, killed = start(), start()
    hang = definition("hang", step("a", "./hang.py"))
    execution_id = killed.call("workflow:execution:start", [hang])["execution_id"]
    assert living.call("workflow:execution:get", [execution_id])["status"] == "running"
    assert living.call("workflow:execution:history", ["hang"]) == []
    killed.signal(signal.SIGKILL)
    killed.wait()
    (entry,) = living.call("workflow:execution:history", ["hang"])
    assert (entry["id"], entry["status"]) == (execution_id, "failed")
    assert entry["error"].startswith("Interrupted")
    detail = living.call("workflow:execution:get", [execution_id])
    assert detail["steps"]["a"]["status"] in ("error", "skipped")
    killed.wait_for_processes(0)


def test_a_run_is_on_disk_when_its_first_step_starts(start: Start) -> None:
    daemon = start()
    daemon.call("workflow:execution:subscribe")
    daemon.request("workflow:execute", [definition("w", step("a", "./hang.py"))])
    daemon.wait_for_event("step_started")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    with start() as next_one:
        (entry,) = next_one.call("workflow:execution:history", ["w"])
        assert entry["error"].startswith("Interrupted")
    daemon.wait_for_processes(0)


# Full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk of 64 KiB")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a disk of 64 KiB cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_on_a_disk_of_64_kib_runs_succeed_with_one_warning_and_are_kept_when_there_is_room(
    start: Start, small_disk: Path
) -> None:
    daemon = start("--history", str(small_disk / "h.db"))
    done: dict[str, list[str]] = {}
    for number in range(30):
        name = f"w{number % 3}"
        result = daemon.call("workflow:execute", [output(name, size=3_000)])
        assert result["success"]
        done.setdefault(name, []).append(result["execution_id"])
    (warning,) = poll(lambda: daemon.logged(NOT_KEPT), bool)
    assert warning["level"] == "warning"
    assert warning["error_type"] == "HistoryError"
    assert "disk is full" in warning["error"]
    info = daemon.call("sidecar:info")
    assert "Runs are not being kept: The disk is full" in info["history_notices"][0]
    # What did not fit is found all the same.
    for name, ids in done.items():
        assert ids_of(daemon, name) == ids[:-6:-1]
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    poll(lambda: daemon.call("sidecar:info")["history_notices"], lambda notices: not notices)
    (again,) = poll(lambda: daemon.logged(KEPT_AGAIN), bool)
    assert again["runs_written"] > 0
    assert again["runs_lost"] == 0
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    with start("--history", str(small_disk / "h.db")) as next_one:
        for name, ids in done.items():
            assert ids_of(next_one, name) == ids[:-6:-1]
        assert next_one.logged(NOT_KEPT) == []


def test_a_file_that_may_not_grow_stops_no_run(start: Start, project: Project) -> None:
    # The same without being root: no file of the daemon may be larger than 48 KiB.
    limit = f'ulimit -f {48 * 1024 // 512}; exec "$0" "$@"'
    daemon = start(wrapper=["/bin/sh", "-c", limit])
    for _ in range(12):
        assert daemon.call("workflow:execute", [output("w", size=10_000)])["success"]
    assert len(poll(lambda: daemon.logged(NOT_KEPT), bool)) == 1
    assert len(ids_of(daemon, "w")) == 5


# Damaged, or in the way


def garbage(file: Path) -> None:
    file.write_bytes(b"no database at all, but long enough for one. " * 500)


def a_link(file: Path) -> None:
    file.rename(file.with_name("old"))
    file.symlink_to("old")


def a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGE: dict[str, Callable[[Path], None]] = {
    "empty": lambda file: os.truncate(file, 0),
    "cut in half": lambda file: os.truncate(file, file.stat().st_size // 2),
    "random bytes": garbage,
    "a link": a_link,
    "a directory": a_directory,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_set_aside_and_told_in_info_in_the_log_and_by_doctor(
    start: Start, project: Project, kind: str
) -> None:
    with start() as before:
        for number in range(40):
            before.call("workflow:execute", [output(f"w{number}")])
    DAMAGE[kind](history_file(project))
    daemon = start()
    (notice,) = daemon.call("sidecar:info")["history_notices"]
    assert "set aside as history.db.damaged-" in notice
    assert str(project.path) not in notice
    assert [line["notice"] for line in poll(lambda: daemon.logged("history"), bool)] == [notice]
    assert daemon.call("workflow:execute", [output("new")])["success"]
    assert len(ids_of(daemon, "new")) == 1
    doctor = subprocess.run(
        [sys.executable, "-m", "sidecar", "doctor", "--project", str(project.path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "note  history, set aside: history.db.damaged-" in doctor.stdout
    with start() as next_one:
        assert next_one.call("sidecar:info")["history_notices"] == []
        assert len(ids_of(next_one, "new")) == 1


def test_a_newer_file_is_left_alone_and_runs_go_on(start: Start, project: Project) -> None:
    with start() as before:
        before.call("workflow:execute", [output("w")])
    file = history_file(project)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
    content = file.read_bytes()
    with start() as daemon:
        (notice,) = daemon.call("sidecar:info")["history_notices"]
        assert "was written by a newer workflow-sidecar (format 99" in notice
        for _ in range(3):
            assert daemon.call("workflow:execute", [output("w")])["success"]
        assert daemon.error("workflow:execution:history", ["w"])["code"] == -32006
        assert len(poll(lambda: daemon.logged(NOT_KEPT), bool)) == 1
    assert file.read_bytes() == content


# Forgotten


def everything(project: Project) -> bytes:
    files = sorted(history_file(project).parent.rglob("*"))
    return b"".join(file.read_bytes() for file in files if file.is_file())


def test_a_run_that_was_pushed_out_leaves_no_byte_in_file_or_log(
    start: Start, project: Project
) -> None:
    needle = "remember-remember"
    daemon = start()
    bystander = start()
    bystander.call("workflow:execution:history", ["w"])
    message = {"id": "o", "type": "output", "message": needle * 400}
    daemon.call("workflow:execute", [definition("w", message)])
    assert needle.encode() in everything(project)
    for _ in range(5):
        daemon.call("workflow:execute", [output("w")])
    poll(lambda: needle.encode() in everything(project), lambda there: not there, 5)


def test_cleared_runs_leave_no_byte_in_file_or_log(start: Start, project: Project) -> None:
    needle = "remember-remember"
    daemon = start()
    message = {"id": "o", "type": "output", "message": needle * 400}
    daemon.call("workflow:execute", [definition("w", message)])
    assert daemon.call("workflow:execution:clear", ["w"]) == {"removed": 1}
    assert needle.encode() not in everything(project)


def test_the_project_may_be_copied_while_it_is_used(start: Start, project: Project) -> None:
    # A second daemon on a copy of the folder, log included, has the same past.
    daemon = start()
    daemon.call("workflow:execute", [output("w")])
    copy = project.path.parent / "copy"
    shutil.copytree(project.path, copy)
    with Driver(copy) as other:
        assert ids_of(other, "w") == ids_of(daemon, "w")
        assert json.dumps(other.call("sidecar:info")["history_notices"]) == "[]"
