"""One run's events: numbered, redacted, cut to a size that can be shown, handed to a listener.

Nothing leaves a run but through here or as its direct result, so what a listener, the history or
a log gets has been redacted once, at the source. It knows nobody who listens.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import orjson

from protocol import events, limits
from protocol.base import Model
from protocol.events import ExecutionEvent
from protocol.executions import StepStatus
from sidecar.engine.clock import Clock
from sidecar.redaction import LineRedactor, Redactor
from sidecar.showing import cut_texts, truncate

EventListener = Callable[[ExecutionEvent], None]
T = TypeVar("T")

#: A message is for reading; what is longer stands whole in the stack trace or on stderr.
MAX_ERROR_CHARACTERS: Final = 4_000

_EVENT_OF: Final[Mapping[type[Model], Callable[..., ExecutionEvent]]] = {
    events.WorkflowStartedData: events.WorkflowStartedEvent,
    events.StepStartedData: events.StepStartedEvent,
    events.StepCompletedData: events.StepCompletedEvent,
    events.StepFailedData: events.StepFailedEvent,
    events.WorkflowCompletedData: events.WorkflowCompletedEvent,
    events.WorkflowFailedData: events.WorkflowFailedEvent,
    events.StepOutputData: events.StepOutputEvent,
    events.StepSkippedData: events.StepSkippedEvent,
}
_shapes_only: Final = Redactor()
#: These carry the `seq` of the event before them.
_OPTIONAL: Final = frozenset({events.StepOutputData, events.StepSkippedData})
#: A step's status follows from its latest event alone.
_STATUS_AFTER: Final[Mapping[type[Model], StepStatus]] = {
    events.StepStartedData: "running",
    events.StepCompletedData: "success",
    events.StepFailedData: "error",
    events.StepSkippedData: "skipped",
}


def _size_bytes(value: Any) -> float:
    """Of a value as JSON; infinite for what needs the long way round."""
    try:
        return len(orjson.dumps(value))
    except orjson.JSONEncodeError:
        return math.inf


def shown_workflow_id(workflow_id: str) -> str:
    """A workflow's id as events, history and listeners have it; nearly always as it is.

    It may be a name, and a name may hold a secret of a known shape. The same for every run, so that
    whoever asks for a workflow's events or runs by its id finds them.
    """
    return _shapes_only.text(workflow_id)


class EventStream:
    """Makes and hands out the events of one run; keeps `seq` and each step's status."""

    def __init__(
        self,
        workflow_id: str,
        execution_id: str,
        step_ids: Mapping[str, str],
        *,
        clock: Clock,
        redactor: Redactor,
        listener: EventListener,
    ) -> None:
        """`step_ids` maps each step's id to what is shown of it."""
        self.seq = 0
        self.statuses: dict[str, StepStatus] = dict.fromkeys(step_ids, "pending")
        self._step_ids = step_ids
        self._run = {"workflow_id": workflow_id, "execution_id": execution_id}
        self._clock = clock
        self._redactor = redactor
        self._listener = listener

    async def show(self, value: Any) -> Any:
        """What `show_now` gives; work on a large value leaves the event loop for a thread."""
        if _size_bytes(value) <= limits.MAX_SHOWN_VALUE_BYTES:
            return self._redactor.value(value)
        return await asyncio.to_thread(self.show_now, value)

    def show_now(self, value: Any) -> Any:
        """A copy of a JSON value that may be shown: redacted, then cut where it is too large."""
        limit = limits.MAX_SHOWN_VALUE_BYTES
        return truncate(self._redactor.value(cut_texts(value, limit, self._redactor.text)), limit)

    def fit(self, shown: Any) -> Any:
        """What is put together of shown values, cut where it is too large as a whole."""
        return truncate(shown, limits.MAX_SHOWN_VALUE_BYTES)

    def show_error(self, error: str) -> str:
        """An error message that may be shown."""
        shown = self._redactor.error(error)
        return shown if len(shown) <= MAX_ERROR_CHARACTERS else shown[:MAX_ERROR_CHARACTERS] + "…"

    def show_stack_trace(self, stack_trace: str | None) -> str | None:
        """A traceback that may be shown."""
        return None if stack_trace is None else self._redactor.stack_trace(stack_trace)

    def show_output(self, text: str) -> str:
        """What a script wrote to stderr, without its secrets and our directories."""
        return self._redactor.error(text)

    def show_lines(self) -> LineRedactor:
        """The same for its lines, one by one as they come."""
        return self._redactor.lines()

    def show_step_id(self, step_id: str | None) -> str | None:
        """A step's id as it may be shown; nearly always as it is."""
        return None if step_id is None else self._step_ids[step_id]

    def show_step_ids(self, values: Mapping[str, T]) -> dict[str, T]:
        """What is kept by step id, by the ids that may be shown."""
        return {self._step_ids[step_id]: value for step_id, value in values.items()}

    def workflow(self, data: Model) -> None:
        """Emit the event about the whole run that `data` belongs to; it must have been shown."""
        self.seq += 1
        self._emit(data, {})

    def step(self, step_id: str, data: Model) -> None:
        """Emit the event about one step that `data` belongs to; it must have been shown."""
        if type(data) not in _OPTIONAL:
            self.seq += 1
        status = _STATUS_AFTER.get(type(data))
        if status is not None:
            self.statuses[step_id] = status
        self._emit(data, {"step_id": self._step_ids[step_id]})

    def _emit(self, data: Model, extra: dict[str, str]) -> None:
        event = _EVENT_OF[type(data)](
            **self._run, **extra, seq=self.seq, timestamp=self._clock.now_ms(), data=data
        )
        self._listener(event)
