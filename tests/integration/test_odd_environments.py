"""However the daemon is started: a clean answer, or a clean end that says why."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Project, Start, definition, step
from tests.integration.driver import Driver, poll

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX's signals and limits")

#: Runs the rest of its arguments with what precedes `--` done in its process.
PREPARED = """
import os, resource, signal, sys
{}
os.execvp(sys.argv[1], sys.argv[1:])
"""


def prepared(code: str) -> list[str]:
    return [sys.executable, "-c", PREPARED.format(code)]


IGNORED = "\n".join(
    f"signal.signal(signal.{name}, signal.SIG_IGN)"
    for name in ("SIGPIPE", "SIGCHLD", "SIGINT", "SIGHUP", "SIGTERM", "SIGUSR1")
)
BLOCKED = "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())"
ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "python -O": {"env": {"PYTHONOPTIMIZE": "1"}},
    "python -OO": {"env": {"PYTHONOPTIMIZE": "2"}},
    "C locale": {
        "env": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    },
    "a locale that is not there": {"env": {"LC_ALL": "xx_XX.klingon"}},
    "another encoding": {"env": {"PYTHONIOENCODING": "latin-1"}},
    "no HOME": {"wrapper": ["/usr/bin/env", "-u", "HOME"]},
    "next to no environment": {"wrapper": ["/usr/bin/env", "-i", f"PATH={os.environ['PATH']}"]},
    "signals ignored by the parent": {"wrapper": prepared(IGNORED)},
    "signals blocked by the parent": {"wrapper": prepared(BLOCKED)},
    "a session of its own": {"wrapper": prepared("os.setsid()")},
    "64 descriptors": {"wrapper": prepared("resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))")},
    "no core files, small stack": {
        "wrapper": prepared("resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))")
    },
    "a umask that hides everything": {"wrapper": prepared("os.umask(0o077)")},
    "warnings are errors": {"env": {"PYTHONWARNINGS": "error"}},
    "development mode": {"env": {"PYTHONDEVMODE": "1"}},
}


def said(daemon: Driver, text: str = "grüße ☃") -> None:
    """A run goes through the daemon and comes back as it was."""
    result = daemon.call(
        "workflow:execute", [definition("w", step("a", "./echo.py", inputs={"text": text}))]
    )
    assert result["success"], result
    assert result["outputs"]["a"] == {"text": text}
    assert daemon.call("workflow:execution:history", ["w"])[0]["outputs"]["a"] == {"text": text}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_it_answers_runs_and_ends_like_anywhere(start: Start, name: str) -> None:
    daemon = start(**ENVIRONMENTS[name])
    said(daemon)
    assert daemon.log  # each line is one JSON object
    daemon.close_stdin()
    assert daemon.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("code", [IGNORED, BLOCKED], ids=["ignored", "blocked"])
def test_signals_end_it_though_its_parent_took_none(
    start: Start, code: str, number: signal.Signals
) -> None:
    daemon = start(wrapper=prepared(f"{code}\nos.setsid()"))
    daemon.call("workflow:execution:subscribe", {"include": ["step_output"]})
    request = daemon.request("workflow:execute", [definition("hang", step("a", "./hang.py"))])
    daemon.wait_for_event("step_output")
    daemon.signal(number)
    assert daemon.wait() == 0
    assert daemon.answer(request)["result"]["status"] == "cancelled"


def test_a_reader_of_stdout_that_is_gone_is_an_end_though_sigpipe_is_ignored(start: Start) -> None:
    daemon = start(reads=False, wrapper=prepared(IGNORED))
    assert daemon.process.stdout is not None
    daemon.process.stdout.close()
    daemon.request("sidecar:info")
    assert daemon.wait() == 0
    assert daemon.logged("ending")[0]["reason"] == "stdout broke"


def test_scripts_find_the_signals_of_a_program_in_a_terminal(
    start: Start, project: Project
) -> None:
    script = project.script(
        "signals.py",
        "import json, signal\n"
        "names = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGCHLD', 'SIGUSR1']\n"
        "ignored = [n for n in names if signal.getsignal(getattr(signal, n)) == signal.SIG_IGN]\n"
        "blocked = sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))\n"
        "print(json.dumps({'ignored': ignored, 'blocked': blocked}))\n",
    )
    daemon = start(wrapper=prepared(BLOCKED))
    result = daemon.call("workflow:execute", [definition("w", step("a", script))])
    assert result["outputs"]["a"] == {"ignored": [], "blocked": []}


# Little left


def set_limit(daemon: Driver, what: int, limit: int) -> None:
    """What the daemon may have from now on (man 2 prlimit)."""
    _, hard = resource.prlimit(daemon.pid, what)
    resource.prlimit(daemon.pid, what, (limit, hard))


def test_without_descriptors_a_run_fails_with_an_error_that_says_so_and_the_next_succeeds(
    start: Start,
) -> None:
    if not hasattr(resource, "prlimit"):
        pytest.skip("no prlimit to take descriptors away with")
    daemon = start()
    said(daemon)
    used = len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))
    refused = 0
    for spare in range(12):
        set_limit(daemon, resource.RLIMIT_NOFILE, used + spare)
        answer = daemon.answer(
            daemon.request("workflow:execute", [definition("w", step("a", "./echo.py"))])
        )
        assert answer.get("error", {}).get("code") != -32603, answer
        if "error" in answer:
            continue
        result = answer["result"]
        if not result["success"]:
            assert result["error_type"] in ("OSError", "ScriptNotFound", "PythonNotFound"), result
            assert "Too many open files" in result["error"]
            refused += 1
        daemon.assert_responsive()
    assert refused
    set_limit(daemon, resource.RLIMIT_NOFILE, 1024)
    said(daemon)
    poll(daemon.figures, lambda figures: figures[0] <= used + 1, 5)


#: Somebody who has no processes of his own, may read everything, and is bound by limits.
NOBODY = [
    *("setpriv", "--reuid=65534", "--clear-groups"),
    *("--inh-caps=-all,+dac_override", "--ambient-caps=+dac_override"),
]


#: Has as many processes as the number in argv, until stdin ends.
HOG = """
import os, signal, sys
children = []
for _ in range(int(sys.argv[1])):
    children.append(os.fork())
    if children[-1] == 0: signal.pause()
print("here", flush=True)
sys.stdin.read()
for pid in children:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""
PROCESSES = 60


def test_without_processes_a_run_fails_with_an_error_that_says_so_and_the_next_succeeds(
    start: Start, project: Project
) -> None:
    python = next(
        (p for p in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(p).exists()), ""
    )
    if os.geteuid() != 0 or not shutil.which("setpriv") or not python:
        pytest.skip("only root with setpriv can be somebody who has no processes of his own")
    os.chown(project.path, 65534, 65534)
    few = prepared(f"resource.setrlimit(resource.RLIMIT_NPROC, ({PROCESSES}, {PROCESSES}))")
    daemon = start("--python", python, wrapper=[*few, *NOBODY])
    said(daemon)
    hog = [*NOBODY, python, "-c", HOG, str(PROCESSES)]
    with subprocess.Popen(hog, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        # For one script there is a process that was forked ahead.
        for _ in range(2):
            result = daemon.call("workflow:execute", [definition("w", step("a", "./echo.py"))])
        assert not result["success"]
        assert result["error_type"] == "BlockingIOError"
        assert "Resource temporarily unavailable" in result["error"]
        daemon.assert_responsive()
    said(daemon)
