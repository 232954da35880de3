"""Our log: one JSON object a line on stderr, and in a file where one is asked for.

Fields of a record come as `extra={"fields": {…}}`. Whatever is logged, by us or by a library, and
whatever Python itself would print (warnings, exceptions that nobody can catch), goes through one
handler: `formatting` redacts it, `floods` thins it out, `writers` write it. Nobody ever waits for
whoever reads it.
"""

import contextlib
import logging
import sys
import threading
import warnings
from pathlib import Path
from types import TracebackType
from typing import IO

from sidecar.errors import UsageError
from sidecar.logs import floods
from sidecar.logs.floods import Floods
from sidecar.logs.formatting import JsonFormatter
from sidecar.logs.writers import DescriptorWriter, StreamWriter, Writer

__all__ = ["JsonFormatter", "log_unhandled", "set_up_logging"]

_Exception = tuple[type[BaseException], BaseException, TracebackType | None]


class _Log(logging.Handler):
    """The one handler: a record becomes one line, which goes to every writer."""

    def __init__(self, project: Path | None, writers: list[Writer]) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter(project))
        self._floods = Floods()
        self._writers = writers
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record's line, or leave it out."""
        if self._floods.passes(record):
            self._write(record)
        elif self._timer is None:
            self._timer = threading.Timer(floods.SUMMARY_EVERY_S, self._tell_left_out)
            self._timer.daemon = True
            self._timer.start()

    def flush(self) -> None:
        """Return when all is written, or nobody has read for a while."""
        self._tell_left_out()
        for writer in self._writers:
            writer.flush()

    def close(self) -> None:
        """Write what waits; called when the interpreter ends."""
        self.flush()
        super().close()

    def _tell_left_out(self) -> None:
        # Records come from several threads, and so does this.
        with self.lock or contextlib.nullcontext():
            timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()
            for summary in self._floods.summaries():
                self._write(summary)

    def _write(self, record: logging.LogRecord) -> None:
        line = self.format(record).encode() + b"\n"
        for writer in self._writers:
            writer.write(line, self._not_read)

    def _not_read(self, records: int) -> bytes:
        text = "log records were left out: the log is not being read"
        told = logging.LogRecord(__name__, logging.WARNING, "", 0, text, (), None)
        told.fields = {"records": records}
        return self.format(told).encode() + b"\n"


def set_up_logging(
    level: str,
    *,
    project: Path | None = None,
    file: Path | None = None,
    stream: IO[str] | None = None,
) -> None:
    """Send every record of at least `level` as JSON to stderr, and to `file` if there is one.

    `level` is debug, info, warning or error. Paths in `project` are shown relative to it. Warnings
    are logged too, and so are exceptions that nobody can catch. With a `stream` all goes there
    instead of stderr. Raises UsageError when the file cannot be opened.
    """
    writers: list[Writer] = []
    if stream is not None:
        writers.append(StreamWriter(stream))
    elif sys.stderr is not None:
        writers.append(DescriptorWriter(sys.stderr.fileno()))
    if file is not None:
        writers.append(_file_writer(file))
    root = logging.getLogger()
    root.handlers[:] = [_Log(project, writers) if writers else logging.NullHandler()]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    sys.excepthook = log_unhandled
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_thread


def _file_writer(file: Path) -> Writer:
    from sidecar.logs.files import FileWriter  # logging.handlers costs 15 ms

    try:
        return FileWriter(file)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--log-file {file}: {reason}") from None


def log_unhandled(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    """Log an exception that nobody caught."""
    exception: _Exception | None = None if error is None else (kind, error, trace)
    fields = {"error_type": kind.__name__}
    logging.getLogger(__name__).error(
        "an exception that nobody caught", exc_info=exception, extra={"fields": fields}
    )


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    log_unhandled(unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback)


def _log_thread(arguments: threading.ExceptHookArgs) -> None:
    log_unhandled(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
