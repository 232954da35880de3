"""While the file cannot be used: nothing is lost that there is room for; one line tells of it."""

import logging
from pathlib import Path
from typing import Any

import pytest

from sidecar.errors import HistoryError
from sidecar.history import backlog, executions
from sidecar.history.backlog import Backlog
from sidecar.history.executions import ExecutionHistory
from sidecar.history.storage import CannotBeKept, Storage
from tests.unit.sidecar.history.test_executions import ids, make, opened, running

NOT_KEPT, KEPT_AGAIN = "history is not being kept", "history is being kept again"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits before another try."""
    monkeypatch.setattr(executions, "_RETRY_S", 0.0)


class Disk:
    """A disk that may be full: from then on every transaction is refused as SQLite refuses it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        begin = Storage.transaction
        set_item = Storage.setItem

        def transaction(storage: Storage) -> Any:
            self.check()
            return begin(storage)

        def set_one(storage: Storage, key: str, value: str) -> None:
            self.check()
            set_item(storage, key, value)

        monkeypatch.setattr(Storage, "transaction", transaction)
        monkeypatch.setattr(Storage, "setItem", set_one)

    def check(self) -> None:
        if self.full:
            raise HistoryError("The disk is full: the history file cannot grow")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def told(log: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    return [r.__dict__["fields"] for r in log.records if r.message == event]


async def test_runs_of_an_outage_are_found_meanwhile_and_written_when_there_is_room(
    file: Path, disk: Disk, log: pytest.LogCaptureFixture
) -> None:
    async with opened(file) as history:
        for n in range(3):
            await history.ended(make(f"before {n}"))
        disk.full = True
        for n in range(4):
            with pytest.raises(HistoryError, match="full"):
                await history.started(running(f"in {n}"))
            with pytest.raises(HistoryError, match="full"):
                await history.ended(make(f"in {n}"))
        assert await ids(history) == ["in 3", "in 2", "in 1", "in 0", "before 2"]
        assert [entry.id for entry in await history.recent(2)] == ["in 3", "in 2"]
        assert (await history.detail("in 1")) == make("in 1")
        assert await history.contains("in 1")
        assert await history.contains("before 0")
        assert history.notices == [
            "Runs are not being kept: The disk is full: the history file cannot grow"
        ]
        assert len(told(log, NOT_KEPT)) == 1
        disk.full = False
        # Whoever looks next has them written.
        assert await ids(history) == ["in 3", "in 2", "in 1", "in 0", "before 2"]
        assert history.notices == []
        assert told(log, KEPT_AGAIN) == [{"runs_written": 4, "runs_lost": 0}]
    async with opened(file) as again:
        assert await ids(again) == ["in 3", "in 2", "in 1", "in 0", "before 2"]


async def test_each_outage_is_told_once(
    file: Path, disk: Disk, log: pytest.LogCaptureFixture
) -> None:
    async with opened(file) as history:
        for n in range(3):
            disk.full = True
            for _ in range(3):
                with pytest.raises(HistoryError):
                    await history.ended(make(f"e{n}"))
            disk.full = False
            await history.ended(make(f"f{n}"))
    assert len(told(log, NOT_KEPT)) == 3
    assert told(log, KEPT_AGAIN) == [{"runs_written": 2, "runs_lost": 0}] * 3


async def test_what_waits_is_written_at_the_end(file: Path, disk: Disk) -> None:
    async with opened(file) as history:
        disk.full = True
        with pytest.raises(HistoryError):
            await history.ended(make("e"))
        disk.full = False
    async with opened(file) as again:
        assert await ids(again) == ["e"]


async def test_an_end_without_room_ends_all_the_same(file: Path, disk: Disk) -> None:
    async with opened(file) as history:
        disk.full = True
        with pytest.raises(HistoryError):
            await history.ended(make("e"))
    disk.full = False
    async with opened(file) as again:
        assert await ids(again) == []


async def test_an_outage_longer_than_there_is_memory_for_says_how_many_were_lost(
    file: Path, disk: Disk, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "MAX_RUNS", 3)
    async with opened(file) as history:
        disk.full = True
        for n in range(5):
            with pytest.raises(HistoryError):
                await history.ended(make(f"e{n}"))
        disk.full = False
        assert await ids(history) == ["e4", "e3", "e2"]
        assert told(log, KEPT_AGAIN) == [{"runs_written": 3, "runs_lost": 2}]
        assert history.notices == ["2 runs were lost while history was not being kept."]


async def test_clearing_forgets_what_waits_too(file: Path, disk: Disk) -> None:
    async with opened(file) as history:
        await history.ended(make("kept"))
        disk.full = True
        for name in ("w", "other"):
            with pytest.raises(HistoryError):
                await history.ended(make(f"of {name}", name))
        with pytest.raises(HistoryError):
            await history.started(running("going on"))
        disk.full = False
        assert await history.clear("w") == 2
        assert await ids(history) == []
        assert await ids(history, "other") == ["of other"]
        assert await history.contains("going on")


async def test_a_file_that_can_be_read_and_not_written_is_read(file: Path, disk: Disk) -> None:
    async with opened(file) as history:
        await history.ended(make("e"))
        disk.full = True
        for _ in range(2):
            assert await ids(history) == ["e"]
        assert history.trouble is None


async def test_a_run_that_no_file_can_hold_stops_no_other(
    file: Path, log: pytest.LogCaptureFixture
) -> None:
    async with opened(file) as history:
        with pytest.raises(CannotBeKept, match="surrogate"):
            await history.ended(make("e", "\ud800"))
        await history.ended(make("f"))
        assert await ids(history) == ["f"]
        assert history.trouble is None
    assert len(told(log, "a run cannot be kept")) == 1
    assert told(log, NOT_KEPT) == []


async def test_between_two_tries_nobody_who_reads_waits_for_another(
    file: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions, "_RETRY_S", 1_000.0)
    async with opened(file) as history:
        await history.ended(make("e"))
        disk.full = True
        with pytest.raises(HistoryError):
            await history.ended(make("f"))
        disk.full = False
        assert await ids(history) == ["f", "e"]
        assert history.trouble is not None
        # Who writes tries at once.
        await history.ended(make("g"))
        assert history.trouble is None
        assert await ids(history) == ["g", "f", "e"]


def test_a_backlog_is_bounded_by_its_size_too(tmp_path: Path, disk: Disk) -> None:
    waiting = Backlog()
    disk.full = True
    with Storage(tmp_path / "h.db") as storage:
        for n in range(5):
            waiting.add(make(f"e{n}", inputs={"a": "x" * (backlog.MAX_BYTES // 3)}))
            with pytest.raises(HistoryError):
                waiting.write(storage)
    assert [run.id for run in waiting.ended(None)] == ["e4", "e3"]
    assert waiting.lost == 3


async def test_a_history_that_is_still_being_looked_at_does_not_exist_for_whoever_only_asks(
    file: Path,
) -> None:
    history = ExecutionHistory(file)
    await history.open()
    assert not file.exists()
    await history.close()
