"""A project on disk, and the daemons that serve it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.driver import Driver, Framing, Lines

Start = Callable[..., Driver]

#: Every way of talking to the daemon; each test of the wire runs over all of them.
FRAMINGS: dict[str, Callable[[], Framing]] = {"lines": Lines}


class Project:
    """A project's folder that tests fill."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def script(self, name: str, text: str) -> str:
        """Write a script; its path as a workflow names it."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return f"./{name}"

    def workflow(self, name: str, *steps: dict[str, Any], **more: Any) -> str:
        """Write a workflow file of that id; its path. JSON is YAML."""
        (self.path / f"{name}.yaml").write_text(json.dumps(definition(name, *steps, **more)))
        return f"{name}.yaml"


def definition(name: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow object."""
    return {"workflow": {"id": name, "name": name.title()}, "steps": list(steps), **more}


def step(step_id: str, script: str, **more: Any) -> dict[str, Any]:
    """A Python step."""
    return {"id": step_id, "type": "python", "script": script, **more}


ECHO = "import json, sys\nprint(json.dumps(json.load(sys.stdin)))\n"
#: Says so on stderr when it runs, then never ends by itself.
HANG = "import sys, time\nprint('here', file=sys.stderr, flush=True)\nwhile True: time.sleep(1)\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project with two scripts: echo.py and hang.py."""
    path = tmp_path / "project"
    path.mkdir()
    made = Project(path)
    made.script("echo.py", ECHO)
    made.script("hang.py", HANG)
    return made


@pytest.fixture(params=list(FRAMINGS))
def start(request: pytest.FixtureRequest, project: Project) -> Iterator[Start]:
    """Start a daemon on the project; whatever it leaves at the test's end is a failure."""
    with ExitStack() as drivers:

        def start(*flags: str, **options: Any) -> Driver:
            options.setdefault("framing", FRAMINGS[request.param]())
            return drivers.enter_context(Driver(project.path, *flags, **options))

        yield start


@pytest.fixture
def driver(start: Start) -> Driver:
    """A daemon on the project."""
    return start()


@pytest.fixture(scope="module", params=list(FRAMINGS))
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driver]:
    """One daemon for all tests of a module that leave no trace in it."""
    with Driver(tmp_path_factory.mktemp("shared"), framing=FRAMINGS[request.param]()) as driver:
        yield driver
