"""The daemon SIGKILLed at any moment: no script survives, by whichever launcher it was started."""

import json
import os
import random
import signal
from pathlib import Path

import pytest

from tests.integration.conftest import Project, Start, definition, step
from tests.integration.host import poll
from tests.rounds import assert_once_below

TIMES = 200 if os.environ.get("SOAK") else 8
#: Leaves others in sessions of their own, and goes on for ever, as they do.
RESTLESS = (
    "import os, time\n"
    "for _ in range(2):\n"
    "    if os.fork() == 0:\n"
    "        os.setsid()\n"
    "        if os.fork(): os._exit(0)\n"
    "        break\n"
    "while True: time.sleep(.01)\n"
)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["zygote", "spawn"])
def test_daemon_that_is_killed_at_any_moment_leaves_no_process(
    start: Start, project: Project, kind: str
) -> None:
    project.script("restless.py", RESTLESS)
    env = {"TZ": "UTC"} if kind == "spawn" else {}
    steps = [step(f"s{number}", "restless.py", env=env) for number in range(2)]
    moments = random.Random(5)  # noqa: S311 - the same every time
    for _ in range(TIMES):
        driver = start("--max-parallel", "4")
        if kind == "zygote":
            driver.wait_for_zygote()
        for workflow in ("a", "b"):
            driver.request("workflow:execute", [definition(workflow, *steps)])
        # From before the first process of a script to after its last fork.
        wanted = moments.randrange(7)
        poll(lambda driver=driver: len(driver.processes()), lambda n, w=wanted: n >= w)  # type: ignore[misc]
        driver.signal(signal.SIGKILL)
        driver.wait()
        assert poll(driver.processes, lambda left: not left) == []


def test_zygote_ends_with_a_daemon_that_is_killed(start: Start) -> None:
    driver = start()
    driver.wait_for_zygote()
    zygotes = [pid for pid in _children(driver.pid) if b"zygote.py" in _command(pid)]
    assert len(zygotes) == 1
    driver.signal(signal.SIGKILL)
    driver.wait()
    poll(lambda: [pid for pid in zygotes if _command(pid)], lambda left: not left)


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.soak
def test_thousands_of_mixed_scripts_leave_the_figures_as_they_were(
    start: Start, project: Project
) -> None:
    count = 5000 if os.environ.get("SOAK") else 150
    sources = [
        "print('{}')",
        "import sys; sys.exit(3)",
        "1/0",
        "x = (",
        "import os; os.abort()",
        "import subprocess; subprocess.Popen(['sleep', '99'], start_new_session=True); print('{}')",
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(99)\nprint('{}')",
        "print('x' * 300_000)",
        "import sys\nprint('{\"a\": \"%s\"}' % ('y' * 99_000))\nsys.stderr.write('z' * 99_000)",
        "import os; os.close(0); os.close(1)",
        "import json, sys; print(json.dumps(json.load(sys.stdin)))",
        "import threading; threading.Timer(.01, print, ['{}']).start()",
    ]
    for number, source in enumerate(sources):
        project.script(f"mixed{number}.py", source)
    driver = start("--max-parallel", "4")
    driver.wait_for_zygote()
    (zygote,) = [pid for pid in _children(driver.pid) if b"zygote.py" in _command(pid)]

    def run(total: int) -> None:
        for first in range(0, total, 20):
            asked = [
                driver.request(
                    "workflow:execute",
                    [definition(f"w{n % 40}", step("a", f"mixed{n % len(sources)}.py"))],
                )
                for n in range(first, min(first + 20, total))
            ]
            for request in asked:
                assert "result" in driver.answer(request, 60)
            driver.events.clear()
            driver.answers.clear()
            driver.log_lines.clear()

    run(60)
    # At rest: all supervisors are gone and collected, but for those that wait for more.
    assert driver.wait_for_processes(0) == []
    before, zygote_before = driver.figures(), _figures(zygote)

    def grown_kib() -> int:
        before_kib = _resident_kib(driver.pid)
        run(count)
        assert driver.wait_for_processes(0) == []
        return _resident_kib(driver.pid) - before_kib

    assert_once_below(32 * 1024, grown_kib)
    descriptors, threads = poll(driver.figures, lambda now: now[0] <= before[0], 5)
    assert descriptors <= before[0]
    assert threads <= before[1] + (os.cpu_count() or 1) + 4
    zygotes = [pid for pid in _children(driver.pid) if b"zygote.py" in _command(pid)]
    assert len(zygotes) == 1, "a worn one is replaced, none is left"
    assert len(_children(zygotes[0])) <= max(2, os.cpu_count() or 2) + 1
    poll(lambda: _figures(zygotes[0]), lambda now: now == zygote_before, 5)
    assert json.dumps(driver.call("sidecar:info")["isolation"]["launcher"]) == '"zygote"'


def _figures(pid: int) -> tuple[int, int]:
    """A zygote's descriptors, but for the one of each supervisor that waits, and threads."""
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    return descriptors - len(_children(pid)), threads


def _resident_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])
