"""How far a run is, from how long earlier ones took."""

from typing import Any

import pytest

from protocol.executions import ExecutionDetail, StepStatus
from sidecar.cli.estimates import Advance, advance, roughly, step_durations


def earlier(**steps: tuple[StepStatus, list[tuple[int, int | None]]]) -> ExecutionDetail:
    """A run; attempts are (begin, duration) in milliseconds."""
    detail: dict[str, Any] = {
        "id": "00000000-0000-4000-8000-000000000000",
        "workflow_id": "w",
        "workflow_name": "W",
        "timestamp": 0,
        "duration_ms": 0,
        "status": "success",
        "inputs": {},
        "steps_executed": 0,
        "steps_failed": 0,
        "steps": {
            step_id: {
                "status": status,
                "label": step_id,
                "attempts": [
                    {"attempt": number, "timestamp": begin, "duration_ms": took, "inputs": {}}
                    for number, (begin, took) in enumerate(attempts, 1)
                ],
            }
            for step_id, (status, attempts) in steps.items()
        },
    }
    return ExecutionDetail.model_validate(detail)


def test_a_step_takes_the_median_of_its_successes_with_their_pauses() -> None:
    runs = [
        earlier(a=("success", [(0, 100), (1_100, 100)]), b=("error", [(0, 9_000)])),
        earlier(a=("success", [(0, 100)]), b=("success", [(0, 50)])),
        earlier(a=("success", [(0, 300)]), b=("skipped", [])),
    ]
    assert step_durations(runs) == {"a": 300, "b": 50}
    assert step_durations([]) == {}


def test_without_earlier_runs_steps_count_and_nothing_is_promised() -> None:
    steps: list[tuple[str, StepStatus, float]] = [
        ("a", "success", 100),
        ("b", "running", 5),
        ("c", "pending", 0),
        ("d", "pending", 0),
    ]
    assert advance(steps, {}) == Advance(1, 4, 0.25, None)


def test_with_earlier_runs_time_counts() -> None:
    steps: list[tuple[str, StepStatus, float]] = [
        ("a", "success", 100),
        ("b", "running", 200),
        ("c", "pending", 0),
    ]
    # c is new, and counts as an average step of 500 ms.
    assert advance(steps, {"a": 100, "b": 900}) == Advance(1, 3, 1 - 1_200 / 1_500, 1_200)


def test_what_takes_longer_than_ever_is_nearly_there() -> None:
    at = advance([("a", "running", 5_000)], {"a": 100})
    assert at == Advance(0, 1, 0.99, 0)


@pytest.mark.parametrize(
    ("remaining_ms", "words"),
    [
        (0, "any moment now"),
        (499, "any moment now"),
        (999, "less than a second left"),
        (1_000, "about 1 s left"),
        (59_000, "about 59 s left"),
        (150_000, "about 2 min left"),
        (5_400_000, "about 1.5 h left"),
    ],
)
def test_an_estimate_is_rough(remaining_ms: float, words: str) -> None:
    assert roughly(remaining_ms) == words
