"""The format of a store's file: its marks, its version, and how an older one is brought up to date.

It knows SQLite and the one table; neither where the file lies nor what is kept in it.
"""

import sqlite3
from typing import Final

from sidecar.errors import HistoryError

#: "WFSH", written into the file's header, so that no other program's database is taken for ours.
APPLICATION_ID: Final = 0x57465348
#: What brings a file of version n, the place in this list, to version n + 1. A new file is an empty
#: one that takes all of it, so the way up from any version is walked whenever a store is made.
UPGRADES: Final[list[str]] = [
    "CREATE TABLE items (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL)",
]


def as_text(data: bytes) -> str:
    """Text of a damaged file too: what is no UTF-8 is found out by whoever reads it as a record."""
    return data.decode(errors="replace")


class UnusableFile(HistoryError):
    """What stands in the file's place cannot be used; `reason` completes "The history file"."""

    def __init__(self, reason: str, advice: str = "Name another file with --history.") -> None:
        super().__init__(f"The history file {reason}. {advice}")
        self.reason = reason


class DamagedFile(UnusableFile):
    """It is what became of a store of ours."""


class ForeignFile(UnusableFile):
    """It is something else: another program's, another user's, no file at all."""


def version(db: sqlite3.Connection) -> int:
    """The version of a store, 0 of an empty file.

    Raises HistoryError if a newer sidecar wrote it, ForeignFile if another program did.
    """
    application: int = db.execute("PRAGMA application_id").fetchone()[0]
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    if application == APPLICATION_ID:
        if found > len(UPGRADES):
            raise HistoryError(
                f"The history file was written by a newer workflow-sidecar (format {found};"
                f" this one reads {len(UPGRADES)}). Update, or name another file with --history."
            )
        return found
    empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application or found or not empty:
        raise ForeignFile("is another program's database")
    return 0


def page_bytes(db: sqlite3.Connection) -> int:
    """The size of a page of the file."""
    size: int = db.execute("PRAGMA page_size").fetchone()[0]
    return size


def upgrade(db: sqlite3.Connection) -> None:
    """Bring a store to the newest version, at once or not at all; a no-op if it is there."""
    db.execute("BEGIN IMMEDIATE")
    try:
        # Looked up within: another process may have been faster.
        for statement in UPGRADES[version(db) :]:
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(UPGRADES)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
