"""A run as it is stored: to JSON and back, cut to what can be kept, ended when its process is gone.

Knows the models of runs and JSON; knows neither keys nor files.
"""

from typing import Any, Final

import orjson

from protocol.executions import AttemptDetail, ExecutionDetail, StepDetail
from protocol.limits import MIB
from sidecar.showing import json_safe, truncated

#: What a run says whose process ended before it did.
INTERRUPTED: Final = "Interrupted: the sidecar ended while this run was going on"
INTERRUPTED_TYPE: Final = "Interrupted"
#: Beyond this a stored run loses its data: it would not fit into one message either.
MAX_STORED_BYTES: Final = 64 * MIB


def to_json(record: Any) -> str:
    """JSON text of `record`; what JSON cannot hold stands as `sidecar.showing.json_safe` has it."""
    try:
        return orjson.dumps(record).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(json_safe(record)).decode()


def to_record(detail: ExecutionDetail) -> dict[str, Any]:
    """`detail` as JSON-like data, without absent fields.

    Beyond 64 MiB as JSON each inputs and outputs becomes a truncation mark and stderr is dropped.
    """
    record = detail.model_dump(exclude_none=True)
    if len(to_json(record)) > MAX_STORED_BYTES:
        attempts = [attempt for step in record["steps"].values() for attempt in step["attempts"]]
        for holder in (record, *attempts):
            holder.pop("stderr", None)
            for field in holder.keys() & {"inputs", "outputs"}:
                holder[field] = truncated(len(to_json(holder[field])), "")
    return record


def interrupted(detail: ExecutionDetail) -> ExecutionDetail:
    """A run as it ended with its process: failed, for as long as it is known to have gone on."""
    attempts = [attempt for step in detail.steps.values() for attempt in step.attempts]
    known_end = max(
        (attempt.timestamp + (attempt.duration_ms or 0) for attempt in attempts),
        default=detail.timestamp,
    )
    steps = {name: _interrupted_step(step) for name, step in detail.steps.items()}
    return detail.model_copy(
        update={
            "status": "failed",
            "error": INTERRUPTED,
            "duration_ms": max(detail.duration_ms, known_end - detail.timestamp),
            "steps": steps,
            "steps_executed": sum(bool(step.attempts) for step in steps.values()),
            "steps_failed": sum(step.status == "error" for step in steps.values()),
        }
    )


def _interrupted_step(step: StepDetail) -> StepDetail:
    if step.status == "pending":
        return step.model_copy(update={"status": "skipped"})
    if step.status != "running":
        return step
    attempts = [_interrupted_attempt(attempt) for attempt in step.attempts]
    return step.model_copy(update={"status": "error", "attempts": attempts})


def _interrupted_attempt(attempt: AttemptDetail) -> AttemptDetail:
    if attempt.duration_ms is not None:
        return attempt
    return attempt.model_copy(
        update={"duration_ms": 0, "error": INTERRUPTED, "error_type": INTERRUPTED_TYPE}
    )
