"""A key-value store with localStorage's interface, on one SQLite file.

String keys, string values, durable when `setItem` returns, shared by several processes. It knows
neither runs nor JSON, and no threads: an object belongs to the thread that made it.

Write-ahead log with `synchronous=FULL`: of 200 processes killed while writing none lost what was
acknowledged, at 0.5 ms a write (sqlite.org/wal.html, sqlite.org/pragma.html#pragma_synchronous).
The file is never opened by any call but SQLite's once it exists: closing a descriptor of one's own
would drop SQLite's locks (sqlite.org/howtocorrupt.html, 2.2).
"""

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

from sidecar.errors import HistoryError
from sidecar.history import quarantine, schema
from sidecar.history.salvage import salvage
from sidecar.history.schema import ForeignFile, UnusableFile

_T = TypeVar("_T")

Item = tuple[str, str]
#: How long to wait for another process's write.
_BUSY_SECONDS: Final = 10.0
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class StorageDamaged(HistoryError):
    """The file was found damaged in the middle of a transaction, and a fresh one started.

    What was written in the transaction is lost; running it again works on the fresh file.
    """


class CannotBeKept(HistoryError):
    """A key or value that no file can hold, however often it is tried."""


class Storage:
    """One file of string keys and string values.

    `damage` is None, or tells that what stood in the file's place was set aside, why, and under
    which name beside it that now lies; the store then goes on with a fresh file, which holds what
    could be read of the old one. In the project's own folder anything that is no store of ours is
    set aside, elsewhere only what is a damaged one: `--history` may name somebody's file.

    All methods raise HistoryError when the file cannot be used (read-only, a full disk, a newer
    version, another process that blocks it for 10 s; outside our folder also a link, a directory,
    another program's database).
    """

    def __init__(self, path: Path, mend: Callable[[list[Item]], list[Item]] = list) -> None:
        """Open `path`, creating it (mode 0600) and its folder (mode 0700) if missing.

        `mend` makes of the items read from a damaged file, some of which may be missing, those
        that the fresh one begins with.
        """
        self.damage: str | None = None
        self._mend = mend
        self._path = path.absolute()
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] = (0, 0)
        self._run(lambda _: None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The names are those of the Web Storage standard, whose interface this documents itself by.

    def getItem(self, key: str) -> str | None:  # noqa: N802 - localStorage's name
        """The value of `key`, or None."""
        return self._run(lambda db: _first(db, "SELECT value FROM items WHERE key = ?", key))

    def setItem(self, key: str, value: str) -> None:  # noqa: N802 - localStorage's name
        """Keep `value` under `key`; on disk when this returns, unless within a transaction."""
        self._run(
            lambda db: db.execute(
                "INSERT INTO items (key, value) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )
        )

    def removeItem(self, key: str) -> None:  # noqa: N802 - localStorage's name
        """Forget `key`, if it is there."""
        self._run(lambda db: db.execute("DELETE FROM items WHERE key = ?", (key,)))

    def clear(self) -> None:
        """Forget everything."""
        self._run(lambda db: db.execute("DELETE FROM items"))

    def key(self, n: int) -> str | None:
        """The name of the n-th key, from 0, in the order they were first set; None beyond."""
        if n < 0:
            return None
        statement = "SELECT key FROM items ORDER BY id LIMIT 1 OFFSET ?"
        return self._run(lambda db: _first(db, statement, n))

    @property
    def length(self) -> int:
        """How many keys there are."""
        return int(self._run(lambda db: db.execute("SELECT count(*) FROM items").fetchone()[0]))

    def last_keys(self, prefix: str, limit: int = -1) -> list[str]:
        """Up to `limit` keys that begin with `prefix`, the greatest first; all if negative.

        `prefix` must not be empty and ends in an ASCII character.
        """
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        statement = "SELECT key FROM items WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?"
        return self._run(lambda db: [row[0] for row in db.execute(statement, (prefix, end, limit))])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done within happens at once or not at all, alone among all processes.

        Not to be nested. Raises StorageDamaged when the file turned out damaged on the way.
        """
        self._run(lambda db: db.execute("BEGIN IMMEDIATE"))
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        self._run(lambda db: db.execute("COMMIT"))

    def scrub(self) -> bool:
        """Take what was deleted out of the write-ahead log too; False if someone is reading it.

        In the file itself `secure_delete` overwrites it at once.
        """
        row = self._run(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
        return bool(row[0] == 0)

    def close(self) -> None:
        """Let go of the file. The object is not to be used afterwards, but for this again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # The last one to close writes the log back, which needs room on the disk; without
            # it the log stays and nothing is lost.
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do `work` on a connection to the file that is there now; every error leaves as ours."""
        within = self._connection is not None and self._connection.in_transaction
        try:
            return work(self._connected())
        except UnicodeEncodeError:
            raise CannotBeKept("A key or value with a lone surrogate cannot be kept") from None
        except UnusableFile as found:
            if isinstance(found, ForeignFile) and not quarantine.is_own(self._path):
                raise
            reason = found.reason
        except sqlite3.Error as error:
            if not _is_damage(error):
                self._roll_back()
                raise self._explained(error) from error
            reason = "was damaged"
        self._replace(reason)
        if within:
            raise StorageDamaged("The history file was damaged; a fresh one was started")
        try:
            return work(self._connected())
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None:
            if self._connection.in_transaction or self._inode == _inode(self._path):
                return self._connection
            # Someone moved the file away: another process found it damaged, or a person did.
            self.close()
        with quarantine.folder_locked(self._path):
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        self._inode = _inode(self._path)
        if not quarantine.is_there(self._path):
            quarantine.make(self._path, _make_store)
            self._inode = _inode(self._path)
        connection = _connect(self._path, timeout_s=_BUSY_SECONDS)
        try:
            found = schema.version(connection)
            quarantine.require_whole_pages(self._path, schema.page_bytes(connection))
            # Before anything is written: a switch of journals by two processes at once fails
            # without waiting (the busy handler is not asked), so wait for it here.
            _wait_while_locked(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone())
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON").fetchone()
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA cell_size_check = ON")
            if found < len(schema.UPGRADES):
                schema.upgrade(connection)
            self._require_same_file()
        except BaseException:
            connection.close()
            raise
        return connection

    def _require_same_file(self) -> None:
        """SQLite opens by name, which may mean something else since it was looked at."""
        if self._inode != _inode(self._path):
            raise HistoryError("The history file was exchanged while it was being opened")

    def _replace(self, reason: str) -> None:
        """Set aside what is there, unless another process has done so already, for a fresh file."""
        self.close()
        with quarantine.folder_locked(self._path):
            if _inode(self._path) != self._inode:
                return
            items = self._mend(salvage(self._path, _make_store))
            try:
                name = quarantine.make(
                    self._path, lambda new: _make_store(new, items), replaces=True
                )
            except sqlite3.Error as error:
                raise self._explained(error) from error
        self.damage = (
            f"The history file {reason}. It was set aside as {name}, and a fresh one was started"
            f" with what could be read of it: {len(items) or 'no'} records."
        )

    def _explained(self, error: sqlite3.Error) -> HistoryError:
        code = _code(error)
        if code == sqlite3.SQLITE_IOERR and _is_full(self._path.parent):
            # So it says when there is no room for the index of the log.
            code = sqlite3.SQLITE_FULL
        return HistoryError(_EXPLAINED.get(code, f"The history file cannot be used: {error}"))

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")


def _first(db: sqlite3.Connection, statement: str, *values: str | int) -> str | None:
    row = db.execute(statement, values).fetchone()
    return None if row is None else row[0]


def _inode(path: Path) -> tuple[int, int]:
    """What tells one file from another of the same name; (0, 0) if there is none."""
    try:
        found = path.lstat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def _connect(path: Path, timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path.as_uri() + "?mode=rw", timeout=timeout_s, isolation_level=None, uri=True
    )
    connection.text_factory = schema.as_text
    return connection


def _make_store(path: Path, items: Sequence[Item] = ()) -> None:
    """Make the empty file `path` a store, whole in the one file."""
    with contextlib.closing(_connect(path, timeout_s=0)) as db:
        schema.upgrade(db)
        db.execute("BEGIN")
        db.executemany("INSERT INTO items (key, value) VALUES (?, ?)", items)
        db.execute("COMMIT")
        # Last, so that nothing is in a log when the file gets its name.
        db.execute("PRAGMA journal_mode = WAL").fetchone()


def _wait_while_locked(work: Callable[[], object]) -> None:
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            work()
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 if the error is not from SQLite."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_full(folder: Path) -> bool:
    """Whether there is not even room for one page on a folder's disk."""
    try:
        return shutil.disk_usage(folder).free < 4096
    except OSError:
        return False


def _is_damage(error: sqlite3.Error) -> bool:
    extended = getattr(error, "sqlite_errorcode", 0)
    return (
        _code(error) in _DAMAGE
        or extended == sqlite3.SQLITE_IOERR_SHORT_READ
        or str(error).startswith(("malformed", "no such table", "no such column"))
    )


_EXPLAINED: Final = {
    sqlite3.SQLITE_BUSY: "Another process keeps the history file locked",
    sqlite3.SQLITE_CANTOPEN: "The history file cannot be opened; is its folder writable?",
    sqlite3.SQLITE_FULL: "The disk is full: the history file cannot grow",
    sqlite3.SQLITE_READONLY: "The history file cannot be written: it or its folder is read-only",
    sqlite3.SQLITE_TOOBIG: "The value is too large for the history file",
}
