"""What may stand on the command line."""

import argparse
import importlib

import pytest

from sidecar.cli.arguments import parse

COMMANDS = ("serve", "run", "validate", "history", "doctor", "schema")


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"\n    {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_commands_help_ends_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parse([command, "--help"])
    assert end.value.code == 0
    assert f"workflow-sidecar {command}" in capsys.readouterr().out.split("example")[-1]


def test_each_command_is_a_module_of_its_own() -> None:
    for name in COMMANDS:
        assert callable(importlib.import_module(f"sidecar.cli.{name}_command").run)


def test_a_commands_function_gets_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    from sidecar.cli import schema_command

    seen: list[argparse.Namespace] = []

    def run(options: argparse.Namespace) -> int:
        seen.append(options)
        return 7

    monkeypatch.setattr(schema_command, "run", run)
    options = parse(["schema", "workflow"])
    assert options.command(options) == 7
    assert seen == [options]


def test_defaults_of_serve() -> None:
    options = parse(["serve"])
    assert (options.project, options.history, options.python) == (None, None, None)
    assert (options.allow_env, options.max_parallel, options.log_level) == ([], None, "info")


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("0", ("127.0.0.1", 0)),
        ("localhost:8080", ("localhost", 8080)),
        ("[::1]:0", ("::1", 0)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
    ],
)
def test_the_websocket_listens_on_loopback_unless_a_host_is_given(
    typed: str, address: tuple[str, int]
) -> None:
    assert parse(["serve", "--ws", typed]).ws == address


def test_origins_are_taken_as_they_are() -> None:
    origins = ["http://localhost:5173", "app://local", "file://", "vscode-webview://0a-1b"]
    typed = [word for origin in origins for word in ("--allow-origin", origin)]
    assert parse(["serve", *typed]).allow_origin == origins


def test_inputs_keep_their_order_and_what_stands_behind_the_first_equals_sign() -> None:
    options = parse(["run", "w.yaml", "--input", "a=1", "--input", "b=x=y", "--input", "c="])
    assert options.input == [("a", "1"), ("b", "x=y"), ("c", "")]


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["run"], "the following arguments are required: WORKFLOW"),
        (["run", "w", "--input", "who"], 'argument --input: expected NAME=VALUE, got "who"'),
        (["run", "w", "--input", "=1"], 'argument --input: expected NAME=VALUE, got "=1"'),
        (["history", "--limit", "-1"], "expected a whole number from 0 to 999,999,999"),
        (["history", "--limit", "9" * 5000], f'got "{"9" * 60}"'),
        (["history", "--limit", "²"], 'got "²"'),
        (["serve", "--max-parallel", "0"], "expected a whole number from 1 to"),
        (["serve", "--ws", "70000"], "expected [HOST:]PORT, a PORT from 0 to 65535"),
        (["serve", "--ws", ""], "expected [HOST:]PORT"),
        (["serve", "--ws", "host"], "expected [HOST:]PORT"),
        (["serve", "--ws", ":80"], "expected [HOST:]PORT"),
        (["serve", "--ws", "host:"], "expected [HOST:]PORT"),
        (["serve", "--ws", "::1:80"], "an IPv6 address stands in brackets, [::1]:80"),
        (["serve", "--allow-origin", "*"], "expected an origin as browsers send it"),
        (["serve", "--allow-origin", "null"], "expected an origin"),
        (["serve", "--allow-origin", "http://*.example"], "expected an origin"),
        (["serve", "--allow-origin", "http://a/"], "with no path"),
        (["serve", "--allow-origin", "http://A"], "in lower case"),
        (["serve", "--allow-origin", "localhost:5173"], "expected an origin"),
        (["serve", "--log-level", "loud"], "expected one of debug, info, warning, error"),
        (["schema", "openapi"], "did you mean openrpc?"),
        (["schema"], "the following arguments are required: DOCUMENT"),
        (["validate"], "the following arguments are required: WORKFLOW"),
    ],
)
def test_arguments_that_cannot_be_used_are_told_with_status_2(
    typed: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parse(typed)
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 2
