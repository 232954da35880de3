"""The methods of the table, with an engine whose scripts are not run."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from protocol import results as wire
from protocol.methods import METHODS
from sidecar.errors import ExecutionNotFound, PythonNotFound, WorkflowNotFound
from sidecar.history.executions import ExecutionHistory
from sidecar.rpc.listeners import Listeners
from sidecar.rpc.methods import Methods
from tests.unit.sidecar.engine.doubles import FakeRunner, Recorded, python_step, workflow
from tests.unit.sidecar.rpc.doubles import Peer


class Served:
    """Methods over an engine with a fake runner; `call` checks params and result."""

    def __init__(self, project: Path, runner: FakeRunner | None = None) -> None:
        history = ExecutionHistory(project / "history.db")
        self.engine = Recorded(project, runner, history=history).engine
        self.listeners = Listeners()
        self.engine.on_event(self.listeners.deliver)
        self.peer = Peer()
        self.shut_down = 0
        self.methods = Methods(
            self.engine,
            self.listeners,
            history_file="the file",
            max_connections=7,
            shut_down=self._shut_down,
        )

    def _shut_down(self) -> None:
        self.shut_down += 1

    async def call(self, name: str, **params: Any) -> Any:
        method = METHODS[name]
        checked = method.params.model_validate(params)
        result = await self.methods.table()[name](self.peer.session, checked)
        TypeAdapter(method.result).validate_python(result)
        return result


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


async def test_the_table_of_handlers_is_the_protocols_table(served: Served) -> None:
    assert set(served.methods.table()) == set(METHODS)
    assert list(served.methods.table()) == list(METHODS)


async def test_a_run_is_executed_kept_shown_and_forgotten(served: Served) -> None:
    definition = workflow(python_step("a"))
    result = await served.call("workflow:execute", workflow=definition)
    assert result.success
    (entry,) = await served.call("workflow:execution:history", workflow_id="w")
    assert entry.id == result.execution_id
    detail = await served.call("workflow:execution:get", execution_id=entry.id)
    assert detail.steps["a"].attempts[0].attempt == 1
    cancelled = await served.call("workflow:execution:cancel", execution_id=entry.id)
    assert cancelled.cancelled is False
    assert (await served.call("workflow:execution:clear")).removed == 1
    with pytest.raises(ExecutionNotFound):
        await served.call("workflow:execution:get", execution_id=entry.id)
    await served.engine.close()


async def test_a_started_run_is_on_record_when_that_is_answered(tmp_path: Path) -> None:
    async def hang(request: Any, on_stderr: Any) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    served = Served(tmp_path, FakeRunner(a=hang))
    own = "6b1f0f9e-8f0e-4a51-9f0f-0f5f3f0e1a2b"
    options = {"execution_id": own, "deadline_ms": 60_000}
    definition = workflow(python_step("a"))
    started = await served.call("workflow:execution:start", workflow=definition, options=options)
    assert (started.execution_id, started.workflow_id) == (own, "w")
    assert await ExecutionHistory(tmp_path / "history.db").contains(own)
    (snapshot,) = await served.call("workflow:execution:active")
    assert snapshot.execution_id == own
    for workflow_id, count in (("*", 1), ("w", 1), ("other", 0)):
        answer = await served.call("workflow:execution:subscribe", workflow_id=workflow_id)
        assert len(answer.active) == count
    assert served.listeners.count() == 3
    for params in ({"workflow_id": "w"}, {}):
        assert (await served.call("workflow:execution:unsubscribe", **params)).unsubscribed
    assert served.listeners.count() == 0
    assert (await served.call("workflow:execution:cancel", execution_id=own)).cancelled
    await served.engine.close()


async def test_files_are_listed_loaded_and_validated(served: Served, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(
        "workflow: {id: w, name: W}\nsteps: [{id: a, type: python, script: ./missing.py}]\n"
    )
    (listed,) = await served.call("workflow:list")
    assert (listed.path, listed.workflow_id, listed.errors) == ("w.yaml", "w", None)
    assert (await served.call("workflow:load", path="w.yaml")).workflow.name == "W"
    checked = await served.call("workflow:validate", workflow="w.yaml")
    assert (checked.valid, len(checked.warnings)) == (True, 1)
    with pytest.raises(WorkflowNotFound):
        await served.call("workflow:load", path="nowhere.yaml")
    await served.engine.close()


async def test_info_says_what_is_in_force(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def missing() -> Any:
        raise PythonNotFound("none", "install one")

    monkeypatch.setattr(served.engine.python, "get", missing)
    info = await served.call("sidecar:info")
    assert info.python == wire.PythonInfo(
        path=None, version=None, supported=False, install_guide="install one"
    )
    assert (info.history, info.isolation) == ("the file", {"launcher": "fake"})
    assert info.limits["max_parallel"] == served.engine.max_parallel
    assert {"max_batch", "max_message_values", "max_message_bytes"} <= set(info.limits)
    served.engine.history = None
    assert (await served.call("sidecar:info")).history_notices == []


async def test_shutdown_is_passed_on_and_the_description_is_whole(served: Served) -> None:
    assert await served.call("sidecar:shutdown") == {}
    assert served.shut_down == 1
    document = await served.call("rpc.discover")
    assert {method["name"] for method in document["methods"]} >= set(METHODS)
