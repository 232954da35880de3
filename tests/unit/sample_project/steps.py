"""Runs the sample project's scripts as a workflow would: a process of its own for each attempt."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEMO = Path(__file__).parents[3] / "renderer-demo"
SAMPLE = DEMO / "sample-project"


@dataclass(frozen=True)
class Attempt:
    code: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """The last line of the traceback: `ValueError: what is wrong`."""
        return self.stderr.rstrip().rpartition("\n")[2]


# Runs a script with a clock that stands still, for what depends on the time and nothing else.
STILL = """
import runpy, sys, time
now = float(sys.argv[2])
time.time = lambda: now
sys.path[0] = sys.argv[1].rpartition(sys.argv[3])[0]
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def attempt(
    project: Path, script: str, inputs: dict[str, Any], clock: float | None = None
) -> Attempt:
    """One run of a script; `script` is the name of one in the sample project, or a path."""
    path = Path(script) if "/" in script else SAMPLE / "scripts" / f"{script}.py"
    command = [sys.executable, str(path)]
    if clock is not None:
        command = [sys.executable, "-c", STILL, str(path), str(clock), os.sep]
    done = subprocess.run(
        command,
        input=json.dumps(inputs).encode(),
        cwd=project,
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return Attempt(done.returncode, done.stdout.decode("ascii"), done.stderr.decode())


def run_step(project: Path, script: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a script that is expected to succeed."""
    done = attempt(project, script, inputs)
    assert done.code == 0, done.stderr
    outputs = json.loads(done.stdout)
    assert isinstance(outputs, dict)
    return outputs


def stored(project: Path, path: str) -> Any:
    """What a step has written for later steps."""
    return json.loads((project / path).read_text(encoding="utf-8"))


def let_time_pass(project: Path, listing: str, seconds: float = 60) -> None:
    """Set the first look back in time, so that nothing has to wait for the second one."""
    content = stored(project, listing)
    content["looked_at"] -= seconds
    (project / listing).write_text(json.dumps(content), encoding="utf-8")


def settled(project: Path, folder: str = ".") -> str:
    """The path of a settled listing of the folder."""
    listing: str = run_step(project, "inventory", {"folder": folder})["listing"]
    let_time_pass(project, listing)
    path: str = run_step(project, "settle", {"listing": listing})["listing"]
    return path


def run_all(
    project: Path, workflow: dict[str, Any], inputs: dict[str, Any], scripts: Path
) -> dict[str, Any]:
    """Every step in file order, its references resolved; the outputs of each by its id."""
    values: dict[str, Any] = {
        f"workflow.inputs.{i['id']}": inputs.get(i["id"], i["default"]) for i in workflow["inputs"]
    }

    def resolve(text: str) -> Any:
        names = re.findall(r"\$\{([^}]+)\}", text)
        if text == "".join(f"${{{name}}}" for name in names[:1]):
            return values[names[0]]
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(values[found[1]]), text)

    results: dict[str, Any] = {}
    for step in workflow["steps"]:
        if step["type"] == "output":
            outputs: dict[str, Any] = {"message": resolve(step["message"])}
        else:
            given = {name: resolve(value) for name, value in step["inputs"].items()}
            if "retry_policy" in step:
                let_time_pass(project, given["listing"])
            outputs = run_step(project, str(scripts / step["script"]), given)
            assert set(outputs) == set(step["outputs"]), step["id"]
        values |= {f"steps.{step['id']}.outputs.{name}": v for name, v in outputs.items()}
        results[step["id"]] = outputs
    return results
