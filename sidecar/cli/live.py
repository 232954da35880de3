"""What `run` shows on a terminal: a step list that is redrawn while the workflow runs.

The scripts' stderr lines scroll above it. It knows rich, and nothing of the engine but its events.
All drawing is done in the event loop: a thread that fails to draw would print a traceback.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from protocol.events import ExecutionEvent
from protocol.executions import StepStatus
from sidecar.cli.progress import Progress, counted, duration, first_line
from sidecar.engine.loader import LoadedWorkflow


class _Look(NamedTuple):
    symbol: str
    ascii: str
    style: str


_LOOKS: Final[dict[StepStatus, _Look]] = {
    "pending": _Look("·", ".", "dim"),
    "running": _Look("▶", ">", "cyan"),
    "success": _Look("✔", "+", "green"),
    "error": _Look("✘", "x", "red"),
    "skipped": _Look("-", "-", "dim"),
}
_STATUS_STYLES: Final = {"success": "bold green", "failed": "bold red", "cancelled": "bold yellow"}
#: Between two drawings: enough for a timer that counts tenths.
_REDRAW_S: Final = 0.1
#: Columns of the list before the note, beside the id: symbol, status, duration, what separates.
_FIXED_COLUMNS: Final = 27
_NARROWEST_ID: Final = 6
#: Less of a note says nothing.
_NARROWEST_NOTE: Final = 8


class _Row:
    """One step as it is drawn. `note` may be a function, asked at each drawing."""

    def __init__(self, step_id: str, label: str) -> None:
        self.step_id = step_id
        self.status: StepStatus = "pending"
        self.started_s = 0.0
        self.took = ""
        self.label = label
        self.note: str | Callable[[], str] = ""

    @property
    def is_done(self) -> bool:
        return self.status not in ("pending", "running") and not callable(self.note)

    def text(self, width: int, room: int, *, is_ascii: bool) -> Text:
        """The line: `width` columns for the id, `room` for the note."""
        look = _LOOKS[self.status]
        style = "yellow" if callable(self.note) else look.style
        took = self.took
        if self.status == "running" or callable(self.note):
            took = duration((time.monotonic() - self.started_s) * 1000)
        step_id = self.step_id
        if len(step_id) > width:
            step_id = step_id[: width - 1] + ("~" if is_ascii else "…")
        line = Text(f"  {look.ascii if is_ascii else look.symbol} ", style=style)
        line.append(f"{step_id:<{width}}  {self.status:<8}", style=style)
        line.append(f" {took:>10}  ", style="default")
        note = self.note() if callable(self.note) else self.note
        if room >= _NARROWEST_NOTE:
            line.append(note or self.label, style="yellow" if note else "dim")
        line.no_wrap, line.overflow = True, "crop" if is_ascii else "ellipsis"
        return line


class LiveProgress(Progress):
    """The step list on a terminal."""

    def __init__(self, loaded: LoadedWorkflow, project: Path, stream: TextIO) -> None:
        super().__init__(loaded, project, stream)
        self._console = Console(
            file=stream, highlight=False, force_terminal=True, force_interactive=True
        )
        self._is_ascii = not (stream.encoding or "").lower().startswith("utf")
        labels = {step.id: step.label or "" for step in loaded.workflow.steps}
        self._rows = {
            step_id: _Row(step_id, self._visible(labels[step_id])) for step_id in loaded.plan.order
        }
        self._order = {step_id: number for number, step_id in enumerate(self._rows)}
        self._current = 0
        #: Lines of scripts that wait for the next drawing: a flood is printed in one go.
        self._waiting: list[Text] = []
        self._timer: asyncio.TimerHandle | None = None
        self._live = Live(
            get_renderable=self._draw,
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._safely(self._print_waiting)
            # Whatever happened, the cursor comes back.
            with suppress(OSError):
                self._live.stop()

    def on_event(self, event: ExecutionEvent) -> None:
        """Change the row that the event is about; show a script's line above the list."""
        self._remember(event)
        match event.event_type:
            case "workflow_started":
                self._safely(self._start)
            case "step_started":
                row = self._rows[event.step_id]
                attempt = event.data.attempt
                if attempt == 1:
                    row.started_s = time.monotonic()
                row.status = "running"
                row.note = f"attempt {attempt}" if attempt > 1 else ""
                self._current = self._order[event.step_id]
            case "step_completed":
                row = self._rows[event.step_id]
                row.status, row.took = "success", duration(event.data.execution_time_ms)
                retries = event.data.retry_count
                row.note = counted(retries, "retry") if retries else ""
            case "step_failed":
                row = self._rows[event.step_id]
                row.status = "error"
                row.took = duration((time.monotonic() - row.started_s) * 1000)
                data = event.data
                error = self._visible(f"{data.error_type}: {first_line(data.error)}")
                row.note = error
                if data.next_delay_ms is not None:
                    row.note = _countdown(data.retry_attempt + 2, data.next_delay_ms, error)
            case "step_skipped":
                self._rows[event.step_id].status = "skipped"
            case "step_output":
                for text in event.data.text.split("\n"):
                    line = Text(f"    {event.step_id:<{self._width}} | ", style="dim")
                    line.append(self._visible(text), style="default")
                    self._waiting.append(line)

    def stopping(self) -> None:
        """Say that Ctrl-C has been heard, and what a second one does."""
        row = list(self._rows.values())[self._current]
        row.note = "stopping; Ctrl-C again kills the script"

    def _start(self) -> None:
        self._console.print(Text(self._visible(self._name), style="bold"))
        self._live.start()
        self._tick()

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_REDRAW_S, self._tick)
        self._safely(self._redraw)

    def _redraw(self) -> None:
        self._print_waiting()
        self._live.refresh()

    def _print_waiting(self) -> None:
        if self._waiting:
            lines, self._waiting = self._waiting, []
            self._console.print(Text("\n").join(lines))

    def _safely(self, draw: Callable[[], None]) -> None:
        if self._stream is not None:
            try:
                draw()
            except OSError as error:
                self._give_up(error)

    def _write_status(self, status: str, line: str) -> None:
        self._safely(lambda: self._console.print(Text(line, style=_STATUS_STYLES[status])))

    def _draw(self) -> Group:
        """The rows that fit, with the running step among them."""
        room = max(3, self._console.height - 4)
        columns = self._console.width - _FIXED_COLUMNS
        width = max(_NARROWEST_ID, min(self._width, columns))
        rows = list(self._rows.values())
        start = max(0, min(self._current - room // 2, len(rows) - room))
        shown = [
            row.text(width, columns - width, is_ascii=self._is_ascii)
            for row in rows[start : start + room]
        ]
        if len(rows) > room:
            done = sum(row.is_done for row in rows)
            shown.append(Text(f"    {done} of {len(rows)} steps done", style="dim"))
        return Group(*shown)


def _countdown(attempt: int, delay_ms: int, error: str) -> Callable[[], str]:
    """What stands beside a step that waits for its next attempt."""
    due_s = time.monotonic() + delay_ms / 1000

    def note() -> str:
        left_ms = max(0.0, due_s - time.monotonic()) * 1000
        return f"attempt {attempt} in {duration(left_ms)}: {error}"

    return note
