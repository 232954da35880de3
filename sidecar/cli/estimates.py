"""How far a run is and how long it will still take, from how long earlier ones took.

The same reckoning as the page's (`renderer-demo/state/estimates.js`). It knows numbers and the
history's details, not who shows what comes of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from protocol.executions import ExecutionDetail, StepStatus

#: What takes longer than ever is never quite there.
_NEARLY: Final = 0.99


@dataclass(frozen=True, slots=True)
class Advance:
    """`fraction` is from 0 to 1; `remaining_ms` is None when no earlier run tells."""

    done: int
    total: int
    fraction: float
    remaining_ms: float | None


def step_durations(earlier: Iterable[ExecutionDetail]) -> dict[str, float]:
    """Milliseconds by step id, pauses between attempts included, of steps that ever succeeded."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for run in earlier:
        for step_id, step in run.steps.items():
            if step.status == "success" and step.attempts:
                first, last = step.attempts[0], step.attempts[-1]
                end = last.timestamp + (last.duration_ms or 0)
                found[step_id].append(max(0, end - first.timestamp))
    return {step_id: median(values) for step_id, values in found.items()}


def advance(
    steps: Iterable[tuple[str, StepStatus, float]], durations_ms: Mapping[str, float]
) -> Advance:
    """How far a run is whose steps are (id, status, milliseconds since the first attempt began)."""
    done = total = 0
    all_ms = remaining_ms = 0.0
    # A step that no earlier run had counts as an average one.
    average_ms = fmean(durations_ms.values()) if durations_ms else 0.0
    for step_id, status, elapsed_ms in steps:
        total += 1
        done += status == "success"
        expected_ms = durations_ms.get(step_id, average_ms)
        all_ms += expected_ms
        if status not in ("success", "skipped"):
            remaining_ms += max(0.0, expected_ms - elapsed_ms)
    if not durations_ms or all_ms == 0:
        return Advance(done, total, done / total, None)
    return Advance(done, total, min(1 - remaining_ms / all_ms, _NEARLY), remaining_ms)


def roughly(remaining_ms: float) -> str:
    """An estimate in words: `about 6 s left`."""
    if remaining_ms < 500:
        return "any moment now"
    if remaining_ms < 1_000:
        return "less than a second left"
    if remaining_ms < 60_000:
        return f"about {remaining_ms / 1_000:.0f} s left"
    if remaining_ms < 3_600_000:
        return f"about {remaining_ms / 60_000:.0f} min left"
    return f"about {remaining_ms / 3_600_000:.1f} h left"
