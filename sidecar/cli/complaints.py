"""What the floors below report while a run goes on, kept for the run's end.

Their log has no place among the lines of the progress; what concerns the user is told once, on
stderr, when the progress is done. It knows the log's records, not what they are about.
"""

import logging
from types import TracebackType
from typing import Any, Final, Self

#: What the progress shows anyhow.
_SHOWN: Final = frozenset({"step failed"})
_NOT_KEPT: Final = "history is not being kept"


class Complaints(logging.Handler):
    """While entered, takes the place of all logging; `lines` holds each complaint once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        #: Whether the run can be looked up later.
        self.history_is_kept = True
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as one line, unless its cause has been told before."""
        event = record.getMessage()
        fields: dict[str, Any] = getattr(record, "fields", {})
        if "notice" in fields:
            # The history's own words, for people.
            event, cause = str(fields["notice"]), ""
        else:
            cause = str(fields.get("error", ""))
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            cause = f"{type(error).__name__}: {error}"
        if event not in _SHOWN and (cause or event) not in self._told:
            self._told.add(cause or event)
            if event == _NOT_KEPT:
                # What it means to whoever started the run.
                event, self.history_is_kept = "this run is not kept in the history", False
            self.lines.append(f"{event}: {cause}" if cause else event)
