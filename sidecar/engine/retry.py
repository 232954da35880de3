"""Whether and when a failed attempt is tried again (FR-9.2.6).

Pure arithmetic on a policy; it knows neither clocks nor scripts.
"""

from protocol.workflow import RetryPolicy
from sidecar.scripts.interface import NEVER_RETRIED, ScriptFailure


def delay_before_retry_ms(policy: RetryPolicy, retry: int) -> int:
    """Milliseconds before retry number `retry` (from 1): initial, times the multiplier each
    time, at most `max_delay_ms`."""
    delay_ms = policy.initial_delay_ms * policy.backoff_multiplier ** (retry - 1)
    return round(min(delay_ms, policy.max_delay_ms))


def next_delay_ms(policy: RetryPolicy | None, failure: ScriptFailure, attempt: int) -> int | None:
    """Milliseconds until the attempt after `attempt` (from 1), or None when it was the last.

    A step without a policy runs once. `retry_on_error_types` matches the error's type or the
    name of any base class of the exception.
    """
    if policy is None or attempt >= policy.max_attempts or failure.error_type in NEVER_RETRIED:
        return None
    wanted = policy.retry_on_error_types
    if wanted is not None and not {failure.error_type, *failure.error_bases} & set(wanted):
        return None
    return delay_before_retry_ms(policy, attempt)
