"""The console script as its user has it: a process with pipes, files and signals."""

import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Project, step
from tests.integration.terminal import COMMAND, PATIENCE_S
from tests.rounds import assert_once_below

IGNORES_SIGTERM = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("pid", os.getpid(), file=sys.stderr, flush=True)
while True: time.sleep(1)
"""
#: Ends at SIGTERM; says when it runs to people, and by a file to those who see no lines.
POLITE = """
import os, sys, time
open("runs", "w").write("x")
print("pid", os.getpid(), file=sys.stderr, flush=True)
while True: time.sleep(1)
"""
#: What a start must not cost.
SLOW_MODULES = ("pydantic", "asyncio", "yaml", "rich", "sqlite3", "jsonrpcserver", "orjson")


@pytest.fixture
def project(project: Project) -> Project:
    """The project with some workflows."""
    project.script("stubborn.py", IGNORES_SIGTERM)
    project.script("hello.py", 'print(\'{"text": "hell\\u00f6"}\')\n')
    project.script("boom.py", "raise ValueError('bad')\n")
    project.workflow(
        "greet",
        step("hello", "./hello.py"),
        {"id": "done", "type": "output", "message": "${steps.hello.outputs.text}"},
    )
    project.workflow("boom", step("boom", "./boom.py"))
    project.workflow("stubborn", step("stubborn", "./stubborn.py"))
    project.script("polite.py", POLITE)
    project.workflow("polite", step("polite", "./polite.py"))
    return project


def run(
    project: Project,
    *arguments: str,
    command: tuple[str, ...] = (str(COMMAND),),
    folder: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    **options: Any,
) -> "subprocess.CompletedProcess[str]":
    """The console script, to its end; a variable of `env` that is None is taken away."""
    changed = {**os.environ, "WORKFLOW_SIDECAR_PYTHON": sys.executable, **(env or {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(
        [*command, *arguments],
        cwd=folder or project.path,
        env={name: value for name, value in changed.items() if value is not None},
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
        **options,
    )


@contextmanager
def running(
    project: Project, *arguments: str, command: tuple[str, ...] = (str(COMMAND),), **options: Any
) -> Iterator["subprocess.Popen[str]"]:
    """The console script, whose script says its pid; killed at the end if it is still there."""
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=project.path,
        env={**os.environ, "WORKFLOW_SIDECAR_PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE_S)


def script_pid(process: "subprocess.Popen[str]") -> int:
    """Wait for the script's own line; its pid."""
    assert process.stdout is not None
    for line in process.stdout:
        if "| pid " in line:
            return int(line.split()[-1])
    raise AssertionError("the script never ran")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["run", "greet.yaml"], 0),
        (["run", "boom.yaml"], 1),
        (["run", "gone.yaml"], 2),
        (["run", "greet.yaml", "--input", "x=1"], 2),
        (["run", "greet.yaml", "--nope"], 2),
        (["validate", "greet.yaml"], 0),
        (["validate", "greet.yaml", "gone.yaml"], 1),
        (["history"], 0),
        (["doctor"], 0),
        (["doctor", "--python", "/nowhere"], 1),
        (["schema", "workflow"], 0),
        (["nope"], 2),
        ([], 2),
        (["--help"], 0),
        (["--version"], 0),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else None,
)
def test_exit_statuses_are_those_of_the_protocol(
    project: Project, arguments: list[str], status: int
) -> None:
    done = run(project, *arguments)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_the_script_and_the_run_is_kept_as_cancelled(
    project: Project, number: signal.Signals, status: int
) -> None:
    with running(project, "run", "polite.yaml") as process:
        pid = script_pid(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, err) == (status, "")
        assert not is_alive(pid)
        assert "cancelled in " in out
    (entry,) = json.loads(run(project, "history", "--json").stdout)
    assert entry["status"] == "cancelled"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_that_the_parent_ignored_is_obeyed_where_no_terminal_sends_it(
    project: Project, number: signal.Signals, status: int
) -> None:
    shell = ("sh", "-c", 'trap \'\' INT HUP; exec "$0" "$@"', str(COMMAND))
    with running(project, "run", "polite.yaml", command=shell, start_new_session=True) as process:
        script_pid(process)
        process.send_signal(number)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == status


def test_a_script_that_ignores_sigterm_is_dead_after_its_grace(project: Project) -> None:
    with running(project, "run", "stubborn.yaml") as process:
        pid = script_pid(process)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130
        assert not is_alive(pid)
        assert "cancelled in 2." in out


def test_a_second_signal_does_not_wait_for_the_grace(project: Project) -> None:
    def seconds_to_the_end() -> float:
        with running(project, "run", "stubborn.yaml") as process:
            pid = script_pid(process)
            began_s = time.monotonic()
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_S)
            took_s = time.monotonic() - began_s
            assert process.returncode in (130, 143)  # which of the two comes first is the kernel's
            assert not is_alive(pid)
        return took_s

    assert_once_below(1.9, seconds_to_the_end)
    entry, *_ = json.loads(run(project, "history", "--json").stdout)
    assert entry["status"] == "cancelled"


def test_a_cancelled_run_has_a_result_as_json(project: Project) -> None:
    os.mkfifo(project.path / "runs")
    runs = os.open(project.path / "runs", os.O_RDONLY | os.O_NONBLOCK)
    with running(project, "run", "polite.yaml", "--json") as process:
        select.select([runs], [], [], PATIENCE_S)
        os.close(runs)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
    result = json.loads(out)
    assert (process.returncode, result["status"]) == (130, "cancelled")


def test_a_reader_that_has_seen_enough_changes_nothing(project: Project) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = run(project, "run", "greet.yaml", stdout=writing)
        assert (ran.returncode, ran.stderr) == (0, "")
        shown = run(project, "schema", "openrpc", stdout=writing)
        assert (shown.returncode, shown.stderr) == (1, "")
        helped = run(project, "--help", stdout=writing)
        assert helped.stderr == ""
    finally:
        os.close(writing)
    (entry,) = json.loads(run(project, "history", "--json").stdout)
    assert entry["status"] == "success"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_were_closed_from_the_start_break_nothing(
    project: Project, closed: str
) -> None:
    shell = ("sh", "-c", f'exec "$0" "$@" {closed}', str(COMMAND))
    assert run(project, "run", "greet.yaml", command=shell).returncode == 0
    assert run(project, "history", command=shell).returncode == 0
    assert run(project, "run", "gone.yaml", command=shell).returncode == 2
    (entry,) = json.loads(run(project, "history", "--json").stdout)
    assert entry["status"] == "success"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_a_full_disk_is_told_and_the_run_goes_on(project: Project) -> None:
    with Path("/dev/full").open("w") as full:
        ran = run(project, "run", "greet.yaml", stdout=full)
        assert ran.returncode == 0
        assert "progress cannot be shown: No space left on device; the run goes on" in ran.stderr
        result = run(project, "run", "greet.yaml", "--json", stdout=full)
        assert (result.returncode, result.stderr) == (
            1,
            "workflow-sidecar: error: stdout cannot be written: No space left on device\n",
        )


def test_a_terminal_without_unicode_gets_escapes_and_json_stays_utf8(project: Project) -> None:
    plain = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ran = run(project, "run", "greet.yaml", env=plain)
    assert ran.returncode == 0, ran.stderr
    assert "hell\\xf6" in ran.stdout
    result = run(project, "run", "greet.yaml", "--json", env=plain)
    assert json.loads(result.stdout)["outputs"]["done"] == {"message": "hellö"}


def test_a_machine_without_a_home_is_enough(project: Project) -> None:
    assert run(project, "run", "greet.yaml", env={"HOME": None}).returncode == 0


@pytest.mark.parametrize("flags", [(), ("-O",), ("-OO",), ("-I",), ("-P",)])
def test_python_m_sidecar_is_the_same_program(project: Project, flags: tuple[str, ...]) -> None:
    command = (sys.executable, *flags, "-m", "sidecar")
    assert run(project, "--version", command=command).stdout == run(project, "--version").stdout
    assert run(project, "run", "greet.yaml", command=command).returncode == 0


def test_modules_of_the_project_do_not_become_ours(project: Project) -> None:
    trap = f"import os; os.write(2, b'imported ' + {__name__!r}.encode()); os._exit(99)\n"
    for name in ("json", "yaml", "logging", "argparse", "asyncio", "pydantic", "rich", "orjson"):
        project.script(f"{name}.py", trap)
    project.script("in a folder/hello.py", "print('{\"text\": 1}')\n")
    definition = json.loads((project.path / "greet.yaml").read_text())
    definition["steps"][0]["script"] = "./in a folder/hello.py"
    (project.path / "greet.yaml").write_text(json.dumps(definition))
    for command in ((str(COMMAND),), (sys.executable, "-m", "sidecar")):
        for arguments in (["run", "greet.yaml"], ["doctor"], ["history"], ["--help"]):
            done = run(project, *arguments, command=command)
            assert (done.returncode, done.stderr) == (0, "")


#: Root reads everything, unless it gives that right away.
UNPRIVILEGED = (
    (
        "setpriv",
        "--bounding-set=-dac_override,-dac_read_search",
        "--inh-caps=-dac_override,-dac_read_search",
    )
    if os.geteuid() == 0
    else ()
)


unprivileged = pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which("setpriv"),
    reason="without setpriv, no folder is closed to root",
)


@unprivileged
def test_a_read_only_project_is_one_warning(project: Project) -> None:
    project.path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        ran = run(project, "run", "greet.yaml", command=(*UNPRIVILEGED, str(COMMAND)))
    finally:
        project.path.chmod(stat.S_IRWXU)
    assert ran.returncode == 0
    assert ran.stderr.count("\n") == 1
    assert "this run is not kept in the history" in ran.stderr


@pytest.fixture(params=[0, stat.S_IRUSR | stat.S_IWUSR], ids=["closed", "not to be entered"])
def closed(request: pytest.FixtureRequest, project: Project) -> Iterator[Path]:
    """A folder beside the project, with a workflow in it that may not be looked at."""
    folder = project.path.parent / "closed"
    folder.mkdir()
    (folder / "greet.yaml").write_bytes((project.path / "greet.yaml").read_bytes())
    folder.chmod(request.param)
    yield folder
    folder.chmod(stat.S_IRWXU)


@unprivileged
@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "CLOSED/greet.yaml"],
        ["run", "greet.yaml", "--project", "CLOSED"],
        ["run", "greet.yaml", "--allow-read", "CLOSED/data"],
        ["validate", "CLOSED/greet.yaml"],
        ["history", "--project", "CLOSED"],
        ["history", "--history", "CLOSED/history.db"],
        ["doctor", "--project", "CLOSED"],
        ["serve", "--project", "CLOSED"],
        ["demo", "--no-browser", "--project", "CLOSED"],
    ],
    ids=" ".join,
)
def test_a_folder_that_may_not_be_entered_is_named_with_the_systems_reason(
    project: Project, closed: Path, arguments: list[str]
) -> None:
    command = (*UNPRIVILEGED, str(COMMAND))
    named = [argument.replace("CLOSED", str(closed)) for argument in arguments]
    done = run(project, *named, command=command, stdin=subprocess.DEVNULL)
    (told,) = [
        line for line in (done.stdout + done.stderr).splitlines() if "Permission denied" in line
    ]
    assert str(closed) in told
    assert "internal error" not in told
    assert done.returncode == (1 if arguments[0] == "validate" else 2)


@unprivileged
def test_a_history_where_one_may_not_look_costs_a_run_its_record_and_nothing_else(
    project: Project, closed: Path
) -> None:
    command = (*UNPRIVILEGED, str(COMMAND))
    elsewhere = ("--history", str(closed / "history.db"))
    ran = run(project, "run", "greet.yaml", *elsewhere, command=command)
    assert ran.returncode == 0
    assert ran.stderr.count("\n") == 1
    assert "this run is not kept in the history" in ran.stderr
    here, there = (run(project, "doctor", *more, command=command) for more in ((), elsewhere))
    proven = [line for line in here.stdout.splitlines() if "isolation, filesystem" in line]
    assert proven[0] in there.stdout
    assert there.returncode == 1


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_a_start_imports_nothing_slow(project: Project, argument: str) -> None:
    command = (sys.executable, "-X", "importtime", "-m", "sidecar")
    measured = {name: None for name in os.environ if name.startswith("COVERAGE")}
    done = run(project, argument, command=command, env=measured)
    imported = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "sidecar.cli.arguments" in imported
    assert not imported & set(SLOW_MODULES)


def test_rich_is_left_out_where_there_is_no_terminal(project: Project) -> None:
    command = (sys.executable, "-X", "importtime", "-m", "sidecar")
    done = run(project, "run", "greet.yaml", command=command)
    assert done.returncode == 0
    assert "pydantic" in done.stderr
    assert " rich" not in done.stderr
