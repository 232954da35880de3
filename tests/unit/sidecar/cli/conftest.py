"""The command line in this process: what it prints, its exit status, and a project to work on."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from sidecar.cli import main


class Ran(NamedTuple):
    """What came of one command."""

    status: int
    out: str
    err: str


class Cli(Protocol):
    """`workflow-sidecar` with these arguments."""

    def __call__(self, *arguments: str) -> Ran: ...


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in this process."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        status = main(list(arguments))
        return Ran(status, *capsys.readouterr())

    return run


class Project:
    """A folder that is the working directory, with a workflow `greet.yaml` of one script."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("hello.py", "import json, sys\nprint(json.dumps(json.load(sys.stdin)))\n")
        self.workflow(
            "greet",
            {
                "id": "hello",
                "type": "python",
                "script": "./hello.py",
                "inputs": {"who": "${workflow.inputs.who}", "n": "${workflow.inputs.n}"},
            },
            {
                "id": "done",
                "type": "output",
                "message": "Hello, ${steps.hello.outputs.who} ${steps.hello.outputs.n}!",
            },
            inputs=[
                {"id": "who", "type": "string", "default": "world"},
                {"id": "n", "type": "number", "default": 3},
                {"id": "format", "type": "select", "options": ["md", "html"], "default": "md"},
            ],
        )

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def workflow(self, name: str, *steps: dict[str, Any], **more: Any) -> None:
        """Write NAME.yaml. JSON is YAML."""
        definition = {"workflow": {"id": name, "name": name.title()}, "steps": list(steps), **more}
        self.write(f"{name}.yaml", json.dumps(definition))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in the working directory."""
    path = tmp_path / "project"
    path.mkdir()
    monkeypatch.chdir(path)
    monkeypatch.setenv("WORKFLOW_SIDECAR_PYTHON", sys.executable)
    return Project(path)


def script_step(step_id: str, **more: Any) -> dict[str, Any]:
    """A step whose script is named after it."""
    return {"id": step_id, "type": "python", "script": f"./{step_id}.py", **more}


def output_step(step_id: str, message: str, **more: Any) -> dict[str, Any]:
    """A step that says something."""
    return {"id": step_id, "type": "output", "message": message, **more}
