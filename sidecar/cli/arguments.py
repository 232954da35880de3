"""What may stand on the command line, with its help. It knows no command's work.

What a single argument may be, `argument_types` says.
"""

import argparse
import importlib
from collections.abc import Callable
from typing import Final, TypeAlias

from sidecar import __version__
from sidecar.cli.argument_types import (
    address,
    at_least,
    module_name,
    name_and_value,
    one_of,
    origin,
    port,
)
from sidecar.cli.isolation import add_isolation_arguments
from sidecar.cli.parser import Parser

DESCRIPTION = "Runs workflows: YAML files whose steps are your own Python scripts."
EPILOG = """examples:
  workflow-sidecar run report.yaml --input folder=src
  workflow-sidecar validate *.yaml
  workflow-sidecar history nightly-report
  workflow-sidecar serve --project ~/my-project        (JSON-RPC over stdin and stdout)
  workflow-sidecar demo                                (a page that shows workflows as they run)

More about a command, with examples: workflow-sidecar COMMAND --help
"""
SERVE_EPILOG = """examples, the first a request by hand:
  echo '{"jsonrpc": "2.0", "id": 1, "method": "sidecar:info"}' | workflow-sidecar serve

  workflow-sidecar serve --ws 0           (WebSocket; prints the URL to connect to)

The daemon ends when stdin ends; with --ws alone, if it is a pipe or socket.
Every method: workflow-sidecar schema openrpc
"""
RUN_EPILOG = """examples:
  workflow-sidecar run report.yaml --input folder=src --input largest=5
  workflow-sidecar run report.yaml --inputs inputs.json --json > result.json
  echo '{"folder": "src"}' | workflow-sidecar run report.yaml --inputs -

A value of --input goes before one of --inputs, and the last of several for one NAME counts.
Ctrl-C stops the script that runs and ends the run; a second Ctrl-C kills it.

Exit status: 0 success, 1 the workflow failed, 2 unusable arguments or an invalid workflow,
130 cancelled by Ctrl-C
"""
VALIDATE_EPILOG = """example:
  workflow-sidecar validate workflows/*.yaml

Prints file:line:column: error: message, one a line. Exit status: 0 when all are valid, else 1
"""
HISTORY_EPILOG = """examples:
  workflow-sidecar history
  workflow-sidecar history nightly-report --limit 1 --json
  workflow-sidecar history 0f8fad5b                    (one run: every step, every attempt)

The five newest runs of each workflow are kept.
"""
DEMO_EPILOG = """examples:
  workflow-sidecar demo
  workflow-sidecar demo --project ~/my-project --no-browser

The sample runs in a copy of yours, in the folder that your system keeps such things in.
Ctrl-C ends it.
"""
DOCTOR_EPILOG = """examples:
  workflow-sidecar doctor
  workflow-sidecar doctor --python ~/envs/science/bin/python

Exit status: 0 when nothing needs mending, else 1
"""
SCHEMA_EPILOG = """examples:
  workflow-sidecar schema workflow > workflow.schema.json     (for the YAML support of an editor)
  workflow-sidecar schema openrpc > openrpc.json
  workflow-sidecar schema typescript > protocol.d.ts          (for a host in TypeScript)
"""

_Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
_HERE: Final = "this one"


def parse(arguments: list[str]) -> argparse.Namespace:
    """The parsed arguments; `command` is the function to call with them.

    Exits with status 2 and a message when they cannot be used, with 0 after --help and --version.
    """
    parser = Parser("workflow-sidecar", DESCRIPTION, EPILOG)
    parser.add_argument(
        "--version",
        action="version",
        version=f"workflow-sidecar {__version__}",
        help="print the version and exit",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    # As a new user meets them; the daemon is for programs.
    for add in (_run, _validate, _history, _demo, _doctor, _schema, _serve):
        add(commands)
    parser.commands = commands.choices
    return parser.parse_all(arguments)


def _command(commands: _Commands, name: str, summary: str, epilog: str) -> Parser:
    parser = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=epilog
    )
    parser.set_defaults(command_name=name, command=_later(name))
    return parser


def _later(name: str) -> Callable[[argparse.Namespace], int]:
    """The command's function, imported only when it is called."""

    def command(options: argparse.Namespace) -> int:
        module = importlib.import_module(f"sidecar.cli.{name}_command")
        status: int = module.run(options)
        return status

    return command


def _serve(commands: _Commands) -> None:
    parser = _command(commands, "serve", "serve JSON-RPC 2.0 to a host program", SERVE_EPILOG)
    parser.add_argument(
        "--stdio",
        action="store_true",
        help="speak over stdin and stdout (the default; with --ws as well as over that)",
    )
    parser.add_argument(
        "--ws",
        type=address,
        metavar="[HOST:]PORT",
        help="speak over WebSocket; 0 picks a free port, HOST is 127.0.0.1 unless given. The first "
        "line on stdout (on stderr with --stdio) tells the URL with its token",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        type=origin,
        metavar="ORIGIN",
        help="origin of web pages that may connect, such as http://localhost:5173; may be repeated",
    )
    _project_arguments(parser, _HERE)
    _script_arguments(parser)
    parser.add_argument(
        "--max-parallel",
        type=at_least(1),
        metavar="N",
        help="scripts running at once over all workflows (default: cores, at least 2)",
    )
    parser.add_argument(
        "--parent-pid",
        type=at_least(1),
        metavar="PID",
        help="end with this process too, for a host whose end of stdin others may hold open",
    )
    parser.add_argument(
        "--log-level",
        type=one_of("debug", "info", "warning", "error"),
        default="info",
        metavar="L",
        help="least level that is logged to stderr: debug, info (default), warning, error",
    )
    parser.add_argument(
        "--log-file",
        metavar="FILE",
        help="log to this file as well; it and three older ones (FILE.1 ...) take 20 MiB at most",
    )


def _run(commands: _Commands) -> None:
    parser = _command(commands, "run", "run one workflow and show its progress", RUN_EPILOG)
    parser.add_argument(
        "workflow", metavar="WORKFLOW", help="the workflow file, from here or from the project"
    )
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        type=name_and_value,
        metavar="NAME=VALUE",
        help="value of one input; may be repeated",
    )
    parser.add_argument(
        "--inputs", metavar="FILE", help="JSON file with all inputs as one object; - is stdin"
    )
    _project_arguments(parser, "this one if the workflow lies in it, else the workflow's")
    _script_arguments(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the ExecutionResult alone on stdout; progress goes to stderr if that is a "
        "terminal",
    )


def _validate(commands: _Commands) -> None:
    summary = "check workflow files and print every problem"
    parser = _command(commands, "validate", summary, VALIDATE_EPILOG)
    parser.add_argument("workflow", metavar="WORKFLOW", nargs="+", help="workflow files")


def _history(commands: _Commands) -> None:
    parser = _command(commands, "history", "show past runs, newest first", HISTORY_EPILOG)
    parser.add_argument(
        "workflow_id",
        metavar="WORKFLOW_ID",
        nargs="?",
        help="only runs of this workflow; or one run in full, by its RUN of the table",
    )
    parser.add_argument(
        "--limit", type=at_least(0), default=20, metavar="N", help="at most N runs (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="print an array of entries")
    _project_arguments(parser, _HERE)


def _demo(commands: _Commands) -> None:
    summary = "show workflows as they run, on a page in the browser"
    parser = _command(commands, "demo", summary, DEMO_EPILOG)
    parser.add_argument(
        "--project", metavar="DIR", help="the project to show (default: a copy of the sample)"
    )
    parser.add_argument(
        "--port",
        type=port,
        metavar="N",
        help="where to serve the page (default: where the last demo was, else any free port)",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the page's URL and open no browser"
    )


def _doctor(commands: _Commands) -> None:
    summary = "check Python, isolation and history, and say what to mend"
    parser = _command(commands, "doctor", summary, DOCTOR_EPILOG)
    _project_arguments(parser, _HERE)
    parser.add_argument("--python", metavar="PATH", help="the interpreter to check")


def _schema(commands: _Commands) -> None:
    parser = _command(commands, "schema", "print a machine-readable description", SCHEMA_EPILOG)
    parser.add_argument(
        "document",
        metavar="DOCUMENT",
        type=one_of("workflow", "openrpc", "typescript"),
        help="workflow: JSON Schema of workflow files; openrpc: every method of the wire; "
        "typescript: the types of the wire",
    )


def _project_arguments(parser: Parser, default: str) -> None:
    parser.add_argument(
        "--project", metavar="DIR", help=f"folder that scripts lie and run in (default: {default})"
    )
    parser.add_argument(
        "--history",
        metavar="FILE",
        help="where runs are kept (default: .workflow-sidecar/history.db in the project)",
    )


def _script_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--python",
        metavar="PATH",
        help="interpreter of the scripts (default: WORKFLOW_SIDECAR_PYTHON, else python3 or python "
        "on the PATH, 3.8 or newer)",
    )
    parser.add_argument(
        "--allow-env",
        action="append",
        default=[],
        metavar="NAME",
        help="environment variable that ${env.NAME} may read; may be repeated",
    )
    parser.add_argument(
        "--preload",
        action="append",
        default=[],
        type=module_name,
        metavar="MODULE",
        help="module that is imported once for all scripts, such as numpy; may be repeated (doctor "
        "says what it would save)",
    )
    add_isolation_arguments(parser)
