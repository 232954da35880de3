"""The key-value store: its interface, its durability, and what it does with files it cannot use."""

import contextlib
import fcntl
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.errors import HistoryError
from sidecar.history import quarantine
from sidecar.history.storage import Storage, StorageDamaged, _wait_while_locked
from tests.unit.sidecar.history import processes

NASTY_TEXTS = [
    "",
    "__proto__",
    "\U0001f680",
    "'; DROP TABLE items; --",
    '"quoted"',
    "a\0b",
    "\n",
    "x" * 10_000,
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".workflow-sidecar" / "history.db"


@pytest.fixture
def storage(file: Path) -> Iterator[Storage]:
    with Storage(file) as storage:
        yield storage


def fill(storage: Storage) -> None:
    """Some pages full."""
    with storage.transaction():
        for n in range(500):
            storage.setItem(f"key {n}", "x" * 500)


@contextlib.contextmanager
def as_ordinary_user() -> Iterator[Path]:
    """A folder and a process without the rights of root, to whom permissions mean nothing."""
    folder = Path(tempfile.mkdtemp())
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)
        shutil.rmtree(folder)


# The interface


@pytest.mark.parametrize("text", NASTY_TEXTS)
def test_any_key_and_any_value_come_back_as_they_were(storage: Storage, text: str) -> None:
    storage.setItem(text, text)
    storage.setItem(text + "other", "other")
    assert storage.getItem(text) == text


def test_missing_key_is_none(storage: Storage) -> None:
    assert storage.getItem("nothing") is None


def test_last_value_set_counts_and_keeps_the_keys_place(storage: Storage) -> None:
    storage.setItem("a", "1")
    storage.setItem("b", "2")
    storage.setItem("a", "3")
    assert storage.getItem("a") == "3"
    assert [storage.key(n) for n in (-1, 0, 1, 2)] == [None, "a", "b", None]
    assert storage.length == 2


def test_removed_key_is_gone_and_removing_it_again_is_nothing(storage: Storage) -> None:
    storage.setItem("a", "1")
    storage.removeItem("a")
    storage.removeItem("a")
    assert storage.getItem("a") is None
    assert storage.length == 0


def test_clear_forgets_everything(storage: Storage) -> None:
    storage.setItem("a", "1")
    storage.setItem("b", "2")
    storage.clear()
    assert storage.length == 0


def test_last_keys_are_those_with_the_prefix_greatest_first(storage: Storage) -> None:
    for key in ("p:1", "p:2", "p:3", "p", "o:9", "q:0", "P:1"):
        storage.setItem(key, "")
    assert storage.last_keys("p:") == ["p:3", "p:2", "p:1"]
    assert storage.last_keys("p:", 2) == ["p:3", "p:2"]
    assert storage.last_keys("p:", 0) == []


def test_lone_surrogate_is_refused_and_nothing_is_broken_by_it(storage: Storage) -> None:
    with pytest.raises(HistoryError, match="surrogate"):
        storage.setItem("\ud800", "x")
    storage.setItem("a", "1")
    assert storage.getItem("a") == "1"


def test_value_of_fifty_megabytes_comes_back(storage: Storage) -> None:
    value = "0123456789" * 5_000_000
    storage.setItem("big", value)
    assert storage.getItem("big") == value


def test_transaction_that_fails_changes_nothing(storage: Storage) -> None:
    storage.setItem("a", "1")
    with pytest.raises(ZeroDivisionError), storage.transaction():
        storage.setItem("a", "2")
        raise ZeroDivisionError
    assert storage.getItem("a") == "1"


def test_nested_transaction_is_an_error(storage: Storage) -> None:
    with pytest.raises(HistoryError), storage.transaction(), storage.transaction():
        pass
    storage.setItem("a", "1")
    assert storage.getItem("a") == "1"


# Durability and several processes


def test_values_are_there_for_the_next_one_to_open(file: Path) -> None:
    with Storage(file) as first:
        first.setItem("a", "1")
    with Storage(file) as second:
        assert second.getItem("a") == "1"


def test_value_is_there_for_others_while_the_file_is_open(file: Path, storage: Storage) -> None:
    with Storage(file) as other:
        storage.setItem("a", "1")
        assert other.getItem("a") == "1"


def test_every_acknowledged_value_survives_kill_9(file: Path) -> None:
    code = """
import sys
from pathlib import Path
from sidecar.history.storage import Storage
storage = Storage(Path(sys.argv[1]))
n = int(storage.getItem("n") or 0)
while True:
    n += 1
    with storage.transaction():
        storage.setItem("n", str(n))
        storage.setItem(f"value {n}", "x" * 20_000)
    print(n, flush=True)
"""
    for round_number in range(10):
        writer = processes.start(code, file)
        assert writer.stdout is not None
        acknowledged = 0
        for _ in range(round_number + 1):
            acknowledged = int(writer.stdout.readline())
        writer.kill()
        # What it still printed before it died was acknowledged too.
        for line in writer.communicate()[0].splitlines(keepends=True):
            if line.endswith("\n"):
                acknowledged = int(line)
        with Storage(file) as storage:
            assert storage.damage is None
            assert int(storage.getItem("n") or 0) >= acknowledged
            for n in range(1, acknowledged + 1):
                assert storage.getItem(f"value {n}") is not None


def test_processes_that_add_at_once_lose_nothing(file: Path) -> None:
    code = """
import sys
from pathlib import Path
from sidecar.history.storage import Storage
sys.stdin.readline()
with Storage(Path(sys.argv[1])) as storage:
    for _ in range(50):
        with storage.transaction():
            storage.setItem("n", str(int(storage.getItem("n") or 0) + 1))
"""
    # All open a file that is not there yet, in the same moment.
    writers = [processes.start(code, file) for _ in range(4)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    with Storage(file) as storage:
        assert storage.getItem("n") == "200"


def test_file_and_folder_are_the_users_alone_and_git_ignores_them(
    file: Path, storage: Storage
) -> None:
    storage.setItem("a", "1")
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert (file.parent / ".gitignore").read_text() == "*\n"
    for path in (file, *file.parent.glob("history.db-*")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_other_folders_get_no_gitignore(tmp_path: Path) -> None:
    with Storage(tmp_path / "new" / "h.db"):
        assert not (tmp_path / "new" / ".gitignore").exists()


def test_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "h.db"
    file.touch(0o644)
    with Storage(file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_scrubbed_deletion_leaves_no_bytes_behind(file: Path, storage: Storage) -> None:
    storage.setItem("a", "needle " * 5000)
    storage.removeItem("a")
    storage.scrub()
    assert not any(b"needle" in path.read_bytes() for path in file.parent.iterdir())


def test_file_moved_away_meanwhile_is_begun_anew(file: Path, storage: Storage) -> None:
    storage.setItem("a", "1")
    shutil.rmtree(file.parent)
    storage.setItem("b", "2")
    assert storage.getItem("a") is None
    with Storage(file) as other:
        assert other.getItem("b") == "2"


# Files that are damaged


def damage_garbage(file: Path) -> None:
    file.write_bytes(b"this is no database, and longer than a header of one hundred bytes. " * 99)


def damage_short(file: Path) -> None:
    file.write_bytes(b"\0\1\2")


def damage_truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def damage_middle(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 2048] = b"\xff" * 2048
    file.write_bytes(content)


def damage_table_gone(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("DROP TABLE items")


@pytest.mark.parametrize(
    "damage",
    [damage_garbage, damage_short, damage_truncated, damage_middle, damage_table_gone],
)
def test_damaged_file_is_set_aside_reported_and_a_fresh_one_started(
    file: Path, damage: object
) -> None:
    with Storage(file) as storage:
        fill(storage)
    assert callable(damage)
    damage(file)
    content = file.read_bytes()
    with Storage(file) as storage:
        storage.getItem("key 400")
        storage.setItem("new", "1")
        assert storage.getItem("new") == "1"
        assert storage.getItem("key 400") is None
        assert storage.damage is not None
        (aside,) = file.parent.glob("history.db.damaged-????????-??????")
        assert aside.name in storage.damage
        assert str(file.parent) not in storage.damage
        assert aside.read_bytes() == content or damage in (damage_truncated, damage_middle)
    with Storage(file) as storage:
        assert storage.damage is None
        assert storage.getItem("new") == "1"


def test_second_damaged_file_of_the_same_second_gets_its_own_name(tmp_path: Path) -> None:
    names = set()
    for n in range(3):
        (tmp_path / "h.db").write_text(str(n))
        names.add(quarantine.set_aside(tmp_path / "h.db"))
    assert len(names) == 3
    assert {(tmp_path / name).read_text() for name in names} == {"0", "1", "2"}


def test_damage_found_in_a_transaction_is_told_to_whoever_runs_it(file: Path) -> None:
    with Storage(file) as storage:
        fill(storage)
    damage_middle(file)
    with Storage(file) as storage:
        with pytest.raises(StorageDamaged), storage.transaction():
            for n in range(500):
                storage.setItem(f"key {n}", "y" * 500)
        with storage.transaction():
            storage.setItem("a", "1")
        assert storage.length == 1
        assert storage.damage is not None


def test_damage_that_another_process_has_set_aside_is_not_set_aside_again(file: Path) -> None:
    with Storage(file) as storage:
        storage.setItem("a", "1")
    damage_garbage(file)
    with Storage(file) as first, Storage(file) as second:
        assert first.damage is not None
        assert second.damage is None
        first.setItem("b", "2")
        assert second.getItem("b") == "2"
    assert len(list(file.parent.glob("*.damaged-*"))) == 1


def test_damage_that_two_find_at_once_is_set_aside_once(file: Path) -> None:
    with Storage(file) as storage:
        fill(storage)
    with Storage(file) as first, Storage(file) as second:
        with pytest.raises(StorageDamaged), second.transaction():
            damage_middle(file)
            assert first.getItem("key 400") is None
            second.getItem("key 400")
        first.setItem("a", "1")
        assert second.getItem("a") == "1"
        assert first.damage is not None
        assert second.damage is None
    assert len(list(file.parent.glob("*.damaged-????????-??????"))) == 1


def test_folder_is_locked_while_the_file_is_opened_or_set_aside(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = []

    def spy(work: Callable[..., Any]) -> Callable[..., Any]:
        def try_the_lock(path: Path, *arguments: Any, **options: Any) -> Any:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                refused.append(work.__name__)
            finally:
                os.close(folder)
            return work(path, *arguments, **options)

        return try_the_lock

    for name in ("is_there", "make", "set_aside"):
        monkeypatch.setattr(quarantine, name, spy(getattr(quarantine, name)))
    Storage(file).close()
    damage_garbage(file)
    Storage(file).close()
    assert refused == ["is_there", "make", "is_there", "make", "set_aside", "is_there"]


def test_damage_that_cannot_be_set_aside_is_an_error(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Path:
        raise PermissionError(1, "Operation not permitted")

    with Storage(file):
        pass
    damage_garbage(file)
    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(HistoryError, match="cannot be set aside: Operation not permitted"):
        Storage(file)


# Files that cannot be used


def test_newer_version_is_not_touched(file: Path) -> None:
    with Storage(file) as storage:
        storage.setItem("a", "1")
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 2")
    before = file.read_bytes()
    with pytest.raises(HistoryError, match="newer workflow-sidecar"):
        Storage(file)
    assert file.read_bytes() == before


def test_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "bookmarks.db"
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    before = file.read_bytes()
    with pytest.raises(HistoryError, match="another program"):
        Storage(file)
    assert file.read_bytes() == before


@pytest.mark.parametrize("target", ["elsewhere.db", "missing.db"])
def test_link_is_not_followed(tmp_path: Path, target: str) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    elsewhere.write_bytes(b"")
    (tmp_path / "h.db").symlink_to(target)
    with pytest.raises(HistoryError, match="link"):
        Storage(tmp_path / "h.db")
    assert elsewhere.read_bytes() == b""
    assert not (tmp_path / "missing.db").exists()


def test_log_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "h.db-wal").symlink_to("elsewhere")
    with pytest.raises(HistoryError, match="has a link beside it, -wal"):
        Storage(tmp_path / "h.db")


def test_own_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".workflow-sidecar").symlink_to("elsewhere")
    with pytest.raises(HistoryError, match="link"):
        Storage(tmp_path / ".workflow-sidecar" / "history.db")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_file_with_two_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    (tmp_path / "b.db").hardlink_to(tmp_path / "a.db")
    with pytest.raises(HistoryError, match="hard links"):
        Storage(tmp_path / "b.db")


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="is a directory"):
        Storage(tmp_path)


def test_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "h.db")
    with pytest.raises(HistoryError, match="no regular file"):
        Storage(tmp_path / "h.db")


def test_file_where_the_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "folder").touch()
    with pytest.raises(HistoryError, match="folder cannot be used"):
        Storage(tmp_path / "folder" / "h.db")


def test_read_only_file_is_an_error() -> None:
    with as_ordinary_user() as folder:
        file = folder / "h.db"
        with Storage(file) as storage:
            storage.setItem("a", "1")
        file.chmod(0o400)
        with pytest.raises(HistoryError, match="permission denied"):
            Storage(file)


def test_unreadable_file_is_an_error() -> None:
    with as_ordinary_user() as folder:
        file = folder / "h.db"
        file.touch(0o600)
        file.chmod(0)
        with pytest.raises(HistoryError, match="permission denied"):
            Storage(file)


def test_read_only_folder_is_an_error() -> None:
    with as_ordinary_user() as folder:
        folder.chmod(0o500)
        with pytest.raises(HistoryError, match="Permission denied"):
            Storage(folder / "h.db")
        with pytest.raises(HistoryError, match="Permission denied"):
            Storage(folder / "new" / "h.db")


def test_file_in_a_folder_that_became_read_only_is_an_error() -> None:
    with as_ordinary_user() as folder:
        Storage(folder / "h.db").close()
        folder.chmod(0o500)
        with pytest.raises(HistoryError, match=r"read-only|writable"):
            Storage(folder / "h.db").setItem("a", "1")


def test_full_disk_is_an_error_and_nothing_before_it_is_lost(storage: Storage) -> None:
    storage.setItem("a", "1")
    assert storage._connection is not None
    # As SQLite reports a full disk.
    storage._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(HistoryError, match="disk is full"):
        storage.setItem("b", "x" * 1_000_000)
    with pytest.raises(HistoryError, match="disk is full"), storage.transaction():
        storage.setItem("b", "x" * 1_000_000)
    assert storage.getItem("a") == "1"
    storage.setItem("c", "3")
    assert storage.length == 2


def test_process_that_keeps_the_file_locked_is_an_error(
    file: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.history.storage._BUSY_SECONDS", 0.05)
    with (
        Storage(file) as other,
        storage.transaction(),
        pytest.raises(HistoryError, match="locked"),
    ):
        other.setItem("a", "1")


def test_opening_while_another_keeps_the_file_locked_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.history.storage._BUSY_SECONDS", 0.05)
    file = tmp_path / "h.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        with pytest.raises(HistoryError, match="locked"):
            Storage(file)
        db.execute("ROLLBACK")
    with Storage(file) as storage:
        storage.setItem("a", "1")


def test_opening_waits_while_another_switches_the_file_over() -> None:
    attempts = 0

    def work() -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error

    _wait_while_locked(work)
    assert attempts == 3


def test_descriptors_are_given_back(file: Path) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for _ in range(3):
        with Storage(file) as storage:
            storage.setItem("a", "1")
        storage.close()
    file.unlink()
    file.mkdir()
    Storage(file).close()
    elsewhere = file.parent.parent
    with pytest.raises(HistoryError):
        Storage(elsewhere)
    assert count() == before
