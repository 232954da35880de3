"""What `run` shows while a workflow runs: plain lines, one an event, and a summary at the end.

Everything shown comes from events, which are redacted, step ids included; control characters are
made visible, so a script cannot write to the terminal through us. `live` draws over this where
there is a terminal. A display that breaks is given up; the run goes on.
"""

import errno
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

from protocol.events import (
    ExecutionEvent,
    StepFailedData,
    StepFailedEvent,
    WorkflowCompletedEvent,
    WorkflowFailedEvent,
    WorkflowStartedData,
)
from protocol.workflow import OutputStep, PythonStep
from sidecar.cli import streams
from sidecar.cli.wording import counted, duration, first_line
from sidecar.engine.loader import LoadedWorkflow
from sidecar.redaction import escape_control

#: Step ids beyond it are shown whole and push their line to the right.
_WIDEST_ID: Final = 24
_FRAME: Final = re.compile(r'^\s*File "([^"\n]+)", line (\d+)(?:, in (.+))?$', re.MULTILINE)
#: What colours terminals (SGR of ECMA-48): left out, since its escapes only hide the text.
_COLOURS: Final = re.compile("\x1b\\[[0-9;:]*m")


class Progress:
    """Plain lines on a stream; None shows nothing."""

    #: Whether `expect` is of any use.
    has_estimate = False

    def __init__(self, loaded: LoadedWorkflow, project: Path, stream: TextIO | None) -> None:
        """`project` is where the scripts lie, for saying where one failed."""
        self._stream = stream
        self._project = project
        by_id = {step.id: step for step in loaded.workflow.steps}
        self._planned = [by_id[step_id] for step_id in loaded.plan.order]
        self._count = len(self._planned)
        #: The steps by the ids that events have.
        self._steps: dict[str, PythonStep | OutputStep] = {}
        self._width = 0
        self._started_ms: dict[str, int] = {}
        self._skipped: list[str] = []
        self._said: list[str] = []
        self._failed_step: StepFailedData | None = None
        self._end: WorkflowCompletedEvent | WorkflowFailedEvent | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def on_event(self, event: ExecutionEvent) -> None:
        """Show one event."""
        self._remember(event)
        for line in self._lines(event):
            self._write(line)

    def expect(self, durations_ms: Mapping[str, float]) -> None:
        """How long the steps took in earlier runs, by id."""

    def stopping(self) -> None:
        """The user wants the run to end, and its script may take its time."""

    def summary(self, hints: Sequence[str]) -> None:
        """The last lines: what the workflow said, or what went wrong and where to look.

        `hints` say what to do about it.
        """
        end = self._end
        if end is None:
            return
        for message in self._said:
            self._write("")
            for line in message.split("\n"):
                self._write(self._visible(line))
        self._write("")
        status = "success" if isinstance(end, WorkflowCompletedEvent) else end.data.status
        of_all = counted(self._count, "step")
        if end.data.steps_executed != self._count:
            of_all = f"{end.data.steps_executed} of {of_all}"
        self._write_status(status, f"{status} in {duration(end.data.duration_ms)} ({of_all})")
        if isinstance(end, WorkflowFailedEvent) and status == "failed":
            self._write("")
            for line in self._error(end):
                self._write(self._visible(line))
        for hint in hints:
            self._write(self._visible(hint))

    # --- for `live` --------------------------------------------------------------------------

    def _remember(self, event: ExecutionEvent) -> None:
        match event.event_type:
            case "workflow_started":
                self._begin(event.data)
            case "step_started":
                self._started_ms.setdefault(event.step_id, event.timestamp)
            case "step_completed" if isinstance(self._steps[event.step_id], OutputStep):
                self._said.append(_message(event.data.outputs.get("message", "")))
            case "step_failed":
                self._failed_step = event.data
            case "step_skipped":
                self._skipped.append(event.step_id)
            case "workflow_completed" | "workflow_failed":
                self._end = event

    def _begin(self, data: WorkflowStartedData) -> None:
        """Take the ids that all later events have; one that looks like a secret is told by none."""
        self._steps = dict(zip(data.step_ids, self._planned, strict=True))
        self._width = min(_WIDEST_ID, max(map(len, self._steps)))

    def _visible(self, text: str) -> str:
        """One line of foreign text as this stream can show it."""
        shown = escape_control(_COLOURS.sub("", text).expandtabs())
        return shown if self._stream is None else streams.printable(shown, self._stream)

    def _write(self, line: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _write_status(self, status: str, line: str) -> None:
        self._write(line)

    def _give_up(self, error: OSError) -> None:
        """Show nothing more; a reader that has seen enough (`head`) is no problem.

        EIO is a terminal whose window was closed.
        """
        if self._stream is sys.stdout:
            streams.abandon_stdout()
        self._stream = None
        if error.errno not in (errno.EPIPE, errno.EIO):
            reason = f"progress cannot be shown: {error.strerror}; the run goes on"
            streams.complain(reason, "warning")

    # --- plain lines -------------------------------------------------------------------------

    def _lines(self, event: ExecutionEvent) -> list[str]:
        match event.event_type:
            case "workflow_started":
                return [self._visible(event.data.workflow_name)]
            case "step_started":
                attempt = event.data.attempt
                most = most_attempts(self._steps[event.step_id])
                again = f" (attempt {attempt} of {most})" if attempt > 1 else ""
                return [self._step_line(event.step_id, f"running{again}")]
            case "step_output":
                return [
                    self._step_line(event.step_id, f"| {self._visible(text)}")
                    for text in event.data.text.split("\n")
                ]
            case "step_completed":
                took = duration(event.data.execution_time_ms)
                retries = event.data.retry_count
                again = f", {counted(retries, 'retry')}" if retries else ""
                return [self._step_line(event.step_id, f"success  {took}{again}")]
            case "step_failed":
                return [self._step_line(event.step_id, f"error    {self._failed(event)}")]
            case "workflow_failed" if self._skipped:
                if len(self._skipped) == 1:
                    return [self._step_line(self._skipped[0], "skipped")]
                return [f"  ({counted(len(self._skipped), 'step')} skipped)"]
        return []

    def _failed(self, event: StepFailedEvent) -> str:
        data = event.data
        if data.next_delay_ms is None:
            # What it was stands at the end, where people look.
            return duration(event.timestamp - self._started_ms[event.step_id])
        # An exception's message has just been shown, as the last line of its traceback on stderr.
        message = "" if data.stack_trace else f": {first_line(data.error)}"
        error = self._visible(f"{data.error_type}{message}")
        number = f"{data.retry_attempt + 2} of {most_attempts(self._steps[event.step_id])}"
        return f"{error}; attempt {number}, next in {duration(data.next_delay_ms)}"

    def _step_line(self, step_id: str, text: str) -> str:
        return f"  {step_id:<{self._width}}  {text}"

    def _error(self, end: WorkflowFailedEvent) -> list[str]:
        data, failed = end.data, self._failed_step
        where = f" in step {data.failed_step_id}" if data.failed_step_id else ""
        if failed is not None and failed.retry_attempt > 0:
            where += f" after {failed.retry_attempt + 1} attempts"
        first, *rest = data.error.rstrip().split("\n")
        lines = [f"{data.error_type}{where}: {first}", *(f"  {line}" for line in rest)]
        if failed is not None and failed.stack_trace and failed.error_type == data.error_type:
            place = self._place(failed.stack_trace)
            lines += [f"  at {place}"] if place else []
        return lines

    def _place(self, stack_trace: str) -> str | None:
        """Where the script failed: the innermost frame in a file of the project's."""
        frames = _FRAME.findall(stack_trace)
        inside = [frame for frame in frames if (self._project / frame[0]).is_file()]
        for path, line, function in reversed(inside):
            named = function not in ("", "<module>")
            return f"{path}:{line}, in {function}" if named else f"{path}:{line}"
        return None


def most_attempts(step: PythonStep | OutputStep) -> int:
    """How often a step is tried at most."""
    policy = step.retry_policy if isinstance(step, PythonStep) else None
    return policy.max_attempts if policy else 1


def _message(message: Any) -> str:
    """The message of an output step; of one too large to be shown, what is left of it."""
    if isinstance(message, dict):
        return f"{message.get('preview', '')}…\n(all of it: --json)"
    return str(message)
