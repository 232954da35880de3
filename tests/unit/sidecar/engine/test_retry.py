"""Whether and when a failed attempt is tried again (FR-9.2.6)."""

import pytest

from protocol.workflow import RetryPolicy
from sidecar.engine.retry import delay_before_retry_ms, next_delay_ms
from sidecar.scripts.interface import NEVER_RETRIED, ScriptFailure

VALUE_ERROR = ScriptFailure("bad", "JSONDecodeError", ("ValueError", "Exception", "BaseException"))


def delays(policy: RetryPolicy, failure: ScriptFailure = VALUE_ERROR) -> list[int]:
    """The delay after each attempt, until there is no other."""
    found: list[int] = []
    while (delay := next_delay_ms(policy, failure, len(found) + 1)) is not None:
        found.append(delay)
    return found


def test_without_a_policy_a_step_runs_once() -> None:
    assert next_delay_ms(None, VALUE_ERROR, 1) is None


def test_by_default_there_are_three_attempts_one_and_two_seconds_apart() -> None:
    assert delays(RetryPolicy()) == [1000, 2000]


def test_delay_doubles_from_retry_to_retry_up_to_the_cap() -> None:
    policy = RetryPolicy(max_attempts=9)

    assert delays(policy) == [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]


def test_the_first_attempt_counts() -> None:
    assert delays(RetryPolicy(max_attempts=1)) == []
    assert delays(RetryPolicy(max_attempts=2)) == [1000]


def test_a_multiplier_of_one_keeps_the_delay() -> None:
    assert delays(RetryPolicy(max_attempts=4, backoff_multiplier=1.0)) == [1000, 1000, 1000]


def test_a_cap_below_the_first_delay_wins() -> None:
    assert delays(RetryPolicy(initial_delay_ms=500, max_delay_ms=100)) == [100, 100]


def test_no_delay_stays_none() -> None:
    assert delays(RetryPolicy(initial_delay_ms=0)) == [0, 0]


def test_fractions_of_a_millisecond_are_rounded() -> None:
    policy = RetryPolicy(initial_delay_ms=1000, backoff_multiplier=1.1)

    assert delay_before_retry_ms(policy, 2) == 1100
    assert delay_before_retry_ms(RetryPolicy(initial_delay_ms=3, backoff_multiplier=1.9), 2) == 6


def test_the_largest_policy_does_not_overflow() -> None:
    policy = RetryPolicy(
        max_attempts=100, initial_delay_ms=3_600_000, backoff_multiplier=100, max_delay_ms=3_600_000
    )

    assert delays(policy) == [3_600_000] * 99


@pytest.mark.parametrize("name", ["JSONDecodeError", "ValueError", "Exception"])
def test_an_error_is_matched_by_its_class_or_any_base(name: str) -> None:
    assert delays(RetryPolicy(retry_on_error_types=["KeyError", name])) == [1000, 2000]


@pytest.mark.parametrize("name", ["KeyError", "valueerror", "Value", "object", ""])
def test_an_error_of_another_name_is_not_retried(name: str) -> None:
    policy = RetryPolicy.model_construct(retry_on_error_types=[name])

    assert delays(policy) == []


def test_an_empty_list_matches_nothing() -> None:
    assert delays(RetryPolicy(retry_on_error_types=[])) == []


def test_the_sidecars_own_types_are_matched_by_name() -> None:
    timeout = ScriptFailure("Script timeout after 5ms", "ScriptTimeout")

    assert delays(RetryPolicy(retry_on_error_types=["ScriptTimeout"]), timeout) == [1000, 2000]
    assert delays(RetryPolicy(), timeout) == [1000, 2000]


@pytest.mark.parametrize("error_type", sorted(NEVER_RETRIED))
def test_what_cannot_change_is_never_retried(error_type: str) -> None:
    failure = ScriptFailure("no", error_type)

    assert delays(RetryPolicy(), failure) == []
    assert delays(RetryPolicy(retry_on_error_types=[error_type]), failure) == []


def test_path_errors_missing_scripts_and_cancellation_are_among_them() -> None:
    assert {
        *("ScriptPathError", "InputPathError", "ScriptNotFound", "PythonNotFound", "Cancelled"),
        *("PermissionRefused", "IsolationUnavailable"),
    } == NEVER_RETRIED
