"""Whoever dies, and whenever: no process is left, and each run has one end."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Project, Start, definition, step
from tests.integration.driver import MARKER, TERMINAL, Driver, poll
from tests.integration.hostile import SCRIPTS, left
from tests.rounds import assert_once_below

SOAK = bool(os.environ.get("SOAK"))
DEATHS = 50 if SOAK else 4
CANCELLATIONS = 200 if SOAK else 20
#: What the contract allows from the parent's end to the last process's.
ALL_GONE_S = 5.0

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="looks for what is left in /proc"
)

#: Starts a daemon as hosts do, has it run workflows, and is killed after argv[2] seconds, counted
#: from the spawn or from the first script's (argv[3]): by the kernel (SIGALRM), whatever it is at.
HOST = """
import json, signal, subprocess, sys
requests, delay, since, command = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4:]
def count_down():
    signal.setitimer(signal.ITIMER_REAL, delay) if delay else signal.raise_signal(signal.SIGKILL)
daemon = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
if since == "spawn": count_down()
daemon.stdin.write(requests.encode())
daemon.stdin.flush()
while line := daemon.stdout.readline():
    if since == "script" and b"step_started" in line: count_down(); since = ""
"""


def serve_command(project: Project, *flags: str) -> list[str]:
    command = [sys.executable, "-m", "sidecar", "serve", "--project", str(project.path)]
    return [*command, "--python", sys.executable, *flags]


def hostile_workflows(project: Project) -> list[dict[str, Any]]:
    made = []
    for number, text in enumerate(SCRIPTS.values()):
        script = project.script(f"hostile{number}.py", text)
        made.append(definition(f"hostile {number}", step("a", script)))
    return made


def start_requests(project: Project) -> str:
    requests = [
        {"jsonrpc": "2.0", "id": n, "method": "workflow:execution:start", "params": [workflow]}
        for n, workflow in enumerate(hostile_workflows(project))
    ]
    subscribe = {"jsonrpc": "2.0", "method": "workflow:execution:subscribe"}
    return "".join(json.dumps(request) + "\n" for request in [subscribe, *requests])


@pytest.mark.soak
@pytest.mark.parametrize("since", ["spawn", "script"])
def test_a_parent_that_is_killed_at_any_instant_leaves_no_process(
    project: Project, since: str
) -> None:
    chance = random.Random(50)  # noqa: S311 - which instant it is need not be a secret
    requests = start_requests(project)
    command = serve_command(project, "--max-parallel", "8")
    delays_s = [0.0, 0.5, *(chance.uniform(0, 0.5) for _ in range(DEATHS - 2))]
    for delay_s in delays_s:
        marker = uuid.uuid4().hex
        host = [sys.executable, "-c", HOST, requests, f"{delay_s:.6f}", since, *command]
        env = {**os.environ, MARKER: marker}
        done = subprocess.run(host, env=env, timeout=20, check=False)
        assert done.returncode in (-signal.SIGKILL, -signal.SIGALRM)
        poll(lambda m=marker: left(m, project.path), lambda found: not found, ALL_GONE_S)  # type: ignore[misc]


@pytest.mark.parametrize("flags", [(), ("--ws", "0")], ids=["stdio", "websocket"])
def test_a_parent_that_is_gone_before_the_start_has_nothing_loaded_for_it(
    project: Project, flags: tuple[str, ...]
) -> None:
    (stdin, said), (heard, stdout) = os.pipe(), os.pipe()
    os.write(said, start_requests(project).encode())
    os.close(said)
    os.close(heard)
    python, *command = serve_command(project, *flags)
    try:
        done = subprocess.run(
            [python, "-X", "importtime", *command],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=20,
            check=True,
        )
    finally:
        os.close(stdin)
        os.close(stdout)
    assert b" sidecar.hang_up\n" in done.stderr
    for slow in (b"sidecar.daemon", b"pydantic", b"asyncio"):
        assert slow not in done.stderr
    assert not (project.path / ".workflow-sidecar").exists()


def test_a_daemon_that_is_killed_takes_the_most_stubborn_scripts_along(
    start: Start, project: Project
) -> None:
    daemon = start("--max-parallel", "8")
    tree = daemon.call("sidecar:info")["isolation"]["process_tree"]
    daemon.call("workflow:execution:subscribe", {"include": ["step_output"]})
    workflows = hostile_workflows(project)
    for workflow in workflows:
        daemon.call("workflow:execution:start", [workflow])
    daemon.wait_until(lambda: len(daemon.events_of("step_output")) >= len(workflows))
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    poll(lambda: left(daemon.marker, project.path), lambda found: not found, ALL_GONE_S)
    assert tree
    with start() as next_one:
        for workflow in workflows:
            name = workflow["workflow"]["id"]
            (entry,) = next_one.call("workflow:execution:history", [name])
            assert entry["error"].startswith("Interrupted")


def test_the_end_of_a_named_process_is_the_daemons_though_stdin_stays_open(
    start: Start, project: Project
) -> None:
    # As with a host whose other children hold the daemon's stdin open.
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as parent:
        daemon = start("--parent-pid", str(parent.pid))
        daemon.call("workflow:execution:subscribe", {"include": ["step_output"]})
        request = daemon.request("workflow:execute", [definition("hang", step("a", "./hang.py"))])
        daemon.wait_for_event("step_output")
        began = time.monotonic()
        parent.kill()
    assert daemon.wait() == 0
    assert time.monotonic() - began < ALL_GONE_S
    assert daemon.logged("ending")[0]["reason"] == "end of the parent"
    assert daemon.answer(request)["result"]["status"] == "cancelled"
    assert left(daemon.marker, project.path) == []


def test_a_named_process_that_is_gone_already_ends_the_daemon(start: Start) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    daemon = start("--parent-pid", str(gone.pid))
    assert daemon.wait() == 0
    assert daemon.logged("ending")[0]["reason"] == "end of the parent"


# Cancelled


def one_end_each(daemon: Driver, execution_ids: list[str]) -> None:
    """One terminal event and one history entry for each, and no process."""
    for execution_id in execution_ids:
        events = [event for event in daemon.events if event["execution_id"] == execution_id]
        assert sum(event["event_type"] in TERMINAL for event in events) == 1, events
        assert events[-1]["event_type"] in TERMINAL
        detail = daemon.call("workflow:execution:get", [execution_id])
        assert detail["status"] in ("success", "cancelled", "failed")
    assert daemon.wait_for_processes(0) == []
    assert daemon.call("workflow:execution:active") == []


@pytest.mark.soak
def test_a_run_that_is_cancelled_at_any_instant_has_one_end(start: Start, project: Project) -> None:
    flaky = project.script("flaky.py", "import time\ntime.sleep(0.03)\nraise ValueError('no')\n")
    retry = {"max_attempts": 3, "initial_delay_ms": 20}
    steps = [
        step("quick", "./echo.py"),
        {"id": "said", "type": "output", "message": "so far"},
        step("flaky", flaky, retry_policy=retry),
    ]
    chance = random.Random(200)  # noqa: S311 - which instant it is need not be a secret
    daemon = start("--max-parallel", "2")
    daemon.call("workflow:execution:subscribe")
    statuses = set()
    for number in range(CANCELLATIONS):
        name = f"w{number}"
        execution_id = str(uuid.uuid4())
        request = daemon.request(
            "workflow:execute", [definition(name, *steps), {}, {"execution_id": execution_id}]
        )
        # Any instant from before the start to after the end: nothing tells of it, so it is time.
        time.sleep(chance.uniform(0, 0.35))
        cancel = daemon.request("workflow:execution:cancel", [execution_id])
        result = daemon.answer(request)["result"]
        answer = daemon.answer(cancel)
        if "result" in answer and answer["result"]["cancelled"]:
            assert result["status"] == "cancelled"
            assert result["error_type"] == "Cancelled"
        statuses.add(result["status"])
        entries = daemon.call("workflow:execution:history", [name])
        assert [(e["id"], e["status"]) for e in entries] == [(execution_id, result["status"])]
        one_end_each(daemon, [execution_id])
    assert "cancelled" in statuses


def test_cancelling_twice_and_by_two_ways_at_once_is_one_end(start: Start) -> None:
    daemon = start()
    daemon.call("workflow:execution:subscribe", {"include": ["step_output"]})
    execution_id = str(uuid.uuid4())
    params = [definition("w", step("a", "./hang.py")), {}, {"execution_id": execution_id}]
    request = daemon.message("workflow:execute", params)
    daemon.send(request)
    daemon.wait_for_event("step_output")
    cancel = [daemon.message("workflow:execution:cancel", [execution_id]) for _ in range(3)]
    daemon.send(cancel[0], cancel[1])
    daemon.notify("$/cancelRequest", {"id": request["id"]})
    daemon.send(cancel[2])
    assert daemon.answer(request["id"])["error"]["code"] == -32800
    for message in cancel:
        assert "result" in daemon.answer(message["id"])
    one_end_each(daemon, [execution_id])


def test_cancelling_during_the_backoff_is_immediate(start: Start, project: Project) -> None:
    fails = project.script("fails.py", "raise ValueError('no')\n")
    retry = {"max_attempts": 2, "initial_delay_ms": 30_000}
    daemon = start()
    daemon.call("workflow:execution:subscribe")

    def seconds_to_cancel() -> float:
        daemon.events.clear()
        request = daemon.request(
            "workflow:execute", [definition("w", step("a", fails, retry_policy=retry))]
        )
        event = daemon.wait_for_event("step_failed")
        assert event["data"]["will_retry"]
        began_s = time.monotonic()
        cancelled = daemon.call("workflow:execution:cancel", [event["execution_id"]])
        assert cancelled == {"cancelled": True}
        assert daemon.answer(request)["result"]["status"] == "cancelled"
        took_s = time.monotonic() - began_s
        one_end_each(daemon, [event["execution_id"]])
        return took_s

    assert_once_below(2, seconds_to_cancel)


ENDS: dict[str, Callable[[Driver], object]] = {
    "end of stdin": lambda daemon: daemon.close_stdin(),
    "SIGTERM": lambda daemon: daemon.signal(signal.SIGTERM),
    "shutdown": lambda daemon: daemon.notify("sidecar:shutdown"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_daemon_with_a_full_queue_ends_in_time_with_every_run_recorded(
    start: Start, end: str
) -> None:
    daemon = start("--log-level", "warning")
    hang = step("a", "./hang.py")
    ids = [
        daemon.request("workflow:execution:start", [definition(f"w{n}", hang)]) for n in range(200)
    ]
    daemon.wait_until(lambda: all(daemon.is_answered(request) for request in ids))
    began = time.monotonic()
    ENDS[end](daemon)
    assert daemon.wait() == 0
    assert time.monotonic() - began < ALL_GONE_S + 1  # the machine may be busy with other tests
    assert daemon.processes() == []
    with start() as next_one:
        for number in range(200):
            (entry,) = next_one.call("workflow:execution:history", [f"w{number}"])
            assert entry["status"] == "cancelled"
