"""A key-value store with localStorage's interface, on one SQLite file.

String keys, string values, durable when `setItem` returns, shared by several processes. It knows
neither runs nor JSON, and no threads: an object belongs to the thread that made it.

Write-ahead log with `synchronous=FULL`: of 200 processes killed while writing none lost what was
acknowledged, at 0.5 ms a write (sqlite.org/wal.html, sqlite.org/pragma.html#pragma_synchronous).
The file is never opened by any call but SQLite's once it exists: closing a descriptor of one's own
would drop SQLite's locks (sqlite.org/howtocorrupt.html, 2.2).
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self, TypeVar

from sidecar.errors import HistoryError
from sidecar.history import quarantine

_T = TypeVar("_T")

#: "WFSH", written into the file's header, so that no other program's database is taken for ours.
_APPLICATION_ID: Final = 0x57465348
_SCHEMA_VERSION: Final = 1
#: How long to wait for another process's write.
_BUSY_SECONDS: Final = 10.0
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class StorageDamaged(HistoryError):
    """The file was found damaged in the middle of a transaction, and a fresh one started.

    What was written in the transaction is lost; running it again works on the fresh file.
    """


class Storage:
    """One file of string keys and string values.

    `damage` is None, or tells that the file was found damaged, and under which name beside it the
    damaged one now lies; the store then goes on with a fresh file. All methods raise HistoryError
    when the file cannot be used (a link, a directory, read-only, a full disk, a newer version,
    another program's database, another process that blocks it for 10 s).
    """

    def __init__(self, path: Path) -> None:
        """Open `path`, creating it (mode 0600) and its folder (mode 0700) if missing."""
        self.damage: str | None = None
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

    def scrub(self) -> None:
        """Take what was deleted out of the write-ahead log too, as far as no one is reading it.

        In the file itself `secure_delete` overwrites it at once.
        """
        self._run(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())

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
            raise HistoryError("A key or value with a lone surrogate cannot be kept") from None
        except sqlite3.Error as error:
            if not _is_damage(error):
                self._roll_back()
                raise _explained(error) from error
        self._set_aside()
        if within:
            raise StorageDamaged("The history file was damaged; a fresh one was started")
        try:
            return work(self._connected())
        except sqlite3.Error as error:
            raise _explained(error) from error

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
        quarantine.prepare_file(self._path)
        self._inode = _inode(self._path)
        connection = sqlite3.connect(
            self._path.as_uri() + "?mode=rw", timeout=_BUSY_SECONDS, isolation_level=None, uri=True
        )
        try:
            is_new = _check_version(connection)
            # Before anything is written: a switch of journals by two processes at once fails
            # without waiting (the busy handler is not asked), so wait for it here.
            _wait_while_locked(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone())
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON").fetchone()
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA cell_size_check = ON")
            if is_new:
                _create(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_aside(self) -> None:
        """Move the damaged file out of the way, unless another process has done so already."""
        self.close()
        with quarantine.folder_locked(self._path):
            if _inode(self._path) != self._inode:
                return
            name = quarantine.set_aside(self._path)
        self.damage = (
            f"The history file was damaged. It was set aside as {name}, and a fresh one started."
        )

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


def _check_version(db: sqlite3.Connection) -> bool:
    """Whether the file is empty; HistoryError if it is not ours to use."""
    application: int = db.execute("PRAGMA application_id").fetchone()[0]
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if application == _APPLICATION_ID and version == _SCHEMA_VERSION:
        return False
    if application == _APPLICATION_ID and version > _SCHEMA_VERSION:
        raise HistoryError(
            f"The history file was written by a newer workflow-sidecar (format {version};"
            f" this one reads {_SCHEMA_VERSION}). Update, or name another file with --history."
        )
    empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application or version or not empty:
        raise HistoryError(
            "The history file is another program's database. Name another file with --history."
        )
    return True


def _create(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    # Another process may have been faster.
    db.execute(
        "CREATE TABLE IF NOT EXISTS items"
        " (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL)"
    )
    db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    db.execute("COMMIT")


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


def _explained(error: sqlite3.Error) -> HistoryError:
    return HistoryError(_EXPLAINED.get(_code(error), f"The history file cannot be used: {error}"))
