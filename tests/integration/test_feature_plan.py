"""The feature plan's six test cases, word for word, with real scripts and real time."""

import json
import statistics
from itertools import pairwise
from pathlib import Path

import pytest

from tests.integration.conftest import Endless, Project, Start, definition, run_once, step
from tests.integration.driver import Driver, assert_nothing_left
from tests.rounds import assert_once_below

FAILS_TWICE = """\
import json, pathlib
count = pathlib.Path("count")
tries = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(tries))
if tries < 3:
    raise ConnectionError(f"attempt {tries}")
print(json.dumps({"tries": tries}))
"""


@pytest.mark.parametrize("how", ["relative", "absolute", "link"])
def test_a_script_outside_the_project_is_rejected_and_never_runs(
    driver: Driver, project: Project, how: str
) -> None:
    ran = project.path.parent / "ran"
    outside = project.path.parent / "outside.py"
    outside.write_text(f"open({str(ran)!r}, 'w'); print('{{}}')")
    script = {"relative": "../outside.py", "absolute": str(outside), "link": "./link.py"}[how]
    if how == "link":
        (project.path / "link.py").symlink_to(outside)
    before = run_once(driver)
    result = driver.call("workflow:execute", [definition("w", step("a", script))])
    assert result["success"] is False
    assert result["error"] == "Script path outside project directory"
    assert result["error_type"] == "ScriptPathError"
    assert result["steps"]["a"]["error"] == "Script path outside project directory"
    assert not ran.exists()
    assert_nothing_left(driver, before)


@pytest.mark.slow
def test_an_endless_loop_ends_after_thirty_seconds(endless: Endless) -> None:
    result = endless.driver.answer(endless.request, timeout=40)["result"]
    assert result["success"] is False
    assert result["error"] == "Script timeout after 30000ms"
    assert result["error_type"] == "ScriptTimeout"
    assert 30_000 <= result["duration_ms"] < 33_000
    assert_nothing_left(endless.driver, endless.before)


def test_a_steps_own_timeout_is_enforced(driver: Driver, project: Project) -> None:
    before = run_once(driver)
    driver.call("workflow:execution:subscribe")
    loop = project.script("loop.py", "while True: pass\n")
    result = driver.call("workflow:execute", [definition("w", step("a", loop, timeout=300))])
    assert (result["error"], result["error_type"]) == (
        "Script timeout after 300ms",
        "ScriptTimeout",
    )
    assert 300 <= result["duration_ms"] < 2_300
    assert_nothing_left(driver, before)


def test_inputs_arrive_on_stdin_and_outputs_come_back_from_stdout(driver: Driver) -> None:
    steps = step("a", "./echo.py", inputs={"name": "test", "value": 42})
    result = driver.call("workflow:execute", [definition("w", steps)])
    assert result["success"] is True
    assert result["outputs"]["a"]["name"] == "test"
    assert result["outputs"]["a"] == {"name": "test", "value": 42}


def test_a_subscriber_sees_each_step_pending_running_success_within_50_ms(
    driver: Driver, project: Project
) -> None:
    steps = [step(f"s{n}", "./echo.py", inputs={"n": n}) for n in range(6)]
    # The first step waits until the subscriber has the snapshot.
    go = project.path / "go"
    wait = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.002)\nprint('{}')\n"
    steps[0]["script"] = project.script("wait.py", wait)
    delays_ms: list[float] = []

    def slowest_ms() -> float:
        go.unlink(missing_ok=True)
        driver.events.clear()
        driver.arrivals.clear()
        started = driver.call("workflow:execution:start", [definition("w", *steps)])
        subscribed = driver.call("workflow:execution:subscribe", {"workflow_id": "w"})
        (snapshot,) = subscribed["active"]
        assert snapshot["execution_id"] == started["execution_id"]
        seen = {step_id: [status] for step_id, status in snapshot["steps"].items()}
        go.touch()
        driver.wait_for_event("workflow_completed")
        driver.call("workflow:execution:unsubscribe", {"workflow_id": "w"})
        status_after = {"step_started": "running", "step_completed": "success"}
        for event in driver.events:
            if event["event_type"] in status_after:
                seen[event["step_id"]].append(status_after[event["event_type"]])
        assert driver.events[0]["seq"] == snapshot["seq"] + 1
        # The snapshot may have come before or after the first step's start.
        assert seen.pop("s0")[-2:] == ["running", "success"]
        assert set(map(tuple, seen.values())) == {("pending", "running", "success")}
        delays_ms[:] = [
            arrival - event["timestamp"]
            for event, arrival in zip(driver.events, driver.arrivals, strict=True)
        ]
        return max(delays_ms)

    # Each of them; a busy machine may let the test itself wait, never the daemon for so long.
    assert_once_below(250, slowest_ms)
    assert statistics.median(delays_ms) < 50


def test_three_runs_are_three_entries_and_the_sixth_pushes_the_first_out(
    start: Start, project: Project
) -> None:
    driver = start()
    workflow = project.workflow(
        "w", step("a", "./echo.py", inputs={"n": "${workflow.inputs.n}"}),
        inputs=[{"id": "n", "type": "number"}],
    )  # fmt: skip
    runs = [driver.call("workflow:execute", [workflow, {"n": n}]) for n in range(3)]
    history = driver.call("workflow:execution:history", ["w"])
    assert len(history) == 3
    assert [entry["id"] for entry in history] == [run["execution_id"] for run in runs[::-1]]
    for entry, n in zip(history, (2, 1, 0), strict=True):
        assert entry["status"] == "success"
        assert entry["inputs"] == {"n": n}
        assert entry["outputs"] == {"a": {"n": n}}
        assert entry["timestamp"] > 1_600_000_000_000
        assert entry["duration_ms"] >= 0
    driver.close_stdin()
    assert driver.wait() == 0

    driver = start()
    assert driver.call("workflow:execution:history", ["w"]) == history
    runs += [driver.call("workflow:execute", [workflow, {"n": n}]) for n in range(3, 6)]
    kept = driver.call("workflow:execution:history", ["w"])
    assert [entry["id"] for entry in kept] == [run["execution_id"] for run in runs[:0:-1]]
    gone = driver.error("workflow:execution:get", [runs[0]["execution_id"]])
    assert (gone["code"], gone["data"]["type"]) == (-32003, "ExecutionNotFound")


def test_a_step_that_fails_twice_succeeds_after_one_and_two_seconds(
    driver: Driver, project: Project
) -> None:
    before = run_once(driver)
    driver.call("workflow:execution:subscribe")
    policy = {"max_attempts": 3, "initial_delay_ms": 1000, "backoff_multiplier": 2}
    script = project.script("fails.py", FAILS_TWICE)

    def late_ms() -> float:
        """How much longer than told a pause was, at most."""
        (project.path / "count").unlink(missing_ok=True)
        driver.events.clear()
        result = driver.call(
            "workflow:execute", [definition("w", step("a", script, retry_policy=policy))]
        )
        assert result["success"] is True
        assert result["steps"]["a"]["retry_count"] == 2
        assert result["outputs"] == {"a": {"tries": 3}}
        started = [event["timestamp"] for event in driver.events_of("step_started")]
        failed = driver.events_of("step_failed")
        assert [event["data"]["next_delay_ms"] for event in failed] == [1000, 2000]
        pauses_ms = [
            again - event["timestamp"] for event, again in zip(failed, started[1:], strict=True)
        ]
        assert pauses_ms[0] >= 1000
        assert pauses_ms[1] >= 2000
        assert all(earlier < later for earlier, later in pairwise(started))
        detail = driver.call("workflow:execution:get", [result["execution_id"]])
        attempts = detail["steps"]["a"]["attempts"]
        assert [attempt["attempt"] for attempt in attempts] == [1, 2, 3]
        assert attempts[0]["error_type"] == "ConnectionError"
        return float(max(pauses_ms[0] - 1000, pauses_ms[1] - 2000))

    assert_once_below(400, late_ms)
    assert_nothing_left(driver, before)


def test_the_answer_of_a_run_is_one_line_of_json(start: Start, project: Project) -> None:
    driver = start()
    driver.call("workflow:execute", [definition("w", step("a", "./echo.py"))])
    assert json.loads(json.dumps(driver.answers[-1])) == driver.answers[-1]
    assert Path(driver.call("sidecar:info")["project"]) == project.path
