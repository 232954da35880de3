"""However the daemon ends: no script is left, the history says so, the exit status is right."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Project, Start, definition, step
from tests.integration.driver import MARKER, TERMINAL, Driver, marked, poll
from tests.rounds import assert_once_below

INFO = b'{"jsonrpc":"2.0","id":1,"method":"sidecar:info"}\n'
#: Ends neither by SIGTERM nor by itself, and has a child that does the same.
STUBBORN = """\
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, "stubborn.py", "child"])
    print("here", file=sys.stderr, flush=True)
while True: time.sleep(1)
"""
COMMAND = [sys.executable, "-m", "sidecar", "serve"]


def hang(script: str = "./hang.py") -> dict[str, Any]:
    return definition("hang", step("a", script), step("b", "./echo.py"))


def running(driver: Driver, script: str = "./hang.py") -> int:
    """Run a script that does not end; the id of the request that waits for it."""
    driver.call("workflow:execution:subscribe", {"include": ["step_output"]})
    request = driver.request("workflow:execute", [hang(script)])
    driver.wait_for_event("step_output")
    return request


def last_run(start: Start) -> dict[str, Any]:
    """The newest run of the workflow as the next daemon sees it."""
    with start() as driver:
        entry, *_ = driver.call("workflow:execution:history", ["hang"])
        return dict(entry)


ENDS: dict[str, Callable[[Driver], None]] = {
    "end of stdin": lambda driver: driver.close_stdin(),
    "SIGTERM": lambda driver: driver.signal(signal.SIGTERM),
    "SIGINT": lambda driver: driver.signal(signal.SIGINT),
    "SIGHUP": lambda driver: driver.signal(signal.SIGHUP),
    "sidecar:shutdown": lambda driver: driver.notify("sidecar:shutdown"),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_stops_scripts_records_runs_and_answers_requests(start: Start, end: str) -> None:
    driver = start()
    request = running(driver)
    began = time.monotonic()
    ENDS[end](driver)
    assert driver.wait() == 0
    assert time.monotonic() - began < 5
    assert driver.processes() == []
    result = driver.answer(request)["result"]
    assert (result["status"], result["error_type"]) == ("cancelled", "Cancelled")
    assert result["steps"]["b"]["status"] == "skipped"
    assert sum(event["event_type"] in TERMINAL for event in driver.events) == 1
    assert driver.logged("ending")[0]["reason"] == end
    entry = last_run(start)
    assert (entry["id"], entry["status"]) == (result["execution_id"], "cancelled")


@pytest.mark.parametrize("end", ["end of stdin", "SIGTERM"])
def test_a_script_that_ignores_sigterm_is_dead_within_five_seconds(
    start: Start, project: Project, end: str
) -> None:
    driver = start()
    running(driver, project.script("stubborn.py", STUBBORN))
    driver.wait_for_processes(2)
    began = time.monotonic()
    ENDS[end](driver)
    assert driver.wait() == 0
    assert time.monotonic() - began < 5
    assert driver.processes() == []
    assert last_run(start)["status"] == "cancelled"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_second_signal_ends_at_once_and_leaves_no_script(
    start: Start, project: Project, number: signal.Signals
) -> None:
    stubborn = project.script("stubborn.py", STUBBORN)

    def seconds_to_the_last_process() -> float:
        driver = start()
        running(driver, stubborn)
        driver.wait_for_processes(2)
        driver.signal(signal.SIGTERM)
        poll(lambda: driver.logged("ending"), bool)
        began_s = time.monotonic()
        driver.signal(number)
        assert driver.wait() == 128 + number
        driver.wait_for_processes(0)
        return time.monotonic() - began_s

    # Half of the grace that it would have.
    assert_once_below(1, seconds_to_the_last_process)
    entry = last_run(start)
    assert entry["status"] == "failed"
    assert entry["error"].startswith("Interrupted")


def test_one_signal_after_the_end_of_stdin_is_no_second_one(start: Start) -> None:
    driver = start()
    request = running(driver)
    driver.close_stdin()
    driver.signal(signal.SIGTERM)
    assert driver.wait() == 0
    assert driver.answer(request)["result"]["status"] == "cancelled"


def test_shutdown_is_answered_and_nothing_new_is_started(driver: Driver) -> None:
    request = running(driver)
    shutdown = driver.message("sidecar:shutdown")
    late = driver.message("workflow:execute", [hang()])
    driver.send(shutdown, late)
    assert driver.wait() == 0
    assert driver.answer(shutdown["id"])["result"] == {}
    error = driver.answer(late["id"])["error"]
    assert (error["code"], error["data"]["type"]) == (-32005, "ShuttingDown")
    assert driver.answer(request)["result"]["status"] == "cancelled"


def test_requests_just_before_the_end_are_answered(project: Project) -> None:
    requests = INFO * 50 + b'{"jsonrpc":"2.0","id":2,"method":"workflow:list"}'
    done = subprocess.run(
        [*COMMAND, "--project", str(project.path)],
        input=requests,
        capture_output=True,
        timeout=20,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(answer["id"] for answer in answers) == [1] * 50 + [2]
    assert all("result" in answer for answer in answers)


def test_nothing_is_written_before_the_client_speaks(project: Project) -> None:
    done = subprocess.run(
        [*COMMAND, "--project", str(project.path)],
        input=b"",
        capture_output=True,
        timeout=20,
        check=True,
    )
    assert done.stdout == b""
    assert not (project.path / ".workflow-sidecar").exists()


@pytest.mark.parametrize(("closed", "name"), [("<&-", "stdin"), (">&-", "stdout")])
def test_a_stream_closed_from_the_start_is_an_error_that_says_so(
    project: Project, closed: str, name: str
) -> None:
    command = f'exec "$0" -m sidecar serve --project "$1" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, str(project.path)],
        stdin=subprocess.PIPE if name == "stdout" else None,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert f"{name} is closed" in done.stderr.decode()


def test_a_closed_stderr_is_no_obstacle(project: Project) -> None:
    command = 'exec "$0" -m sidecar serve --project "$1" 2>&-'
    execute = {"jsonrpc": "2.0", "id": 3, "method": "workflow:execution:history", "params": ["w"]}
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, str(project.path)],
        input=INFO + json.dumps(execute).encode(),
        capture_output=True,
        timeout=20,
        check=True,
    )
    assert sorted(json.loads(line)["id"] for line in done.stdout.splitlines()) == [1, 3]


def test_a_reader_that_closes_stdout_ends_the_daemon_in_order(start: Start) -> None:
    driver = start(reads=False)
    driver.request("workflow:execute", [hang()])
    driver.wait_for_processes(1)
    assert driver.process.stdout is not None
    driver.process.stdout.close()
    driver.request("sidecar:info")
    assert driver.wait() == 0
    assert driver.logged("stdout cannot be written")
    assert driver.logged("ending")[0]["reason"] == "stdout broke"
    assert driver.processes() == []
    assert last_run(start)["status"] == "cancelled"


def test_a_full_disk_behind_stdout_ends_the_daemon_in_order(start: Start) -> None:
    with Path("/dev/full").open("wb") as full:
        driver = start(stdout=full)
        driver.request("sidecar:info")
        assert driver.wait() == 0
    (logged,) = driver.logged("stdout cannot be written")
    assert logged["error"] == "No space left on device"


def test_answers_go_whole_into_a_file(start: Start, project: Project) -> None:
    file = project.path.parent / "answers"
    with file.open("wb") as stdout:
        driver = start(stdout=stdout)
        for _ in range(20):
            driver.request("rpc.discover")
        driver.close_stdin()
        assert driver.wait() == 0
    answers = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert sorted(answer["id"] for answer in answers) == list(range(1, 21))


def test_a_run_cut_off_by_sigkill_is_recorded_by_the_next_daemon(start: Start) -> None:
    driver = start()
    execution_id = driver.call("workflow:execution:start", [hang()])["execution_id"]
    (script,) = driver.wait_for_processes(1)
    driver.signal(signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    entry = last_run(start)
    assert (entry["id"], entry["status"]) == (execution_id, "failed")
    assert entry["error"].startswith("Interrupted")
    # Whether the script dies with the daemon is the launcher's affair.
    for pid in driver.processes():
        assert pid == script
        os.kill(pid, signal.SIGKILL)
    driver.wait_for_processes(0)


def test_a_parent_that_dies_takes_the_daemon_and_its_scripts_along(project: Project) -> None:
    host = (
        "import json, os, subprocess, sys\n"
        "daemon = subprocess.Popen([sys.executable, '-m', 'sidecar', 'serve', '--project',"
        " sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "daemon.stdin.write(sys.argv[2].encode() + b'\\n')\n"
        "daemon.stdin.flush()\n"
        "print(daemon.stdout.readline().decode())\n"
        "sys.stdout.flush()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    execute = {"jsonrpc": "2.0", "id": 1, "method": "workflow:execution:start", "params": [hang()]}
    marker = f"{os.getpid()}-{time.monotonic_ns()}"
    done = subprocess.run(
        [sys.executable, "-c", host, str(project.path), json.dumps(execute)],
        env={**os.environ, MARKER: marker},
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert "execution_id" in json.loads(done.stdout)["result"]
    assert poll(lambda: marked(marker), lambda left: not left, 5) == []


def test_a_flooding_client_that_hangs_up_without_reading_ends_the_daemon(start: Start) -> None:
    driver = start(reads=False)
    request = b'{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}\n'
    driver.flood(request * 100, at_most_bytes=100_000_000, quiet_s=0.5)
    driver.close_stdin()
    began = time.monotonic()
    assert driver.process.wait(10) == 0
    assert time.monotonic() - began < 5


def test_a_subscriber_that_stops_reading_is_cut_off_and_delays_no_run(
    start: Start, project: Project
) -> None:
    driver = start(reads=False)
    blob = project.script("blob.py", "print('{\"x\": \"' + 'x' * 200_000 + '\"}')")
    steps = [step(f"s{n}", blob) for n in range(60)]
    driver.request("workflow:execution:subscribe")
    for number in range(2):
        driver.request("workflow:execution:start", [definition(f"w{number}", *steps)])
    cut_off = "subscriber cut off: it stopped reading"
    poll(lambda: driver.logged(cut_off), bool)
    assert driver.peak_bytes() < 250_000_000
    driver.close_stdin()
    assert driver.process.wait(10) == 0


def test_a_python_that_never_answers_does_not_hold_up_the_end(
    start: Start, project: Project
) -> None:
    python = project.path.parent / "python"
    python.write_text("#!/bin/sh\nexec sleep 60\n")
    python.chmod(0o755)
    driver = start("--python", str(python))
    request = driver.request("workflow:execute", [definition("w", step("a", "./echo.py"))])
    driver.wait_for_processes(1)
    began = time.monotonic()
    driver.close_stdin()
    assert driver.wait() == 0
    assert time.monotonic() - began < 5
    assert driver.is_answered(request)
    driver.wait_for_processes(0)


def test_stderr_that_nobody_reads_stops_nothing(project: Project) -> None:
    fails = project.script("fails.py", "raise ValueError('x' * 10_000)")
    execute = {"jsonrpc": "2.0", "method": "workflow:execute"}
    execute["params"] = [definition("w", step("a", fails))]  # type: ignore[assignment]
    process = subprocess.Popen(
        [*COMMAND, "--project", str(project.path), "--python", sys.executable],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        # Each run logs some 30 kB, and a pipe holds 64.
        for number in range(6):
            request = {**execute, "id": number}
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait(5) == 0


def test_a_script_cannot_write_into_the_protocol(driver: Driver, project: Project) -> None:
    script = project.script(
        "intruder.py",
        "import os, sys\n"
        "for fd in range(3, 64):\n"
        "    try: os.write(fd, b'intruder\\n')\n"
        "    except OSError: pass\n"
        "sys.stderr.write('intruder\\n')\n"
        "try:\n"
        "    with open(f'/proc/{os.getppid()}/fd/1', 'wb') as stdout:\n"
        "        stdout.write(b'intruder\\n')\n"
        "except OSError: pass\n"
        "print('{}')\n",
    )
    result = driver.call("workflow:execute", [definition("w", step("a", script))])
    assert result["success"], result
    driver.call("sidecar:info")
    assert driver.stray == []


def test_a_stray_print_of_ours_goes_to_stderr(project: Project) -> None:
    program = (
        "import os, sys\n"
        "from sidecar import daemon\n"
        "class Loud(daemon.Daemon):\n"
        "    def __init__(self, *options):\n"
        "        super().__init__(*options)\n"
        "        print('stray', flush=True)\n"
        "        sys.__stdout__.write('stray\\n'); sys.__stdout__.flush()\n"
        "        os.write(1, b'stray\\n')\n"
        "        os.system('echo stray; cat')\n"
        "daemon.Daemon = Loud\n"
        "from sidecar.cli import main\n"
        "raise SystemExit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "serve", "--project", str(project.path)],
        input=INFO,
        capture_output=True,
        timeout=20,
        check=True,
    )
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["id"] == 1
    assert done.stderr.count(b"stray\n") == 4
