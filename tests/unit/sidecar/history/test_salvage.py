"""Damaged stores: what can be read of them is kept, the rest is set aside and told."""

import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.errors import HistoryError
from sidecar.history import layout, schema
from sidecar.history.executions import ExecutionHistory
from sidecar.history.storage import Storage
from tests.unit.sidecar.history import processes
from tests.unit.sidecar.history.test_executions import make, opened, running

RUNS = 200
PAGE = 4096
FILL_AND_DIE = """
import asyncio, os, sys
from pathlib import Path
from tests.unit.sidecar.history.test_executions import make
from sidecar.history.executions import ExecutionHistory

async def main():
    history = ExecutionHistory(Path(sys.argv[1]))
    for n in range(int(sys.argv[2])):
        await history.ended(make(f"e{n}", f"w{n % 40}"))
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


async def fill(file: Path, count: int = RUNS) -> None:
    async with opened(file) as history:
        for n in range(count):
            await history.ended(make(f"e{n}", f"w{n % 40}"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the history of a project is kept."""
    return tmp_path / ".workflow-sidecar" / "history.db"


async def survivors(file: Path) -> tuple[int, list[str]]:
    """How many runs are found, and what is told; a new run must be kept like any other."""
    async with opened(file) as history:
        found = await history.recent(10 * RUNS)
        await history.ended(make("new", "new"))
        assert [entry.id for entry in await history.history("new", 5)] == ["new"]
        notices = history.notices
    async with opened(file) as history:
        assert len(await history.recent(10 * RUNS)) == len(found) + 1
        assert history.notices == []
        for entry in found:
            detail = await history.detail(entry.id)
            assert detail is not None
            assert detail.workflow_id in (entry.workflow_id, None)
    return len(found), notices


def aside(file: Path) -> Path:
    (found,) = (p for p in file.parent.glob("history.db.damaged-*") if p.suffix != ".db-wal")
    return found


async def test_a_file_cut_at_twenty_places_gives_what_is_left(file: Path, tmp_path: Path) -> None:
    await fill(file)
    whole = tmp_path / "whole.db"
    shutil.copy(file, whole)
    size = whole.stat().st_size
    kept = []
    for cut in [*range(0, size, size // 20), size - 1]:
        shutil.rmtree(file.parent)
        file.parent.mkdir()
        shutil.copy(whole, file)
        os.truncate(file, cut)
        count, notices = await survivors(file)
        kept.append(count)
        assert len(notices) == 1
        assert "set aside as history.db.damaged-" in notices[0]
        assert aside(file).stat().st_size == cut
        assert aside(file).read_bytes() == whole.read_bytes()[:cut]
    assert kept[0] == 0
    assert kept[-1] > 0.9 * RUNS
    assert kept == sorted(kept)


async def test_a_file_cut_while_its_log_is_whole_loses_nothing(file: Path, tmp_path: Path) -> None:
    dead = processes.start(FILL_AND_DIE, file, 50)
    dead.communicate(timeout=60)
    backup = tmp_path / "backup"
    shutil.copytree(file.parent, backup)
    for cut in (0, 1, 50, PAGE - 1, PAGE, 2 * PAGE + 7):
        shutil.rmtree(file.parent)
        shutil.copytree(backup, file.parent)
        os.truncate(file, cut)
        count, notices = await survivors(file)
        assert count == 50
        assert len(notices) == (cut <= 1)


async def test_a_log_without_its_file_is_set_aside_and_nothing_comes_back_of_it(file: Path) -> None:
    # Whoever deleted the file meant the runs in it.
    dead = processes.start(FILL_AND_DIE, file, 3)
    dead.communicate(timeout=60)
    file.unlink()
    count, notices = await survivors(file)
    assert count == 0
    assert "is missing while its log is there" in notices[0]
    assert len(list(file.parent.glob("history.db.damaged-*-wal"))) == 1


@pytest.mark.parametrize("seed", range(20))
async def test_random_bytes_anywhere_are_survived(file: Path, seed: int) -> None:
    await fill(file, 60)
    chance = random.Random(seed)  # noqa: S311
    content = bytearray(file.read_bytes())
    for _ in range(chance.randrange(1, 8)):
        size = chance.choice([1, 4, 100, PAGE])
        place = chance.randrange(0, len(content) - size)
        content[place : place + size] = chance.randbytes(size)
    file.write_bytes(content)
    async with opened(file) as history:
        await history.recent(1_000)
        for n in range(60):
            await history.detail(f"e{n}")
        await history.ended(make("new", "new"))
        assert [entry.id for entry in await history.history("new", 5)] == ["new"]


async def test_one_broken_page_costs_only_what_is_on_it(file: Path) -> None:
    await fill(file)
    content = bytearray(file.read_bytes())
    page = len(content) // PAGE // 2
    content[page * PAGE : (page + 1) * PAGE] = b"\xff" * PAGE
    file.write_bytes(content)
    async with opened(file) as history:
        # Some page is only read when something on it is looked for.
        for n in range(RUNS):
            await history.detail(f"e{n}")
        assert len(await history.recent(RUNS)) > 0.8 * RUNS


async def test_a_broken_first_page_costs_nothing(file: Path) -> None:
    await fill(file)
    content = bytearray(file.read_bytes())
    content[:PAGE] = b"\xa5" * PAGE
    file.write_bytes(content)
    count, notices = await survivors(file)
    assert count == RUNS
    assert "800 records" in notices[0]


async def test_runs_that_went_on_are_salvaged_too(file: Path) -> None:
    async with opened(file) as history:
        await history.started(running("going on"))
    os.truncate(file, file.stat().st_size - PAGE)
    async with opened(file) as history:
        assert await history.contains("going on")


async def test_nothing_of_a_salvage_stays_beside_the_file(file: Path) -> None:
    await fill(file, 10)
    os.truncate(file, file.stat().st_size // 2)
    await survivors(file)
    names = {path.name.split("-")[0] for path in file.parent.iterdir()}
    assert names == {".gitignore", "history.db", "history.db.damaged"}


def test_entries_get_back_what_leads_to_them() -> None:
    whole = {
        "run:a": '{"number":"0000000000000003","entry":{"workflow_id":"w"}}',
        "detail:a": '{"s":1}',
        "workflow:1:w:0000000000000003": "a",
        "order:0000000000000003": "workflow:1:w:0000000000000003",
        "running:b": "{}",
    }
    lost = {"run:a": whole["run:a"], "running:b": "{}"}
    assert dict(layout.mended(whole.items())) == whole
    assert dict(layout.mended(lost.items())) == {**whole, "detail:a": "{}"}


@pytest.mark.parametrize("text", ["{", "[]", '{"number":"x"}', '{"number":"1"}'])
def test_an_entry_that_says_nothing_is_set_aside(text: str) -> None:
    items = {"run:a": text, "detail:a": "{}", "order:1": "gone", "workflow:1:w:1": "gone"}
    assert layout.mended(items.items()) == [("damaged:run:a", text)]


# Files that are not ours


def other_program(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")


def other_owner(file: Path) -> None:
    Storage(file).close()
    os.chown(file, 12345, 12345)


FOREIGN = {
    "is another program's database": other_program,
    "is empty": lambda file: file.touch(),
    "is a link": lambda file: file.symlink_to("elsewhere"),
    "is a directory": lambda file: file.mkdir(),
    "is no regular file": lambda file: os.mkfifo(file),
    "has several names": lambda file: (file.parent / "other").hardlink_to(_touched(file)),
    "has a link beside it": lambda file: file.with_name("history.db-wal").symlink_to("elsewhere"),
    "belongs to another user": other_owner,
}


def _touched(file: Path) -> Path:
    file.touch()
    return file


@pytest.mark.parametrize("reason", FOREIGN)
async def test_what_is_no_store_in_our_own_folder_is_set_aside(file: Path, reason: str) -> None:
    if reason == "belongs to another user" and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    file.parent.mkdir()
    FOREIGN[reason](file)
    before = file.lstat() if os.path.lexists(file) else None
    count, notices = await survivors(file)
    assert count == 0
    (notice,) = notices
    assert notice.startswith(f"The history file {reason}")
    if before is not None:
        assert before.st_ino in {path.lstat().st_ino for path in file.parent.iterdir()}
    assert not (file.parent / "elsewhere").exists()
    assert file.is_file()
    assert not file.is_symlink()


async def test_the_folder_is_closed_to_others(file: Path) -> None:
    file.parent.mkdir(mode=0o755)
    await fill(file, 1)
    assert file.parent.stat().st_mode & 0o777 == 0o700


# Versions


async def test_an_older_version_is_brought_up_to_date_and_keeps_its_runs(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(file, 3)
    newer = [*schema.UPGRADES, "ALTER TABLE items ADD COLUMN note TEXT"]
    with monkeypatch.context() as patched:
        patched.setattr(schema, "UPGRADES", newer)
        assert (await survivors(file))[0] == 3
        with closing(sqlite3.connect(file)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (2,)
            db.execute("SELECT note FROM items")
    # And to the sidecar of before it is a newer one.
    content = file.read_bytes()
    history = ExecutionHistory(file)
    with pytest.raises(HistoryError, match="newer"):
        await history.open()
    assert "newer workflow-sidecar (format 2; this one reads 1)" in history.notices[0]
    await history.close()
    assert file.read_bytes() == content
    assert not list(file.parent.glob("*.damaged-*"))


async def test_an_upgrade_that_fails_changes_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(file, 3)
    broken = [*schema.UPGRADES, "ALTER TABLE items ADD COLUMN note TEXT", "NO SQL"]
    with monkeypatch.context() as patched:
        patched.setattr(schema, "UPGRADES", broken)
        async with opened(file) as history:
            with pytest.raises(HistoryError):
                await history.recent(1)
    assert await survivors(file) == (3, [])
