"""Thins out floods of warnings and errors, and counts what it leaves out.

One cause that fails a thousand times a second must not push all else out of the log. Records of
one text, before values are put into it, share a token bucket: BURST at once, then PER_SECOND.
Lower levels pass: whoever asks for them wants all. It knows records, not lines.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

BURST: Final = 100
PER_SECOND: Final = 5
#: From the first record that is left out to the one that says how many were.
SUMMARY_EVERY_S: Final = 5.0
#: Texts told apart; beyond, as when a library puts numbers into them, all others are one.
MAX_CAUSES: Final = 500


class _Cause:
    """One text that is logged: its bucket, and what was left out of it."""

    def __init__(self, record: logging.LogRecord, now_s: float) -> None:
        self.logger = record.name
        self.level = record.levelno
        self.event = str(record.msg)
        self.tokens = float(BURST)
        self.refilled_s = now_s
        self.left_out = 0

    def refill(self, now_s: float) -> None:
        """Add what has come in since the last time."""
        self.tokens = min(BURST, self.tokens + (now_s - self.refilled_s) * PER_SECOND)
        self.refilled_s = now_s


class Floods:
    """Decides of each record whether it is logged. Safe to call from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds and never goes back."""
        self._clock = clock
        self._causes: dict[tuple[str, int, str], _Cause] = {}
        self._lock = threading.Lock()
        self._forgot_s = clock()

    def passes(self, record: logging.LogRecord) -> bool:
        """Whether to log a record; one that is not is counted."""
        if record.levelno < logging.WARNING:
            return True
        with self._lock:
            now_s = self._clock()
            cause = self._cause(record, now_s)
            cause.refill(now_s)
            if cause.tokens >= 1:
                cause.tokens -= 1
                return True
            cause.left_out += 1
            return False

    def summaries(self) -> list[logging.LogRecord]:
        """A record for each cause of which some were left out since the last time."""
        with self._lock:
            return [_summary(cause) for cause in self._causes.values() if cause.left_out]

    def _cause(self, record: logging.LogRecord, now_s: float) -> _Cause:
        key = (record.name, record.levelno, str(record.msg))
        if key not in self._causes and len(self._causes) >= MAX_CAUSES:
            self._forget(now_s)
            if len(self._causes) >= MAX_CAUSES:
                key = ("", record.levelno, "")
        if key not in self._causes:
            self._causes[key] = _Cause(record, now_s)
        return self._causes[key]

    def _forget(self, now_s: float) -> None:
        """Drop causes whose bucket is full again: nothing is known of them but that."""
        if now_s - self._forgot_s < 1:
            return
        self._forgot_s = now_s
        for key, cause in list(self._causes.items()):
            cause.refill(now_s)
            if cause.tokens >= BURST and not cause.left_out:
                del self._causes[key]


def _summary(cause: _Cause) -> logging.LogRecord:
    text = "log records were left out: too many of one kind"
    told = logging.LogRecord(cause.logger, cause.level, "", 0, text, (), None)
    told.fields = {"records": cause.left_out, "kind": cause.event}
    cause.left_out = 0
    return told
