"""Timeouts, cancellation and what a script leaves behind.

Ways to escape a process group (`setsid`, double fork and worse) are tested beside the launchers.
"""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.scripts import running
from sidecar.scripts.interface import ScriptFailure, ScriptOutcome, ScriptRequest
from tests.unit.sidecar.scripts.conftest import Bench, is_alive, until

#: Enough for an interpreter to start, little enough to wait for.
TIMEOUT_MS = 700


@pytest.fixture
def grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter grace, for scripts that do not use it."""
    monkeypatch.setattr(running, "KILL_GRACE_MS", 200)


def timeout_after(timeout_ms: int) -> ScriptFailure:
    return ScriptFailure(f"Script timeout after {timeout_ms}ms", "ScriptTimeout")


TIMED_OUT = timeout_after(TIMEOUT_MS)
#: What a script does when it is ready to be stopped.
READY = 'open("ready", "w").close()'


async def stopped_when_ready(bench: Bench, source: str) -> tuple[ScriptOutcome, int]:
    """The outcome of a script that had come to READY when its time was up, and that time: longer
    and longer, for a busy machine may need it to start an interpreter."""
    for timeout_ms in (TIMEOUT_MS, 3 * TIMEOUT_MS, 12 * TIMEOUT_MS):
        bench.lines.clear()
        outcome = await bench.run(source, timeout_ms=timeout_ms)
        assert outcome.failure == timeout_after(timeout_ms)
        if (bench.project.path / "ready").exists():
            return outcome, timeout_ms
    raise AssertionError("the script was never ready")


def pids(bench: Bench) -> list[int]:
    return [int(line) for line in bench.lines if line.isdigit()]


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Nothing goes but what nobody holds."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    "source",
    ["print('{}')", "raise ValueError", "import time; time.sleep(100)"],
    ids=["success", "exception", "timeout"],
)
@pytest.mark.usefixtures("no_collector")
async def test_an_attempt_that_has_ended_goes_at_once_and_so_does_what_it_printed(
    bench: Bench, source: str
) -> None:
    """The collector of cycles counts objects: a hundred outputs of 16 MiB would not wake it."""
    await bench.run(source, timeout_ms=TIMEOUT_MS)
    await asyncio.sleep(0)
    assert not [one for one in gc.get_objects() if isinstance(one, running.Running)]


class TestTimeout:
    @pytest.mark.parametrize(
        "source",
        [
            "while True: pass",
            "import time; time.sleep(100)",
            "import threading; threading.Event().wait()",
            "import os; os.read(os.pipe()[0], 1)",
            "import threading; l = threading.Lock(); l.acquire(); l.acquire()",
        ],
        ids=["busy", "asleep", "waiting", "reading", "deadlock"],
    )
    async def test_script_that_never_ends_is_stopped(self, bench: Bench, source: str) -> None:
        outcome = await bench.run(source, timeout_ms=TIMEOUT_MS)
        assert outcome.failure == TIMED_OUT
        assert TIMEOUT_MS <= outcome.duration_ms < TIMEOUT_MS + 2000

    @pytest.mark.parametrize(
        "ignoring",
        [
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
            "signal.signal(signal.SIGTERM, lambda *_: None)",
            "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
            "signal.signal(signal.SIGTERM, lambda *_: [os.write(2, bytes(65536)) for _ in 'xxxx'])",
            "signal.signal(signal.SIGTERM, lambda *_: os.fork())",
        ],
        ids=["ignored", "swallowed", "blocked", "flooding", "forking"],
    )
    @pytest.mark.usefixtures("grace")
    async def test_script_that_ignores_sigterm_is_killed(self, bench: Bench, ignoring: str) -> None:
        outcome, timeout_ms = await stopped_when_ready(
            bench, f"import os, signal, time\n{ignoring}\n{READY}\nwhile True: time.sleep(.01)"
        )
        assert timeout_ms + 200 <= outcome.duration_ms < timeout_ms + 3000

    async def test_grace_lets_a_script_clean_up(self, bench: Bench) -> None:
        # It times out even though it then exits with 0.
        await stopped_when_ready(
            bench,
            f"""
            import signal, sys, time
            def stop(*_):
                open("cleaned", "w").close()
                print("cleaning up", file=sys.stderr)
                sys.exit(0)
            signal.signal(signal.SIGTERM, stop)
            print("{{}}", flush=True)
            {READY}
            time.sleep(100)
            """,
        )
        assert (bench.project.path / "cleaned").exists()
        assert bench.lines == ["cleaning up"]

    async def test_stopped_script_is_ended_too(self, bench: Bench) -> None:
        outcome = await bench.run(
            "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", timeout_ms=TIMEOUT_MS
        )
        assert outcome.failure == TIMED_OUT
        assert outcome.duration_ms < TIMEOUT_MS + 1500, "it could act on SIGTERM"

    async def test_timed_out_script_and_its_group_are_killed(self, bench: Bench) -> None:
        await stopped_when_ready(
            bench,
            f"""
            import os, signal, subprocess, sys, time
            children = [subprocess.Popen(["sleep", "100"]) for _ in range(3)]
            children.append(subprocess.Popen([sys.executable, "-c",
                "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
                "print(flush=True); time.sleep(100)"], stdout=subprocess.PIPE))
            children[-1].stdout.readline()
            children[0].send_signal(signal.SIGSTOP)
            for process in children:
                print(process.pid, file=sys.stderr)
            {READY}
            time.sleep(100)
            """,
        )
        assert len(pids(bench)) == 4
        assert not any(map(is_alive, pids(bench)))

    async def test_script_that_ends_in_time_is_left_alone(self, bench: Bench) -> None:
        outcome = await bench.run("print('{}')", timeout_ms=20_000)
        assert outcome.failure is None

    async def test_timeout_is_told_in_the_milliseconds_that_were_asked_for(
        self, bench: Bench
    ) -> None:
        outcome = await bench.run("while True: pass", timeout_ms=1)
        assert outcome.failure == ScriptFailure("Script timeout after 1ms", "ScriptTimeout")

    async def test_words_on_stderr_survive_the_timeout(self, bench: Bench) -> None:
        outcome, _ = await stopped_when_ready(
            bench,
            "import sys, time; sys.stderr.write('half a line'); sys.stderr.flush();"
            f"{READY}; time.sleep(100)",
        )
        assert outcome.stderr == "half a line"
        assert bench.lines == ["half a line"]

    async def test_reader_that_never_reads_times_out_like_any_other(self, bench: Bench) -> None:
        outcome = await bench.run(
            "import time; time.sleep(100)", {"blob": "x" * 5_000_000}, timeout_ms=TIMEOUT_MS
        )
        assert outcome.failure == TIMED_OUT


class TestLeftovers:
    @pytest.mark.parametrize("ending", ["print('{}')", "sys.exit(3)", "1 / 0", "os.abort()"])
    async def test_group_is_dead_before_the_outcome_however_the_script_ends(
        self, bench: Bench, ending: str
    ) -> None:
        outcome = await bench.run(
            f"""
            import os, subprocess, sys
            print(subprocess.Popen(["sleep", "100"]).pid, file=sys.stderr)
            print(subprocess.Popen(["sleep", "100"], env={{}}, close_fds=False).pid,
                  file=sys.stderr)
            if (pid := os.fork()) == 0:
                while True:
                    pass
            print(pid, file=sys.stderr)
            {ending}
            """
        )
        assert outcome.duration_ms < 10_000
        assert len(pids(bench)) == 3
        assert not any(map(is_alive, pids(bench)))

    async def test_one_that_hops_from_pid_to_pid_is_caught_with_its_group(
        self, bench: Bench
    ) -> None:
        outcome = await bench.run(
            """
            import os
            if os.fork() == 0:
                while True:
                    if os.fork():
                        os._exit(0)
            print('{"group": %d}' % os.getpgid(0))
            """
        )
        assert outcome.outputs is not None
        group = outcome.outputs["group"]
        await until(lambda: not group_lives(group))

    async def test_child_in_the_group_that_goes_on_writing_is_not_waited_for(
        self, bench: Bench
    ) -> None:
        outcome = await bench.run(
            """
            import os
            if os.fork() == 0:
                while True:
                    os.write(2, b"still here\\n" * 1000)
            print("{}")
            """,
            timeout_ms=20_000,
        )
        assert outcome.outputs == {}

    async def test_holder_of_the_pipes_outside_the_group_is_not_waited_for(
        self, bench: Bench
    ) -> None:
        outcome = await bench.run(
            """
            import subprocess, sys
            other = subprocess.Popen(["sleep", "100"], start_new_session=True)
            print('{"pid": %d}' % other.pid)
            """,
            timeout_ms=20_000,
        )
        assert outcome.outputs is not None
        assert outcome.duration_ms < 5000
        assert not is_alive(outcome.outputs["pid"])


def group_lives(group: int) -> bool:
    for entry in Path("/proc").iterdir():
        try:
            state, _, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if its_group == str(group) and state not in "ZX":
            return True
    return False


class TestCancellation:
    async def started(self, bench: Bench, source: str) -> "asyncio.Task[ScriptOutcome]":
        """A run whose script has said that it is ready."""
        ready = asyncio.Event()

        def on_stderr(line: str) -> None:
            bench.lines.append(line)
            ready.set()

        run = asyncio.create_task(bench.run(source, on_stderr=on_stderr))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait((run, waiting), return_when=asyncio.FIRST_COMPLETED)
        assert waiting.done()
        return run

    async def test_cancelled_run_raises_once_the_group_is_dead(self, bench: Bench) -> None:
        run = await self.started(
            bench,
            """
            import os, subprocess, sys, time
            child = subprocess.Popen(["sleep", "100"])
            sys.stderr.write(f"{os.getpid()}\\n{child.pid}\\n")
            time.sleep(100)
            """,
        )
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert len(pids(bench)) == 2
        assert not any(map(is_alive, pids(bench)))

    async def test_cancelled_script_has_its_grace(self, bench: Bench) -> None:
        run = await self.started(
            bench,
            """
            import signal, sys, time
            def stop(*_):
                open("cleaned", "w").close()
                sys.exit()
            signal.signal(signal.SIGTERM, stop)
            print("ready", file=sys.stderr)
            while True: time.sleep(.01)
            """,
        )
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert (bench.project.path / "cleaned").exists()

    @pytest.mark.usefixtures("grace")
    async def test_cancelling_again_and_again_changes_nothing(self, bench: Bench) -> None:
        run = await self.started(
            bench,
            """
            import os, signal, sys, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print(os.getpid(), file=sys.stderr)
            while True: time.sleep(.01)
            """,
        )
        for _ in range(20):
            run.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await run
        assert not any(map(is_alive, pids(bench)))

    async def test_kill_all_leaves_no_grace_and_nobody(self, bench: Bench) -> None:
        runs = [
            await self.started(
                bench,
                """
                import os, signal, subprocess, sys, time
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                child = subprocess.Popen(["sleep", "100"])
                sys.stderr.write(f"{os.getpid()}\\n{child.pid}\\n")
                time.sleep(100)
                """,
            )
            for _ in range(2)
        ]
        bench.runner.kill_all()
        for run in runs:
            failure = (await run).failure
            assert failure == ScriptFailure("Script was killed by signal SIGKILL", "ScriptKilled")
        assert len(pids(bench)) == 4
        assert not any(map(is_alive, pids(bench)))

    async def test_cancellation_works_within_a_timeout_of_the_callers(self, bench: Bench) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await bench.run("while True: pass")

    async def test_cancellation_at_any_moment_leaves_nothing_behind(self, bench: Bench) -> None:
        bench.write("print('{}')")
        for turns in range(12):
            run = asyncio.create_task(
                bench.runner.run(ScriptRequest("script.py", {}, 30_000), bench.lines.append)
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run

    async def test_cancellation_during_the_search_for_python_leaves_nothing_behind(
        self, bench: Bench
    ) -> None:
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asked = asyncio.Event()

        async def get() -> None:
            asked.set()
            await never

        bench.runner._python.get = get  # type: ignore[method-assign,assignment]
        run = asyncio.create_task(bench.run("print('{}')"))
        await asked.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run


@pytest.mark.parametrize(
    "source",
    [
        "print('{}')",
        "1/0",
        "import sys; sys.exit(3)",
        "import os; os.abort()",
        "while True: print('x' * 65536)",
        "import os; [os.close(fd) for fd in (0, 1, 2)]",
        "import subprocess; subprocess.Popen(['sleep', '100']); print('{}')",
        "import sys; sys.stdin.close(); print('nonsense')",
    ],
)
async def test_nothing_is_left_open_however_a_script_ends(bench: Bench, source: str) -> None:
    # The fixture counts descriptors, threads, children and tasks before and after.
    for _ in range(3):
        await bench.run(source, {"blob": "x" * 200_000})
