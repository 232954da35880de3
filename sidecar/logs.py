"""Our log: one JSON object a line on stderr.

Fields of a record come as `extra={"fields": {…}}`. Whatever is logged, by us or by a library, goes
through redaction here; a record that cannot be shown safely loses its text, not its place. Nobody
ever waits for whoever reads stderr.
"""

import logging
import os
import select
import sys
import threading
import time
import warnings
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, Final

import orjson

from sidecar.redaction import Redactor, escape_control
from sidecar.showing import json_safe

#: A longer text would make one line of log the size of a file.
_MAX_TEXT_CHARACTERS: Final = 16_000
#: Lines that wait for a reader of stderr; what comes beyond is left out and counted.
MAX_WAITING_BYTES: Final = 4 * 1024 * 1024
#: At the end, for what still waits.
_LAST_LINES_S: Final = 0.5

_Exception = tuple[type[BaseException], BaseException, TracebackType | None]


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, event, logger, and the record's fields."""

    def __init__(self) -> None:
        super().__init__()
        self._redactor = Redactor()

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end; raises nothing."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        head = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        try:
            return orjson.dumps({**head, **self._shown(record)}).decode()
        except Exception as error:
            # Closed on failure: nothing of the record's text is shown, and nobody's call fails.
            event = f"a record that cannot be shown ({type(error).__name__})"
            return orjson.dumps({**head, "event": event}).decode()

    def _shown(self, record: logging.LogRecord) -> dict[str, Any]:
        fields: dict[str, Any] = {"event": record.getMessage(), **getattr(record, "fields", {})}
        redacted: dict[str, Any] = self._redactor.value(fields)
        if record.exc_info:
            redacted["exception"] = self._redactor.stack_trace(
                self.formatException(record.exc_info)
            )
        shown: dict[str, Any] = json_safe(_visible(redacted))
        return shown


def _visible(value: Any) -> Any:
    """A copy in which texts are cut to size, and their control characters, but line ends, shown."""
    if isinstance(value, dict):
        return {key: _visible(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_visible(item) for item in value]
    if not isinstance(value, str):
        return value
    text = value if len(value) <= _MAX_TEXT_CHARACTERS else value[:_MAX_TEXT_CHARACTERS] + "…"
    return "\n".join(escape_control(line) for line in text.split("\n"))


class _Stderr(logging.Handler):
    """Writes lines to a descriptor in a thread: a pipe that nobody reads must not stop the
    daemon."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd
        self._lines: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._left_out = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record's line, or leave it out when too much waits."""
        line = self.format(record).encode() + b"\n"
        with self._changed:
            if self._waiting_bytes + len(line) > MAX_WAITING_BYTES:
                self._left_out += 1
                return
            if self._left_out:
                line = self._told_left_out(record) + line
            self._lines.append(line)
            self._waiting_bytes += len(line)
            self._changed.notify_all()

    def _told_left_out(self, record: logging.LogRecord) -> bytes:
        text = "log records were left out: stderr is not being read"
        told = logging.LogRecord(record.name, logging.WARNING, "", 0, text, (), None)
        told.fields = {"records": self._left_out}
        self._left_out = 0
        return self.format(told).encode() + b"\n"

    def flush(self) -> None:
        """Return when all is written, or nobody has read for a while."""
        with self._changed:
            self._changed.wait_for(lambda: not self._lines, _LAST_LINES_S)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines)
                rest = memoryview(self._lines[0])
            # Whoever has closed stderr does not want to know.
            with suppress(OSError):
                self._write_whole(rest)
            with self._changed:
                self._waiting_bytes -= len(self._lines.popleft())
                self._changed.notify_all()

    def _write_whole(self, rest: memoryview) -> None:
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                # Whoever shares the descriptor has made it non-blocking.
                select.select([], [self._fd], [])


def set_up_logging(level: str, stream: IO[str] | None = None) -> None:
    """Send every record of at least `level` as JSON to stderr, or to `stream` if there is one.

    `level` is debug, info, warning or error. Warnings are logged too, and so are exceptions that
    nobody can catch.
    """
    handler: logging.Handler = logging.NullHandler()
    if stream is not None:
        handler = logging.StreamHandler(stream)
    elif sys.stderr is not None:
        handler = _Stderr(sys.stderr.fileno())
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_thread


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    _log_exception(unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback)


def _log_thread(arguments: threading.ExceptHookArgs) -> None:
    _log_exception(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def _log_exception(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    exception: _Exception | None = None if error is None else (kind, error, trace)
    fields = {"error_type": kind.__name__}
    logging.getLogger(__name__).error(
        "an exception that nobody caught", exc_info=exception, extra={"fields": fields}
    )
