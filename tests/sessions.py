"""One session of a host, the same through every third-party client: its project and its outcome."""

import json
from pathlib import Path
from typing import Any, Final

_DOUBLE: Final = """\
import json, sys
print(json.dumps({"n": 2 * json.load(sys.stdin)["n"]}))
"""
_HANG: Final = "import sys, time\nprint('here', file=sys.stderr, flush=True)\ntime.sleep(600)\n"

#: What a client reports when all went as it should.
EXPECTED: Final[dict[str, Any]] = {
    "subscribed": {
        "subscribed": True,
        "workflow_id": "numbers",
        "subscriber": "",
        "active": [],
    },
    "outputs": [
        {"double": {"n": 8}, "again": {"n": 16}},
        {"double": {"n": 10}, "again": {"n": 20}},
    ],
    "same_run": True,
    "told": [
        [1, "workflow_started", None],
        [2, "step_started", "double"],
        [3, "step_completed", "double"],
        [4, "step_started", "again"],
        [5, "step_completed", "again"],
        [6, "workflow_completed", None],
    ],
    "told_after": 0,
    "unsubscribed": {"unsubscribed": True},
    "code": -32601,
    "status": 0,
}


def project_of_sessions(folder: Path) -> None:
    """Write the project: `numbers.yaml` of two steps, `hang.yaml` whose script never ends."""

    def step(step_id: str, script: str, **inputs: str) -> dict[str, Any]:
        return {"id": step_id, "type": "python", "script": script, "inputs": inputs}

    workflows: dict[str, dict[str, Any]] = {
        "numbers": {
            "inputs": [{"id": "n", "type": "number", "required": True}],
            "steps": [
                step("double", "double.py", n="${workflow.inputs.n}"),
                step("again", "double.py", n="${steps.double.outputs.n}"),
            ],
        },
        "hang": {"steps": [step("wait", "hang.py")]},
    }
    for name, workflow in workflows.items():
        workflow["workflow"] = {"id": name, "name": name}
        (folder / f"{name}.yaml").write_text(json.dumps(workflow))
    (folder / "double.py").write_text(_DOUBLE)
    (folder / "hang.py").write_text(_HANG)
