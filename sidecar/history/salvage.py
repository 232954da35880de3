"""Reading what can still be read of a damaged store.

Works on a copy in a folder of its own, so that the damaged file stays as it was found. It knows
SQLite's file format as far as the first page, and nothing of what the items mean.
"""

import os
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from sidecar.history import quarantine, schema

#: The page size of every store we make, SQLite's default.
_PAGE_BYTES: Final = 4096
#: The first page, the root of the table, the root of its index.
_LEAST_PAGES: Final = 3
#: Where the header says how many pages there are (sqlite.org/fileformat.html, 1.3).
_PAGE_COUNT_AT: Final = 28
#: The first of the free pages and their number, which nobody needs for reading.
_FREE_PAGES_AT: Final = 32
#: A greater file would take minutes, in which no run could be recorded.
_MAX_BYTES: Final = 1024 * 1024 * 1024
#: More rows than any store has seen.
_MAX_ID: Final = 1 << 40
_INDEX_SCANS: Final = (
    "SELECT id FROM items INDEXED BY sqlite_autoindex_items_1 ORDER BY key",
    "SELECT id FROM items INDEXED BY sqlite_autoindex_items_1 ORDER BY key DESC",
)


def salvage(path: Path, make_store: Callable[[Path], None]) -> list[tuple[str, str]]:
    """The items of the damaged store `path`, and of its log, that can be read; raises nothing.

    `make_store` makes an empty store, whose first page stands in where that of `path` is broken.
    """
    with suppress(OSError, sqlite3.Error):
        if path.stat().st_size > _MAX_BYTES:
            return []
        with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
            if path.stat().st_size >= _PAGE_BYTES and (found := _items(_copy(path, folder, "1"))):
                return found
            empty = Path(folder, "empty")
            empty.touch()
            make_store(empty)
            copy = _copy(path, folder, "2")
            _mend_first_page(copy, empty.read_bytes()[:_PAGE_BYTES])
            return _items(copy)
    return []


def _copy(path: Path, folder: str, name: str) -> Path:
    """A copy of a store with its log."""
    copy = Path(folder, name)
    shutil.copyfile(path, copy)
    with suppress(FileNotFoundError):
        shutil.copyfile(
            f"{path}{quarantine.WRITE_AHEAD_LOG}", f"{copy}{quarantine.WRITE_AHEAD_LOG}"
        )
    # Else SQLite misses the root of the index and reads nothing at all.
    size_bytes = copy.stat().st_size
    os.truncate(copy, max(size_bytes + -size_bytes % _PAGE_BYTES, _LEAST_PAGES * _PAGE_BYTES))
    return copy


def _mend_first_page(copy: Path, first_page: bytes) -> None:
    """Put the first page of an empty store on `copy`, with as many pages as there are bytes for."""
    content = bytearray(copy.read_bytes())
    content[:_PAGE_BYTES] = first_page
    struct.pack_into(">I", content, _PAGE_COUNT_AT, len(content) // _PAGE_BYTES)
    struct.pack_into(">II", content, _FREE_PAGES_AT, 0, 0)
    copy.write_bytes(content)


def _items(copy: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        # Else a file with fewer pages than its header says is refused as a whole.
        db.execute("PRAGMA writable_schema = ON")
        db.execute("PRAGMA cell_size_check = ON")
        db.text_factory = schema.as_text
        try:
            found = {row_id: (key, value) for row_id, key, value in _rows(db)}
            # Rows whose page is lost for a scan may be found one by one.
            for row_id in set(_row_ids(db)) - found.keys():
                with suppress(sqlite3.Error):
                    row = db.execute("SELECT key, value FROM items WHERE id = ?", (row_id,))
                    found.update((row_id, item) for item in row)
        except sqlite3.Error:
            return []
    return [item for item in found.values() if all(isinstance(text, str) for text in item)]


def _rows(db: sqlite3.Connection) -> Iterator[tuple[int, str, str]]:
    """Every row that a scan finds, leaping over pages that cannot be read."""
    after = 0
    while True:
        try:
            for row in _scan(db, after, limit=-1):
                after = row[0]
                yield row
        except sqlite3.Error:
            next_after = _beyond_damage(db, after)
            if next_after is None:
                return
            after = next_after
        else:
            return


def _scan(db: sqlite3.Connection, after: int, limit: int) -> Iterator[tuple[int, str, str]]:
    statement = "SELECT id, key, value FROM items WHERE id > ? ORDER BY id LIMIT ?"
    for row in db.execute(statement, (after, limit)):
        if row[0] <= after:
            # A broken tree may lead back, and round and round.
            raise sqlite3.DatabaseError("the rows are not in order")
        after = row[0]
        yield row


def _beyond_damage(db: sqlite3.Connection, after: int) -> int | None:
    """The least id beyond `after` after which a row can be read; None if there is none."""
    low, step = after, 1
    while not _can_read(db, after + step):
        low = after + step
        step *= 2
        if step > _MAX_ID:
            return None
    high = after + step
    while high - low > 1:
        middle = (low + high) // 2
        if _can_read(db, middle):
            high = middle
        else:
            low = middle
    return high


def _can_read(db: sqlite3.Connection, after: int) -> bool:
    try:
        list(_scan(db, after, limit=1))
    except sqlite3.Error:
        return False
    return True


def _row_ids(db: sqlite3.Connection) -> Iterator[int]:
    """The ids that the index of keys knows, from both of its ends as far as it can be read."""
    for statement in _INDEX_SCANS:
        seen: set[int] = set()
        with suppress(sqlite3.Error):
            for (row_id,) in db.execute(statement):
                if row_id in seen:
                    break  # round and round
                seen.add(row_id)
                yield row_id
