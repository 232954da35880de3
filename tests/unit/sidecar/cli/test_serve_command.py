"""`serve`: from arguments to the daemon's options; the daemon itself is not started here."""

from pathlib import Path

import pytest

from sidecar import daemon, logs
from sidecar.daemon import DaemonOptions
from sidecar.rpc.websocket import WebSocketOptions
from tests.unit.sidecar.cli.conftest import Cli, Project


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the daemon and the log are called with, in order."""
    calls: list[object] = []

    def serve(options: DaemonOptions) -> int:
        calls.append(options)
        return 5

    monkeypatch.setattr(daemon, "serve", serve)
    monkeypatch.setattr(
        logs, "set_up_logging", lambda level, **options: calls.append((level, options))
    )
    return calls


def test_without_arguments_the_daemon_serves_the_working_directory(
    cli: Cli, project: Project, served: list[object]
) -> None:
    assert cli("serve").status == 5
    path = project.path.resolve()
    assert served[0] == ("info", {"project": path, "file": None})
    assert isinstance(served[1], DaemonOptions)
    assert served[1].project == path
    assert served[1].history == path / ".workflow-sidecar" / "history.db"


def test_every_argument_reaches_the_daemon(
    cli: Cli, project: Project, served: list[object], tmp_path: Path
) -> None:
    cli(
        *("serve", "--stdio", "--project", "..", "--history", "h.db", "--python", "py"),
        *("--allow-env", "A", "--allow-env", "B", "--max-parallel", "3", "--log-level", "debug"),
        *("--log-file", "sidecar.log", "--parent-pid", "7"),
    )
    assert served[0] == ("debug", {"project": tmp_path.resolve(), "file": Path("sidecar.log")})
    options = served[1]
    assert isinstance(options, DaemonOptions)
    assert options.project == tmp_path.resolve()
    assert options.history == project.path / "h.db"
    assert options.python == "py"
    assert options.allow_env == {"A", "B"}
    assert options.max_parallel == 3
    assert options.parent_pid == 7
    assert options.stdio
    assert options.websocket is None


@pytest.mark.parametrize(("more", "stdio"), [((), False), (("--stdio",), True)])
def test_the_websocket_serves_alone_or_beside_stdio(
    cli: Cli, project: Project, served: list[object], more: tuple[str, ...], stdio: bool
) -> None:
    cli("serve", "--ws", "[::1]:7", "--allow-origin", "app://a", *more)
    options = served[1]
    assert isinstance(options, DaemonOptions)
    assert options.stdio is stdio
    assert options.websocket == WebSocketOptions("::1", 7, frozenset({"app://a"}))


def test_an_origin_without_a_websocket_is_status_2(
    cli: Cli, project: Project, served: list[object]
) -> None:
    shown = cli("serve", "--allow-origin", "app://a")
    assert (shown.status, served) == (2, [])
    assert "--allow-origin is about --ws" in shown.err


def test_a_project_that_is_none_is_status_2(
    cli: Cli, project: Project, served: list[object]
) -> None:
    assert cli("serve", "--project", "gone").status == 2
    assert served == []
