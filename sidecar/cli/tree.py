"""The drawing of a run on a terminal: its steps as a tree, their attempts below them, a bar.

    ├─ ✔ fetch    success   1.4 s  Fetch the sources
    ├─ ✘ parse    error     1.5 s  attempt 2 of 3, next in 0.8 s  Parse the index
    │  └─ attempt 1         0.4 s  ConnectionError: no route to host
    └─ · pack     pending          Pack it all up

It knows rich, and nothing of events: what is to be drawn stands in the rows.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from protocol.executions import StepStatus
from sidecar.cli.estimates import Advance, roughly
from sidecar.cli.wording import counted, duration

#: Columns of a row beside the id and the note: branch, symbol, status, duration, separators.
_FIXED_COLUMNS: Final = 28
_NARROWEST_ID: Final = 6
#: Less of a note says nothing.
_NARROWEST_NOTE: Final = 8
#: Failed attempts below their step; of more, the latest.
_MOST_ATTEMPTS: Final = 3
_WIDEST_BAR: Final = 30
_NARROWEST_BAR: Final = 10
_STYLES: Final[dict[StepStatus, str]] = {
    "pending": "dim",
    "running": "cyan",
    "success": "green",
    "error": "red",
    "skipped": "dim",
}
_WAITING_STYLE: Final = "yellow"


class Signs(NamedTuple):
    """What is drawn with."""

    pending: str
    running: str
    success: str
    error: str
    skipped: str
    branch: str
    last: str
    stem: str
    full: str
    empty: str
    cut: str


UNICODE: Final = Signs("·", "▶", "✔", "✘", "-", "├─ ", "└─ ", "│  ", "━", "─", "…")
ASCII: Final = Signs(".", ">", "+", "x", "-", "|- ", "`- ", "|  ", "#", ".", "~")


class FailedAttempt(NamedTuple):
    """An attempt that is over. `error` can be shown as it is."""

    number: int
    took_ms: float
    error: str


@dataclass(slots=True)
class Row:
    """One step. Times are of `time.monotonic()`; all texts can be shown as they are."""

    step_id: str
    label: str
    most_attempts: int
    status: StepStatus = "pending"
    attempt: int = 0
    #: When the first attempt began, when the latest did, and when the next one does.
    started_s: float = 0.0
    attempt_started_s: float = 0.0
    next_s: float | None = None
    took_ms: float | None = None
    failed: list[FailedAttempt] = field(default_factory=list)
    #: Said instead of everything else.
    notice: str = ""

    @property
    def elapsed_ms(self) -> float:
        """Since the first attempt began, pauses included."""
        if self.took_ms is not None:
            return self.took_ms
        return (time.monotonic() - self.started_s) * 1000 if self.attempt else 0.0

    @property
    def is_over(self) -> bool:
        return self.status not in ("pending", "running") and self.next_s is None

    def fact(self, room: int) -> str:
        """What there is to know beside status and duration, in `room` columns if that can be."""
        if self.notice:
            return self.notice
        if attempts := self._attempts():
            return next((words for words in attempts if len(words) <= room), attempts[-1])
        if self.status == "success":
            return counted(self.attempt - 1, "retry") if self.attempt > 1 else ""
        return self.failed[0].error if self.status == "error" and self.attempt == 1 else ""

    def _attempts(self) -> list[str]:
        """Which attempt it is at, in words that are fewer and fewer; none for the first."""
        if self.next_s is not None:
            soon = f"in {ticking(max(0.0, self.next_s - time.monotonic()) * 1000)}"
            number = f"{self.attempt + 1} of {self.most_attempts}"
            return [
                f"attempt {number}, next {soon}",
                f"{number}, next {soon}",
                f"next {soon}",
                soon,
            ]
        if self.status == "running" and self.attempt > 1:
            number = f"{self.attempt} of {self.most_attempts}"
            return [f"attempt {number}", number]
        return []

    def below(self) -> list[FailedAttempt]:
        """The attempts to be drawn below it: those of a step that is not through it yet."""
        if self.status == "success" or (self.is_over and self.attempt == 1):
            return []
        return self.failed[-_MOST_ATTEMPTS:]


def ticking(timer_ms: float) -> str:
    """A running timer, which would flicker in milliseconds."""
    return f"{timer_ms / 1000:.1f} s" if timer_ms < 59_950 else duration(timer_ms)


class Tree:
    """Draws rows as lines of at most `columns`."""

    def __init__(self, signs: Signs, widest_id: int) -> None:
        self._signs = signs
        self._widest_id = widest_id

    def lines(self, rows: Sequence[Row], current: int, columns: int, most: int) -> list[Text]:
        """At most `most` lines, the row `current` among them; what is left out is counted."""
        start, end = _window([1 + len(row.below()) for row in rows], current, most)
        lines = [self._left_out(rows[:start], self._signs.branch)] if start else []
        for row in rows[start:end]:
            is_last = row is rows[-1]
            lines.append(
                self._row(row, columns, self._signs.last if is_last else self._signs.branch)
            )
            stem = "   " if is_last else self._signs.stem
            attempts = row.below()
            for attempt in attempts:
                ends = attempt is attempts[-1]
                branch = stem + (self._signs.last if ends else self._signs.branch)
                lines.append(self._attempt(attempt, columns, branch))
        if end < len(rows):
            lines.append(self._left_out(rows[end:], self._signs.last))
        for line in lines:
            self._cut(line, columns)
        return lines

    def bar(self, at: Advance, elapsed_ms: float, columns: int) -> Text:
        """How far the run is, how long it has taken, how long it may take."""
        facts = [f"{at.done} of {counted(at.total, 'step')}", ticking(elapsed_ms)]
        if at.remaining_ms is not None:
            facts.append(roughly(at.remaining_ms))
        while len(facts) > 1 and len("  ".join(facts)) > columns:
            facts.pop()
        text = "  ".join(facts)
        width = min(_WIDEST_BAR, columns - len(text) - 2)
        line = Text()
        if width >= _NARROWEST_BAR:
            full = round(at.fraction * width)
            line.append(self._signs.full * full, style="cyan")
            line.append(self._signs.empty * (width - full), style="dim")
            line.append("  ")
        line.append(text)
        self._cut(line, columns)
        return line

    def _row(self, row: Row, columns: int, branch: str) -> Text:
        # Of the columns that are left, the id gets what it needs before the note gets any.
        left = columns - _FIXED_COLUMNS
        width = max(_NARROWEST_ID, min(self._widest_id, left))
        style = _WAITING_STYLE if row.next_s is not None else _STYLES[row.status]
        line = Text.assemble((branch, "dim"))
        line.append(f"{getattr(self._signs, row.status)} ", style=style)
        step_id = row.step_id
        if len(step_id) > width:
            step_id = step_id[: width - 1] + self._signs.cut
        line.append(f"{step_id:<{width}}  {row.status:<8}", style=style)
        if row.took_ms is not None:
            took = duration(row.took_ms)
        else:
            took = ticking(row.elapsed_ms) if row.attempt else ""
        line.append(f" {took:>10}  ", style="default")
        if left - width >= _NARROWEST_NOTE:
            fact = row.fact(left - width)
            line.append(fact, style="red" if row.is_over and row.status == "error" else "yellow")
            label = f"  {row.label}" if fact else row.label
            if cell_len(fact) + _NARROWEST_NOTE <= left - width:
                line.append(label, style="dim")
        return line

    def _attempt(self, attempt: FailedAttempt, columns: int, branch: str) -> Text:
        line = Text.assemble((branch, "dim"))
        line.append(f"attempt {attempt.number}", style="yellow")
        # The duration below that of the step.
        width = max(_NARROWEST_ID, min(self._widest_id, columns - _FIXED_COLUMNS))
        end = _FIXED_COLUMNS - 2 + width
        took = duration(attempt.took_ms)
        line.append(took.rjust(max(len(took) + 2, end - cell_len(line.plain))))
        line.append(f"  {attempt.error}", style="dim")
        return line

    def _left_out(self, rows: Sequence[Row], branch: str) -> Text:
        over = sum(row.is_over for row in rows)
        state = "done" if over == len(rows) else "to come" if over == 0 else f"{over} done"
        return Text(f"{branch}{self._signs.cut} {counted(len(rows), 'more step')}, {state}", "dim")

    def _cut(self, line: Text, columns: int) -> None:
        if cell_len(line.plain) > columns:
            line.truncate(columns - len(self._signs.cut), overflow="crop")
            line.append(self._signs.cut, style="dim")
        line.rstrip()


def _window(heights: Sequence[int], current: int, most: int) -> tuple[int, int]:
    """Which rows to draw, from and to: `current`, a few before it, and as many after it as fit,
    in `most` lines together with the lines that count what is left out."""
    if sum(heights) <= most:
        return 0, len(heights)
    room = max(1, most - 2)
    start, end, used = current, current + 1, heights[current]
    while True:
        before = heights[start - 1] if start > 0 else None
        after = heights[end] if end < len(heights) else None
        # One third of the room for what is past.
        wants_past = after is None or (current - start) * 2 < end - current - 1
        if before is not None and wants_past and used + before <= room:
            start, used = start - 1, used + before
        elif after is not None and used + after <= room:
            end, used = end + 1, used + after
        elif before is not None and used + before <= room:
            start, used = start - 1, used + before
        else:
            return start, end
