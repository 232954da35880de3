"""Past runs: five newest per workflow, with their details, in one file that processes share.

Knows what a run is and which keys keep it; knows no SQL (that is `storage`) and nothing of how a
run comes about. What it is given is redacted and cut to size already, and is stored as it is.

Keys, where N is 16 digits that increase with every end of a run (not a time: clocks go back):

    run:ID                      N and the history entry, as JSON
    detail:ID                   its steps, as JSON
    workflow:LENGTH:WORKFLOW:N  ID; the length keeps any two workflow ids apart
    order:N                     the key above
    running:ID                  a detail and the process it runs in, as JSON
    damaged:KEY                 what stood under KEY and could not be read
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
from pydantic import ValidationError

from protocol.executions import ExecutionDetail, ExecutionHistoryEntry
from protocol.limits import HISTORY_PER_WORKFLOW
from sidecar.errors import HistoryError
from sidecar.history import owner
from sidecar.history.records import interrupted, to_json, to_record
from sidecar.history.storage import Storage, StorageDamaged

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

#: What a value that can be parsed and is no record raises when it is read as one.
_NO_RECORD: Final = (KeyError, TypeError, AttributeError, ValidationError, HistoryError)


class ExecutionHistory:
    """What the daemon and the command line use to keep runs and look them up.

    All work on the file is done on one thread of its own, begun with the first call. Every method
    but `close` raises HistoryError when the file cannot be used; a later call tries again.
    `notices` grows by a line, for a log or a person, whenever something broken was set aside.
    """

    def __init__(self, file: Path) -> None:
        """Keep runs in `file`; nothing is opened yet."""
        self.notices: list[str] = []
        self._file = file
        self._storage: Storage | None = None
        self._damage_told: str | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._closed = False

    async def open(self) -> None:
        """Open the file and record runs that were cut off as failed; any other call does it too."""
        await self._call(lambda _: None)

    async def started(self, entry: ExecutionDetail) -> None:
        """Record a run that starts (`status` is `running`), with this process as its owner.

        If this process ends before `ended` is called, the next to open the file, whichever
        process it is, records the run as `failed`, its error beginning `Interrupted`.
        """
        await self._call(lambda storage: _store_running(storage, entry))

    async def ended(self, detail: ExecutionDetail) -> None:
        """Record a run that ended, and drop the workflow's oldest beyond the five newest.

        On disk when this returns. Newest is what ended last. A run recorded before under the same
        id, such as one that another process held for interrupted, is replaced.
        """
        if detail.status == "running":
            raise HistoryError("A run that still goes on cannot be recorded as ended")
        await self._call(lambda storage: _write_ended(storage, detail))

    async def history(self, workflow_id: str, limit: int) -> list[ExecutionHistoryEntry]:
        """Up to `limit` (0 or more) ended runs of a workflow, newest first; none if unknown."""
        index = _of_workflow(workflow_id)
        return await self._call(lambda storage: self._read_entries(storage, index, limit))

    async def recent(self, limit: int) -> list[ExecutionHistoryEntry]:
        """Up to `limit` (0 or more) ended runs of all workflows, newest first."""
        return await self._call(lambda storage: self._read_entries(storage, "order:", limit))

    async def detail(self, execution_id: str) -> ExecutionDetail | None:
        """A kept or a running execution with all its attempts; None if unknown.

        A running one is as it was when it started.
        """
        return await self._call(lambda storage: self._read_detail(storage, execution_id))

    async def contains(self, execution_id: str) -> bool:
        """Whether there is a kept or a running execution of this id."""
        return await self._call(
            lambda storage: any(
                storage.getItem(kind + execution_id) is not None for kind in ("run:", "running:")
            )
        )

    async def clear(self, workflow_id: str | None = None) -> int:
        """Forget the ended runs of one workflow, or of all; returns how many.

        Nothing of them stays in the file. Runs that go on are not touched.
        """
        return await self._call(lambda storage: _clear(storage, workflow_id))

    async def close(self) -> None:
        """Finish what was begun and let go of the file; later calls raise HistoryError."""
        self._closed = True
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(thread, self._close))
            thread.shutdown(wait=True)

    async def _call(self, work: Callable[[Storage], _T]) -> _T:
        if self._closed:
            raise HistoryError("The history is closed")
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)
        # Whoever waits may be cancelled; what was accepted is written nevertheless.
        future.add_done_callback(_retrieve)
        return await asyncio.shield(future)

    # All below runs on the history's own thread.

    def _work(self, work: Callable[[Storage], _T]) -> _T:
        try:
            return work(self._opened())
        except StorageDamaged:
            # There is a fresh file now, and what was asked for is done on that.
            return work(self._opened())
        finally:
            self._tell_damage()

    def _opened(self) -> Storage:
        if self._storage is None:
            self._storage = Storage(self._file)
            try:
                self._finish_interrupted(self._storage)
            except HistoryError as error:
                # The file can be read and not written, for now: no reason to read nothing.
                self._notice(f"Runs that were cut off could not be recorded. {error}")
        return self._storage

    def _close(self) -> None:
        storage, self._storage = self._storage, None
        if storage is not None:
            storage.close()

    def _tell_damage(self) -> None:
        damage = None if self._storage is None else self._storage.damage
        if damage is not None and damage != self._damage_told:
            self._damage_told = damage
            self._notice(damage)

    def _finish_interrupted(self, storage: Storage) -> None:
        if not storage.last_keys("running:", 1):
            return
        with storage.transaction():
            for key in reversed(storage.last_keys("running:")):
                record = self._read(storage, key)
                if record is None:
                    continue
                try:
                    detail = ExecutionDetail.model_validate(record["detail"])
                    alive = owner.is_alive(record["owner"])
                except _NO_RECORD:
                    self._set_value_aside(storage, key)
                    continue
                if not alive:
                    _store_ended(storage, interrupted(detail))

    def _read_entries(
        self, storage: Storage, index: str, limit: int
    ) -> list[ExecutionHistoryEntry]:
        while True:
            keys = storage.last_keys(index, max(limit, 0))
            entries = [self._read_entry(storage, _execution_id(storage, key)) for key in keys]
            if None not in entries:
                return [entry for entry in entries if entry is not None]
            # Set aside just now, or dropped by another process meanwhile: others move up.
            with storage.transaction():
                for key, entry in zip(keys, entries, strict=True):
                    if entry is None:
                        _drop(storage, key)

    def _read_entry(
        self, storage: Storage, execution_id: str | None
    ) -> ExecutionHistoryEntry | None:
        key = f"run:{execution_id}"
        record = self._read(storage, key)
        if record is None:
            return None
        try:
            return ExecutionHistoryEntry.model_validate(record["entry"])
        except _NO_RECORD:
            self._set_value_aside(storage, key)
            return None

    def _read_detail(self, storage: Storage, execution_id: str) -> ExecutionDetail | None:
        running_key, steps_key = "running:" + execution_id, "detail:" + execution_id
        running = self._read(storage, running_key)
        if running is not None:
            try:
                return ExecutionDetail.model_validate(running["detail"])
            except _NO_RECORD:
                self._set_value_aside(storage, running_key)
        entry = self._read_entry(storage, execution_id)
        if entry is None:
            return None
        fields = entry.model_dump()
        try:
            steps = self._read(storage, steps_key) or {}
            return ExecutionDetail.model_validate({**fields, "steps": steps})
        except ValidationError:
            self._set_value_aside(storage, steps_key)
            return ExecutionDetail.model_validate({**fields, "steps": {}})

    def _read(self, storage: Storage, key: str) -> dict[str, Any] | None:
        """The JSON object under `key`; None if missing or, then set aside, unreadable."""
        text = storage.getItem(key)
        if text is None:
            return None
        try:
            record = orjson.loads(text)
        except orjson.JSONDecodeError:
            record = None
        if isinstance(record, dict):
            return record
        self._set_value_aside(storage, key)
        return None

    def _set_value_aside(self, storage: Storage, key: str) -> None:
        storage.setItem("damaged:" + key, storage.getItem(key) or "")
        storage.removeItem(key)
        self._notice(f"The history's record {key} could not be read and was set aside.")

    def _notice(self, text: str) -> None:
        self.notices.append(text)
        logger.warning("history", extra={"fields": {"notice": text}})


def _retrieve(future: "asyncio.Future[Any]") -> None:
    """Mark the outcome as seen, in case whoever waited for it is gone."""
    if not future.cancelled():
        future.exception()


def _of_workflow(workflow_id: str) -> str:
    return f"workflow:{len(workflow_id)}:{workflow_id}:"


def _execution_id(storage: Storage, index_key: str) -> str | None:
    """Whose run a `workflow:` or `order:` key stands for."""
    if index_key.startswith("order:"):
        index_key = storage.getItem(index_key) or ""
    return storage.getItem(index_key)


def _store_running(storage: Storage, detail: ExecutionDetail) -> None:
    record = {"owner": owner.this_process(), "detail": to_record(detail)}
    storage.setItem("running:" + detail.id, to_json(record))


def _write_ended(storage: Storage, detail: ExecutionDetail) -> None:
    with storage.transaction():
        _store_ended(storage, detail)


def _store_ended(storage: Storage, detail: ExecutionDetail) -> None:
    entry = to_record(detail)
    steps = entry.pop("steps")
    number = _number(storage, detail.id)
    index = _of_workflow(detail.workflow_id)
    storage.setItem("run:" + detail.id, to_json({"number": number, "entry": entry}))
    storage.setItem("detail:" + detail.id, to_json(steps))
    storage.setItem(index + number, detail.id)
    storage.setItem("order:" + number, index + number)
    storage.removeItem("running:" + detail.id)
    for key in storage.last_keys(index)[HISTORY_PER_WORKFLOW:]:
        _drop(storage, key)


def _number(storage: Storage, execution_id: str) -> str:
    """The number a run has already, else the next one."""
    try:
        return f"{int(orjson.loads(storage.getItem('run:' + execution_id) or '')['number']):016d}"
    except (ValueError, TypeError, KeyError):
        last = storage.last_keys("order:", 1)
        return f"{int(last[0].removeprefix('order:')) + 1 if last else 1:016d}"


def _drop(storage: Storage, index_key: str) -> None:
    """Forget the run that an index key stands for; the caller holds the transaction."""
    execution_id = _execution_id(storage, index_key)
    order_key = "order:" + index_key.rpartition(":")[2]
    for key in (
        storage.getItem(order_key),
        order_key,
        index_key,
        f"run:{execution_id}",
        f"detail:{execution_id}",
    ):
        if key is not None:
            storage.removeItem(key)


def _clear(storage: Storage, workflow_id: str | None) -> int:
    with storage.transaction():
        keys = storage.last_keys("order:" if workflow_id is None else _of_workflow(workflow_id))
        for key in keys:
            _drop(storage, key)
        if workflow_id is None:
            for key in storage.last_keys("damaged:"):
                storage.removeItem(key)
    storage.scrub()
    return len(keys)
