"""The wire as a host uses it: a workflow of three scripts, its events, its result, its history."""

import json
import uuid
from typing import Any

import pytest

from tests.integration.conftest import Project, Start, definition, over_every_transport, step
from tests.integration.driver import TERMINAL, Driver, assert_no_gaps, assert_nothing_left
from tests.integration.host import poll

pytestmark = over_every_transport

COUNT = """\
import json, sys
numbers = json.load(sys.stdin)["numbers"]
print("counting", file=sys.stderr)
print(json.dumps({"total": sum(numbers), "count": len(numbers)}))
"""
MEAN = """\
import json, sys
given = json.load(sys.stdin)
print(json.dumps({"mean": given["total"] / given["count"]}))
"""
FAIL = """\
import sys
def deep():
    raise ValueError("no such thing")
print("about to fail", file=sys.stderr)
deep()
"""
GO = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.002)\nprint('{}')\n"


@pytest.fixture
def three(project: Project) -> str:
    """A workflow file of three scripts and an output step."""
    return project.workflow(
        "numbers",
        step(
            "count",
            project.script("scripts/count.py", COUNT),
            label="Count",
            inputs={"numbers": "${workflow.inputs.numbers}"},
            outputs=["total", "count"],
        ),
        step(
            "mean",
            project.script("scripts/mean.py", MEAN),
            inputs={
                "total": "${steps.count.outputs.total}",
                "count": "${steps.count.outputs.count}",
            },
        ),
        step("echo", "./echo.py", inputs={"mean": "${steps.mean.outputs.mean}"}),
        {"id": "say", "type": "output", "message": "mean ${steps.echo.outputs.mean}"},
        inputs=[{"id": "numbers", "type": "string", "default": "unused"}],
    )


@pytest.fixture
def numbers(project: Project) -> dict[str, Any]:
    """The same as an object, its numbers written into it."""
    count = step("count", project.script("scripts/count.py", COUNT), label="Count")
    mean = step("mean", project.script("scripts/mean.py", MEAN), depends_on=["count"])
    count["inputs"] = {"numbers": [1, 2, 6]}
    mean["inputs"] = {
        "total": "${steps.count.outputs.total}",
        "count": "${steps.count.outputs.count}",
    }
    echo = step("echo", "./echo.py", inputs={"mean": "${steps.mean.outputs.mean}"})
    say = {"id": "say", "type": "output", "message": "mean ${steps.echo.outputs.mean}"}
    return definition("numbers", say, echo, mean, count)


def hang(name: str = "hang") -> dict[str, Any]:
    return definition(name, step("a", "./hang.py"), step("b", "./echo.py"))


def test_three_scripts_run_in_order_and_every_event_arrives(
    driver: Driver, numbers: dict[str, Any]
) -> None:
    driver.wait_for_zygote()
    driver.call("workflow:execute", [definition("warm", step("a", "./echo.py"))])
    before = driver.figures()
    driver.call("workflow:execution:subscribe", {"workflow_id": "numbers"})
    result = driver.call("workflow:execute", [numbers])
    # Whatever came with the answer was there before it.
    events = list(driver.events)
    assert [(e["event_type"], e.get("step_id")) for e in events] == [
        ("workflow_started", None),
        *[
            (event_type, step_id)
            for step_id in ("count", "mean", "echo", "say")
            for event_type in ("step_started", "step_completed")
        ],
        ("workflow_completed", None),
    ]
    assert [event["seq"] for event in events] == list(range(1, 11))
    assert {event["execution_id"] for event in events} == {result["execution_id"]}
    assert {event["workflow_id"] for event in events} == {"numbers"}
    assert events[0]["data"]["step_ids"] == ["count", "mean", "echo", "say"]
    assert events[1]["data"] == {
        "step_label": "Count",
        "inputs": {"numbers": [1, 2, 6]},
        "attempt": 1,
    }
    completed = events[2]["data"]
    assert (completed["outputs"], completed["retry_count"]) == ({"total": 9, "count": 3}, 0)
    assert result["outputs"] == {
        "count": {"total": 9, "count": 3},
        "mean": {"mean": 3.0},
        "echo": {"mean": 3.0},
        "say": {"message": "mean 3.0"},
    }
    assert events[-1]["data"]["outputs"] == result["outputs"]
    assert (result["status"], result["success"]) == ("success", True)
    assert (result["steps_executed"], result["steps_failed"]) == (4, 0)
    (entry,) = driver.call("workflow:execution:history", ["numbers"])
    assert (entry["id"], entry["status"]) == (result["execution_id"], "success")
    assert_nothing_left(driver, before)


def test_a_failed_run_tells_its_error_with_stderr_and_stack_trace(
    driver: Driver, project: Project
) -> None:
    driver.call("workflow:execution:subscribe")
    fail = project.script("scripts/fail.py", FAIL)
    workflow = definition(
        "w", step("a", "./echo.py", inputs={"n": 1}), step("b", fail), step("c", fail)
    )
    result = driver.call("workflow:execute", [workflow])
    assert (result["success"], result["status"]) == (False, "failed")
    assert (result["error"], result["error_type"]) == ("no such thing", "ValueError")
    assert result["failed_step_id"] == "b"
    assert result["steps"]["c"]["status"] == "skipped"
    detail = driver.call("workflow:execution:get", {"execution_id": result["execution_id"]})
    assert (detail["status"], detail["error"]) == ("failed", "no such thing")
    assert detail["steps"]["a"]["attempts"][0]["outputs"] == {"n": 1}
    (attempt,) = detail["steps"]["b"]["attempts"]
    assert attempt["stderr"].startswith("about to fail")
    assert 'scripts/fail.py", line 3, in deep' in attempt["stack_trace"]
    assert str(project.path) not in json.dumps([detail, driver.events, driver.log])
    (failed,) = driver.events_of("step_failed")
    assert failed["data"]["will_retry"] is False
    assert sum(event["event_type"] in TERMINAL for event in driver.events) == 1
    (logged,) = poll(lambda: driver.logged("step failed"), bool)
    assert (logged["step_id"], logged["error"]) == ("b", "no such thing")


def test_an_execution_id_can_be_the_callers_own_and_is_used_once(
    start: Start, project: Project
) -> None:
    driver = start()
    own = str(uuid.uuid4())
    workflow = definition("w", step("a", "./echo.py"))
    params: dict[str, Any] = {"workflow": workflow, "options": {"execution_id": own}}
    assert driver.call("workflow:execute", params)["execution_id"] == own
    for method in ("workflow:execute", "workflow:execution:start"):
        error = driver.error(method, params)
        assert error["code"] == -32602
        assert error["data"]["errors"][0]["field"] == "options.execution_id"
    params["options"] = {"execution_id": "not a uuid"}
    assert driver.error("workflow:execute", params)["code"] == -32602
    driver.close_stdin()
    driver.wait()
    params["options"] = {"execution_id": own}
    assert start().error("workflow:execute", params)["code"] == -32602


def test_an_execution_id_cannot_be_used_while_its_run_goes_on(driver: Driver) -> None:
    own = str(uuid.uuid4())
    params: dict[str, Any] = {"workflow": hang(), "options": {"execution_id": own}}
    messages = [driver.message("workflow:execution:start", params) for _ in range(3)]
    driver.send(*messages)
    answers = [driver.answer(message["id"]) for message in messages]
    assert sum("result" in answer for answer in answers) == 1
    assert driver.call("workflow:execution:cancel", [own]) == {"cancelled": True}


def test_a_run_past_its_deadline_fails_with_workflow_timeout(driver: Driver) -> None:
    params = {"workflow": hang(), "options": {"deadline_ms": 200}}
    result = driver.call("workflow:execute", params)
    assert (result["status"], result["error_type"]) == ("failed", "WorkflowTimeout")
    assert result["error"] == "Workflow timeout after 200ms"
    driver.wait_for_processes(0)


def test_a_long_run_delays_no_other_answer(driver: Driver, project: Project) -> None:
    slow = driver.request(
        "workflow:execute", [definition("w", step("a", project.script("go.py", GO)))]
    )
    for _ in range(5):
        driver.call("sidecar:info")
    quick = driver.request("workflow:execute", [definition("q", step("a", "./echo.py"))])
    assert driver.answer(quick)["result"]["success"]
    assert not driver.is_answered(slow)
    (project.path / "go").touch()
    assert driver.answer(slow)["result"]["success"]


def test_cancelling_the_request_cancels_the_run(driver: Driver) -> None:
    driver.wait_for_zygote()
    driver.call("workflow:execute", [definition("warm", step("a", "./echo.py"))])
    before = driver.figures()
    driver.call("workflow:execution:subscribe", {"include": ["step_output"]})
    request = driver.request("workflow:execute", [hang()])
    driver.wait_for_event("step_output")
    driver.wait_for_processes(1)
    driver.notify("$/cancelRequest", {"id": request})
    driver.notify("$/cancelRequest", {"id": request})
    error = driver.answer(request)["error"]
    assert (error["code"], error["data"]["type"]) == (-32800, "RequestCancelled")
    # The answer comes when the run is over, its last event before it.
    assert driver.events[-1]["event_type"] == "workflow_failed"
    assert driver.events[-1]["data"]["status"] == "cancelled"
    (entry,) = driver.call("workflow:execution:history", ["hang"])
    assert entry["status"] == "cancelled"
    assert driver.call("workflow:execution:active") == []
    assert_nothing_left(driver, before)


@pytest.mark.parametrize("cancel", [{"id": 0}, [0]], ids=["by name", "by position"])
def test_a_cancellation_in_the_same_write_reaches_its_request(driver: Driver, cancel: Any) -> None:
    request = driver.message("workflow:execute", [hang()])
    request["id"] = 0
    driver.send(request, {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": cancel})
    assert driver.answer(0)["error"]["code"] == -32800
    assert driver.call("workflow:execution:active") == []
    assert driver.wait_for_processes(0) == []


def test_a_request_in_a_batch_can_be_cancelled_from_within_and_from_after(driver: Driver) -> None:
    one, two, three = (driver.message("workflow:execute", [hang(f"w{n}")]) for n in range(3))
    info = driver.message("sidecar:info")

    def cancel(message: dict[str, Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": message["id"]}}

    driver.send([one, two, cancel(one), three, info], cancel(two))
    driver.notify("$/cancelRequest", {"id": three["id"]})
    batch = {answer["id"]: answer for answer in driver.next_answer(1)}
    assert [batch[m["id"]]["error"]["code"] for m in (one, two, three)] == [-32800] * 3
    assert "result" in batch[info["id"]]


def test_cancelling_what_is_not_there_is_no_news(driver: Driver) -> None:
    wrong: list[Any] = [{"id": 99}, {"id": "x"}, {"id": [1]}, {}, {"id": 1, "more": 2}, [], None]
    for params in wrong:
        driver.notify("$/cancelRequest", params)
    driver.call("sidecar:info")
    assert len(driver.answers) == 1


def test_two_subscribers_of_one_connection_come_and_go_alone(driver: Driver) -> None:
    subscribe, unsubscribe = "workflow:execution:subscribe", "workflow:execution:unsubscribe"
    workflow = [definition("w", step("a", "./echo.py"))]
    for subscriber in ("left", "right", "left"):
        answer = driver.call(subscribe, {"workflow_id": "w", "subscriber": subscriber})
        assert answer == {
            "subscribed": True,
            "workflow_id": "w",
            "subscriber": subscriber,
            "active": [],
        }
    driver.call("workflow:execute", workflow)
    # However many listen, a connection gets an event once.
    assert [event["seq"] for event in driver.events] == [1, 2, 3, 4]
    assert driver.call(unsubscribe, ["w", "left"]) == {"unsubscribed": True}
    assert driver.call(unsubscribe, ["w", "left"]) == {"unsubscribed": False}
    assert driver.call(unsubscribe, ["other", "right"]) == {"unsubscribed": False}
    assert driver.call(unsubscribe) == {"unsubscribed": False}
    driver.call("workflow:execute", workflow)
    assert len(driver.events) == 8
    assert driver.call(unsubscribe, {"subscriber": "right"}) == {"unsubscribed": True}
    driver.call("workflow:execute", workflow)
    assert len(driver.events) == 8


def test_a_subscriber_hears_only_of_its_workflow(driver: Driver) -> None:
    driver.call("workflow:execution:subscribe", ["one"])
    for name in ("one", "two", "one"):
        driver.call("workflow:execute", [definition(name, step("a", "./echo.py"))])
    assert {event["workflow_id"] for event in driver.events} == {"one"}
    assert len(driver.events) == 8


def test_script_output_and_skipped_steps_come_only_when_asked_for(
    driver: Driver, project: Project
) -> None:
    fail = project.script("fail.py", FAIL)
    workflow = [definition("w", step("a", fail), step("b", "./echo.py"))]
    driver.call("workflow:execution:subscribe")
    driver.call("workflow:execute", workflow)
    assert {event["event_type"] for event in driver.events} == {
        "workflow_started",
        "step_started",
        "step_failed",
        "workflow_failed",
    }
    driver.events.clear()
    include = ["step_output", "step_skipped"]
    driver.call("workflow:execution:subscribe", {"subscriber": "all", "include": include})
    driver.call("workflow:execute", workflow)
    types = [event["event_type"] for event in driver.events]
    assert types.index("step_output") < types.index("step_failed")
    assert types[-2:] == ["step_skipped", "workflow_failed"]
    output = driver.events_of("step_output", step_id="a")[0]["data"]
    assert (output["stream"], output["text"]) == ("stderr", "about to fail")
    assert driver.events_of("step_skipped")[0]["step_id"] == "b"
    assert_no_gaps(driver.events)


def test_the_snapshot_and_the_events_after_it_miss_and_repeat_nothing(
    driver: Driver, project: Project
) -> None:
    subscribe, unsubscribe = "workflow:execution:subscribe", "workflow:execution:unsubscribe"
    steps = [step(f"s{n}", "./echo.py") for n in range(6)]
    runs = [driver.request("workflow:execute", [definition(f"w{n}", *steps)]) for n in range(3)]
    # Come and go as long as they run.
    while not all(driver.is_answered(run) for run in runs):
        joined = driver.answer(driver.request(subscribe))
        driver.call("sidecar:info")
        left = driver.answer(driver.request(unsubscribe, ["*"]))
        first, last = (driver.events_before[driver.answers.index(a)] for a in (joined, left))
        assert len(driver.events) == last
        next_seq = {s["execution_id"]: s["seq"] + 1 for s in joined["result"]["active"]}
        for event in driver.events[first:last]:
            assert event["seq"] == next_seq.get(event["execution_id"], 1)
            next_seq[event["execution_id"]] = event["seq"] + 1
    assert driver.events


def test_the_history_of_an_unknown_workflow_is_empty_and_clearing_forgets(driver: Driver) -> None:
    assert driver.call("workflow:execution:history", ["nobody"]) == []
    for name in ("one", "one", "two"):
        driver.call("workflow:execute", [definition(name, step("a", "./echo.py"))])
    assert len(driver.call("workflow:execution:history", {"workflow_id": "one", "limit": 1})) == 1
    assert driver.call("workflow:execution:clear", ["one"]) == {"removed": 2}
    assert driver.call("workflow:execution:history", ["one"]) == []
    assert len(driver.call("workflow:execution:history", ["two"])) == 1
    assert driver.call("workflow:execution:clear") == {"removed": 1}


def test_a_running_execution_can_be_seen_and_cancelled(driver: Driver) -> None:
    driver.call("workflow:execution:subscribe", {"include": ["step_output"]})
    started = driver.call("workflow:execution:start", [hang()])
    assert started["workflow_id"] == "hang"
    execution_id = started["execution_id"]
    driver.wait_for_event("step_output")
    (snapshot,) = driver.call("workflow:execution:active")
    assert snapshot["execution_id"] == execution_id
    assert snapshot["steps"] == {"a": "running", "b": "pending"}
    detail = driver.call("workflow:execution:get", [execution_id])
    assert (detail["status"], detail["steps"]["a"]["status"]) == ("running", "running")
    assert driver.call("workflow:execution:cancel", [execution_id]) == {"cancelled": True}
    driver.wait_for_event("workflow_failed", execution_id=execution_id)
    assert driver.call("workflow:execution:cancel", [execution_id]) == {"cancelled": False}
    detail = driver.call("workflow:execution:get", [execution_id])
    assert detail["status"] == "cancelled"


def test_workflow_files_are_listed_loaded_and_validated(
    driver: Driver, project: Project, three: str
) -> None:
    (project.path / "broken.yaml").write_text("workflow: {id: b, name: B}\nsteps: [{id: 1}]\n")
    (project.path / "other.yaml").write_text("just: data\n")
    broken, numbers = driver.call("workflow:list")
    assert (broken["path"], numbers["path"]) == ("broken.yaml", "numbers.yaml")
    assert broken["errors"][0]["line"] == 2
    assert "name" not in broken
    assert (numbers["workflow_id"], numbers["name"]) == ("numbers", "Numbers")
    assert "errors" not in numbers
    loaded = driver.call("workflow:load", [three])
    assert [one["id"] for one in loaded["steps"]] == ["count", "mean", "echo", "say"]
    assert driver.error("workflow:load", ["nowhere.yaml"])["code"] == -32001
    assert driver.error("workflow:load", ["broken.yaml"])["code"] == -32002
    assert driver.call("workflow:validate", [three]) == {
        "valid": True,
        "errors": [],
        "warnings": [],
    }
    by_path = driver.call("workflow:validate", ["broken.yaml"])
    by_text = driver.call("workflow:validate", [(project.path / "broken.yaml").read_text()])
    assert by_path == by_text
    assert by_path["valid"] is False
    by_object = driver.call("workflow:validate", [definition("w", step("a", "../out.py"))])
    assert by_object["errors"][0]["field"] == "steps[0].script"
    missing = driver.call("workflow:validate", [definition("w", step("a", "./missing.py"))])
    assert (missing["valid"], len(missing["warnings"])) == (True, 1)


def test_the_daemon_says_who_it_is_and_describes_itself(driver: Driver, project: Project) -> None:
    info = driver.call("sidecar:info")
    assert info["pid"] == driver.pid
    assert info["project"] == str(project.path)
    assert info["history"] == str(project.path / ".workflow-sidecar" / "history.db")
    assert info["python"]["supported"] is True
    assert info["isolation"]["launcher"] in ("zygote", "spawn")
    assert info["limits"]["max_message_bytes"] == 64 * 1024 * 1024
    document = driver.call("rpc.discover")
    described = {method["name"] for method in document["methods"]}
    assert {"workflow:execute", "sidecar:info", "rpc.discover"} <= described
    assert driver.call("sidecar:shutdown") == {}
    assert driver.wait() == 0


def test_every_method_that_is_described_is_answered(start: Start) -> None:
    driver = start()
    methods = driver.call("rpc.discover")["methods"]
    # After the end nothing need be answered.
    for method in sorted(methods, key=lambda method: method["name"] == "sidecar:shutdown"):
        answer = driver.answer(driver.request(method["name"]))
        # Nothing given: either the method needs nothing, or it says what is missing.
        required = [param["name"] for param in method["params"] if param.get("required")]
        if required:
            assert answer["error"]["code"] == -32602
            fields = [problem["field"] for problem in answer["error"]["data"]["errors"]]
            assert fields == required
        else:
            assert "result" in answer, method["name"]
    assert driver.wait() == 0


def test_a_python_that_is_missing_is_said_and_fails_the_step(start: Start) -> None:
    driver = start("--python", "/nowhere/python3")
    info = driver.call("sidecar:info")
    assert (info["python"]["path"], info["python"]["supported"]) == (None, False)
    assert "install" in info["python"]["install_guide"].lower()
    result = driver.call("workflow:execute", [definition("w", step("a", "./echo.py"))])
    assert result["error_type"] == "PythonNotFound"
    assert poll(lambda: driver.logged("no Python for scripts"), bool)
