"""What `run` shows on a terminal: a tree that is redrawn while the workflow runs.

The lines that scripts write to stderr scroll above it. It knows the engine's events and when to
draw; `tree` knows what it looks like, `region` where it stands. All drawing is done in the event
loop: a thread that fails to draw would print a traceback.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from protocol.events import ExecutionEvent, WorkflowStartedData
from sidecar.cli.estimates import advance
from sidecar.cli.progress import Progress, most_attempts
from sidecar.cli.region import Region
from sidecar.cli.tree import ASCII, UNICODE, FailedAttempt, Row, Tree
from sidecar.cli.wording import first_line
from sidecar.engine.loader import LoadedWorkflow
from sidecar.redaction import Redactor

_STATUS_STYLES: Final = {"success": "bold green", "failed": "bold red", "cancelled": "bold yellow"}
#: Between two drawings: enough for a timer that counts tenths.
_REDRAW_S: Final = 0.1
#: Lines of the terminal that are not the tree's: the name, the bar, where the cursor stands.
_OTHER_LINES: Final = 4
_FEWEST_LINES: Final = 3


class LiveProgress(Progress):
    """The tree on a terminal."""

    has_estimate = True

    def __init__(self, loaded: LoadedWorkflow, project: Path, stream: TextIO) -> None:
        super().__init__(loaded, project, stream)
        self._console = Console(
            file=stream, highlight=False, force_terminal=True, force_interactive=True
        )
        is_ascii = not (stream.encoding or "").lower().startswith("utf")
        self._signs = ASCII if is_ascii else UNICODE
        self._tree = Tree(self._signs, 0)
        #: A row for each step once the run has begun, and by the ids that events have.
        self._in_order: list[Row] = []
        self._rows: dict[str, Row] = {}
        self._place_of: dict[str, int] = {}
        self._current = 0
        self._durations_ms: Mapping[str, float] = {}
        self._started_s = 0.0
        #: Lines of scripts that wait for the next drawing: a flood is printed in one go.
        self._waiting: list[Text] = []
        self._timer: asyncio.TimerHandle | None = None
        self._region = Region(self._console)

    @property
    def is_possible(self) -> bool:
        """Whether the terminal can redraw lines; an old console of Windows cannot."""
        return not self._console.legacy_windows

    def expect(self, durations_ms: Mapping[str, float]) -> None:
        """How long the steps took in earlier runs, by id."""
        self._durations_ms = durations_ms

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._safely(self._redraw)
            # Whatever happened, the cursor comes back.
            with suppress(OSError):
                self._region.close()

    def on_event(self, event: ExecutionEvent) -> None:
        """Change the row that the event is about; show a script's line above the tree."""
        self._remember(event)
        now_s = time.monotonic()
        match event.event_type:
            case "workflow_started":
                self._started_s = now_s
                name = self._visible(event.data.workflow_name)
                self._safely(lambda: self._console.print(Text(name, style="bold")))
                self._tick()
            case "step_started":
                row = self._rows[event.step_id]
                row.status, row.attempt, row.next_s = "running", event.data.attempt, None
                row.attempt_started_s = now_s
                row.took_ms = None
                if row.attempt == 1:
                    row.started_s = now_s
                self._current = self._place_of[event.step_id]
            case "step_completed":
                row = self._rows[event.step_id]
                row.status, row.took_ms = "success", event.data.execution_time_ms
            case "step_failed":
                row = self._rows[event.step_id]
                took_ms = (now_s - row.attempt_started_s) * 1000
                error = self._visible(f"{event.data.error_type}: {first_line(event.data.error)}")
                row.failed.append(FailedAttempt(row.attempt, took_ms, error))
                row.status = "error"
                if event.data.next_delay_ms is None:
                    row.took_ms = (now_s - row.started_s) * 1000
                else:
                    row.next_s = now_s + event.data.next_delay_ms / 1000
            case "workflow_completed" | "workflow_failed":
                for row in self._in_order:
                    # Nobody waits for an attempt any more.
                    if row.next_s is not None:
                        row.took_ms, row.next_s = row.elapsed_ms, None
            case "step_skipped":
                self._rows[event.step_id].status = "skipped"
            case "step_output":
                for text in event.data.text.split("\n"):
                    line = Text.assemble((f"   {event.step_id:<{self._width}} | ", "dim"))
                    self._waiting.append(line.append(self._visible(text)))

    def stopping(self) -> None:
        """Say that Ctrl-C has been heard, and what a second one does."""
        if self._in_order:
            notice = "stopping; Ctrl-C again kills the script"
            self._in_order[self._current].notice = notice

    def _begin(self, data: WorkflowStartedData) -> None:
        super()._begin(data)
        # Events tell a step's label when it starts; until then it is the file's.
        redacted = Redactor(of_all_runs=True).text
        self._in_order = [
            Row(step_id, self._visible(redacted(step.label or "")), most_attempts(step))
            for step_id, step in self._steps.items()
        ]
        self._rows = {row.step_id: row for row in self._in_order}
        self._place_of = {step_id: place for place, step_id in enumerate(self._rows)}
        self._tree = Tree(self._signs, self._width)

    def _tick(self) -> None:
        began_s = time.monotonic()
        self._safely(self._redraw)
        # Drawing a run of very many steps may take a tenth of the time and no more.
        pause_s = max(_REDRAW_S, 9 * (time.monotonic() - began_s))
        self._timer = asyncio.get_running_loop().call_later(pause_s, self._tick)

    def _redraw(self) -> None:
        lines, self._waiting = self._waiting, []
        self._region.draw(lines, self._frame())

    def _safely(self, draw: Callable[[], None]) -> None:
        if self._stream is not None:
            try:
                draw()
            except OSError as error:
                self._give_up(error)

    def _write_status(self, status: str, line: str) -> None:
        self._safely(lambda: self._console.print(Text(line, style=_STATUS_STYLES[status])))

    def _frame(self) -> list[Text]:
        """The rows that fit, the running step among them; the bar as long as the run goes on."""
        columns, height = self._console.size
        most = max(_FEWEST_LINES, height - _OTHER_LINES)
        lines = self._tree.lines(self._in_order, self._current, columns, most)
        if self._end is None:
            steps = ((row.step_id, row.status, row.elapsed_ms) for row in self._in_order)
            elapsed_ms = (time.monotonic() - self._started_s) * 1000
            lines.append(self._tree.bar(advance(steps, self._durations_ms), elapsed_ms, columns))
        return lines
