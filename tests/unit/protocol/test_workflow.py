"""The model of a workflow file: defaults, and which id it is kept under."""

from typing import Any

import pytest
from pydantic import ValidationError

from protocol import limits
from protocol.workflow import RetryPolicy, Workflow


def workflow(**more: Any) -> Workflow:
    step = {"id": "a", "type": "python", "script": "a.py"}
    return Workflow.model_validate({"workflow": {"name": "W"}, "steps": [step], **more})


def test_a_workflow_is_kept_under_its_id_else_its_name() -> None:
    assert workflow().workflow_id == "W"
    assert workflow(workflow={"name": "W", "id": "w"}).workflow_id == "w"


def test_a_step_waits_thirty_seconds_and_runs_once_unless_it_says_otherwise() -> None:
    (step,) = workflow().steps

    assert step.type == "python"
    assert (step.timeout, step.retry_policy, step.depends_on) == (30_000, None, [])


def test_a_retry_policy_takes_what_is_missing_from_the_plan() -> None:
    policy = RetryPolicy()

    assert (policy.max_attempts, policy.initial_delay_ms) == (3, 1_000)
    assert (policy.backoff_multiplier, policy.max_delay_ms) == (2, 30_000)
    assert policy.retry_on_error_types is None


@pytest.mark.parametrize("step_id", ["a", "_", "0", "A-b_9", "__proto__", "a" * 128])
def test_legal_ids(step_id: str) -> None:
    step = {"id": step_id, "type": "output", "message": "m"}

    assert workflow(steps=[step]).steps[0].id == step_id


@pytest.mark.parametrize("step_id", ["", "-a", "a.b", "a b", "a\n", "é", "a[0]", "${a}", "a" * 129])
def test_illegal_ids(step_id: str) -> None:
    with pytest.raises(ValidationError):
        workflow(steps=[{"id": step_id, "type": "output", "message": "m"}])


def test_every_limit_is_reported() -> None:
    assert limits.LIMITS["max_steps"] == 20_000
    assert limits.LIMITS["max_timeout_ms"] == limits.MAX_TIMEOUT_MS
    assert all(value > 0 for value in limits.LIMITS.values())
