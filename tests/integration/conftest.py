"""A project on disk, and the daemons that serve it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration import driver as processes
from tests.integration.driver import Driver
from tests.integration.memory import MemoryHost

Start = Callable[..., Driver]

#: Every way of talking to the sidecar.
TRANSPORTS = ("memory", *processes.TRANSPORTS)
#: The mark of a suite that runs over all of them; what has none speaks in lines.
over_every_transport = pytest.mark.parametrize(
    "transport", TRANSPORTS, indirect=True, scope="module"
)


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


def run_once(driver: Driver) -> tuple[int, int]:
    """Run something and forget it, so that the figures after are those of a warm daemon."""
    driver.wait_for_zygote()
    driver.call("workflow:execute", [definition("warm", step("a", "./echo.py"))])
    driver.call("workflow:execution:clear", ["warm"])
    return driver.figures()


@dataclass(frozen=True)
class Endless:
    """A run of a script that never ends, under the timeout that steps have by themselves."""

    driver: Driver
    before: tuple[int, int]
    request: int


@pytest.fixture(scope="session")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endless]:
    """Asked for by tests that come earlier as well, so that its half minute passes with them."""
    project = Project(tmp_path_factory.mktemp("endless"))
    project.script("echo.py", ECHO)
    loop = project.script("loop.py", "while True: pass\n")
    with Driver(project.path) as driver:
        before = run_once(driver)
        driver.call("workflow:execution:subscribe")
        request = driver.request("workflow:execute", [definition("w", step("a", loop))])
        yield Endless(driver, before, request)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project with two scripts: echo.py and hang.py."""
    path = tmp_path / "project"
    path.mkdir()
    made = Project(path)
    made.script("echo.py", ECHO)
    made.script("hang.py", HANG)
    return made


@pytest.fixture(scope="module")
def transport(request: pytest.FixtureRequest) -> str:
    """How hosts talk to the sidecar: one of TRANSPORTS."""
    return str(getattr(request, "param", "lines"))


def _start(transport: str, project: Path, *flags: str, **options: Any) -> Any:
    if transport == "memory":
        return MemoryHost(project, *flags, **options)
    return Driver(project, *flags, transport=transport, **options)


@pytest.fixture
def start(transport: str, project: Project) -> Iterator[Start]:
    """Start a daemon on the project; whatever it leaves at the test's end is a failure."""
    with ExitStack() as drivers:

        def start(*flags: str, **options: Any) -> Driver:
            driver: Driver = drivers.enter_context(
                _start(transport, project.path, *flags, **options)
            )
            return driver

        yield start


@pytest.fixture
def driver(start: Start) -> Driver:
    """A daemon on the project."""
    return start()


@pytest.fixture(scope="module")
def shared(transport: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """One daemon for all tests of a module that leave no trace in it."""
    with _start(transport, tmp_path_factory.mktemp("shared")) as driver:
        yield driver
