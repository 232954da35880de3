"""A thousand runs in line, and one more than are taken."""

import os

import pytest

from tests.integration.conftest import Start, definition, step
from tests.integration.driver import poll

SOAK = bool(os.environ.get("SOAK"))
QUEUED = 1_000
#: The second is a hundred thousand steps.
LIMITS = ["max_active_executions", "max_active_steps"] if SOAK else ["max_active_executions"]


def output(name: str) -> dict[str, object]:
    return definition(name, {"id": "o", "type": "output", "message": "hi"})


def test_a_thousand_runs_in_line_are_all_ended_and_hold_nobody_up(start: Start) -> None:
    daemon = start("--max-parallel", "2", "--log-level", "warning")
    hang = step("a", "./hang.py")
    started = [
        daemon.request("workflow:execution:start", [definition(f"w{n}", hang)])
        for n in range(QUEUED)
    ]
    daemon.wait_until(lambda: daemon.is_answered(started[-1]), 60)
    ids = [daemon.answer(request)["result"]["execution_id"] for request in started]
    assert len(daemon.call("workflow:execution:active")) == QUEUED
    # What needs no place in the line does not wait for it.
    assert daemon.call("workflow:execute", [output("quick")])["success"]
    daemon.assert_responsive()
    # From the last to the first, so that none of them gets its turn meanwhile.
    requests = [daemon.request("workflow:execution:cancel", [one]) for one in reversed(ids)]
    daemon.wait_until(lambda: all(daemon.is_answered(request) for request in requests), 60)
    poll(lambda: daemon.call("workflow:execution:active"), lambda active: active == [])
    assert daemon.wait_for_processes(0) == []
    for number in (0, 1, QUEUED - 1):
        (entry,) = daemon.call("workflow:execution:history", [f"w{number}"])
        assert entry["status"] == "cancelled"


@pytest.mark.soak
@pytest.mark.parametrize("limit", LIMITS)
def test_a_run_too_many_is_refused_by_name_and_taken_when_others_have_ended(
    start: Start, limit: str
) -> None:
    daemon = start("--log-level", "warning")
    limits = daemon.call("sidecar:info")["limits"]
    # The limit on steps is met with fewer runs.
    most = limits[limit] if limit == "max_active_executions" else 20
    hang = step("a", "./hang.py")
    steps = [{**hang, "id": f"s{n}"} for n in range(limits[limit] // most)]
    requests = [
        daemon.request("workflow:execution:start", [definition(f"w{n}", *steps)])
        for n in range(most + 1)
    ]
    daemon.wait_until(lambda: all(daemon.is_answered(request) for request in requests[-2:]), 60)
    answers = [daemon.answer(request, 60) for request in requests]
    refused = [answer["error"] for answer in answers if "error" in answer]
    assert [(error["code"], error["data"]["type"]) for error in refused] == [(-32007, "Overloaded")]
    assert "start this execution again when some have ended" in refused[0]["message"]
    assert daemon.error("workflow:execute", [output("one more")])["code"] == -32007
    (first, *_) = [a["result"]["execution_id"] for a in answers if "result" in a]
    assert daemon.call("workflow:execution:cancel", [first]) == {"cancelled": True}
    poll(lambda: daemon.call("workflow:execution:active"), lambda active: len(active) == most - 1)
    assert daemon.call("workflow:execute", [output("one more")])["success"]
