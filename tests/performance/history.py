"""Asking for past runs as their number grows."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from protocol.executions import ExecutionDetail
from sidecar.history.executions import ExecutionHistory
from tests.performance.figures import Row, interleaved

COUNTS = (10, 1_000, 10_000)


def history_query(folder: Path) -> Iterator[Row]:
    """The newest runs of one workflow, in files of so many workflows, against the smallest."""
    with asyncio.Runner() as runner:
        histories = {}

        async def fill(count: int) -> None:
            history = histories[count] = ExecutionHistory(folder / f"history-{count}.db")
            for number in range(count):
                await history.ended(detail(number))

        for count in COUNTS:
            runner.run(fill(count))
        figures = interleaved(
            500,
            **{
                f"history query at {count:,} workflows": (
                    lambda history=history: runner.run(history.history("workflow-7", 5))
                )
                for count, history in histories.items()
            },
        )
        for history in histories.values():
            runner.run(history.close())
    least = None
    for count, figure in zip(COUNTS, figures.values(), strict=True):
        yield figure.row(least, limit_ms=200, curve="a history query", size=count)
        least = least or figure


def detail(number: int) -> ExecutionDetail:
    return ExecutionDetail(
        id=f"00000000-0000-4000-8000-{number:012d}",
        workflow_id=f"workflow-{number}",
        workflow_name="A workflow",
        timestamp=1_700_000_000_000 + number,
        duration_ms=10,
        status="success",
        inputs={"folder": "."},
        outputs={"count": {"total": number}},
        steps_executed=1,
        steps_failed=0,
        steps={},
    )


BENCHMARKS = (history_query,)
