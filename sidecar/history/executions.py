"""Past runs: five newest per workflow, with their details, in one file that processes share.

Says when what is read and written, on a thread of its own, and what becomes of runs while the file
cannot be used. Knows no SQL (that is `storage`), no keys (`layout`) and nothing of how a run comes
about. What it is given is redacted and cut to size already, and is stored as it is.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from protocol.executions import ExecutionDetail, ExecutionHistoryEntry
from protocol.limits import HISTORY_PER_WORKFLOW
from sidecar.errors import HistoryError
from sidecar.history import layout
from sidecar.history.backlog import Backlog
from sidecar.history.reading import Reader
from sidecar.history.storage import CannotBeKept, Storage, StorageDamaged

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

#: While nothing can be written, whoever reads does not wait for another try more often.
_RETRY_S: Final = 1.0


class ExecutionHistory:
    """What the daemon and the command line use to keep runs and look them up.

    All work on the file is done on one thread of its own, begun with the first call. Every method
    but `close` raises HistoryError when the file cannot be used; a later call tries again. A run
    that could not be written meanwhile is found in memory, and written as soon as there is room.

    One warning is logged when an outage begins, and when it ends, how many runs were written then.
    """

    def __init__(self, file: Path) -> None:
        """Keep runs in `file`; nothing is opened yet."""
        self.file = file
        self._reader: Reader | None = None
        self._backlog = Backlog()
        self._damage_told: str | None = None
        self._told: list[str] = []
        #: Why the file cannot be used, as long as that is so.
        self.trouble: str | None = None
        self._next_try_s = 0.0
        #: Runs written, since the trouble began, that had waited.
        self._written_late = 0
        self._scrub_due = False
        self._thread: ThreadPoolExecutor | None = None
        self._closed = False

    @property
    def notices(self) -> list[str]:
        """Lines for a log or a person: what was found broken and set aside, what is lost, and why
        runs are not being kept, as long as they are not."""
        trouble = self.trouble
        return [*self._told, *([f"Runs are not being kept: {trouble}"] if trouble else [])]

    async def open(self) -> None:
        """Open the file, if there is one, and record runs that were cut off as failed.

        Any other call does that too, and makes the file if it is missing.
        """
        await self._call(self._open_if_there)

    async def started(self, entry: ExecutionDetail) -> None:
        """Record a run that starts (`status` is `running`), with this process as its owner.

        If this process ends before `ended` is called, the next to look, whichever process it is,
        records the run as `failed`, its error beginning `Interrupted`.
        """
        await self._call(lambda: self._write(entry))

    async def ended(self, detail: ExecutionDetail) -> None:
        """Record a run that ended, and drop the workflow's oldest beyond the five newest.

        On disk when this returns. Newest is what ended last. A run recorded before under the same
        id, such as one that another process held for interrupted, is replaced.
        """
        if detail.status == "running":
            raise HistoryError("A run that still goes on cannot be recorded as ended")
        await self._call(lambda: self._write(detail))

    async def history(self, workflow_id: str, limit: int) -> list[ExecutionHistoryEntry]:
        """Up to `limit` (0 or more) ended runs of a workflow, newest first; none if unknown."""
        limit = min(limit, HISTORY_PER_WORKFLOW)
        return await self._call(lambda: self._entries(workflow_id, limit))

    async def recent(self, limit: int) -> list[ExecutionHistoryEntry]:
        """Up to `limit` (0 or more) ended runs of all workflows, newest first."""
        return await self._call(lambda: self._entries(None, limit))

    async def detail(self, execution_id: str) -> ExecutionDetail | None:
        """A kept or a running execution with all its attempts; None if unknown.

        A running one is as it was when it started.
        """

        def look(reader: Reader) -> ExecutionDetail | None:
            return self._backlog.get(execution_id) or reader.detail(execution_id)

        return await self._call(lambda: self._read(look))

    async def contains(self, execution_id: str) -> bool:
        """Whether there is a kept or a running execution of this id."""

        def look(reader: Reader) -> bool:
            waits = self._backlog.get(execution_id) is not None
            return waits or layout.contains(reader.storage, execution_id)

        return await self._call(lambda: self._read(look))

    async def clear(self, workflow_id: str | None = None) -> int:
        """Forget the ended runs of one workflow, or of all; returns how many.

        Nothing of them stays in the file. Runs that go on are not touched.
        """
        return await self._call(lambda: self._clear(workflow_id))

    async def close(self) -> None:
        """Finish what was begun and let go of the file; later calls raise HistoryError."""
        self._closed = True
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(thread, self._close))
            thread.shutdown(wait=True)

    async def _call(self, work: Callable[[], _T]) -> _T:
        if self._closed:
            raise HistoryError("The history is closed")
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        # Whoever waits may be cancelled; what was accepted is written nevertheless.
        future.add_done_callback(_retrieve)
        return await asyncio.shield(future)

    # All below runs on the history's own thread.

    def _work(self, work: Callable[[Reader], _T]) -> _T:
        try:
            try:
                return work(self._opened())
            except StorageDamaged:
                # There is a fresh file now, and what was asked for is done on that.
                return work(self._opened())
            finally:
                self._tell_damage()
        except CannotBeKept as error:
            # This one run's own fault, and no outage.
            logger.warning("a run cannot be kept", extra={"fields": {"error": error.message}})
            raise
        except HistoryError as error:
            self._fail(error)
            raise

    def _open_if_there(self) -> None:
        if os.path.lexists(self.file):
            self._read(lambda _: None)

    def _opened(self) -> Reader:
        if self._reader is None:
            self._reader = Reader(Storage(self.file, layout.mended), self._notice)
        return self._reader

    def _write(self, detail: ExecutionDetail) -> None:
        # First of all, so that it is found here whatever is wrong with the file.
        self._backlog.add(detail)
        self._work(lambda reader: self._write_backlog(reader.storage))

    def _write_backlog(self, storage: Storage) -> None:
        waiting, lost = len(self._backlog), self._backlog.lost
        try:
            self._scrub_due |= self._backlog.write(storage)
        finally:
            if self.trouble is not None:
                gone = waiting - len(self._backlog)
                self._written_late += gone - (self._backlog.lost - lost)
        self._recover()
        if self._scrub_due and self._thread is not None:
            # After what waits for this thread: whoever ended a run does not wait for it.
            self._thread.submit(self._scrub)

    def _read(self, look: Callable[[Reader], _T]) -> _T:
        def read(reader: Reader) -> _T:
            self._catch_up(reader)
            return look(reader)

        return self._work(read)

    def _catch_up(self, reader: Reader) -> None:
        """Write what is to be written before one reads, if that is possible."""
        if self.trouble is not None and time.monotonic() < self._next_try_s:
            return
        try:
            if self._backlog:
                self._write_backlog(reader.storage)
            reader.finish_interrupted()
        except (StorageDamaged, CannotBeKept):
            raise
        except HistoryError as error:
            # The file can be read and not written, for now: no reason to read nothing.
            self._fail(error)
        else:
            self._recover()

    def _entries(self, workflow_id: str | None, limit: int) -> list[ExecutionHistoryEntry]:
        index = layout.ORDER if workflow_id is None else layout.of_workflow(workflow_id)

        def look(reader: Reader) -> list[ExecutionHistoryEntry]:
            waiting = {run.id: _entry_of(run) for run in self._backlog.ended(workflow_id)}
            kept = reader.entries(index, limit)
            return [
                *waiting.values(),
                *(entry for entry in kept if entry.id not in waiting),
            ][: max(limit, 0)]

        return self._read(look)

    def _clear(self, workflow_id: str | None) -> int:
        def clear(reader: Reader) -> int:
            removed = layout.clear(reader.storage, workflow_id)
            self._scrub_due = not reader.storage.scrub()
            return removed

        return self._work(clear) + self._backlog.clear(workflow_id)

    def _scrub(self) -> None:
        if self._scrub_due and self._reader is not None:
            with contextlib.suppress(HistoryError):
                self._scrub_due = not self._reader.storage.scrub()

    def _close(self) -> None:
        if self._backlog:
            with contextlib.suppress(HistoryError):
                self._work(lambda reader: self._write_backlog(reader.storage))
        self._scrub()
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.storage.close()

    def _fail(self, error: HistoryError) -> None:
        self._next_try_s = time.monotonic() + _RETRY_S
        if self.trouble is None:
            fields = {"error": error.message, "error_type": type(error).__name__}
            logger.warning("history is not being kept", extra={"fields": fields})
        self.trouble = error.message

    def _recover(self) -> None:
        if self.trouble is None:
            return
        self.trouble = None
        fields = {"runs_written": self._written_late, "runs_lost": self._backlog.lost}
        logger.info("history is being kept again", extra={"fields": fields})
        if self._backlog.lost:
            self._notice(f"{self._backlog.lost} runs were lost while history was not being kept.")
        self._written_late = self._backlog.lost = 0

    def _tell_damage(self) -> None:
        damage = None if self._reader is None else self._reader.storage.damage
        if damage is not None and damage != self._damage_told:
            self._damage_told = damage
            self._notice(damage)

    def _notice(self, text: str) -> None:
        self._told.append(text)
        logger.warning("history", extra={"fields": {"notice": text}})


def _entry_of(run: ExecutionDetail) -> ExecutionHistoryEntry:
    return ExecutionHistoryEntry.model_validate(run.model_dump(exclude={"steps"}))


def _retrieve(future: "asyncio.Future[Any]") -> None:
    """Mark the outcome as seen, in case whoever waited for it is gone."""
    if not future.cancelled():
        future.exception()
