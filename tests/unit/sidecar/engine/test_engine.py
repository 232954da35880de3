"""The engine as its callers see it: starting, refusing, bounding, forgetting."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.engine import Engine
from sidecar.engine.engine import default_max_parallel
from sidecar.errors import (
    ExecutionNotFound,
    InvalidInputs,
    ShuttingDown,
    WorkflowInvalid,
    WorkflowNotFound,
)
from sidecar.history.executions import ExecutionHistory
from sidecar.scripts.interface import ScriptRequest
from tests.unit.sidecar.engine.doubles import (
    FakeRunner,
    Gate,
    Recorded,
    python_step,
    recorded,
    workflow,
)


async def test_a_workflow_file_is_run_by_its_path_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(
        "workflow: {name: From a file}\nsteps:\n  - {id: o, type: output, message: hi}\n"
    )
    async with recorded(tmp_path) as run:
        result = await run.engine.execute("w.yaml")
    assert (result.workflow_id, result.outputs) == ("From a file", {"o": {"message": "hi"}})


@pytest.mark.parametrize("path", ["missing.yaml", "../out.yaml", "/etc/passwd", "."])
async def test_a_path_that_is_no_workflow_file_is_not_found(tmp_path: Path, path: str) -> None:
    (tmp_path.parent / "out.yaml").write_text("workflow: {name: x}\n")
    async with recorded(tmp_path) as run:
        with pytest.raises(WorkflowNotFound) as caught:
            await run.engine.execute(path)
        assert str(tmp_path) not in caught.value.message
        assert run.events == []


async def test_an_invalid_workflow_starts_nothing(tmp_path: Path) -> None:
    async with recorded(tmp_path) as run:
        with pytest.raises(WorkflowInvalid):
            await run.engine.execute({"workflow": {"name": "x"}})
        assert run.events == []
        assert run.engine.active() == []


async def test_inputs_are_checked_and_defaults_filled_in_before_anything_runs(
    tmp_path: Path,
) -> None:
    definition = workflow(
        python_step("a", inputs={"n": "${workflow.inputs.n}"}),
        inputs=[{"id": "n", "type": "number", "default": 3}, {"id": "o", "type": "string"}],
    )
    async with recorded(tmp_path) as run:
        with pytest.raises(InvalidInputs) as caught:
            await run.engine.execute(definition, {"n": "many", "p": 1})
        assert [problem.field for problem in caught.value.problems] == ["p", "n"]
        assert run.events == []
        await run.engine.execute(definition)
        assert run.runner.requests[0].inputs == {"n": 3}
        assert run.of_type("workflow_started")[0].data.inputs == {"n": 3}


async def test_a_reference_to_an_input_that_was_not_given_is_refused_before_the_first_step(
    tmp_path: Path,
) -> None:
    definition = workflow(
        python_step("a", inputs={"o": "${workflow.inputs.o}"}),
        inputs=[{"id": "o", "type": "string"}],
    )
    async with recorded(tmp_path) as run:
        with pytest.raises(InvalidInputs, match=r"o: not given, but steps\[0\].inputs.o needs it"):
            await run.engine.execute(definition)
        assert run.runner.requests == []


async def test_no_more_scripts_run_at_once_than_allowed_and_the_line_is_kept(
    tmp_path: Path,
) -> None:
    gate = Gate()
    runner = FakeRunner(a=gate, b=gate, c=gate)
    async with recorded(tmp_path, runner, max_parallel=2) as run:
        runs = []
        for name in ("a", "b", "c"):
            runs.append(asyncio.create_task(run.engine.execute(workflow(python_step(name)))))
            await asyncio.sleep(0)
        await gate.until(2)
        # The third waits in line, and has not started: nothing says it has.
        assert [event.step_id for event in run.of_type("step_started")] == ["a", "b"]
        gate.open.set()
        await asyncio.gather(*runs)
        assert runner.most_running == 2
        assert gate.entered == ["./a.py", "./b.py", "./c.py"]


async def test_whoever_stops_awaiting_an_execution_cancels_it(tmp_path: Path) -> None:
    gate = Gate()
    async with recorded(tmp_path, FakeRunner(a=gate)) as run:
        task = asyncio.create_task(run.engine.execute(workflow(python_step("a"))))
        await gate.until(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert run.of_type("workflow_failed")[0].data.status == "cancelled"
        assert run.engine.active() == []


async def test_closing_cancels_what_runs_and_starts_nothing_new(tmp_path: Path) -> None:
    gate = Gate()
    run = Recorded(tmp_path, FakeRunner(a=gate))
    await run.engine.start(workflow(python_step("a")))
    await gate.until(1)
    await run.engine.close()
    assert run.of_type("workflow_failed")[0].data.status == "cancelled"
    with pytest.raises(ShuttingDown):
        await run.engine.start(workflow(python_step("a")))


async def test_closing_while_a_start_is_prepared_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Recorded(tmp_path)
    load = run.engine.load

    async def load_then_stop(definition: Any) -> Any:
        loaded = await load(definition)
        await run.engine.stop()
        return loaded

    monkeypatch.setattr(run.engine, "load", load_then_stop)
    with pytest.raises(ShuttingDown):
        await run.engine.start(workflow(python_step("a")))
    await run.engine.close()


async def test_past_executions_are_listed_and_forgotten(tmp_path: Path) -> None:
    async with recorded(tmp_path, history=ExecutionHistory(tmp_path / "h.db")) as run:
        for _ in range(7):
            await run.engine.execute(workflow({"id": "o", "type": "output", "message": "hi"}))
        assert len(await run.engine.past("w")) == 5
        assert len(await run.engine.past(None, 3)) == 3
        assert await run.engine.past("other") == []
        assert await run.engine.clear("w") == 5
        assert await run.engine.past("w") == []


async def test_without_a_history_nothing_is_kept(tmp_path: Path) -> None:
    async with recorded(tmp_path) as run:
        result = await run.engine.execute(workflow({"id": "o", "type": "output", "message": "hi"}))
        assert await run.engine.past("w") == []
        assert await run.engine.clear() == 0
        assert await run.engine.cancel(result.execution_id) is False
        with pytest.raises(ExecutionNotFound):
            await run.engine.detail(result.execution_id)


async def test_active_executions_are_told_by_workflow(tmp_path: Path) -> None:
    gate = Gate()
    async with recorded(tmp_path, FakeRunner(a=gate)) as run:
        execution = await run.engine.start(workflow(python_step("a")))
        await gate.until(1)
        assert [snapshot.execution_id for snapshot in run.engine.active()] == [
            execution.execution_id
        ]
        assert len(run.engine.active("w")) == 1
        assert run.engine.active("other") == []
        detail = await run.engine.detail(execution.execution_id)
        assert (detail.status, detail.steps["a"].status) == ("running", "running")


async def test_problems_and_files_are_told_without_running(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text("workflow: {name: x}\nsteps: []\n")
    async with recorded(tmp_path) as run:
        problems = await run.engine.validate("w.yaml")
        assert [(p.line, p.severity) for p in problems] == [(2, "error")]
        assert [entry["path"] for entry in await run.engine.workflows()] == ["w.yaml"]
        with pytest.raises(WorkflowInvalid):
            await run.engine.load("w.yaml")


async def test_a_run_waits_for_listeners_that_cannot_keep_up(tmp_path: Path) -> None:
    async with recorded(tmp_path) as run:
        waited = []

        async def wait() -> None:
            waited.append(len(run.events))

        run.engine.wait_for_listeners = wait
        steps = [{"id": f"o{n}", "type": "output", "message": "hi"} for n in range(3)]
        await run.engine.execute(workflow(*steps))
        assert waited == [3, 5, 7]


def test_at_least_two_scripts_may_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert default_max_parallel() == 2
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    assert default_max_parallel() == 16


async def test_the_engine_uses_real_processes_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(
        "import json, sys\nprint(json.dumps({'got': json.load(sys.stdin)}))\n"
    )
    async with Engine(tmp_path) as engine:
        result = await engine.execute(workflow(python_step("hello", inputs={"name": "test"})))
    assert result.outputs == {"hello": {"got": {"name": "test"}}}
    assert result.duration_ms < 5_000


async def test_cancelling_twice_still_waits_for_the_script_to_end(tmp_path: Path) -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def stubborn(request: ScriptRequest, on_stderr: Callable[[str], None]) -> dict[str, Any]:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await may_end.wait()
            raise
        return {}

    async with recorded(tmp_path, FakeRunner(a=stubborn)) as run:
        task = asyncio.create_task(run.engine.execute(workflow(python_step("a"))))
        await entered.wait()
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert not task.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert run.engine.active() == []
