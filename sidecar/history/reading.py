"""Runs read back from a store; what cannot be read as one is set aside, value by value.

Knows the layout of runs and whose process began one; no threads, and not when to look.
"""

from collections.abc import Callable
from typing import Any, Final

import orjson
from pydantic import ValidationError

from protocol.executions import ExecutionDetail, ExecutionHistoryEntry
from sidecar.errors import HistoryError
from sidecar.history import layout, owner
from sidecar.history.records import interrupted
from sidecar.history.storage import Storage

#: What a value that can be parsed and is no record raises when it is read as one.
_NO_RECORD: Final = (KeyError, TypeError, AttributeError, ValidationError, HistoryError)


class Reader:
    """Reads runs; `on_notice` gets a line for people whenever something was set aside."""

    def __init__(self, storage: Storage, on_notice: Callable[[str], None]) -> None:
        self.storage = storage
        self._on_notice = on_notice
        #: Owners of the running executions seen so far, by key: they do not change.
        self._owners: dict[str, dict[str, Any]] = {}

    def finish_interrupted(self) -> None:
        """Record the runs as interrupted whose process has ended before they did.

        Raises HistoryError when that cannot be written.
        """
        keys = self.storage.last_keys(layout.RUNNING)
        ended = [key for key in keys if not self._owner_is_alive(key)]
        self._owners = {key: self._owners[key] for key in keys if key in self._owners}
        if not ended:
            return
        with self.storage.transaction():
            for key in reversed(ended):
                record = self._record(key)  # another process may have been faster
                if record is None:
                    continue
                try:
                    detail = ExecutionDetail.model_validate(record["detail"])
                except _NO_RECORD:
                    self._set_aside(key)
                else:
                    layout.store_ended(self.storage, interrupted(detail))

    def _owner_is_alive(self, key: str) -> bool:
        if key not in self._owners:
            record = self._record(key) or {}
            self._owners[key] = record["owner"] if isinstance(record.get("owner"), dict) else {}
        if self._owners[key] == owner.this_process():
            return True
        try:
            return owner.is_alive(self._owners[key])
        except HistoryError:
            self._set_aside(key)
            return True  # there is nothing left to finish

    def entries(self, index: str, limit: int) -> list[ExecutionHistoryEntry]:
        """Up to `limit` ended runs of an index, newest first."""
        while True:
            keys = self.storage.last_keys(index, max(limit, 0))
            ids = [layout.execution_id(self.storage, key) for key in keys]
            entries = [self._entry(run_id) for run_id in ids]
            if None not in entries:
                return [entry for entry in entries if entry is not None]
            # Set aside just now, or dropped by another process meanwhile: others move up.
            with self.storage.transaction():
                for key, entry in zip(keys, entries, strict=True):
                    if entry is None:
                        layout.drop(self.storage, key)

    def detail(self, run_id: str) -> ExecutionDetail | None:
        """A kept or a running execution; None if unknown."""
        running_key, steps_key = layout.RUNNING + run_id, "detail:" + run_id
        running = self._record(running_key)
        if running is not None:
            try:
                return ExecutionDetail.model_validate(running["detail"])
            except _NO_RECORD:
                self._set_aside(running_key)
        entry = self._entry(run_id)
        if entry is None:
            return None
        fields = entry.model_dump()
        try:
            steps = self._record(steps_key) or {}
            return ExecutionDetail.model_validate({**fields, "steps": steps})
        except ValidationError:
            self._set_aside(steps_key)
            return ExecutionDetail.model_validate({**fields, "steps": {}})

    def _entry(self, run_id: str | None) -> ExecutionHistoryEntry | None:
        key = f"run:{run_id}"
        record = self._record(key)
        if record is None:
            return None
        try:
            return ExecutionHistoryEntry.model_validate(record["entry"])
        except _NO_RECORD:
            self._set_aside(key)
            return None

    def _record(self, key: str) -> dict[str, Any] | None:
        """The JSON object under `key`; None if missing or, then set aside, unreadable."""
        text = self.storage.getItem(key)
        if text is None:
            return None
        try:
            record = orjson.loads(text)
        except orjson.JSONDecodeError:
            record = None
        if isinstance(record, dict):
            return record
        self._set_aside(key)
        return None

    def _set_aside(self, key: str) -> None:
        text = self.storage.getItem(key)
        if text is not None:
            self.storage.setItem("damaged:" + key, text)
            self.storage.removeItem(key)
            self._on_notice(f"The history's record {key} could not be read and was set aside.")
