"""A script beneath its supervisor: nothing outlives it, whatever happens to the supervisor."""

import asyncio
import os
import signal
import textwrap
from pathlib import Path

import pytest

from sidecar.scripts.launchers import End, supervised
from sidecar.scripts.launchers.supervised import SupervisedAttempt
from tests.unit.sidecar.scripts.conftest import PYTHON, is_alive, until
from tests.unit.sidecar.scripts.launchers.conftest import Hand

#: Ways to leave children behind. Each writes the number of every process into the file `pids`.
ESCAPES = {
    "same group": "stay()",
    "setsid": "os.setsid(); stay()",
    "double fork": "os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); stay()",
    "clean environment": "os.setsid(); os.environ.clear();"
    "os.execve(sys.executable, ['x', '-c', "
    '\'import os, time; open("pids", "a").write(f"{os.getpid()}\\\\n"); time.sleep(100)\'], {})',
    "hopping every millisecond": "hop(.001)",
    "hopping as fast as it can": "hop(0)",
    "stopped": "note(); os.kill(os.getpid(), signal.SIGSTOP)",
    "deaf": "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); stay()",
    "forty of them": "[os.fork() or stay() for _ in range(40)]; stay()",
}
PREAMBLE = """
import os, signal, sys, time

def note():
    with open("pids", "a") as file:
        file.write(f"{os.getpid()}\\n")

def stay():
    note()
    time.sleep(100)

def hop(pause):
    note()
    while True:
        time.sleep(pause)
        if os.fork():
            os._exit(0)
        os.setsid()

if os.fork() == 0:
    ESCAPE
while not (os.path.exists("pids") and os.path.getsize("pids")):
    time.sleep(.001)
"""


def is_there(hand: Hand) -> bool:
    return Path(hand.project.path, "pids").exists()


def pids(hand: Hand) -> list[int]:
    return [int(line) for line in hand.written("pids").split()]


def of_the_project(hand: Hand) -> list[int]:
    """Whoever works in the project's folder, hopping ones included."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink() == hand.project.path:
                found.append(int(process.name))
        except OSError:
            continue
    return [pid for pid in found if is_alive(pid)]


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("ending", ["", "raise SystemExit(3)", "os.abort()", "time.sleep(100)"])
async def test_nothing_is_left_however_it_was_started(hand: Hand, escape: str, ending: str) -> None:
    attempt = await hand.start(PREAMBLE.replace("ESCAPE", ESCAPES[escape]) + ending)
    if "sleep" in ending:
        await until(lambda: is_there(hand) and bool(pids(hand)))
        attempt.kill()
    await hand.end(attempt)
    assert pids(hand)
    assert not any(map(is_alive, pids(hand)))
    assert of_the_project(hand) == []


async def test_all_of_them_get_sigterm_first(hand: Hand) -> None:
    attempt = await hand.start(
        textwrap.dedent(
            """
            import os, signal, sys, time
            def stop(*_):
                os.mkdir(f"stopped-{os.getpid()}")
                os._exit(0)
            signal.signal(signal.SIGTERM, stop)
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.mkdir("ready")
            time.sleep(100)
            """
        )
    )
    await until(lambda: Path(hand.project.path, "ready").exists())
    attempt.terminate()
    assert (await hand.end(attempt)).returncode == 0
    # The script's own end is the end of the others too, so they may not all have had their turn.
    assert list(hand.project.path.glob("stopped-*"))


async def test_script_whose_supervisor_is_killed_dies_with_it(hand: Hand) -> None:
    attempt = await hand.start(
        "import os, time\nif os.fork() == 0: time.sleep(100)\n"
        "while not os.path.exists('go'): time.sleep(.001)\n"
        "os.kill(os.getppid(), 9)\ntime.sleep(100)"
    )
    assert isinstance(attempt, SupervisedAttempt)
    # Before, nobody but the supervisor knows the script's number.
    await until(lambda: attempt.pid != 0)
    (hand.project.path / "go").touch()
    assert (await hand.end(attempt)).returncode == -signal.SIGKILL
    await until(lambda: of_the_project(hand) == [])


async def test_script_that_stops_its_supervisor_is_killed_all_the_same(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "KILL_ANSWER_SECONDS", 0.2)
    attempt = await hand.start(
        "import os, time\nos.kill(os.getppid(), 19)\nopen('pids', 'w').close()\ntime.sleep(100)"
    )
    await until(lambda: is_there(hand))
    attempt.kill()
    attempt.kill()
    assert (await hand.end(attempt)).returncode == -signal.SIGKILL
    await until(lambda: of_the_project(hand) == [])


async def test_what_a_stopped_supervisor_watched_over_ends_with_its_script(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "KILL_ANSWER_SECONDS", 0.2)
    attempt = await hand.start(
        PREAMBLE.replace("ESCAPE", ESCAPES["double fork"])
        + "os.kill(os.getppid(), signal.SIGSTOP)\nos.mkdir('stopped')\ntime.sleep(100)"
    )
    await until(lambda: Path(hand.project.path, "stopped").exists())
    attempt.kill()
    assert (await hand.end(attempt)).returncode == -signal.SIGKILL
    assert pids(hand)
    assert not any(map(is_alive, pids(hand)))
    assert of_the_project(hand) == []


async def test_supervisor_that_cannot_be_sent_on_is_killed(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "KILL_ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(supervised, "LAST_RESORT_SECONDS", 0.2)
    attempt = await hand.start("open('pids', 'w').close()\nimport time; time.sleep(100)")
    assert isinstance(attempt, SupervisedAttempt)
    await until(lambda: is_there(hand) and attempt.pid != 0)
    supervisor = attempt._supervisor_pid
    attempt._supervisor_pid = 0  # as if nobody knew whom to send on
    os.kill(supervisor, signal.SIGSTOP)
    attempt.kill()
    attempt._supervisor_pid = 0
    assert (await hand.end(attempt)).returncode == -signal.SIGKILL
    await until(lambda: of_the_project(hand) == [])


async def test_interpreter_that_hangs_at_its_start_is_killed(hand: Hand) -> None:
    attempt = await hand.start("")
    assert isinstance(attempt, SupervisedAttempt)
    assert attempt.pid == 0, "it cannot have answered yet"
    attempt.kill()
    assert (await hand.end(attempt)).returncode == -signal.SIGKILL


async def test_script_ends_when_the_socket_to_the_daemon_does(hand: Hand) -> None:
    attempt = await hand.start("import time; open('pids', 'w').close(); time.sleep(100)")
    assert isinstance(attempt, SupervisedAttempt)
    await until(lambda: is_there(hand))
    pid = attempt.pid
    assert is_alive(pid)
    os.set_inheritable(attempt._control.fileno(), False)
    asyncio.get_running_loop().remove_reader(attempt._control.fileno())
    attempt._control.close()
    await until(lambda: not is_alive(pid))
    attempt._end = End(0, b"")
    attempt.exited.set_result(None)
    await hand.end(attempt)


async def test_machine_without_a_process_to_give_is_an_error_of_the_start(hand: Hand) -> None:
    attempt = await hand.start("")
    assert isinstance(attempt, SupervisedAttempt)
    attempt._heard += b"failed 11\n"
    with pytest.raises(BlockingIOError, match="Resource temporarily unavailable"):
        await hand.end(attempt)


#: A supervisor that has no time to kill anything before it must tell of the script's end.
HURRIED = """
import ctypes, mmap, os, socket, sys, time
path = sys.argv[1]
names = {}
exec(compile(open(path).read(), path, "exec"), names)
names.update(UNKILLABLE_SECONDS=-1.0, QUICK_ROUNDS=0)
ours, theirs = socket.socketpair()
supervisor = os.fork()
if not supervisor:
    ours.close()
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    script = os.fork()
    if not script:
        os.setsid()
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.setsid()
            os.write(writing, b"here")
            time.sleep(100)
        os.read(reading, 4)
        os._exit(0)
    names["supervise"](theirs.fileno(), script, mmap.mmap(-1, 4096), 1)
theirs.close()
while said := ours.recv(4096):
    print(said.decode(), end="")
os.waitpid(supervisor, 0)
"""


async def test_what_could_not_be_killed_in_time_is_killed_later() -> None:
    supervisor = Path(supervised.__file__).parent.parent / "child" / "supervisor.py"
    process = await asyncio.create_subprocess_exec(
        *(PYTHON, "-c", HURRIED, str(supervisor)), stdout=asyncio.subprocess.PIPE
    )
    # It ends when nobody holds its stdout any more, hence not before the stray has gone.
    printed, _ = await asyncio.wait_for(process.communicate(), 10)
    assert printed.decode().splitlines()[-1] == "ended 0 1 0"


async def test_process_that_cannot_be_killed_is_told_of(
    hand: Hand, caplog: pytest.LogCaptureFixture
) -> None:
    attempt = await hand.start("")
    assert isinstance(attempt, SupervisedAttempt)
    attempt._heard += b"supervisor 99\nended 256 1 3\nabc"
    end = await hand.end(attempt)
    assert (end.returncode, end.report) == (1, b"abc")
    assert "a process of a script cannot be killed" in caplog.text
