"""What keeping runs costs: a value on disk, a run from its start to its end, one more in a full
history, whose oldest goes and leaves no byte."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from sidecar.engine import Engine
from sidecar.history import layout
from sidecar.history.executions import ExecutionHistory
from sidecar.history.storage import Storage
from tests.performance.figures import Row, interleaved
from tests.performance.history import COUNTS, detail

KEPT, ALONE = "workflow_completed with history", "workflow_completed without history"
OUTPUT = {"workflow": {"name": "output"}, "steps": [{"id": "o", "type": "output", "message": "hi"}]}


def set_item(folder: Path) -> Iterator[Row]:
    """One durable `setItem` in files of so many workflows, against the smallest."""
    storages = {}
    for count in COUNTS:
        storage = storages[count] = Storage(folder / f"storage-{count}.db")
        with storage.transaction():
            for number in range(count):
                layout.store_ended(storage, detail(number))
    values = iter(range(10**9))
    figures = interleaved(
        500,
        **{
            f"setItem at {count:,} workflows": (
                lambda storage=storage: storage.setItem("key", f"{next(values)} {'x' * 1_000}")
            )
            for count, storage in storages.items()
        },
    )
    for storage in storages.values():
        storage.close()
    least = None
    for count, figure in zip(COUNTS, figures.values(), strict=True):
        yield figure.row(least, limit_ms=200, curve="setItem", size=count)
        least = least or figure


def until_completed(folder: Path) -> Iterator[Row]:
    """A run to its `workflow_completed` with a history, each one pushing another out, against one
    without."""
    with asyncio.Runner() as runner:

        async def engine(history: ExecutionHistory | None) -> Engine:
            return Engine(folder, history=history)

        without = runner.run(engine(None))
        with_history = runner.run(engine(ExecutionHistory(folder / "history.db")))
        loaded = runner.run(without.load(OUTPUT))
        figures = interleaved(
            300,
            **{
                ALONE: lambda: runner.run(without.execute(loaded)),
                KEPT: lambda: runner.run(with_history.execute(loaded)),
            },
        )
        runner.run(without.close())
        runner.run(with_history.close())
    yield figures[KEPT].row(figures[ALONE])


BENCHMARKS = (set_item, until_completed)
