"""`demo`: from arguments to the daemon's options; the daemon itself is not started here."""

import logging
import socket
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar import daemon, logs
from sidecar.cli import demo_command
from sidecar.daemon import DaemonOptions
from sidecar.rpc.websocket import Endpoint
from tests.unit.sidecar.cli.conftest import Cli, Project

Announce = Callable[[Endpoint], str]
Served = list[tuple[DaemonOptions, Announce]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Served]:
    """What the daemon is called with."""
    calls: Served = []

    def serve(options: DaemonOptions, announce: Announce) -> int:
        calls.append((options, announce))
        return 0

    monkeypatch.setattr(daemon, "serve", serve)
    monkeypatch.setattr(logs, "set_up_logging", lambda level, **options: None)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("sys.platform", "linux")
    yield calls
    logging.getLogger("sidecar.engine.step_execution").setLevel(logging.NOTSET)


def test_without_arguments_a_copy_of_the_sample_is_served(
    cli: Cli, project: Project, served: Served, tmp_path: Path
) -> None:
    assert cli("demo").status == 0
    ((options, _),) = served
    assert options.project == tmp_path / "data" / "workflow-sidecar" / "sample-project"
    assert (options.project / "workflow.yaml").is_file()
    assert not options.stdio
    assert options.websocket is not None
    assert options.websocket.host == "127.0.0.1"
    assert options.websocket.port == 0
    assert "/" in options.websocket.pages
    assert not options.ends_with_stdin


def test_a_project_and_a_port_reach_the_daemon(
    cli: Cli, project: Project, served: Served, tmp_path: Path
) -> None:
    cli("demo", "--project", ".", "--port", "4321")
    ((options, _),) = served
    assert options.project == project.path.resolve()
    assert options.history == project.path.resolve() / ".workflow-sidecar" / "history.db"
    assert options.websocket is not None
    assert options.websocket.port == 4321
    assert not (tmp_path / "data" / "workflow-sidecar" / "sample-project").exists()


def test_a_project_of_its_own_needs_no_data_folder(
    cli: Cli, project: Project, served: Served, tmp_path: Path
) -> None:
    (tmp_path / "data").touch()
    assert cli("demo", "--project", ".").status == 0
    assert cli("demo").status == 2
    assert len(served) == 1


def test_the_url_is_announced_and_the_next_demo_is_found_where_this_one_was(
    cli: Cli, project: Project, served: Served
) -> None:
    cli("demo", "--no-browser")
    options, announce = served[0]
    assert options.websocket is not None
    token = options.websocket.token
    assert token
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        url = announce(Endpoint("127.0.0.1", port, token))
        assert url == f"http://127.0.0.1:{port}/?token={token}"
        cli("demo", "--no-browser")
    cli("demo", "--no-browser")
    while_taken, afterwards = served[1][0].websocket, served[2][0].websocket
    assert while_taken is not None
    assert afterwards is not None
    assert (while_taken.port, while_taken.token) == (0, token)
    assert (afterwards.port, afterwards.token) == (port, token)


@pytest.mark.parametrize("port", ["x", "-1", "65536", "1.5", "9" * 30])
def test_a_port_that_is_none_is_status_2(
    cli: Cli, project: Project, served: Served, port: str
) -> None:
    assert cli("demo", f"--port={port}").status == 2
    assert served == []


def test_the_browser_is_led_on_by_a_file_so_that_no_command_line_holds_the_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[str] = []

    def open_browser(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", open_browser)
    demo_command._open("http://127.0.0.1:1/?token=secret&x", tmp_path)
    assert opened == [(tmp_path / "open-demo.html").as_uri()]
    assert "secret" not in opened[0]
    text = (tmp_path / "open-demo.html").read_text()
    assert 'url=http://127.0.0.1:1/?token=secret&amp;x"' in text
    assert (tmp_path / "open-demo.html").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("has_screen", [True, False])
def test_where_no_browser_can_be_opened_the_address_is_pointed_to(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    has_screen: bool,
) -> None:
    def nothing(url: str) -> bool:
        assert has_screen, "a browser without a window would take over the terminal"
        return False

    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if has_screen:
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setattr(webbrowser, "open", nothing)
    demo_command._open("http://127.0.0.1:1/?token=t", tmp_path)
    assert "open the address above" in capsys.readouterr().err
