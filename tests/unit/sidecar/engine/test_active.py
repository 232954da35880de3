"""The executions that run: no id for two, how many at once, found again by whoever asks."""

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol import limits
from sidecar.engine.active import MAX_ENDED_IDS
from sidecar.errors import ExecutionNotFound, InvalidOptions, Overloaded
from sidecar.history.executions import ExecutionHistory
from tests.unit.sidecar.engine.doubles import FakeRunner, Gate, python_step, recorded, workflow


async def test_the_callers_own_execution_id_is_used_and_never_twice(tmp_path: Path) -> None:
    mine = str(uuid.uuid4())
    definition = workflow({"id": "o", "type": "output", "message": "hi"})
    async with recorded(tmp_path) as run:
        result = await run.engine.execute(definition, execution_id=mine)
        assert result.execution_id == mine
        with pytest.raises(InvalidOptions, match="used before"):
            await run.engine.execute(definition, execution_id=mine)
        with pytest.raises(InvalidOptions, match='expected a UUID, got "42"'):
            await run.engine.execute(definition, execution_id="42")
        with pytest.raises(InvalidOptions, match="at least 1"):
            await run.engine.execute(definition, deadline_ms=0)


async def test_an_execution_id_kept_by_an_earlier_engine_cannot_be_used_again(
    tmp_path: Path,
) -> None:
    mine = str(uuid.uuid4())
    definition = workflow({"id": "o", "type": "output", "message": "hi"})
    for attempt in range(2):
        history = ExecutionHistory(tmp_path / "history.db")
        async with recorded(tmp_path, history=history) as run:
            if attempt == 0:
                await run.engine.execute(definition, execution_id=mine)
            else:
                assert await run.engine.cancel(mine) is False
                with pytest.raises(InvalidOptions, match="used before"):
                    await run.engine.execute(definition, execution_id=mine)


@pytest.mark.parametrize("spelt", [str.upper, "{{{}}}".format, "urn:uuid:{}".format])
async def test_an_execution_id_is_the_same_however_it_is_spelt(
    tmp_path: Path, spelt: Callable[[str], str]
) -> None:
    mine = str(uuid.uuid4())
    definition = workflow({"id": "o", "type": "output", "message": "hi"})
    history = ExecutionHistory(tmp_path / "history.db")
    async with recorded(tmp_path, history=history) as run:
        result = await run.engine.execute(definition, execution_id=spelt(mine))
        assert result.execution_id == mine
        with pytest.raises(InvalidOptions, match=f"{mine} has been used before"):
            await run.engine.execute(definition, execution_id=mine)
        for spelling in (mine, spelt(mine)):
            assert (await run.engine.detail(spelling)).id == mine
            assert await run.engine.cancel(spelling) is False


async def test_two_starts_with_one_id_at_once_give_one_execution(tmp_path: Path) -> None:
    mine = str(uuid.uuid4())
    definition = workflow({"id": "o", "type": "output", "message": "hi"})
    async with recorded(tmp_path) as run:
        outcomes = await asyncio.gather(
            *(run.engine.execute(definition, execution_id=mine) for _ in range(2)),
            return_exceptions=True,
        )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "ExecutionResult",
        "InvalidOptions",
    ]


async def test_an_id_that_nobody_knows_is_not_found(tmp_path: Path) -> None:
    async with recorded(tmp_path, history=ExecutionHistory(tmp_path / "h.db")) as run:
        for ask in (run.engine.cancel, run.engine.detail):
            with pytest.raises(ExecutionNotFound, match="no execution has the id"):
                await ask("nobody")


async def test_a_history_that_cannot_be_read_does_not_refuse_a_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "h.db").mkdir()
    async with recorded(tmp_path, history=ExecutionHistory(tmp_path / "h.db")) as run:
        definition = workflow({"id": "o", "type": "output", "message": "hi"})
        result = await run.engine.execute(definition, execution_id=str(uuid.uuid4()))
        assert result.success
        assert caplog.text.count("history is not being kept") == 1


async def test_only_so_many_ended_ids_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.engine.active.MAX_ENDED_IDS", 2)
    definition = workflow({"id": "o", "type": "output", "message": "hi"})
    async with recorded(tmp_path) as run:
        ids = [(await run.engine.execute(definition)).execution_id for _ in range(3)]
        with pytest.raises(ExecutionNotFound):
            await run.engine.cancel(ids[0])
        assert await run.engine.cancel(ids[2]) is False
    assert MAX_ENDED_IDS == 10_000


async def test_an_id_reserved_by_a_start_that_was_given_up_is_free_again(tmp_path: Path) -> None:
    mine = str(uuid.uuid4())
    definition = workflow({"id": "o", "type": "output", "message": "hi"})
    async with recorded(tmp_path, history=ExecutionHistory(tmp_path / "h.db")) as run:
        starting = asyncio.create_task(run.engine.start(definition, execution_id=mine))
        await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert (await run.engine.execute(definition, execution_id=mine)).success


async def test_more_executions_than_are_taken_are_refused_until_some_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ACTIVE_EXECUTIONS", 3)
    gate = Gate()
    async with recorded(tmp_path, FakeRunner(a=gate), max_parallel=1) as run:
        # All at once: those whose workflow is still being loaded count too.
        one = workflow(python_step("a"))
        executing = [asyncio.create_task(run.engine.execute(one)) for _ in range(5)]
        await gate.until(1)
        gate.open.set()
        outcomes = await asyncio.gather(*executing, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Overloaded)]
        assert len(refused) == 2
        assert "3 executions at once" in refused[0].message
        assert (await run.engine.execute(one)).success


async def test_more_steps_than_are_taken_are_refused_until_some_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ACTIVE_STEPS", 3)
    gate = Gate()
    async with recorded(tmp_path, FakeRunner(a=gate, b=gate)) as run:
        two = workflow(python_step("a"), python_step("b"))
        first = asyncio.create_task(run.engine.execute(two))
        await gate.until(1)
        with pytest.raises(Overloaded, match="3 steps at once"):
            await run.engine.start(two)
        gate.open.set()
        assert (await run.engine.execute(workflow(python_step("a")))).success
        assert (await first).success
        assert (await run.engine.execute(two)).success
