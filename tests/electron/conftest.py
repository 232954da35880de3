"""An Electron, a display, a project, and apps on it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.electron import unpack
from tests.electron.app import App

Start = Callable[..., App]


def is_ci() -> bool:
    """Whether an absence is a failure; a false or empty CI counts as none."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def missing(error: unpack.NotHad) -> None:
    """End the test: fail under CI, else skip."""
    if is_ci():
        pytest.fail(f"Electron: {error}")
    pytest.skip(f"Electron: {error}")


@pytest.fixture(scope="session")
def electron() -> Iterator[tuple[Path, str]]:
    """The program and the display. Skipped by name where one is missing; under CI it fails."""
    if is_ci():
        subprocess.run(["sh", unpack.ROOT / ".ci" / "desktop"], check=False)
    try:
        program = unpack.electron()
        with unpack.display() as display:
            yield program, display
    except unpack.NotHad as error:
        missing(error)


@pytest.fixture
def start(electron: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start an app, by default the demo; whatever it leaves is a failure."""
    program, display = electron
    with ExitStack() as apps:

        def start(*arguments: str, app: Path = unpack.APP, **env: str) -> App:
            data = tmp_path_factory.mktemp("data")
            environment = {
                "DISPLAY": display,
                "WORKFLOW_SIDECAR": f'"{sys.executable}" -m sidecar',
                "WORKFLOW_SIDECAR_PYTHON": sys.executable,
                **env,
            }
            options: dict[str, Any] = {"env": environment}
            started = App(program, app, f"--user-data-dir={data}", *arguments, **options)
            return apps.enter_context(started)

        yield start
