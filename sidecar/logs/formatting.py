"""A log record as one line of JSON, with nothing in it that may not be shown.

Closed on failure: a record that cannot be shown safely loses its text, not its place. It knows
records and redaction, not where lines go.
"""

import logging
import time
from pathlib import Path
from typing import Any, Final

import orjson

from sidecar.redaction import Redactor, escape_control
from sidecar.showing import json_safe

#: A longer text would make one line of log the size of a file.
MAX_TEXT_CHARACTERS: Final = 16_000
#: Nor may many short ones.
MAX_LINE_BYTES: Final = 512 * 1024
#: Of a text that is cut, what stands at its end says more: the last lines of a script's stderr.
_TAIL_FIELDS: Final = frozenset({"stderr"})
#: The first fields of a line, in this order; no record's own field takes their place.
_HEAD: Final = ("time", "level", "event", "logger")


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, event, logger, and the record's fields.

    Of a run: `execution_id`, `workflow_id`; of a step also `step_id`, `attempt`.
    """

    def __init__(self, project: Path | None = None) -> None:
        """Paths in `project` are shown relative to it, others by their last part."""
        super().__init__()
        self._redactor = Redactor(project=project, of_all_runs=True)

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end; raises nothing."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        head = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": "",
            "logger": record.name,
        }
        try:
            shown = self._shown(record)
            head["event"] = shown.pop("event")
            line = orjson.dumps({**head, **shown})
            if len(line) <= MAX_LINE_BYTES:
                return line.decode()
            return orjson.dumps({**head, **_ids(shown), "left_out_bytes": len(line)}).decode()
        except Exception as error:
            # Nothing of the record's text is shown, and nobody's call fails.
            head["event"] = f"a record that cannot be shown ({type(error).__name__})"
            return orjson.dumps(head).decode()

    def _shown(self, record: logging.LogRecord) -> dict[str, Any]:
        own = {key: item for key, item in getattr(record, "fields", {}).items() if key not in _HEAD}
        redacted: dict[str, Any] = self._redactor.value({"event": record.getMessage(), **own})
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            redacted["exception"] = self._redactor.stack_trace(trace)
        shown: dict[str, Any] = json_safe(self._visible(redacted))
        return shown

    def _visible(self, value: Any, name: str = "") -> Any:
        """A copy in which texts are cut to size, without folders outside the project, and with
        their control characters, but line ends, shown."""
        if isinstance(value, dict):
            return {key: self._visible(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._visible(item) for item in value]
        if not isinstance(value, str):
            return value
        text = _cut(self._redactor.error(value), name in _TAIL_FIELDS)
        return "\n".join(escape_control(line) for line in text.split("\n"))


def _cut(text: str, tail: bool) -> str:
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    return "…" + text[-MAX_TEXT_CHARACTERS:] if tail else text[:MAX_TEXT_CHARACTERS] + "…"


def _ids(shown: dict[str, Any]) -> dict[str, Any]:
    """Of a line that would be too long: what it is about."""
    return {key: item for key, item in shown.items() if not isinstance(item, (dict, list, str))} | {
        key: item for key, item in shown.items() if isinstance(item, str) and len(item) <= 256
    }
