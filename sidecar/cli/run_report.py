"""One past run in full, as lines: each step, each attempt, what went wrong and what was written.

What it is given is redacted; control characters are made visible here. It knows no terminal.
"""

import time
from collections.abc import Iterator
from typing import Any, Final

import orjson

from protocol.executions import AttemptDetail, ExecutionDetail, StepDetail
from sidecar.cli.wording import counted, duration, first_line
from sidecar.redaction import escape_control

#: Characters of a value; all of it is in `--json`.
_WIDEST_VALUE: Final = 300


def report(run: ExecutionDetail) -> list[str]:
    """The lines, each of which can be shown as it is."""
    return [escape_control(line) for line in _lines(run)]


def local_time(timestamp: int) -> str:
    """Milliseconds since the epoch as the user's clock has them."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(timestamp / 1000))


def _lines(run: ExecutionDetail) -> Iterator[str]:
    of = "" if run.workflow_name == run.workflow_id else f" ({run.workflow_id})"
    yield f"run       {run.id}"
    yield f"workflow  {run.workflow_name}{of}"
    yield f"started   {local_time(run.timestamp)}"
    took = f" after {duration(run.duration_ms)}" if run.status != "running" else ""
    yield f"status    {run.status}{took}, {counted(run.steps_executed, 'step')} executed"
    if run.inputs:
        yield f"inputs    {_value(run.inputs)}"
    if run.error:
        yield f"error     {first_line(run.error)}"
    for step_id, step in run.steps.items():
        yield ""
        yield from _step(step_id, step)


def _step(step_id: str, step: StepDetail) -> Iterator[str]:
    label = f"  {step.label}" if step.label != step_id else ""
    yield f"{step_id}  {step.status}{label}"
    for attempt in step.attempts:
        yield from _attempt(attempt)


def _attempt(attempt: AttemptDetail) -> Iterator[str]:
    took = "" if attempt.duration_ms is None else f"  {duration(attempt.duration_ms)}"
    yield f"  attempt {attempt.attempt}{took}"
    if attempt.inputs:
        yield f"    inputs   {_value(attempt.inputs)}"
    if attempt.outputs:
        yield f"    outputs  {_value(attempt.outputs)}"
    if attempt.error is not None:
        first, *rest = attempt.error.rstrip().split("\n")
        yield f"    error    {attempt.error_type}: {first}"
        yield from (f"             {line}" for line in rest)
    stderr = (attempt.stderr or "").rstrip()
    trace = (attempt.stack_trace or "").rstrip()
    # Python prints the traceback there itself.
    if trace and trace.splitlines()[0] not in stderr:
        yield from (f"    {line}" for line in trace.split("\n"))
    if stderr:
        yield "    stderr"
        yield from (f"      {line}" for line in stderr.split("\n"))


def _value(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= _WIDEST_VALUE else f"{text[:_WIDEST_VALUE]}… (all of it: --json)"
