"""Past runs: which are kept, what is found again, and what becomes of those that were cut off."""

import asyncio
import contextlib
import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.executions import AttemptDetail, ExecutionDetail, StepDetail
from sidecar.errors import HistoryError
from sidecar.history import owner, records
from sidecar.history.executions import ExecutionHistory
from sidecar.history.storage import Storage
from tests.rounds import assert_once_below_async
from tests.unit.sidecar.history import processes


def attempt(**fields: Any) -> AttemptDetail:
    return AttemptDetail(**{"attempt": 1, "timestamp": 1_000, "inputs": {}, **fields})


def make(execution_id: str, workflow_id: str = "w", **fields: Any) -> ExecutionDetail:
    steps = {
        "s": StepDetail(status="success", label="S", attempts=[attempt(duration_ms=5, outputs={})])
    }
    given: dict[str, Any] = {
        "id": execution_id,
        "workflow_id": workflow_id,
        "workflow_name": "W",
        "timestamp": 1_000,
        "duration_ms": 5,
        "status": "success",
        "inputs": {"a": [1, None, {"b": "ü"}]},
        "outputs": {"s": {"n": 1.5}},
        "steps_executed": 1,
        "steps_failed": 0,
        "steps": steps,
    }
    return ExecutionDetail(**{**given, **fields})


def running(execution_id: str, workflow_id: str = "w", **fields: Any) -> ExecutionDetail:
    return make(execution_id, workflow_id, status="running", outputs=None, duration_ms=0, **fields)


#: A process before the last boot.
DEAD = {"pid": 1, "started": "1", "place": "another boot"}


async def ids(history: ExecutionHistory, workflow_id: str = "w", limit: int = 5) -> list[str]:
    return [entry.id for entry in await history.history(workflow_id, limit)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
async def history(file: Path) -> AsyncIterator[ExecutionHistory]:
    history = ExecutionHistory(file)
    yield history
    await history.close()


@contextlib.asynccontextmanager
async def opened(file: Path) -> AsyncIterator[ExecutionHistory]:
    history = ExecutionHistory(file)
    try:
        yield history
    finally:
        await history.close()


def change(file: Path, work: Callable[[Storage], object]) -> None:
    with Storage(file) as storage:
        work(storage)


def wait_for_end(process: "subprocess.Popen[Any]") -> None:
    """Wait until a process has ended, and leave it a zombie."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


# What is kept


async def test_sixth_run_pushes_out_the_oldest(file: Path, history: ExecutionHistory) -> None:
    for n in range(6):
        await history.ended(make(f"e{n}"))
    assert await ids(history) == ["e5", "e4", "e3", "e2", "e1"]
    assert await history.detail("e0") is None
    assert not await history.contains("e0")
    await history.close()
    with Storage(file) as storage:
        left = [storage.key(n) or "" for n in range(storage.length)]
    assert not [key for key in left if "e0" in key]
    assert len(left) == 5 * 4


async def test_runs_of_other_workflows_push_out_nothing(history: ExecutionHistory) -> None:
    await history.ended(make("mine"))
    for n in range(9):
        await history.ended(make(f"e{n}", "other"))
    assert await ids(history) == ["mine"]


async def test_clock_set_back_does_not_drop_the_newest(history: ExecutionHistory) -> None:
    for n in range(7):
        await history.ended(make(f"e{n}", timestamp=1_000_000 - n * 1_000))
    assert await ids(history) == ["e6", "e5", "e4", "e3", "e2"]


async def test_limit_is_kept_to(history: ExecutionHistory) -> None:
    for n in range(3):
        await history.ended(make(f"e{n}"))
    assert await ids(history, limit=2) == ["e2", "e1"]
    assert await ids(history, limit=0) == []
    assert await ids(history, limit=-1) == []
    assert await ids(history, limit=99) == ["e2", "e1", "e0"]


async def test_unknown_ids_have_no_runs(history: ExecutionHistory) -> None:
    assert await ids(history, "unknown") == []
    assert await history.detail("unknown") is None
    assert await history.clear("unknown") == 0


@pytest.mark.parametrize(
    "workflow_id",
    ["__proto__", "", "\U0001f680", "x" * 10_000, "'\"`;--", "a:b", "%", "a\0b", "workflow:1:a:"],
)
async def test_any_workflow_id_works(history: ExecutionHistory, workflow_id: str) -> None:
    for n in range(6):
        await history.ended(make(f"e{n}", workflow_id))
        await history.ended(make(f"o{n}", workflow_id + ":1"))
    assert await ids(history, workflow_id, 2) == ["e5", "e4"]
    detail = await history.detail("e5")
    assert detail is not None
    assert detail.workflow_id == workflow_id
    assert await history.clear(workflow_id) == 5
    assert await ids(history, workflow_id) == []
    assert len(await ids(history, workflow_id + ":1")) == 5


async def test_entry_and_detail_come_back_as_they_were(file: Path) -> None:
    detail = make(
        "e",
        status="failed",
        error="boom",
        outputs=None,
        inputs={"n": None, "deep": {"": [1, 2.5, True, "\x00\u2028"]}, "big": 2**64 - 1},
        steps={
            "s": StepDetail(
                status="error",
                label="S",
                attempts=[
                    attempt(duration_ms=1, error="x", error_type="E", stack_trace="t", stderr="l\n")
                ],
            )
        },
    )
    async with opened(file) as history:
        await history.ended(detail)
    async with opened(file) as history:
        assert await history.detail("e") == detail
        (entry,) = await history.history("w", 5)
    assert entry.model_dump() == detail.model_dump(exclude={"steps"})


async def test_recent_runs_are_those_of_all_workflows_newest_first(
    history: ExecutionHistory,
) -> None:
    for n in range(4):
        await history.ended(make(f"e{n}", f"w{n % 2}"))
    assert [entry.id for entry in await history.recent(3)] == ["e3", "e2", "e1"]


async def test_cleared_runs_are_gone_without_a_trace(file: Path, history: ExecutionHistory) -> None:
    for n in range(3):
        await history.ended(make(f"e{n}", inputs={"text": "needle " * 2_000}))
    await history.ended(make("other", "other"))
    assert await history.clear("w") == 3
    assert await ids(history) == []
    assert [entry.id for entry in await history.recent(9)] == ["other"]
    assert await history.detail("e1") is None
    assert not any(b"needle" in path.read_bytes() for path in file.parent.iterdir())


async def test_clearing_everything_leaves_what_still_runs(
    file: Path, history: ExecutionHistory
) -> None:
    await history.started(running("going on"))
    await history.ended(make("e0"))
    await history.ended(make("e1", "other"))
    assert await history.clear() == 2
    assert await history.recent(9) == []
    assert await history.contains("going on")
    await history.close()
    with Storage(file) as storage:
        assert storage.length == 1


async def test_values_that_json_cannot_hold_are_kept_as_far_as_they_can(
    history: ExecutionHistory,
) -> None:
    odd = {"big": 2**70, "half": "a\ud800b", "set": {1}, "nan": float("nan"), 1: "key"}
    await history.ended(make("e", inputs={"odd": odd}))
    detail = await history.detail("e")
    assert detail is not None
    assert detail.inputs == {
        "odd": {"big": 2.0**70, "half": "a\ufffdb", "set": "<set>", "nan": None, "1": "key"}
    }


async def test_detail_of_forty_megabytes_comes_back(history: ExecutionHistory) -> None:
    text = "x" * 40_000_000
    await history.ended(make("e", outputs={"s": {"text": text}}))
    detail = await history.detail("e")
    assert detail is not None
    assert detail.outputs == {"s": {"text": text}}


async def test_detail_beyond_the_bound_is_kept_without_its_data(
    history: ExecutionHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_STORED_BYTES", 10_000)
    big = {"text": "x" * 20_000}
    mark = {"$truncated": True, "bytes": 20_011, "preview": ""}
    steps = {
        "s": StepDetail(
            status="success", label="S", attempts=[attempt(inputs=big, outputs=big, stderr="l")]
        )
    }
    await history.ended(make("e", inputs=big, steps=steps))
    detail = await history.detail("e")
    assert detail is not None
    assert detail.inputs == mark
    (kept,) = detail.steps["s"].attempts
    assert (kept.inputs, kept.outputs, kept.stderr) == (mark, mark, None)


# Runs that go on, and runs that were cut off


async def test_running_execution_is_found_and_not_yet_history(history: ExecutionHistory) -> None:
    detail = running("e")
    await history.started(detail)
    assert await history.contains("e")
    assert await history.detail("e") == detail
    assert await ids(history) == []
    assert await history.recent(5) == []
    await history.ended(make("e"))
    assert await ids(history) == ["e"]
    assert await history.detail("e") == make("e")


async def test_run_that_goes_on_cannot_be_recorded_as_ended(history: ExecutionHistory) -> None:
    with pytest.raises(HistoryError):
        await history.ended(running("e"))


START_AND_WAIT = """
import asyncio, sys
from pathlib import Path
from tests.unit.sidecar.history.test_executions import running
from sidecar.history.executions import ExecutionHistory

async def main():
    history = ExecutionHistory(Path(sys.argv[1]))
    await history.started(running("theirs"))
    print("started", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await history.close()

asyncio.run(main())
"""


async def test_run_of_a_killed_process_is_recorded_as_interrupted(file: Path) -> None:
    other = processes.start(START_AND_WAIT, file)
    assert other.stdout is not None
    assert other.stdout.readline() == "started\n"
    async with opened(file) as history:
        # It lives, so its run is none of our business.
        assert await ids(history) == []
        assert await history.contains("theirs")
        other.kill()
        # A zombie by then, whose parent has not asked for it: ended all the same.
        wait_for_end(other)
        # Nobody has to open the file anew to see it.
        (entry,) = await history.history("w", 5)
        assert entry.id == "theirs"
        assert entry.status == "failed"
        assert entry.error is not None
        assert entry.error.startswith("Interrupted")
    other.communicate()
    async with opened(file) as history:
        assert await ids(history) == ["theirs"]
        # Should it live after all, in another container, its own word counts.
        await history.ended(make("theirs"))
        await history.ended(make("newer"))
        await history.ended(make("theirs", duration_ms=77))
        assert await ids(history) == ["newer", "theirs"]
        assert (await history.history("w", 5))[1].duration_ms == 77


async def test_own_running_executions_are_left_alone_by_others_in_the_process(file: Path) -> None:
    async with opened(file) as first, opened(file) as second:
        await first.started(running("e"))
        assert await ids(second) == []
        assert await second.contains("e")


def test_interrupted_run_keeps_what_is_known_of_it() -> None:
    steps = {
        "done": StepDetail(
            status="success", label="", attempts=[attempt(timestamp=1_000, duration_ms=400)]
        ),
        "going": StepDetail(
            status="running",
            label="",
            attempts=[
                attempt(timestamp=1_500, duration_ms=100, error="first", error_type="E"),
                attempt(attempt=2, timestamp=1_700),
            ],
        ),
        "never": StepDetail(status="pending", label="", attempts=[]),
    }
    detail = records.interrupted(running("e", steps=steps))
    assert (detail.status, detail.duration_ms) == ("failed", 700)
    assert (detail.steps_executed, detail.steps_failed) == (2, 1)
    assert [step.status for step in detail.steps.values()] == ["success", "error", "skipped"]
    first, second = detail.steps["going"].attempts
    assert first.error == "first"
    assert (second.error, second.error_type, second.duration_ms) == (
        records.INTERRUPTED,
        "Interrupted",
        0,
    )


# Who owns a run


def test_this_process_is_alive() -> None:
    assert owner.is_alive(owner.this_process())


def test_process_that_got_the_same_id_later_is_another() -> None:
    assert not owner.is_alive({**owner.this_process(), "started": "1"})


def test_process_before_the_last_boot_is_dead() -> None:
    assert not owner.is_alive({**owner.this_process(), "place": "another boot"})


def test_process_that_ended_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert not owner.is_alive({**owner.this_process(), "pid": process.pid})


@pytest.mark.parametrize("wrong", [{}, {"pid": "1", "started": "1"}, {"pid": -1, "started": "1"}])
def test_owner_that_says_nothing_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(HistoryError):
        owner.is_alive(wrong)


def test_other_systems_learn_of_processes_from_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Path("/bin/ps").exists()
    started = owner._started(os.getpid())
    assert started
    assert owner._started(os.getpid()) == started
    process = subprocess.Popen([sys.executable, "-c", ""])
    wait_for_end(process)
    assert owner._started(process.pid) is None
    process.wait()
    assert owner._started(process.pid) is None


def test_process_of_which_nothing_can_be_learned_counts_as_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise PermissionError

    described = owner.this_process()
    monkeypatch.setattr(Path, "read_bytes", fail)
    assert owner.is_alive(described)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", fail)
    assert owner.is_alive(described)


class FakeKernel32:
    """The three calls of Windows that `owner` makes, for processes 1 (alive), 2 (ended) and 3."""

    class _Call:
        restype: object = None

        def __call__(self, _access: int, _inherit: bool, pid: int) -> int | None:
            return pid if pid in (1, 2, 3) else None

    def __init__(self) -> None:
        self.OpenProcess = self._Call()
        self.closed: list[int | None] = []

    def GetProcessTimes(self, handle: Any, created: Any, ended: Any, *_: Any) -> bool:  # noqa: N802
        created._obj.value = 1_234
        ended._obj.value = 5_678 if handle.value == 2 else 0
        return bool(handle.value != 3)

    def CloseHandle(self, handle: Any) -> None:  # noqa: N802
        self.closed.append(handle.value)


def test_windows_tells_processes_by_the_time_they_were_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel32 = FakeKernel32()
    monkeypatch.setattr(sys, "platform", "win32")
    windll = type("WinDll", (), {"kernel32": kernel32})
    monkeypatch.setattr(ctypes, "windll", windll, raising=False)
    assert [owner._started(pid) for pid in (1, 2, 3, 4)] == ["1234", None, "unknown", None]
    assert kernel32.closed == [1, 2, 3]


def test_where_process_ids_have_no_known_place_that_place_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", fail)
    assert owner._place.__wrapped__() == ""


# Several processes, and processes that are killed

ADD_RUNS = """
import asyncio, sys
from pathlib import Path
from tests.unit.sidecar.history.test_executions import make, running
from sidecar.history.executions import ExecutionHistory

async def main():
    history = ExecutionHistory(Path(sys.argv[1]))
    for n in range(int(sys.argv[3])):
        name = f"{sys.argv[2]}-{n}"
        await history.started(running(name, f"workflow {n % 10} of {sys.argv[2]}"))
        await history.ended(make(name, f"workflow {n % 10} of {sys.argv[2]}"))
        await history.ended(make(f"shared {name}", "shared"))
        print(name, flush=True)
    await history.close()

asyncio.run(main())
"""


async def test_two_daemons_that_write_at_once_lose_nothing(
    file: Path, history: ExecutionHistory
) -> None:
    writers = [processes.start(ADD_RUNS, file, name, 50) for name in ("a", "b")]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    assert len(await history.recent(1_000)) == 2 * 50 + 5
    for name in ("a", "b"):
        for n in range(10):
            expected = [f"{name}-{n + 10 * round_number}" for round_number in range(4, -1, -1)]
            assert await ids(history, f"workflow {n} of {name}") == expected
    assert len(await ids(history, "shared")) == 5
    assert history.notices == []


async def test_every_acknowledged_run_survives_kill_9(file: Path) -> None:
    for n in range(5):
        name = f"killed {n}"
        writer = processes.start(ADD_RUNS, file, name, 1_000)
        assert writer.stdout is not None
        last = ""
        for _ in range(n + 1):
            last = writer.stdout.readline().strip()
        writer.kill()
        for line in writer.communicate()[0].splitlines(keepends=True):
            last = line.strip() if line.endswith("\n") else last
        async with opened(file) as history:
            number = int(last.rpartition("-")[2])
            for expected in range(max(number - 9, 0), number + 1):
                assert await history.detail(f"{name}-{expected}") is not None
            assert history.notices == []
            # What was cut off is history now, and nothing goes on.
            assert all(entry.id for entry in await history.recent(10_000))
    with Storage(file) as storage:
        assert storage.last_keys("running:") == []


# The file cannot be used, or parts of it


async def test_file_that_cannot_be_opened_is_an_error_until_it_can(
    file: Path, history: ExecutionHistory
) -> None:
    file.mkdir()
    for _ in range(2):
        with pytest.raises(HistoryError, match="directory"):
            await history.ended(make("e"))
        with pytest.raises(HistoryError, match="directory"):
            await history.history("w", 5)
    file.rmdir()
    await history.ended(make("e"))
    assert await ids(history) == ["e"]


async def test_damaged_file_is_told_once_and_history_goes_on(
    file: Path, history: ExecutionHistory
) -> None:
    file.write_bytes(b"garbage" * 1_000)
    await history.open()
    await history.ended(make("e"))
    assert await ids(history) == ["e"]
    assert len(history.notices) == 1
    assert "set aside as history.db.damaged-" in history.notices[0]


async def test_damage_in_the_middle_of_recording_a_run_does_not_lose_it(file: Path) -> None:
    async with opened(file) as history:
        for n in range(200):
            await history.ended(make(f"e{n}", f"w{n}"))
    content = bytearray(file.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 2048] = b"\xff" * 2048
    file.write_bytes(content)
    async with opened(file) as history:
        await history.ended(make("new", "w7"))
        assert await ids(history, "w7") == ["new"]
        assert len(history.notices) == 1


@pytest.mark.parametrize(
    "broken", ["{", "[]", "null", "{}", '{"entry": 1}', '{"entry": {"id": 1}}']
)
async def test_run_that_cannot_be_read_is_set_aside_and_the_others_stay(
    file: Path, broken: str
) -> None:
    async with opened(file) as history:
        for n in range(3):
            await history.ended(make(f"e{n}"))
    change(file, lambda storage: storage.setItem("run:e1", broken))
    async with opened(file) as history:
        assert await ids(history, limit=2) == ["e2", "e0"]
        assert await history.detail("e1") is None
        assert len(history.notices) == 1
        assert "run:e1" in history.notices[0]
        assert len(await history.recent(5)) == 2
        # It can be recorded anew, and forgotten for good.
        await history.ended(make("e1"))
        assert await ids(history) == ["e1", "e2", "e0"]
    change(file, lambda storage: _assert_equal(storage.getItem("damaged:run:e1"), broken))
    async with opened(file) as history:
        assert await history.clear() == 3
    change(file, lambda storage: _assert_equal(storage.length, 0))


def _assert_equal(one: object, other: object) -> None:
    assert one == other


@pytest.mark.parametrize("broken", ["{", "[]", '{"s": 1}'])
async def test_steps_that_cannot_be_read_are_set_aside_and_the_entry_stays(
    file: Path, broken: str
) -> None:
    async with opened(file) as history:
        await history.ended(make("e"))
    change(file, lambda storage: storage.setItem("detail:e", broken))
    async with opened(file) as history:
        for _ in range(2):
            detail = await history.detail("e")
            assert detail is not None
            assert detail.steps == {}
        assert len(history.notices) == 1


@pytest.mark.parametrize(
    "broken", ["{", "{}", '{"detail": {}, "owner": {}}', '{"detail": [], "owner": []}']
)
async def test_running_record_that_cannot_be_read_is_set_aside(file: Path, broken: str) -> None:
    change(file, lambda storage: storage.setItem("running:e", broken))
    async with opened(file) as history:
        assert await history.recent(5) == []
        assert not await history.contains("e")
        assert len(history.notices) == 1
        await history.started(running("f"))
        change(file, lambda storage: storage.setItem("running:f", broken))
        assert await history.detail("f") is None
        assert len(history.notices) == 2


async def test_owner_that_cannot_be_read_is_set_aside_with_its_run(file: Path) -> None:
    record = records.to_json({"detail": running("e").model_dump(), "owner": {"pid": "?"}})
    change(file, lambda storage: storage.setItem("running:e", record))
    async with opened(file) as history:
        assert not await history.contains("e")
        assert len(history.notices) == 1


async def test_interrupted_runs_that_cannot_be_recorded_do_not_keep_history_from_being_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(file) as history:
        await history.ended(make("e"))
    record = records.to_json({"detail": running("f").model_dump(), "owner": DEAD})
    change(file, lambda storage: storage.setItem("running:f", record))
    monkeypatch.setattr("sidecar.history.storage._BUSY_SECONDS", 0.05)
    with Storage(file) as other, other.transaction():
        async with opened(file) as history:
            assert await ids(history) == ["e"]
            assert len(history.notices) == 1
            assert "locked" in history.notices[0]


# The thread


async def test_nothing_is_opened_before_it_is_needed(file: Path) -> None:
    before = threading.active_count()
    history = ExecutionHistory(file)
    assert threading.active_count() == before
    assert not file.exists()
    await history.open()
    await history.open()
    assert threading.active_count() == before + 1
    assert not file.exists()
    await history.recent(1)
    assert file.exists()
    await history.close()
    await history.close()
    assert threading.active_count() == before


async def test_closed_history_is_an_error(history: ExecutionHistory) -> None:
    await history.close()
    with pytest.raises(HistoryError, match="closed"):
        await history.recent(1)


async def test_run_is_recorded_though_its_caller_is_cancelled(
    file: Path, history: ExecutionHistory
) -> None:
    await history.open()
    with Storage(file) as other:
        with other.transaction():
            tasks = [asyncio.ensure_future(history.ended(make(f"e{n}"))) for n in range(3)]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)
    assert await ids(history) == ["e2", "e1", "e0"]


async def test_close_waits_for_what_was_begun(file: Path) -> None:
    history = ExecutionHistory(file)
    tasks = [asyncio.ensure_future(history.ended(make(f"e{n}"))) for n in range(5)]
    await asyncio.sleep(0)
    await history.close()
    await asyncio.gather(*tasks)
    async with opened(file) as again:
        assert await ids(again) == ["e4", "e3", "e2", "e1", "e0"]


async def test_lookup_among_many_workflows_costs_no_more_than_among_few(
    file: Path, history: ExecutionHistory
) -> None:
    async def median_s() -> float:
        times_s = []
        for n in range(200):
            began_s = time.perf_counter()
            assert len(await history.history(f"w{n % 10}", 5)) == 1
            times_s.append(time.perf_counter() - began_s)
        return sorted(times_s)[100]

    for n in range(10):
        await history.ended(make(f"e{n}", f"w{n}"))
    few_s = await median_s()

    def fill(storage: Storage) -> None:
        with storage.transaction():
            for n in range(10, 10_000):
                storage.setItem(f"run:e{n}", "{}")
                storage.setItem(f"detail:e{n}", "{}")
                storage.setItem(f"workflow:9:w{n:08d}:{n + 1:016d}", f"e{n}")
                storage.setItem(f"order:{n + 1:016d}", f"workflow:9:w{n:08d}:{n + 1:016d}")

    change(file, fill)
    await assert_once_below_async(few_s * 5, median_s)
