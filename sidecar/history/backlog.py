"""Runs that could not be written yet, such as while the disk is full, until there is room.

Bounded: it is for an outage, not a second history. Knows the layout of runs; no threads.
"""

from collections.abc import Iterator
from typing import Final

from protocol.executions import ExecutionDetail
from protocol.limits import MIB
from sidecar.history import layout
from sidecar.history.records import to_json, to_record
from sidecar.history.storage import CannotBeKept, Storage

MAX_RUNS: Final = 100
MAX_BYTES: Final = 16 * MIB


class Backlog:
    """Runs by id, in the order they are to be written; the oldest go when there are too many.

    `lost` counts those that went.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._runs: dict[str, ExecutionDetail] = {}
        #: Of those that have been tried: nobody asks for the size of the others.
        self._sizes_bytes: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, run: ExecutionDetail) -> None:
        """Keep a run, in place of what is here of the same id."""
        self._remove(run.id)
        self._runs[run.id] = run

    def get(self, run_id: str) -> ExecutionDetail | None:
        """The run of that id, running or ended."""
        return self._runs.get(run_id)

    def ended(self, workflow_id: str | None) -> Iterator[ExecutionDetail]:
        """The ended runs of a workflow, or of all, newest first."""
        for run in reversed(self._runs.values()):
            if run.status != "running" and workflow_id in (None, run.workflow_id):
                yield run

    def clear(self, workflow_id: str | None) -> int:
        """Forget the ended runs of a workflow, or of all; how many."""
        runs = list(self.ended(workflow_id))
        for run in runs:
            self._remove(run.id)
        return len(runs)

    def write(self, storage: Storage) -> bool:
        """Move everything to the storage, in order; whether older runs had to go there.

        Raises HistoryError at the first run that cannot be written for now, and CannotBeKept,
        when all else is written, if one never can.
        """
        dropped = False
        never: CannotBeKept | None = None
        try:
            for run in list(self._runs.values()):
                try:
                    dropped |= _write(storage, run)
                except CannotBeKept as error:
                    never = error
                self._remove(run.id)
        finally:
            self._shrink()
        if never is not None:
            raise never
        return dropped

    def _remove(self, run_id: str) -> None:
        self._runs.pop(run_id, None)
        self._sizes_bytes.pop(run_id, None)

    def _shrink(self) -> None:
        for run in self._runs.values():
            if run.id not in self._sizes_bytes:
                self._sizes_bytes[run.id] = len(to_json(to_record(run)))
        while len(self._runs) > MAX_RUNS or sum(self._sizes_bytes.values()) > MAX_BYTES:
            self._remove(next(iter(self._runs)))
            self.lost += 1


def _write(storage: Storage, run: ExecutionDetail) -> bool:
    if run.status == "running":
        layout.store_running(storage, run)
        return False
    with storage.transaction():
        return layout.store_ended(storage, run)
