"""Stand-ins for time and scripts: the two things a unit test of the engine must not wait for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from protocol.events import ExecutionEvent
from sidecar.engine import Engine
from sidecar.history.executions import ExecutionHistory
from sidecar.scripts.interface import ScriptFailure, ScriptOutcome, ScriptRequest, ScriptRunner


class FakeClock:
    """A clock that only moves when somebody sleeps; `slept_ms` holds every pause asked for."""

    def __init__(self) -> None:
        self.time_ms = 1_000_000.0
        self.slept_ms: list[int] = []

    def now_ms(self) -> int:
        return int(self.time_ms)

    def monotonic_ms(self) -> float:
        return self.time_ms

    async def sleep(self, delay_ms: int) -> None:
        self.slept_ms.append(delay_ms)
        self.time_ms += delay_ms
        await asyncio.sleep(0)


Reply = Mapping[str, Any] | ScriptFailure
Behaviour = Callable[[ScriptRequest, Callable[[str], None]], Awaitable[Reply]]


class FakeRunner(ScriptRunner):
    """Answers each script with the next of its replies; the last one is repeated.

    `requests` holds what was asked, in order.
    """

    def __init__(self, **replies: list[Reply] | Behaviour) -> None:
        self.replies = replies
        self.requests: list[ScriptRequest] = []
        self.running = 0
        self.most_running = 0

    async def run(self, request: ScriptRequest, on_stderr: Callable[[str], None]) -> ScriptOutcome:
        self.requests.append(request)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            reply = await self._reply(request, on_stderr)
        finally:
            self.running -= 1
        if isinstance(reply, ScriptFailure):
            return ScriptOutcome(None, reply, "said on stderr", 5)
        return ScriptOutcome(dict(reply), None, "", 5)

    async def _reply(self, request: ScriptRequest, on_stderr: Callable[[str], None]) -> Reply:
        replies = self.replies.get(Path(request.script).stem, [{}])
        if callable(replies):
            return await replies(request, on_stderr)
        await asyncio.sleep(0)
        return replies.pop(0) if len(replies) > 1 else replies[0]

    async def isolation(self) -> dict[str, str]:
        return {"launcher": "fake"}

    async def prepare(self) -> None:
        return None

    async def close(self) -> None:
        return None

    def kill_all(self) -> None:
        return None


def failure(error_type: str = "ConnectionError", error: str = "no route") -> ScriptFailure:
    """A failing script's outcome."""
    bases = ("OSError", "Exception", "BaseException") if error_type == "ConnectionError" else ()
    return ScriptFailure(error, error_type, bases, f"Traceback …\n{error_type}: {error}\n")


def python_step(step_id: str, **more: Any) -> dict[str, Any]:
    """A step whose script is named after it."""
    return {"id": step_id, "type": "python", "script": f"./{step_id}.py", **more}


def workflow(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow object of the given steps."""
    return {"workflow": {"id": "w", "name": "W"}, "steps": list(steps), **more}


class Recorded:
    """An engine with a fake runner and clock, and every event it emitted."""

    def __init__(
        self,
        project: Path,
        runner: FakeRunner | None = None,
        *,
        history: ExecutionHistory | None = None,
        **options: Any,
    ) -> None:
        self.clock = FakeClock()
        self.runner = runner or FakeRunner()
        self.engine = Engine(
            project, runner=self.runner, clock=self.clock, history=history, **options
        )
        self.events: list[ExecutionEvent] = []
        self.engine.on_event(self.events.append)

    def types(self, *, optional: bool = False) -> list[str]:
        """The events' types in order; those a listener must ask for only with `optional`."""
        return [
            event.event_type
            for event in self.events
            if optional or event.event_type not in ("step_output", "step_skipped")
        ]

    def of_type(self, event_type: str) -> list[Any]:
        """The events of one type."""
        return [event for event in self.events if event.event_type == event_type]


@contextlib.asynccontextmanager
async def recorded(
    project: Path, runner: FakeRunner | None = None, **options: Any
) -> AsyncIterator[Recorded]:
    """A recorded engine that is closed at the end."""
    run = Recorded(project, runner, **options)
    async with run.engine:
        yield run


class Gate:
    """Scripts that wait until they are let through."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.entered: list[str] = []
        self.one_more = asyncio.Event()

    async def __call__(
        self, request: ScriptRequest, on_stderr: Callable[[str], None]
    ) -> dict[str, Any]:
        self.entered.append(request.script)
        self.one_more.set()
        await self.open.wait()
        return {}

    async def until(self, count: int) -> None:
        """Return when `count` scripts are inside."""
        while len(self.entered) < count:
            self.one_more.clear()
            await asyncio.wait_for(self.one_more.wait(), 5)
