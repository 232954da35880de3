"""Records what real runs tell, for the page's tests: `python -m tests.node.page.record`.

Each stream holds every event, and after each the snapshot and the detail of that very instant, so
that a test can let them come in any order that a reconnect can produce.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from protocol.events import ExecutionEvent
from protocol.executions import ExecutionDetail
from sidecar.engine import Engine
from sidecar.history.executions import ExecutionHistory

STREAMS = Path(__file__).parent / "streams"

COUNT = """
import json, sys
print("counting", file=sys.stderr, flush=True)
print("counted", file=sys.stderr, flush=True)
print(json.dumps({"total": json.load(sys.stdin)["n"]}))
"""
#: Fails until it has been tried three times.
FLAKY = """
import pathlib, sys
tries = pathlib.Path("tries")
tries.open("a").write(".")
print("try", tries.stat().st_size, file=sys.stderr, flush=True)
if tries.stat().st_size < 3:
    raise ConnectionError("no route to <b>host</b>")
print("{}")
"""
BROKEN = "raise ValueError('it is broken')\n"
HANG = "import sys, time\nprint('here', file=sys.stderr, flush=True)\nwhile True: time.sleep(1)\n"

RETRY = {"max_attempts": 3, "initial_delay_ms": 20}


def _python(step_id: str, script: str, **more: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "python", "script": script, **more}


_COUNT = _python("count", "count.py", label="Count", inputs={"n": 3})
_TELL = {"id": "tell", "type": "output", "message": "counted ${steps.count.outputs.total}"}
WORKFLOWS: dict[str, list[dict[str, Any]]] = {
    "success": [_COUNT, _TELL],
    "retried": [_python("flaky", "flaky.py", retry_policy=RETRY), _COUNT, _TELL],
    "failed": [
        _COUNT,
        _python("broken", "broken.py", retry_policy={**RETRY, "max_attempts": 2}),
        _TELL,
    ],
    "cancelled": [_COUNT, _python("hang", "hang.py"), _TELL],
    "odd-names": [
        {"id": "__proto__", "type": "output", "message": "<img src=x onerror=alert(1)>"},
        {"id": "constructor", "type": "output", "message": "\x1b[31m ${steps.10.outputs.message}"},
        {"id": "10", "type": "output", "message": "\u202egnp.exe"},
        {"id": "9", "type": "output", "message": "javascript:alert(1)", "depends_on": ["10"]},
    ],
}


async def record(name: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """One run, with all that could be heard of it."""
    moments: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        for script, text in (
            ("count", COUNT),
            ("flaky", FLAKY),
            ("broken", BROKEN),
            ("hang", HANG),
        ):
            (project / f"{script}.py").write_text(text)
        history = ExecutionHistory(project / "history.db")
        async with Engine(project, history=history, python=sys.executable) as engine:

            def on_event(event: ExecutionEvent) -> None:
                snapshots = [snapshot.model_dump() for snapshot in engine.active()]
                moments.append(
                    {
                        "event": event.model_dump(exclude_none=True),
                        "snapshot": snapshots[0] if snapshots else None,
                        "detail": _now(engine, event.execution_id),
                    }
                )
                if event.event_type == "step_output" and event.data.text == "here":
                    cancelling.append(asyncio.create_task(engine.cancel(event.execution_id)))

            cancelling: list[asyncio.Task[bool]] = []
            engine.on_event(on_event)
            definition = {"workflow": {"id": name, "name": name.title()}, "steps": steps}
            result = await engine.execute(definition)
            final = await engine.detail(result.execution_id)
    return {"moments": moments, "final": final.model_dump(exclude_none=True)}


def _now(engine: Engine, execution_id: str) -> Any:
    """The detail of a running execution, without a turn of the loop in between."""
    try:
        engine.detail(execution_id).send(None)
    except StopIteration as answer:
        detail: ExecutionDetail = answer.value
    # In the middle of the end, which takes one turn of the loop, nobody else can ask.
    unsettled = {step.status for step in detail.steps.values()} & {"pending", "running"}
    if detail.status != "running" and unsettled:
        return None
    return detail.model_dump(exclude_none=True)


def main() -> None:
    """Record every stream."""
    STREAMS.mkdir(exist_ok=True)
    for name, steps in WORKFLOWS.items():
        stream = asyncio.run(record(name, steps))
        lines = [json.dumps(moment) for moment in stream["moments"]]
        text = (
            '{"moments": [\n' + ",\n".join(lines) + '\n],\n"final": ' + json.dumps(stream["final"])
        )
        (STREAMS / f"{name}.json").write_text(text + "}\n")


if __name__ == "__main__":
    main()
