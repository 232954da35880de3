"""One run from its first event to its last, with scripts and time replaced."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.events import ExecutionEvent
from sidecar.engine import execution
from sidecar.engine.execution import Execution
from sidecar.history.executions import ExecutionHistory
from sidecar.history.storage import Storage
from sidecar.scripts.interface import ScriptFailure, ScriptRequest
from tests.unit.sidecar.engine.doubles import (
    FakeRunner,
    Recorded,
    failure,
    python_step,
    workflow,
)

TERMINAL = ("workflow_completed", "workflow_failed")


async def test_steps_run_in_order_and_the_run_ends_with_one_terminal_event(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    result = await run.engine.execute(
        workflow(python_step("b", depends_on=["a"]), python_step("a"))
    )
    assert result.success
    assert [request.script for request in run.runner.requests] == ["./a.py", "./b.py"]
    assert run.types() == [
        "workflow_started",
        "step_started",
        "step_completed",
        "step_started",
        "step_completed",
        "workflow_completed",
    ]
    assert [event.seq for event in run.events] == [1, 2, 3, 4, 5, 6]


async def test_outputs_flow_into_the_next_step_with_their_type(tmp_path: Path) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[{"n": 7, "l": [{"x": "y"}]}]))
    steps = [
        python_step("a"),
        python_step("b", inputs={"n": "${steps.a.outputs.n}", "t": "n=${steps.a.outputs.n}"}),
        {"id": "c", "type": "output", "message": "${steps.a.outputs.l[0].x}: ${steps.a.outputs}"},
    ]
    result = await run.engine.execute(workflow(*steps))
    assert run.runner.requests[1].inputs == {"n": 7, "t": "n=7"}
    assert result.outputs["c"] == {"message": 'y: {"n":7,"l":[{"x":"y"}]}'}


async def test_a_failed_step_ends_the_run_and_the_rest_is_skipped(tmp_path: Path) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[failure("ValueError", "bad")]))
    result = await run.engine.execute(workflow(python_step("a"), python_step("b")))
    assert not result.success
    assert (result.status, result.failed_step_id) == ("failed", "a")
    assert (result.error, result.error_type) == ("bad", "ValueError")
    assert {step_id: step.status for step_id, step in result.steps.items()} == {
        "a": "error",
        "b": "skipped",
    }
    assert (result.steps_executed, result.steps_failed) == (1, 1)
    assert run.types(optional=True)[-2:] == ["step_skipped", "workflow_failed"]
    # Optional events repeat the seq before them, so those who did not ask see no gap.
    assert [event.seq for event in run.events] == [1, 2, 3, 3, 4]
    failed = run.of_type("workflow_failed")[0].data
    assert (failed.status, failed.failed_step_id, failed.error) == ("failed", "a", "bad")


async def test_a_step_that_fails_twice_succeeds_on_its_third_attempt(tmp_path: Path) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[failure(), failure(), {"ok": True}]))
    result = await run.engine.execute(workflow(python_step("a", retry_policy={"max_attempts": 3})))
    assert result.success
    assert result.steps["a"].retry_count == 2
    assert run.clock.slept_ms == [1000, 2000]
    assert result.steps["a"].execution_time_ms == 3000
    assert [event.data.attempt for event in run.of_type("step_started")] == [1, 2, 3]
    failed = run.of_type("step_failed")
    assert [(e.data.retry_attempt, e.data.will_retry, e.data.next_delay_ms) for e in failed] == [
        (0, True, 1000),
        (1, True, 2000),
    ]
    assert run.of_type("step_completed")[0].data.retry_count == 2


async def test_a_fourth_attempt_waits_four_seconds_and_no_delay_exceeds_the_cap(
    tmp_path: Path,
) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[failure()]))
    result = await run.engine.execute(workflow(python_step("a", retry_policy={"max_attempts": 8})))
    assert not result.success
    assert run.clock.slept_ms == [1000, 2000, 4000, 8000, 16000, 30000, 30000]
    last = run.of_type("step_failed")[-1].data
    assert (last.retry_attempt, last.will_retry, last.next_delay_ms) == (7, False, None)
    assert result.steps["a"].retry_count == 7


async def test_an_error_type_that_the_policy_does_not_name_is_not_retried(tmp_path: Path) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[failure("KeyError")]))
    policy = {"retry_on_error_types": ["ConnectionError"]}
    await run.engine.execute(workflow(python_step("a", retry_policy=policy)))
    assert len(run.runner.requests) == 1


async def test_a_declared_output_that_is_missing_fails_the_step(tmp_path: Path) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[{"total": 1, "other": 2}]))
    result = await run.engine.execute(workflow(python_step("a", outputs=["total", "names"])))
    assert result.error_type == "InvalidOutput"
    assert result.error == (
        'The script\'s output lacks "names", which the step declares; it holds "total", "other"'
    )


async def test_a_reference_that_names_nothing_at_run_time_fails_its_step(tmp_path: Path) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[{"list": [1]}]))
    steps = [python_step("a"), python_step("b", inputs={"x": "${steps.a.outputs.list[3]}"})]
    result = await run.engine.execute(workflow(*steps))
    assert (result.error_type, result.failed_step_id) == ("UnresolvedReference", "b")
    assert len(run.runner.requests) == 1
    message = workflow(
        python_step("a"), {"id": "o", "type": "output", "message": "${steps.a.outputs.z}"}
    )
    result = await run.engine.execute(message)
    assert (result.error_type, result.failed_step_id) == ("UnresolvedReference", "o")
    assert 'there is no "z", only list' in (result.error or "")


async def test_a_value_that_looks_like_a_reference_is_never_expanded(tmp_path: Path) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[{"text": "${env.HOME} $& \\1"}]))
    steps = [python_step("a"), python_step("b", inputs={"t": "<${steps.a.outputs.text}>"})]
    await run.engine.execute(workflow(*steps))
    assert run.runner.requests[1].inputs == {"t": "<${env.HOME} $& \\1>"}


async def test_what_a_script_writes_to_stderr_arrives_before_the_attempts_end(
    tmp_path: Path,
) -> None:
    async def talks(request: ScriptRequest, on_stderr: Callable[[str], None]) -> dict[str, Any]:
        on_stderr("one")
        on_stderr("two")
        return {}

    run = Recorded(tmp_path, FakeRunner(a=talks))
    await run.engine.execute(workflow(python_step("a")))
    assert run.types(optional=True)[2:5] == ["step_output", "step_output", "step_completed"]
    assert [event.data.text for event in run.of_type("step_output")] == ["one", "two"]


async def _started(run: Recorded, script: asyncio.Event, definition: dict[str, Any]) -> Execution:
    execution = await run.engine.start(definition)
    await script.wait()
    return execution


def _hanging(started: asyncio.Event) -> Any:
    async def hang(request: ScriptRequest, on_stderr: Callable[[str], None]) -> dict[str, Any]:
        started.set()
        await asyncio.Event().wait()
        return {}

    return hang


async def test_what_a_running_script_has_written_is_told_to_who_asks_and_kept_when_it_is_cancelled(
    tmp_path: Path,
) -> None:
    started = asyncio.Event()

    async def talks(request: ScriptRequest, on_stderr: Callable[[str], None]) -> dict[str, Any]:
        on_stderr("one")
        on_stderr("password=hunter2-hunter2")
        started.set()
        await asyncio.Event().wait()
        return {}

    run = Recorded(tmp_path, FakeRunner(a=talks))
    execution = await _started(run, started, workflow(python_step("a")))
    expected = "one\npassword=[REDACTED]\n"
    while_running = await run.engine.detail(execution.execution_id)
    assert while_running.steps["a"].attempts[0].stderr == expected
    assert await run.engine.cancel(execution.execution_id)
    assert execution.detail().steps["a"].attempts[0].stderr == expected


async def test_cancelling_a_running_script_ends_the_run_as_cancelled(tmp_path: Path) -> None:
    started = asyncio.Event()
    run = Recorded(tmp_path, FakeRunner(a=_hanging(started)))
    task = asyncio.create_task(run.engine.execute(workflow(python_step("a"), python_step("b"))))
    await started.wait()
    execution_id = run.events[0].execution_id
    assert await run.engine.cancel(execution_id) is True
    assert await run.engine.cancel(execution_id) is True  # still ending: asked for again
    result = await task
    assert (result.status, result.error_type, result.success) == ("cancelled", "Cancelled", False)
    assert run.types() == ["workflow_started", "step_started", "step_failed", "workflow_failed"]
    assert run.of_type("step_failed")[0].data.error_type == "Cancelled"
    assert run.of_type("workflow_failed")[0].data.status == "cancelled"
    assert await run.engine.cancel(execution_id) is False


async def test_cancelling_during_the_backoff_ends_the_run_at_once(tmp_path: Path) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[failure()]))
    sleeping = asyncio.Event()

    async def sleep_for_ever(delay_ms: int) -> None:
        sleeping.set()
        await asyncio.Event().wait()

    run.clock.sleep = sleep_for_ever  # type: ignore[method-assign]
    execution = await _started(
        run, sleeping, workflow(python_step("a", retry_policy={"max_attempts": 3}))
    )
    execution.cancel()
    await run.engine.stop()
    assert [t for t in run.types() if t in TERMINAL] == ["workflow_failed"]
    assert run.of_type("workflow_failed")[0].data.status == "cancelled"
    assert execution.snapshot().steps == {"a": "error"}


async def test_cancelling_before_the_first_step_runs_nothing(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    execution = await run.engine.start(workflow(python_step("a")))
    assert execution.cancel() is True
    await run.engine.stop()
    assert run.runner.requests == []
    assert run.types() == ["workflow_started", "workflow_failed"]


async def test_a_run_past_its_deadline_fails_with_workflow_timeout(tmp_path: Path) -> None:
    started = asyncio.Event()
    run = Recorded(tmp_path, FakeRunner(a=_hanging(started)))
    result = await run.engine.execute(workflow(python_step("a")), deadline_ms=20)
    assert (result.status, result.error_type) == ("failed", "WorkflowTimeout")
    assert result.error == "Workflow timeout after 20ms"
    assert run.of_type("step_failed")[0].data.error_type == "WorkflowTimeout"


async def test_a_bug_of_ours_still_ends_the_run_with_a_terminal_event(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def explode(request: ScriptRequest, on_stderr: Callable[[str], None]) -> dict[str, Any]:
        raise RuntimeError("the runner's own secret bug")

    run = Recorded(tmp_path, FakeRunner(a=explode))
    result = await run.engine.execute(workflow(python_step("a")))
    assert result.error_type == "InternalError"
    assert "secret bug" not in str(result.error)
    assert run.types()[-2:] == ["step_failed", "workflow_failed"]
    assert result.steps["a"].status == "error"
    assert "internal error in an execution" in caplog.text


async def test_a_listener_that_raises_disturbs_neither_run_nor_other_listeners(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = Recorded(tmp_path)

    def broken(event: ExecutionEvent) -> None:
        raise ValueError("mine")

    undo = run.engine.on_event(broken)
    heard: list[str] = []
    run.engine.on_event(lambda event: heard.append(event.event_type))
    assert (await run.engine.execute(workflow(python_step("a")))).success
    assert heard == run.types()
    assert "an event listener failed" in caplog.text
    undo()
    caplog.clear()
    await run.engine.execute(workflow(python_step("a")))
    assert "an event listener failed" not in caplog.text


async def test_failed_attempts_are_logged_with_their_context(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[{"n": 1}], b=[failure("ValueError", "bad")]))
    await run.engine.execute(workflow(python_step("a"), python_step("b", inputs={"x": 1})))
    record = next(record for record in caplog.records if record.message == "step failed")
    fields: dict[str, Any] = record.__dict__["fields"]
    assert fields["step_id"] == "b"
    assert fields["inputs"] == {"x": 1}
    assert fields["outputs"] == {"a": {"n": 1}}
    assert fields["error_type"] == "ValueError"
    assert "Traceback" in fields["stack_trace"]
    assert fields["stderr"] == "said on stderr"


async def test_secrets_are_shown_nowhere_and_reach_the_next_step_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from_environment, given, named = "env-value-1234567", "given-value-7654321", "named-value-5555"
    monkeypatch.setenv("SERVICE_KEY_FILE", from_environment)
    echo = failure("ValueError", f"cannot use {from_environment}, {given} or {named}")
    run = Recorded(
        tmp_path,
        FakeRunner(a=[{"echo": from_environment, "given": given}], b=[echo]),
        history=ExecutionHistory(tmp_path / "history.db"),
        allow_env=["SERVICE_KEY_FILE"],
    )
    definition = workflow(
        python_step("a", env={"X": "${env.SERVICE_KEY_FILE}"}, inputs={"api_key": named}),
        python_step("b", inputs={"e": "${steps.a.outputs.echo}", "g": "${workflow.inputs.pin}"}),
        inputs=[{"id": "pin", "type": "string", "secret": True}],
    )
    result = await run.engine.execute(definition, {"pin": given})
    assert run.runner.requests[0].env == {"X": from_environment}
    assert run.runner.requests[1].inputs == {"e": from_environment, "g": given}
    seen = "".join(event.model_dump_json() for event in run.events)
    detail = await run.engine.detail(result.execution_id)
    seen += detail.model_dump_json() + str([record.__dict__ for record in caplog.records])
    for secret in (from_environment, given, named):
        assert secret not in seen
    assert "[REDACTED]" in seen
    await run.engine.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("history.db*"))
    for secret in (from_environment, given, named):
        assert secret.encode() not in stored


async def test_a_name_that_holds_a_secret_input_shows_it_no_more_than_anything_else(
    tmp_path: Path,
) -> None:
    given = "given-value-7654321"
    run = Recorded(tmp_path, history=ExecutionHistory(tmp_path / "history.db"))
    definition = workflow(
        {"id": "o", "type": "output", "message": "m", "label": f"to {given}"},
        inputs=[{"id": "pin", "type": "string", "secret": True}],
        workflow={"id": "w", "name": f"Deploy to {given}"},
    )
    execution = await run.engine.start(definition, {"pin": given})
    assert execution.snapshot().workflow_name == "Deploy to [REDACTED]"
    await run.engine.close()
    assert run.of_type("workflow_started")[0].data.workflow_name == "Deploy to [REDACTED]"
    assert given not in "".join(event.model_dump_json() for event in run.events)
    assert given.encode() not in b"".join(p.read_bytes() for p in tmp_path.glob("history.db*"))


async def test_large_values_are_cut_in_events_and_whole_in_the_result(tmp_path: Path) -> None:
    large = "x" * 400_000
    run = Recorded(tmp_path, FakeRunner(a=[{"blob": large, "n": 1}]))
    result = await run.engine.execute(workflow(python_step("a")))
    assert result.outputs["a"]["blob"] == large
    shown = run.of_type("step_completed")[0].data.outputs
    assert shown["n"] == 1
    assert shown["blob"]["$truncated"] is True
    assert shown["blob"]["bytes"] == 400_002
    assert len(run.of_type("workflow_completed")[0].model_dump_json()) < 300_000


async def test_the_history_entry_is_there_when_the_terminal_event_comes(tmp_path: Path) -> None:
    history = ExecutionHistory(tmp_path / "history.db")
    run = Recorded(tmp_path, history=history)
    asked: list[asyncio.Task[Any]] = []

    def on_event(event: ExecutionEvent) -> None:
        if event.event_type in TERMINAL:
            asked.append(asyncio.create_task(history.history("w", 5)))

    run.engine.on_event(on_event)
    result = await run.engine.execute(workflow(python_step("a", label="Count")))
    (entry,) = await asked[0]
    assert (entry.id, entry.status) == (result.execution_id, "success")
    detail = await run.engine.detail(result.execution_id)
    assert detail.steps["a"].label == "Count"
    assert detail.steps["a"].attempts[0].attempt == 1
    await run.engine.close()


async def test_a_history_that_cannot_be_written_stops_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "history.db").mkdir()
    run = Recorded(tmp_path, history=ExecutionHistory(tmp_path / "history.db"))
    result = await run.engine.execute(workflow(python_step("a")))
    assert result.success
    assert caplog.text.count("history is not being kept") == 1
    await run.engine.close()


async def test_the_snapshot_of_a_running_execution_tells_each_steps_status(tmp_path: Path) -> None:
    started = asyncio.Event()
    run = Recorded(tmp_path, FakeRunner(b=_hanging(started)))
    definition = workflow(python_step("a"), python_step("b"), python_step("c"))
    execution = await _started(run, started, definition)
    snapshot = execution.snapshot()
    assert snapshot.steps == {"a": "success", "b": "running", "c": "pending"}
    assert snapshot.seq == run.events[-1].seq == 4
    detail = execution.detail()
    assert (detail.status, detail.error) == ("running", None)
    await run.engine.stop()
    assert execution.detail().status == "cancelled"


async def test_an_output_that_another_step_takes_as_a_secret_is_hidden_from_the_start(
    tmp_path: Path,
) -> None:
    run = Recorded(tmp_path, FakeRunner(login=[{"session": {"id": "f3a9-77aa-session"}, "n": 1}]))
    take = python_step(
        "use",
        inputs={
            "auth": {"token": "id ${steps.login.outputs.session.id}"},
            "n": "${steps.login.outputs.n}",
        },
    )
    result = await run.engine.execute(workflow(python_step("login"), take))
    assert run.runner.requests[1].inputs == {"auth": {"token": "id f3a9-77aa-session"}, "n": 1}
    assert result.outputs["login"]["session"]["id"] == "f3a9-77aa-session"
    assert "f3a9-77aa-session" not in "".join(event.model_dump_json() for event in run.events)
    assert run.of_type("step_completed")[0].data.outputs["n"] == 1


async def test_the_beginning_of_a_large_text_is_redacted_before_it_is_shown(tmp_path: Path) -> None:
    secret = "value-" + "0123456789" * 3
    large = "x" * 1010 + secret + "y" * 400_000
    run = Recorded(tmp_path, FakeRunner(a=[{"blob": large, "list": ["z" * 9] * 60_000}]))
    inputs = [{"id": "pin", "type": "string", "secret": True}]
    await run.engine.execute(workflow(python_step("a"), inputs=inputs), {"pin": secret})
    shown = run.of_type("step_completed")[0].data.outputs
    assert "value-0123" not in shown["blob"]["preview"]
    assert shown["blob"]["preview"].startswith("x" * 1010 + "[REDACTED")
    assert shown["blob"]["bytes"] == len(large) + 2
    assert shown["list"]["$truncated"] is True


async def test_directories_outside_the_project_are_not_shown_in_what_a_script_wrote(
    tmp_path: Path,
) -> None:
    trace = '  File "/usr/lib/python3/json/decoder.py", line 3, in decode\n'
    trace += f'  File "{tmp_path}/a.py", line 1'

    async def talks(request: ScriptRequest, on_stderr: Callable[[str], None]) -> Any:
        on_stderr(trace)
        return ScriptFailure("bad", "ValueError", (), trace)

    run = Recorded(tmp_path, FakeRunner(a=talks))
    await run.engine.execute(workflow(python_step("a")))
    for text in (
        run.of_type("step_output")[0].data.text,
        run.of_type("step_failed")[0].data.stack_trace,
    ):
        assert str(tmp_path) not in text
        assert "/usr/lib" not in text
        assert 'File "a.py", line 1' in text
        assert "decoder.py" in text


async def test_a_run_whose_own_task_is_cancelled_still_ends_in_order(tmp_path: Path) -> None:
    started = asyncio.Event()
    run = Recorded(tmp_path, FakeRunner(a=_hanging(started)))
    execution = await run.engine.start(workflow(python_step("a")))
    await started.wait()
    (task,) = [t for t in asyncio.all_tasks() if t.get_name().startswith("execution ")]
    task.cancel()
    result = await task
    assert result.status == "cancelled"
    assert run.types()[-1] == "workflow_failed"
    assert execution.cancel() is False


async def test_a_deadline_that_passes_while_a_run_is_being_cancelled_changes_nothing(
    tmp_path: Path,
) -> None:
    stopping, may_end = asyncio.Event(), asyncio.Event()

    async def slow_to_die(request: ScriptRequest, on_stderr: Callable[[str], None]) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopping.set()
            await may_end.wait()
            raise

    run = Recorded(tmp_path, FakeRunner(a=slow_to_die))
    running = asyncio.create_task(run.engine.execute(workflow(python_step("a")), deadline_ms=30))
    await stopping.wait()
    assert await run.engine.cancel(run.events[0].execution_id) is True
    may_end.set()
    assert (await running).error_type == "WorkflowTimeout"


async def test_an_output_that_json_cannot_hold_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    run = Recorded(tmp_path, FakeRunner(a=[{"big": 2**70, "n": 1}]))
    await run.engine.execute(workflow(python_step("a")))
    assert run.of_type("step_completed")[0].data.outputs["n"] == 1


async def test_no_script_runs_before_its_run_is_on_disk_unless_that_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = ExecutionHistory(tmp_path / "history.db")
    await history.recent(1)
    run = Recorded(tmp_path, history=history)
    monkeypatch.setattr(execution, "_RECORDING_S", 60)
    execute = run.engine.execute(workflow(python_step("a")))
    with Storage(tmp_path / "history.db") as other:
        with other.transaction():
            executing = asyncio.create_task(execute)
            done, _ = await asyncio.wait({executing}, timeout=0.2)
            assert not done
            assert run.runner.requests == []
        assert (await executing).success
        monkeypatch.setattr(execution, "_RECORDING_S", 0.01)
        with other.transaction():
            executing = asyncio.create_task(run.engine.execute(workflow(python_step("a"))))
            while len(run.runner.requests) < 2:
                await asyncio.wait({executing}, timeout=0.01)
        assert (await executing).success
    await run.engine.close()
