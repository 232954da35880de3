"""Complaints of two lines, with what was probably meant."""

import pytest

from sidecar.cli.argument_types import one_of
from sidecar.cli.parser import Parser, meant


@pytest.fixture
def parser() -> Parser:
    parser = Parser("prog", "Does things.", "")
    parser.add_argument("--version", action="version", version="prog 1")
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for name in ("run", "history"):
        command = commands.add_parser(name, description="", epilog="")
        command.set_defaults(command_name=name)
        command.add_argument("file", nargs="?")
        command.add_argument("--limit", type=int)
        command.add_argument("--log", type=one_of("info", "debug"))
    parser.commands = commands.choices
    return parser


@pytest.mark.parametrize(
    ("arguments", "complaint", "help_of"),
    [
        (["rnu"], 'prog: error: there is no command "rnu"; did you mean run?', "prog"),
        (["x.yaml"], 'prog: error: there is no command "x.yaml"; did you mean run x.yaml?', "prog"),
        (["zzz"], 'prog: error: there is no command "zzz"', "prog"),
        (["\x1b[31m"], 'prog: error: there is no command "\\u001b[31m"', "prog"),
        (["--vers"], "prog: error: there is no option --vers; did you mean --version?", "prog"),
        (
            ["history", "--limt=1"],
            "prog history: error: there is no option --limt; did you mean --limit?",
            "prog history",
        ),
        (["run", "-q"], "prog run: error: there is no option -q", "prog run"),
        (["run", "a", "b"], 'prog run: error: unexpected argument "b"', "prog run"),
        (
            ["run", "--log", "inof"],
            "prog run: error: argument --log: expected one of info, debug, "
            'got "inof"; did you mean info?',
            "prog run",
        ),
        (
            ["run", "--limit"],
            "prog run: error: argument --limit: expected one argument",
            "prog run",
        ),
    ],
)
def test_a_slip_of_the_pen_is_told_with_what_was_meant(
    parser: Parser,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
    help_of: str,
) -> None:
    with pytest.raises(SystemExit) as end:
        parser.parse_all(arguments)
    assert end.value.code == 2
    assert capsys.readouterr() == ("", f"{complaint}\nTry: {help_of} --help\n")


def test_nothing_at_all_is_answered_with_the_help_on_stderr(
    parser: Parser, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parser.parse_all([])
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert err.startswith("usage: prog")


def test_what_is_understood_is_returned(parser: Parser) -> None:
    options = parser.parse_all(["run", "f", "--limit", "3", "--log", "debug"])
    assert (options.file, options.limit, options.log) == ("f", 3, "debug")


def test_a_long_option_cannot_be_cut_short(parser: Parser) -> None:
    with pytest.raises(SystemExit):
        parser.parse_all(["run", "--lim", "3"])


def test_only_what_comes_near_is_suggested() -> None:
    assert meant("histroy", ["run", "history"]) == "; did you mean history?"
    assert meant("anything", ["run", "history"]) == ""
