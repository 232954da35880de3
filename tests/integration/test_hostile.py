"""Scripts that mean harm or are broken beyond reason, through both launchers (S1 to S7).

Whatever they do, their run ends as said here, and what must hold afterwards holds.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Project, Start, definition, step
from tests.integration.driver import Driver
from tests.integration.invariants import Invariants

SECRET = "tok-7Q2xLm9vKp3TzR8w"
TIMEOUT_MS = 1500
#: A step with this in its `env` is spawned: the interpreter reads it when it starts.
SPAWNED = {"TZ": "UTC"}

OK = "print('{}')"
#: Group, then name: the script, and its error type, or None when it succeeds.
SCRIPTS: dict[str, tuple[str, str | None]] = {
    # S1 never ends, S2 leaves others behind, S3 output, S4 input, S5 ends oddly, S6 attacks (what
    # only the kernel can stop is tried elsewhere), S7 what it finds.
    "S1 busy": ("while True: pass", "ScriptTimeout"),
    "S1 asleep": ("import time; time.sleep(99)", "ScriptTimeout"),
    "S1 deadlock": (
        "import threading as t; l = t.Lock(); l.acquire(); l.acquire()",
        "ScriptTimeout",
    ),
    "S1 stopped": ("import os; os.kill(os.getpid(), 19)", "ScriptTimeout"),
    "S1 deaf": (
        "import signal\nsignal.pthread_sigmask(0, signal.valid_signals())\nwhile True: pass",
        "ScriptTimeout",
    ),
    "S1 floods when told to end": (
        "import os, signal\n"
        "signal.signal(15, lambda *_: [os.write(2, bytes(65536)) for _ in '12345'])\n"
        "while True: signal.pause()",
        "ScriptTimeout",
    ),
    "S1 forks when told to end": (
        "import os, signal, time\nsignal.signal(15, lambda *_: os.fork())\n"
        "while True: time.sleep(.1)",
        "ScriptTimeout",
    ),
    "S2 holds stdout": ("import subprocess; subprocess.Popen(['sleep', '99'])\n" + OK, None),
    "S2 setsid": (
        "import subprocess; subprocess.Popen(['sleep', '99'], start_new_session=True)\n" + OK,
        None,
    ),
    "S2 double fork": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n"
        "    if os.fork() == 0: time.sleep(99)\n"
        "    os._exit(0)\nos.wait()\n" + OK,
        None,
    ),
    "S2 clean environment": (
        "import subprocess; subprocess.Popen(['sleep', '99'], env={}, start_new_session=True)\n"
        + OK,
        None,
    ),
    "S2 hops": (
        "import os, time\nif os.fork() == 0:\n    for fd in (0, 1, 2): os.close(fd)\n"
        "    while True:\n        os.setsid()\n        time.sleep(.001)\n"
        "        if os.fork(): os._exit(0)\n"
        "time.sleep(.02)\n" + OK,
        None,
    ),
    "S3 none": ("", "InvalidOutput"),
    "S3 half a document": ("print('{\"a\": [1,')", "InvalidOutput"),
    "S3 a repr": ("print({'a': 1})", "InvalidOutput"),
    "S3 a line first": ("print('Loading')\nprint('{}')", "InvalidOutput"),
    "S3 two documents": ("print('{}')\nprint('{}')", "InvalidOutput"),
    "S3 NaN": ("print('{\"a\": NaN}')", "InvalidOutput"),
    "S3 beyond 64 bits": ("print('{\"a\": %d}' % 2**70)", "InvalidOutput"),
    "S3 over 2^53": ("print('{\"a\": %d}' % (2**53 + 1))", None),
    "S3 half a surrogate": ('print(\'{"a": "\\\\ud800"}\')', "InvalidOutput"),
    "S3 a split character": (
        'import os, time\nfor b in \'{"a": "ü🙂"}\'.encode(): os.write(1, bytes([b]))',
        None,
    ),
    "S3 floods stdout": ("while True: print('x' * 65536)", "OutputTooLarge"),
    "S3 floods stderr": (
        "import os\nfor _ in range(1500): os.write(2, b'x' * 65536)\n" + OK,
        None,
    ),
    "S3 floods both": (
        "import os\nfor _ in range(150): os.write(2, b'e' * 65536); os.write(1, b' ' * 65536)\n"
        + OK,
        None,
    ),
    "S4 never reads": (OK, None),
    "S4 reads ten bytes": ("import os; os.read(0, 10)\n" + OK, None),
    "S4 closes its streams": ("import os\nfor fd in (0, 1, 2): os.close(fd)", "InvalidOutput"),
    "S5 exits with text": ("import sys; sys.exit('text')", "ScriptExit"),
    "S5 exits before the flush": ("import os; print('{}'); os._exit(0)", "InvalidOutput"),
    "S5 segfault": ("import os; os.kill(os.getpid(), 11)", "ScriptKilled"),
    "S5 abort": ("import os; os.abort()", "ScriptKilled"),
    "S5 recursion": ("def f(): f()\nf()", "RecursionError"),
    "S5 mute": ("class E(Exception):\n    def __str__(self): 1/0\nraise E", "E"),
    "S5 a large message": ("raise ValueError('x' * 1_000_000)", "ValueError"),
    "S5 a chain of fifty": (
        "def f(n):\n    try:\n        if n: f(n - 1)\n        1/0\n    except Exception as e:\n"
        "        raise ValueError(n) from e\nf(50)",
        "ValueError",
    ),
    "S5 shows where it lies": ("raise ValueError(__file__)", "ValueError"),
    "S6 its group": ("import os; os.killpg(0, 9)", "ScriptKilled"),
    "S6 its descriptors": (
        "import os\nassert sorted(os.listdir('/proc/self/fd'))[:3] == ['0', '1', '2']\n"
        "assert len(os.listdir('/proc/self/fd')) == 4\n" + OK,
        None,
    ),
    "S6 memory": ("x = []\nwhile True: x.append(bytearray(1 << 38))", "MemoryError"),
    "S6 a fork bomb": (
        "import os, time\nfor _ in range(7): os.fork()\ntime.sleep(99)",
        "ScriptTimeout",
    ),
    "S6 the daemon's stdout": (
        "import os\np = os.getppid()\nfor _ in range(2):\n"
        "    try: open(f'/proc/{p}/fd/1', 'w').write('stray\\n')\n    except OSError: pass\n"
        "    p = int(open(f'/proc/{p}/stat').read().rpartition(')')[2].split()[1]) "
        "if os.path.exists(f'/proc/{p}/stat') and os.access(f'/proc/{p}/stat', 4) else p\n" + OK,
        None,
    ),
    "S6 its supervisor": ("import os; os.kill(os.getppid(), 9)", "PermissionError"),
    "S6 its supervisor's memory": (
        "import os; open(f'/proc/{os.getppid()}/mem', 'r+b')",
        "PermissionError",
    ),
    "S6 its supervisor's environment": (
        "import os; open(f'/proc/{os.getppid()}/environ', 'rb')",
        "PermissionError",
    ),
    "S6 the history": ("open('.workflow-sidecar/history.db', 'r+b')", "PermissionError"),
    "S7 its surroundings": (
        "import os, signal, sys, json\n"
        "assert not [n for n in os.environ if 'TOKEN' in n], 'a secret'\n"
        "assert os.getcwd() == os.path.dirname(os.path.abspath(__file__))\n"
        "assert os.umask(0) == 0o077\nassert signal.pthread_sigmask(0, []) == set()\n"
        "assert sys.argv == ['script.py'], sys.argv\nassert sys.path[0] == os.getcwd()\n"
        "assert __name__ == '__main__'\nassert not os.isatty(0)\n" + OK,
        None,
    ),
}

#: Each would take its whole timeout, and most of them the grace as well.
ENDLESS = {name: source for name, (source, _) in SCRIPTS.items() if name.startswith("S1 ")}


@pytest.fixture(scope="module", params=["zygote", "spawn"])
def hostile(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Driver, dict[str, str]]]:
    """One daemon for all of them, so that what one leaves behind the next would meet."""
    base = tmp_path_factory.mktemp("hostile")
    (base / "outside").mkdir()
    (base / "outside" / "kept.txt").write_text("as it was")
    (base / "project").mkdir()
    flags = ("--max-parallel", str(len(ENDLESS)))
    with Driver(base / "project", *flags, env={"API_TOKEN": SECRET}) as driver:
        driver.wait_for_zygote()
        _run(driver, OK, {})
        yield driver, SPAWNED if request.param == "spawn" else {}


def _run(
    driver: Driver, source: str, env: dict[str, str], timeout_ms: int = 20_000
) -> dict[str, Any]:
    Path(driver.project, "script.py").write_text(source)
    workflow = definition("hostile", step("a", "script.py", timeout=timeout_ms, env=env))
    result: dict[str, Any] = driver.call("workflow:execute", [workflow], timeout=30)
    return result


def _isolation(driver: Driver) -> list[str]:
    """What was found to be in force of that which keeps scripts from the sidecar."""
    found = driver.call("sidecar:info")["isolation"]
    return [found[name] for name in ("filesystem", "signals", "history")]


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in ENDLESS])
def test_hostile_script_ends_as_it_should_and_nothing_is_left(
    hostile: tuple[Driver, dict[str, str]], name: str
) -> None:
    driver, env = hostile
    source, error_type = SCRIPTS[name]
    if error_type == "PermissionError" and "none" in _isolation(driver):
        pytest.skip("this machine lacks what the script is kept from")
    driver.events.clear()
    driver.log_lines.clear()
    invariants = Invariants(driver, SECRET)
    # What has run before is run by a process that was ready for it, whose supervisor lives on.
    for _ in range(1 if env else 3):
        result = _run(driver, source, env, TIMEOUT_MS if error_type == "ScriptTimeout" else 20_000)
        assert (result["success"], result.get("error_type")) == (error_type is None, error_type)
        invariants.check()


def test_scripts_that_never_end_are_all_stopped_and_nothing_is_left(
    hostile: tuple[Driver, dict[str, str]],
) -> None:
    driver, env = hostile
    driver.events.clear()
    driver.log_lines.clear()
    invariants = Invariants(driver, SECRET)
    requests = {}
    for number, (name, source) in enumerate(ENDLESS.items()):
        Path(driver.project, f"endless{number}.py").write_text(source)
        endless = step("a", f"endless{number}.py", timeout=TIMEOUT_MS, env=env)
        workflow = definition(f"hostile{number}", endless)
        requests[name] = driver.request("workflow:execute", [workflow])
    for name, request in requests.items():
        result = driver.answer(request)["result"]
        assert result["error_type"] == "ScriptTimeout", name
        assert result["error"] == f"Script timeout after {TIMEOUT_MS}ms", name
    invariants.check()


def test_result_of_a_script_whose_child_holds_stdout_comes_at_once(
    start: Start, project: Project
) -> None:
    driver = start()
    project.script("script.py", "import subprocess; subprocess.Popen(['sleep', '99'])\n" + OK)
    result = driver.call("workflow:execute", [definition("w", step("a", "script.py"))])
    assert result["success"]
    assert result["duration_ms"] < 5000


def test_script_that_deletes_the_project_ends_its_run_and_not_the_daemon(
    start: Start, project: Project
) -> None:
    driver = start()
    source = "import os, shutil\nshutil.rmtree(os.getcwd(), ignore_errors=True)\nprint('{}')"
    workflow = definition("w", step("a", "script.py"), step("b", "script.py", depends_on=["a"]))
    for _ in range(2):
        project.script("script.py", source)
        result = driver.call("workflow:execute", [workflow])
        # What it printed counts; its own file is gone with all others.
        assert (result["steps"]["a"]["status"], result["error_type"]) == (
            "success",
            "ScriptNotFound",
        )
        assert driver.call("sidecar:info", timeout=5)["pid"] == driver.pid
    history = driver.call("workflow:execution:history", ["w"])
    assert [entry["status"] for entry in history] == ["failed", "failed"]
