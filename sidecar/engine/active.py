"""The executions that run, by their ids: how many may be at once, and no id for two.

It knows which ids have been used, in this process and in the history before it; it does not know
what an execution does.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Final

from protocol import limits
from protocol.executions import ExecutionResult
from protocol.problems import Problem, shown
from sidecar.engine.execution import Execution
from sidecar.errors import (
    ExecutionNotFound,
    HistoryError,
    InvalidOptions,
    Overloaded,
    ShuttingDown,
)
from sidecar.history.executions import ExecutionHistory

#: Enough to answer for any execution that a host may still ask about.
MAX_ENDED_IDS: Final = 10_000


class ActiveExecutions:
    """Runs executions and finds them again, until `stop`."""

    def __init__(self, history: ExecutionHistory | None) -> None:
        """`history` is asked for the ids of before; without one there are none."""
        self._history = history
        self._active: dict[str, tuple[Execution, asyncio.Task[ExecutionResult]]] = {}
        #: Of all that are active.
        self._steps = 0
        #: Ids whose execution is being prepared, so that none is used twice.
        self._reserved: set[str] = set()
        #: Ids of ended executions, oldest first: they can be neither cancelled nor used again.
        self._ended: dict[str, None] = {}
        self._stopped = False

    # --- beginning ---------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def reserved(self, execution_id: str | None) -> AsyncIterator[str]:
        """An id that nobody else is given while an execution is prepared: the caller's own in its
        canonical form, or a new one.

        Raises InvalidOptions for an id that was used before or is no UUID, Overloaded and
        ShuttingDown.
        """
        self._require_open()
        if len(self._active) + len(self._reserved) >= limits.MAX_ACTIVE_EXECUTIONS:
            raise _overloaded(limits.MAX_ACTIVE_EXECUTIONS, "executions")
        own = str(uuid.uuid4()) if execution_id is None else canonical(execution_id)
        if own is None:
            raise bad_option("execution_id", f"expected a UUID, got {shown(execution_id)}")
        if own in self._reserved or own in self._active or own in self._ended:
            raise _used(own)
        self._reserved.add(own)
        try:
            if execution_id is not None and await self._is_kept(own):
                raise _used(own)
            yield own
        finally:
            self._reserved.discard(own)

    def require_room(self, step_count: int) -> None:
        """Raise ShuttingDown or Overloaded when no run of so many steps can be taken now."""
        self._require_open()
        if self._steps + step_count > limits.MAX_ACTIVE_STEPS:
            raise _overloaded(limits.MAX_ACTIVE_STEPS, "steps")

    def _require_open(self) -> None:
        if self._stopped:
            raise ShuttingDown("The sidecar is shutting down and starts nothing new")

    def begin(self, execution: Execution) -> None:
        """Run an execution, whose id is reserved and for which there is room."""
        name = f"execution {execution.execution_id}"
        task = asyncio.create_task(self._run(execution), name=name)
        self._active[execution.execution_id] = (execution, task)
        self._steps += execution.step_count

    async def _run(self, execution: Execution) -> ExecutionResult:
        try:
            return await execution.run()
        finally:
            del self._active[execution.execution_id]
            self._steps -= execution.step_count
            self._ended[execution.execution_id] = None
            if len(self._ended) > MAX_ENDED_IDS:
                del self._ended[next(iter(self._ended))]

    # --- finding and ending ------------------------------------------------------------------

    def all(self) -> list[Execution]:
        """Those that run now, oldest first."""
        return [execution for execution, _ in self._active.values()]

    def task_of(self, execution: Execution) -> asyncio.Task[ExecutionResult]:
        """The task that runs one of them, which must not have ended yet."""
        return self._active[execution.execution_id][1]

    def find(self, execution_id: str) -> Execution | None:
        """The one of an id, if it runs."""
        execution, _ = self._active.get(canonical(execution_id) or "", (None, None))
        return execution

    async def cancel(self, execution_id: str) -> bool:
        """Ask one to end; false when it had ended. Raises ExecutionNotFound."""
        execution = self.find(execution_id)
        if execution is not None:
            return execution.cancel()
        own = canonical(execution_id)
        if own is None or not (own in self._ended or await self._is_kept(own)):
            raise not_found(execution_id)
        return False

    async def stop(self) -> None:
        """Begin nothing new, cancel what runs, and wait until all of it has ended."""
        self._stopped = True
        for execution in self.all():
            execution.cancel()
        # Executions take themselves out of the table, so look again until it is empty.
        while tasks := [task for _, task in self._active.values()]:
            await asyncio.wait(tasks)

    async def _is_kept(self, execution_id: str) -> bool:
        if self._history is None:
            return False
        try:
            return await self._history.contains(execution_id)
        except HistoryError:
            # Runs go on without their history, which tells of that by itself.
            return False


def canonical(execution_id: str) -> str | None:
    """A UUID in the one spelling that is told (RFC 9562, section 4); None for what is none."""
    try:
        return str(uuid.UUID(execution_id))
    except ValueError:
        return None


def not_found(execution_id: str) -> ExecutionNotFound:
    """The error for an id that nobody knows."""
    return ExecutionNotFound(f"no execution has the id {shown(execution_id)}")


def bad_option(name: str, message: str) -> InvalidOptions:
    """The error for an option of a run that cannot be met."""
    problem = Problem(field=f"options.{name}", message=message)
    return InvalidOptions(f"Invalid params: options.{name}: {message}", [problem])


def _used(execution_id: str) -> InvalidOptions:
    return bad_option("execution_id", f"{execution_id} has been used before")


def _overloaded(limit: int, what: str) -> Overloaded:
    return Overloaded(
        f"The sidecar takes {limit:,} {what} at once, and so many run or wait;"
        " start this execution again when some have ended"
    )
