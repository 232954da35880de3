"""The exit status, and one line instead of a traceback, whatever happens inside."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sidecar import __version__
from sidecar.cli import schema_command
from sidecar.cli.streams import StdoutError
from sidecar.errors import UsageError
from tests.unit.sidecar.cli.conftest import Cli


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Let the command `schema` raise something."""

    def arrange(error: BaseException) -> None:
        def run(_: argparse.Namespace) -> NoReturn:
            raise error

        monkeypatch.setattr(schema_command, "run", run)

    return arrange


def test_version_prints_name_and_version(cli: Cli) -> None:
    assert cli("--version") == (0, f"workflow-sidecar {__version__}\n", "")


def test_no_command_prints_the_help_as_an_error(cli: Cli) -> None:
    status, out, err = cli()
    assert (status, out) == (2, "")
    assert err.startswith("usage: workflow-sidecar")


def test_arguments_come_from_the_process_unless_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sidecar.cli import main

    monkeypatch.setattr(sys, "argv", ["workflow-sidecar", "--version"])
    assert main() == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (UsageError("no \x1b[31mway"), 2, "workflow-sidecar: error: no \\x1b[31mway\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 1, ""),
        (
            StdoutError("No space left"),
            1,
            "workflow-sidecar: error: stdout cannot be written: No space left\n",
        ),
        (SystemExit("text"), 2, ""),
        (SystemExit(3), 3, ""),
    ],
    ids=["ours", "ctrl-c", "reader-left", "disk-full", "exit-text", "exit-number"],
)
def test_what_is_raised_becomes_an_exit_status_and_at_most_one_line(
    cli: Cli,
    failing: Callable[[BaseException], None],
    error: BaseException,
    status: int,
    told: str,
) -> None:
    failing(error)
    assert cli("schema", "workflow") == (status, "", told)


def test_a_bug_of_ours_is_one_line_that_says_where(
    cli: Cli, failing: Callable[[BaseException], None]
) -> None:
    failing(RuntimeError("odd"))
    status, out, err = cli("schema", "workflow")
    assert (status, out) == (70, "")
    assert err.startswith("workflow-sidecar: internal error: RuntimeError: odd (test_main.py:")
    assert err.endswith("; this is a bug\n")
    assert err.count("\n") == 1


def test_a_closed_stderr_does_not_change_the_exit_status(
    cli: Cli, failing: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(UsageError("no way"))
    monkeypatch.setattr(sys, "stderr", None)
    assert cli("schema", "workflow").status == 2


def test_a_file_that_stdout_cannot_hold_is_told(
    failing: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from sidecar.cli import main

    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full: a full disk was not tried")
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["schema", "workflow"]) == 1
    assert "stdout cannot be written: No space left on device" in capsys.readouterr().err
