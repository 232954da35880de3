"""Execution events as they go over the wire."""

from typing import Any

import pytest
from pydantic import ValidationError

from protocol.events import EVENT_ADAPTER, EVENT_NOTIFICATION, OPTIONAL_EVENT_TYPES

COMMON = {"workflow_id": "w", "execution_id": "e", "seq": 1, "timestamp": 1}
TOTALS = {"duration_ms": 1, "steps_executed": 1, "steps_failed": 0}

#: Each event's payload with every field, and the fields that may be left out.
EVENTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "workflow_started": ({"workflow_name": "W", "inputs": {}, "step_ids": ["a"]}, set()),
    "step_started": ({"step_label": "A", "inputs": {}, "attempt": 1}, set()),
    "step_completed": ({"outputs": {}, "execution_time_ms": 1, "retry_count": 0}, set()),
    "step_failed": (
        {
            "error": "e",
            "error_type": "E",
            "stack_trace": "s",
            "inputs": {},
            "retry_attempt": 0,
            "will_retry": True,
            "next_delay_ms": 1000,
        },
        {"stack_trace", "next_delay_ms"},
    ),
    "workflow_completed": ({"outputs": {"a": {}}, **TOTALS}, set()),
    "workflow_failed": (
        {"error": "e", "error_type": "E", "failed_step_id": "a", "status": "failed", **TOTALS},
        {"failed_step_id"},
    ),
    "step_output": ({"stream": "stderr", "text": "t"}, set()),
    "step_skipped": ({"reason": "r"}, set()),
}
CASES = list(EVENTS)


def event(event_type: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    step = {"step_id": "a"} if event_type.startswith("step") else {}
    return {**COMMON, **step, "event_type": event_type, "data": data, **more}


@pytest.mark.parametrize("event_type", CASES)
def test_an_event_goes_over_the_wire_unchanged(event_type: str) -> None:
    sent = event(event_type, EVENTS[event_type][0])
    read = EVENT_ADAPTER.validate_python(sent)

    assert read.event_type == event_type
    assert EVENT_ADAPTER.dump_python(read) == sent


@pytest.mark.parametrize("event_type", CASES)
def test_only_the_optional_fields_may_be_left_out(event_type: str) -> None:
    payload, optional = EVENTS[event_type]
    for name in payload:
        data = {key: value for key, value in payload.items() if key != name}
        if name in optional:
            EVENT_ADAPTER.validate_python(event(event_type, data))
        else:
            with pytest.raises(ValidationError):
                EVENT_ADAPTER.validate_python(event(event_type, data))


@pytest.mark.parametrize("event_type", CASES)
def test_an_unknown_field_is_refused(event_type: str) -> None:
    payload = EVENTS[event_type][0]
    with pytest.raises(ValidationError):
        EVENT_ADAPTER.validate_python(event(event_type, {**payload, "extra": 1}))
    with pytest.raises(ValidationError):
        EVENT_ADAPTER.validate_python(event(event_type, payload, extra=1))


def test_events_of_a_workflow_name_no_step_and_those_of_a_step_must() -> None:
    with pytest.raises(ValidationError):
        EVENT_ADAPTER.validate_python(
            event("workflow_started", EVENTS["workflow_started"][0], step_id="a")
        )
    without_step = event("step_started", EVENTS["step_started"][0])
    del without_step["step_id"]
    with pytest.raises(ValidationError):
        EVENT_ADAPTER.validate_python(without_step)


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(ValidationError):
        EVENT_ADAPTER.validate_python(event("step_paused", {}))


@pytest.mark.parametrize(
    ("event_type", "field", "value"),
    [
        ("step_started", "attempt", 0),
        ("step_failed", "retry_attempt", -1),
        ("step_failed", "will_retry", 1),
        ("workflow_failed", "status", "success"),
        ("step_output", "stream", "stdout"),
        ("workflow_completed", "duration_ms", 1.5),
    ],
)
def test_payloads_are_held_to_their_bounds(event_type: str, field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        EVENT_ADAPTER.validate_python(event(event_type, {**EVENTS[event_type][0], field: value}))


def test_two_events_must_be_asked_for() -> None:
    assert frozenset({"step_output", "step_skipped"}) == OPTIONAL_EVENT_TYPES
    assert EVENT_NOTIFICATION == "workflow:execution:event"
