"""Executions as hosts see them."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from protocol.executions import (
    AttemptDetail,
    ExecutionDetail,
    ExecutionHistoryEntry,
    ExecutionResult,
    Snapshot,
    StepDetail,
    StepResult,
)

TOTALS = {"duration_ms": 1, "steps_executed": 1, "steps_failed": 0}
STEP = {"status": "success", "success": True, "outputs": {}, "retry_count": 0}
ENTRY = {
    "id": "e",
    "workflow_id": "w",
    "workflow_name": "W",
    "timestamp": 1,
    "status": "success",
    "inputs": {},
    **TOTALS,
}
RESULT = {
    "execution_id": "e",
    "workflow_id": "w",
    "status": "success",
    "success": True,
    "outputs": {},
    "steps": {"a": {**STEP, "execution_time_ms": 1}},
    **TOTALS,
}
SNAPSHOT = {
    "execution_id": "e",
    "workflow_id": "w",
    "workflow_name": "W",
    "timestamp": 1,
    "seq": 0,
    "steps": {"a": "pending", "b": "running"},
}
ATTEMPT = {"attempt": 1, "timestamp": 1, "inputs": {}}
DETAIL = {
    **ENTRY,
    "steps": {"a": {"status": "running", "label": "A", "attempts": [ATTEMPT]}},
}


def fields(model: type[BaseModel]) -> tuple[set[str], set[str]]:
    """Names that must be there, and names that may be."""
    needed = {name for name, info in model.model_fields.items() if info.is_required()}
    return needed, set(model.model_fields) - needed


@pytest.mark.parametrize(
    ("model", "data", "optional"),
    [
        (StepResult, {**STEP, "execution_time_ms": 1}, {"error", "error_type"}),
        (ExecutionResult, RESULT, {"error", "error_type", "failed_step_id"}),
        (Snapshot, SNAPSHOT, set()),
        (ExecutionHistoryEntry, ENTRY, {"outputs", "error"}),
        (ExecutionDetail, DETAIL, {"outputs", "error"}),
        (StepDetail, {"status": "success", "label": "A", "attempts": []}, set()),
        (
            AttemptDetail,
            ATTEMPT,
            {"duration_ms", "outputs", "error", "error_type", "stack_trace", "stderr"},
        ),
    ],
)
def test_the_fields_are_those_of_the_wire(
    model: type[BaseModel], data: dict[str, Any], optional: set[str]
) -> None:
    assert fields(model) == (set(data), optional)
    read = model.model_validate(data)
    assert read.model_dump(exclude_unset=True) == data
    with pytest.raises(ValidationError):
        model.model_validate({**data, "extra": 1})


def test_a_history_entry_has_ended_and_a_detail_may_still_run() -> None:
    with pytest.raises(ValidationError):
        ExecutionHistoryEntry.model_validate({**ENTRY, "status": "running"})
    assert ExecutionDetail.model_validate({**DETAIL, "status": "running"}).status == "running"


@pytest.mark.parametrize("status", ["pending", "running", "success", "error", "skipped"])
def test_a_step_has_one_of_five_statuses(status: str) -> None:
    assert Snapshot.model_validate({**SNAPSHOT, "steps": {"a": status}}).steps == {"a": status}


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (Snapshot, {**SNAPSHOT, "steps": {"a": "failed"}}),
        (Snapshot, {**SNAPSHOT, "seq": -1}),
        (ExecutionResult, {**RESULT, "status": "error"}),
        (ExecutionResult, {**RESULT, "duration_ms": -1}),
        (AttemptDetail, {**ATTEMPT, "attempt": 0}),
        (AttemptDetail, {**ATTEMPT, "timestamp": 1.5}),
    ],
)
def test_nothing_else_goes_over_the_wire(model: type[BaseModel], data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(data)


def test_a_result_cannot_be_changed() -> None:
    result = ExecutionResult.model_validate(RESULT)
    with pytest.raises(ValidationError):
        result.success = False  # type: ignore[misc]
