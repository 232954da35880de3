"""What the README shows is what happens: every file in it is written, every command is run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from protocol.errors import WIRE_ERRORS
from protocol.events import EVENT_ADAPTER
from protocol.methods import METHODS

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")
DOCS = README.parent / "protocol" / "docs"
FILES = dict(re.findall(r"```\w+ file=(\S+)\n(.*?)```", TEXT, re.DOTALL))
CONSOLES = re.findall(r"```console\n\$ (.*?)\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that holds the README's files."""
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def _run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": beside, "WORKFLOW_SIDECAR_PYTHON": sys.executable}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _without_durations(text: str) -> str:
    return re.sub(r"\d+(\.\d+)? (ms|s)\b", "TIME", text).strip()


def test_the_first_run_prints_what_the_readme_shows(project: Path) -> None:
    command, shown = CONSOLES[0]
    done = _run(command.split(), project)
    assert done.returncode == 0, done.stderr
    assert _without_durations(done.stdout) == _without_durations(shown)


def test_validate_prints_what_the_readme_shows(project: Path) -> None:
    command, shown = CONSOLES[1]
    (project / "broken.yaml").write_text(
        "workflow: {name: Broken}\n"
        "steps:\n"
        "  # two slips of the pen\n"
        "  - {id: hello, type: python, scirpt: ./hello.py, script: ./hello.py}\n"
        '  - {id: done, type: output, message: "${steps.helo.outputs.x}"}\n'
    )
    done = _run(command.split(), project)
    assert done.returncode == 1
    assert done.stdout.strip() == shown.strip()


def test_the_workflow_file_of_the_readme_is_valid(project: Path) -> None:
    done = _run(["workflow-sidecar", "validate", "nightly.yaml"], project)
    assert done.returncode == 0, done.stdout


def test_the_host_of_the_readme_runs_the_workflow(project: Path) -> None:
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("Node is missing")
        pytest.skip("Node is missing: the README's host was not run")
    done = _run([node, "host.js"], project)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == [
        "workflow_started ",
        "step_started hello",
        "step_completed hello",
        "step_started done",
        "step_completed done",
        "workflow_completed ",
        "Hello, Ada!",
        "",
    ]


def test_the_python_api_of_the_readme_runs_the_workflow(project: Path) -> None:
    done = _run([sys.executable, "embed.py"], project)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "1 workflow_started"
    assert done.stdout.splitlines()[-1] == "success Hello, Ada!"


@pytest.mark.parametrize(
    ("script", "error_type", "error"),
    [
        ("print('loading')\nprint('{}')", "InvalidOutput", "stderr"),
        ("print({'a': 1})", "InvalidOutput", "json.dumps"),
        ("pass", "InvalidOutput", "print"),
        ("raise KeyError('name')", "KeyError", "name"),
        ("while True: pass", "ScriptTimeout", "Script timeout after 500ms"),
    ],
    ids=["line-first", "python-repr", "nothing", "exception", "never-ends"],
)
def test_the_five_errors_that_script_authors_make_most_are_told_as_the_guide_says(
    project: Path, script: str, error_type: str, error: str
) -> None:
    (project / "hello.py").write_text(script)
    workflow = FILES["greet.yaml"].replace("./hello.py,", "./hello.py, timeout: 500,")
    (project / "greet.yaml").write_text(workflow)
    done = _run(["workflow-sidecar", "run", "greet.yaml"], project)
    assert done.returncode == 1
    assert error_type in done.stdout
    assert error in done.stdout
    assert f"`{error_type}`" in _guide("authors.md") or error_type == "KeyError"


def _guide(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _first_cells(heading: str) -> list[str]:
    """The first cell of each row of the first table below a heading."""
    table = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n\n| ", 1)[1].split("\n\n", 1)[0]
    return [
        row.split("|")[1 if row.startswith("|") else 0].strip() for row in table.splitlines()[2:]
    ]


def test_every_method_is_in_the_readme_and_no_other() -> None:
    assert [cell.strip("`") for cell in _first_cells("Methods")] == list(METHODS)


def test_every_error_code_is_in_the_guide_for_hosts_and_no_other() -> None:
    documented = re.findall(r"^\| (-32\d+) \| `(\w+)` \|", _guide("hosts.md"), re.MULTILINE)
    assert documented == [(str(error.code), error.type) for error in WIRE_ERRORS]


def test_every_event_type_is_in_the_readme() -> None:
    schema = EVENT_ADAPTER.json_schema()
    for event_type in schema["discriminator"]["mapping"]:
        assert f"`{event_type}`" in TEXT


def _flags(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - {"--help", "--version"}


def test_every_command_and_flag_is_documented_and_no_other(project: Path) -> None:
    page = _guide("command-line.md")
    overview = _run(["workflow-sidecar", "--help"], project).stdout
    commands = re.findall(r"^    (\w+) +\w", overview, re.MULTILINE)
    assert commands
    flags: set[str] = set()
    for command in commands:
        flags |= _flags(_run(["workflow-sidecar", command, "--help"], project).stdout)
    for text in (page, TEXT.split("\n## Command line\n", 1)[1].split("\n## ", 1)[0]):
        assert set(re.findall(r"^\| `workflow-sidecar ([a-z]+)", text, re.MULTILINE)) == set(
            commands
        )
    assert _flags(page) == flags
