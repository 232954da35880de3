"""One script from request to outcome: what it gets, what it may print, how it may end."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from protocol.limits import MAX_STDERR_BYTES
from sidecar.scripts.interface import ScriptFailure, ScriptRequest
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.isolation import PROVEN
from sidecar.scripts.launchers import Attempt, Start
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.paths import ProjectRoot
from sidecar.scripts.runner import LocalRunner
from tests.unit.sidecar.scripts.conftest import PYTHON, Bench, is_alive

ECHO = "import sys; sys.stdout.write(sys.stdin.read())"


class TestInputsAndOutputs:
    async def test_inputs_come_as_json_and_outputs_go_as_json(self, bench: Bench) -> None:
        inputs = {"text": "hällo 🙂\n", "n": 2**53 + 1, "deep": {"list": [1, None, True, 1.5]}}
        outcome = await bench.run(ECHO, inputs)
        assert outcome.outputs == inputs
        assert outcome.failure is None
        assert outcome.stderr == ""
        assert outcome.duration_ms > 0

    async def test_input_ends(self, bench: Bench) -> None:
        outcome = await bench.run(
            "import sys, json; a = sys.stdin.read(); b = sys.stdin.read();"
            "print(json.dumps({'a': a, 'b': b}))",
            {"x": 1},
        )
        assert outcome.outputs == {"a": '{"x":1}\n', "b": ""}

    async def test_numbers_beyond_64_bits_and_half_surrogates_reach_the_script(
        self, bench: Bench
    ) -> None:
        outcome = await bench.run(
            "import json, sys; d = json.load(sys.stdin);"
            "print(json.dumps({'n': str(d['n']), 's': len(d['s'])}))",
            {"n": 2**70, "s": "\ud800"},
        )
        assert outcome.outputs == {"n": str(2**70), "s": 1}

    async def test_inputs_that_are_no_json_are_a_failure(self, bench: Bench) -> None:
        outcome = await bench.run("", {"x": object()})
        assert outcome.failure == ScriptFailure("Inputs cannot be written as JSON", "ValueError")

    async def test_large_echo_does_not_deadlock(self, bench: Bench) -> None:
        inputs = {"blob": "x" * 15_000_000}
        outcome = await bench.run(
            "import sys\nwhile True:\n    c = sys.stdin.read(1000)\n    if not c: break\n"
            "    sys.stdout.write(c)",
            inputs,
        )
        assert outcome.outputs == inputs

    @pytest.mark.parametrize(
        "reading", ["", "import sys; sys.stdin.buffer.raw.read(10)", "import os; os.close(0)"]
    )
    async def test_script_need_not_read_its_input(self, bench: Bench, reading: str) -> None:
        outcome = await bench.run(f"{reading}\nprint('{{}}')", {"blob": "x" * 10_000_000})
        assert outcome.outputs == {}

    async def test_output_before_a_grandchilds_end_is_the_result(self, bench: Bench) -> None:
        # The child is in the script's group and holds stdout and stderr.
        outcome = await bench.run(
            "import subprocess; p = subprocess.Popen(['sleep', '100']);"
            "print('{\"pid\": %d}' % p.pid)"
        )
        assert outcome.outputs is not None
        assert outcome.duration_ms < 5000
        assert not is_alive(outcome.outputs["pid"])

    async def test_multibyte_character_split_over_two_writes_stays_whole(
        self, bench: Bench
    ) -> None:
        outcome = await bench.run(
            """
            import os, time
            for fd, text in ((2, "ü✓\\n"), (1, '{"a": "ü🙂"}')):
                for byte in text.encode():
                    os.write(fd, bytes([byte]))
            """
        )
        assert outcome.outputs == {"a": "ü🙂"}
        assert bench.lines == ["ü✓"]

    async def test_invalid_output_is_explained(self, bench: Bench) -> None:
        outcome = await bench.run("print('Loading')\nprint({'a': 1})")
        assert outcome.outputs is None
        assert outcome.failure == ScriptFailure(
            'stdout line 1 is not JSON: "Loading"; '
            "print to stderr instead: print(..., file=sys.stderr)",
            "InvalidOutput",
        )

    async def test_large_invalid_output_is_explained_as_well(self, bench: Bench) -> None:
        outcome = await bench.run("print('x' * 2_000_000)")
        assert outcome.failure is not None
        assert outcome.failure.error_type == "InvalidOutput"

    async def test_streams_are_utf8_whatever_the_locale(self, bench: Bench) -> None:
        outcome = await bench.run(
            "import sys\nprint(sys.stdin.read())\nprint('ü', file=sys.stderr)",
            {"a": "ü🙂"},
            env={"LC_ALL": "en_US.ISO-8859-1", "LANG": "C", "PYTHONIOENCODING": "latin-1"},
        )
        assert outcome.outputs == {"a": "ü🙂"}
        assert bench.lines == ["ü"]


class TestSurroundings:
    async def test_script_finds_exactly_what_is_promised(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DAEMON_SECRET", "s3cret")
        secret = os.open("/etc/passwd", os.O_RDONLY)
        os.set_inheritable(secret, True)
        outcome = await bench.run(
            """
            import json, os, signal, sys
            inherited = {}
            for fd in range(3, 200):
                try:
                    inherited[fd] = os.get_inheritable(fd)
                except OSError:
                    pass
            print(json.dumps({
                "cwd": os.getcwd(), "argv": sys.argv, "path0": sys.path[0], "file": __file__,
                "secret": os.environ.get("DAEMON_SECRET"), "mode": os.environ.get("MODE"),
                "inherited": inherited, "nice": os.nice(0),
                "tty": [os.isatty(fd) for fd in (0, 1, 2)],
                "leader": os.getsid(0) == os.getpid() == os.getpgid(0),
                "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
                "pipe": signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN,
                "cmdline": open("/proc/self/cmdline").read().count("s3cret"),
            }))
            """,
            env={"MODE": "test"},
        )
        os.close(secret)
        root = str(bench.project.path)
        assert outcome.outputs is not None
        assert outcome.outputs == {
            "inherited": {},
            "nice": os.nice(0) + 5,
            "cwd": root,
            "argv": ["script.py"],
            "path0": root,
            "file": f"{root}/script.py",
            "secret": None,
            "mode": "test",
            "tty": [False, False, False],
            "leader": True,
            "mask": [],
            "pipe": True,
            "cmdline": 0,
        }

    async def test_script_in_a_folder_imports_from_there(self, bench: Bench) -> None:
        bench.write("VALUE = 5", "steps/helper.py")
        bench.write("import helper, sys; print('{\"v\": %d}' % helper.VALUE)", "steps/run.py")
        (bench.project.path / "alias.py").symlink_to("steps/run.py")
        for script in ("./steps/run.py", "alias.py"):
            outcome = await bench.runner.run(ScriptRequest(script, {}, 30_000), print)
            assert outcome.outputs == {"v": 5}

    async def test_project_modules_are_not_imported_before_the_script(self, bench: Bench) -> None:
        for module in ("json", "sitecustomize", "usercustomize", "os", "io", "report", "codecs"):
            bench.write("raise SystemExit('hijacked')", f"{module}.py")
        assert (await bench.run("print('{}')")).outputs == {}

    async def test_file_named_like_an_option_is_a_file(self, bench: Bench) -> None:
        for name in ("-c", "-m", "$HOME", "~", "*.py", ";id"):
            bench.write('import sys; print(\'{"argv": "%s"}\' % sys.argv[0])', name)
            outcome = await bench.runner.run(ScriptRequest(name, {}, 30_000), print)
            assert outcome.outputs == {"argv": name}

    async def test_swapped_path_does_not_change_what_runs(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        path = bench.write('print(\'{"ran": "inside"}\')')
        (tmp_path / "outside.py").write_text('print(\'{"ran": "outside"}\')')
        launcher = bench.runner._launcher

        class Swapping(SpawnLauncher):
            async def start(self, start: Start) -> Attempt:
                path.unlink()
                path.symlink_to(tmp_path / "outside.py")
                return await launcher.start(start)

        runner = LocalRunner(bench.project, Interpreters(PYTHON, bench.project.path), Swapping())
        outcome = await runner.run(ScriptRequest("script.py", {}, 30_000), print)
        await runner.close()
        assert outcome.outputs == {"ran": "inside"}

    async def test_isolation_tells_what_is_in_force(self, bench: Bench) -> None:
        found = await bench.runner.isolation()
        assert (
            found.items()
            >= {
                "level": "best-effort",
                "launcher": "spawn",
                "process_tree": "subreaper",
                "environment": "allowlist",
                "network": "open",
            }.items()
        )
        assert found.keys() > PROVEN.keys()


class TestNothingStarted:
    @pytest.mark.parametrize(
        ("script", "error", "error_type"),
        [
            ("../x.py", "Script path outside project directory", "ScriptPathError"),
            ("/etc/passwd", "Script path outside project directory", "ScriptPathError"),
            ("", "Script path is empty", "ScriptPathError"),
            ("folder", 'Script is a directory, not a file: "folder"', "ScriptPathError"),
            ("./none.py", 'Script not found: "./none.py"', "ScriptNotFound"),
        ],
    )
    async def test_unusable_script_path_starts_no_process(
        self, project: ProjectRoot, script: str, error: str, error_type: str
    ) -> None:
        (project.path / "folder").mkdir()
        (project.path / "folder" / "__main__.py").write_text("print('{}')")
        runner = LocalRunner(project, Interpreters("/nowhere", project.path), Unstartable())
        outcome = await runner.run(ScriptRequest(script, {}, 1000), print)
        assert outcome.failure == ScriptFailure(error, error_type)

    @pytest.mark.parametrize("filler", ["", "x" * 2_000_000])
    async def test_input_that_leaves_the_project_starts_no_process(
        self, project: ProjectRoot, filler: str
    ) -> None:
        (project.path / "script.py").write_text("print('{}')")
        runner = LocalRunner(project, Interpreters(PYTHON, project.path), Unstartable())
        request = ScriptRequest("script.py", {"f": filler, "a": ["~/.ssh/id_rsa"]}, 1000)
        outcome = await runner.run(request, print)
        assert outcome.failure == ScriptFailure(
            'Input path outside project directory: a[0] is "~/.ssh/id_rsa"', "InputPathError"
        )

    async def test_missing_interpreter_says_how_to_get_one(self, project: ProjectRoot) -> None:
        (project.path / "script.py").write_text("print('{}')")
        runner = LocalRunner(project, Interpreters("/nowhere/python", project.path))
        outcome = await runner.run(ScriptRequest("script.py", {}, 1000), print)
        assert outcome.failure is not None
        assert outcome.failure.error_type == "PythonNotFound"
        assert outcome.failure.error.startswith('Python not found: "/nowhere/python". Install ')

    async def test_interpreter_that_went_away_is_not_found(
        self, project: ProjectRoot, tmp_path: Path
    ) -> None:
        (project.path / "script.py").write_text("print('{}')")
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\necho '[\"{python}\", [3, 12, 0]]'\n")
        python.chmod(0o755)
        pythons = Interpreters(str(python), project.path)
        await pythons.get()
        python.unlink()
        runner = LocalRunner(project, pythons)
        outcome = await runner.run(ScriptRequest("script.py", {}, 1000), print)
        await runner.close()
        assert outcome.failure == ScriptFailure(
            "Python is no longer where it was found", "PythonNotFound"
        )

    async def test_machine_that_has_no_process_to_give_is_an_outcome(self, bench: Bench) -> None:
        bench.write("print('{}')")
        runner = LocalRunner(bench.project, Interpreters(PYTHON, bench.project.path), Unstartable())
        outcome = await runner.run(ScriptRequest("script.py", {}, 1000), print)
        await runner.close()
        assert outcome.failure == ScriptFailure(
            "Script could not be started: Resource temporarily unavailable",
            "BlockingIOError",
            ("OSError", "Exception", "BaseException"),
        )

    async def test_environment_that_no_process_can_have_is_an_outcome(self, bench: Bench) -> None:
        outcome = await bench.run("", env={"A": "\0"})
        assert outcome.failure == ScriptFailure(
            'Environment variable "A" holds a NUL character', "ValueError"
        )
        outcome = await bench.run("", env={"A": "x" * 10_000_000})
        assert outcome.failure is not None
        assert outcome.failure.error == "Script could not be started: Argument list too long"


class Unstartable(SpawnLauncher):
    async def start(self, start: Start) -> Attempt:
        raise BlockingIOError(11, os.strerror(11))


class TestFailures:
    async def test_exception_is_told_with_its_bases_and_traceback(self, bench: Bench) -> None:
        outcome = await bench.run(
            """
            class ApiError(ConnectionError):
                pass

            def call():
                raise ApiError("the service said: ü")

            call()
            """
        )
        root = bench.project.path
        assert outcome.failure is not None
        assert outcome.failure.error == "the service said: ü"
        assert outcome.failure.error_type == "ApiError"
        assert outcome.failure.error_bases == (
            "ConnectionError",
            "OSError",
            "Exception",
            "BaseException",
        )
        trace = outcome.failure.stack_trace
        assert trace is not None
        assert trace.startswith("Traceback (most recent call last):\n")
        assert f'File "{root}/script.py", line 6, in call' in trace
        assert "bootstrap" not in trace
        assert outcome.stderr == trace

    @pytest.mark.parametrize(
        ("source", "error", "error_type"),
        [
            ("raise ValueError", "ValueError", "ValueError"),
            ("raise ValueError('')", "ValueError", "ValueError"),
            ("raise KeyError('k')", "'k'", "KeyError"),
            ("x = = 1", r"invalid syntax \(script.py, line 1\)", "SyntaxError"),
            ("import nosuchmodule", "No module named 'nosuchmodule'", "ModuleNotFoundError"),
            ("def f(): f()\nf()", "maximum recursion depth exceeded.*", "RecursionError"),
            ("raise KeyboardInterrupt('stop')", "stop", "KeyboardInterrupt"),
            ("raise ValueError('\\ud800\\0')", r"\\ud800\\x00", "ValueError"),
            ("print(1 / 0)", "division by zero", "ZeroDivisionError"),
            ("raise MemoryError('none left')", "none left", "MemoryError"),
            (
                "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
                "<exception str\\(\\) failed>",
                "E",
            ),
            ("import sys\nsys.excepthook = lambda *a: None\n1/0", ".*", "ZeroDivisionError"),
            ("import os\nfds = [os.dup(0) for _ in range(10**6)]", ".*Too many open.*", "OSError"),
            ("import os\nos.chdir('/')\nos.environ.clear()\n1/0", ".*", "ZeroDivisionError"),
            ("import sys\nsys.stderr = sys.stdout = None\n1/0", ".*", "ZeroDivisionError"),
        ],
    )
    async def test_odd_exception_is_told_all_the_same(
        self, bench: Bench, source: str, error: str, error_type: str
    ) -> None:
        outcome = await bench.run(source)
        assert outcome.failure is not None
        assert outcome.failure.error_type == error_type
        assert re.fullmatch(error, outcome.failure.error)

    async def test_huge_message_chain_and_trace_are_bounded(self, bench: Bench) -> None:
        outcome = await bench.run(
            """
            def fail(n):
                try:
                    if n:
                        fail(n - 1)
                    raise ValueError("x" * 100_000)
                except Exception as e:
                    raise RuntimeError("y" * 1_000_000) from e
            fail(50)
            """
        )
        assert outcome.failure is not None
        assert outcome.failure.error_type == "RuntimeError"
        assert len(outcome.failure.error) < 70_000
        assert outcome.failure.stack_trace is not None
        assert len(outcome.failure.stack_trace) < 70_000
        assert "characters left out …]" in outcome.failure.stack_trace
        assert outcome.failure.stack_trace.startswith("Traceback")
        assert len(outcome.stderr) < MAX_STDERR_BYTES + 100

    @pytest.mark.parametrize(
        ("source", "error", "error_type"),
        [
            ("import sys; sys.exit(3)", "Script exited with code 3", "ScriptExit"),
            (
                "import sys; sys.exit('no such order')",
                "Script exited with code 1: no such order",
                "ScriptExit",
            ),
            ("import os; os._exit(7)", "Script exited with code 7", "ScriptExit"),
            (
                "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
                "Script was killed by signal SIGSEGV",
                "ScriptKilled",
            ),
            ("import os; os.abort()", "Script was killed by signal SIGABRT", "ScriptKilled"),
            (
                "import os, signal; os.killpg(0, signal.SIGTERM)",
                "Script was killed by signal SIGTERM",
                "ScriptKilled",
            ),
            (
                "import os, signal; os.kill(0, signal.SIGKILL)",
                "Script was killed by signal SIGKILL",
                "ScriptKilled",
            ),
            (
                "import os; print('{}'); os._exit(0)",
                "the script printed nothing on stdout; "
                "print one JSON object, e.g. print(json.dumps({...}))",
                "InvalidOutput",
            ),
        ],
    )
    async def test_end_without_an_exception_is_told_by_its_status(
        self, bench: Bench, source: str, error: str, error_type: str
    ) -> None:
        outcome = await bench.run(source)
        assert outcome.failure == ScriptFailure(error, error_type)

    async def test_script_that_closes_all_descriptors_is_reported_all_the_same(
        self, bench: Bench
    ) -> None:
        outcome = await bench.run(
            """
            import os
            os.closerange(3, 200)
            mine = [os.open("mine.txt", os.O_RDWR | os.O_CREAT) for _ in range(60)]
            raise ValueError("x")
            """
        )
        assert outcome.failure is not None
        assert outcome.failure.error_type == "ValueError"
        assert (bench.project.path / "mine.txt").read_bytes() == b""

    async def test_exception_in_a_forked_child_is_not_the_scripts(self, bench: Bench) -> None:
        outcome = await bench.run(
            """
            import os, sys
            if os.fork() == 0:
                raise ValueError("in the child")
            os.wait()
            sys.exit(4)
            """
        )
        assert outcome.failure is not None
        assert outcome.failure.error_type == "ScriptExit"


class TestFloods:
    async def test_stdout_beyond_the_limit_stops_the_script(self, bench: Bench) -> None:
        outcome = await bench.run("while True: print('x' * 65536)")
        assert outcome.failure == ScriptFailure(
            "Script printed more than 16 MiB on stdout; "
            "write large results to a file and print its path",
            "OutputTooLarge",
        )

    async def test_stdout_just_within_the_limit_passes(self, bench: Bench) -> None:
        size = 16 * 1024 * 1024 - len('{"a": ""}')
        source = f"import sys; sys.stdout.write('{{\"a\": \"' + 'x' * {size} + '\"}}')"
        outcome = await bench.run(source)
        assert outcome.outputs == {"a": "x" * size}
        outcome = await bench.run(source + "; print()")
        assert outcome.failure is not None
        assert outcome.failure.error_type == "OutputTooLarge"

    @pytest.mark.parametrize(
        "line", ["b'x' * 65536", "b'x\\\\n' * 32768", "bytes(range(256)) * 256"]
    )
    async def test_stderr_flood_is_kept_as_head_and_tail(self, bench: Bench, line: str) -> None:
        outcome = await bench.run(
            f"import os\nos.write(2, b'first\\n')\n"
            f"for _ in range(3000): os.write(2, {line})\n"
            f"os.write(2, b'last')\nprint('{{}}')"
        )
        assert outcome.outputs == {}
        assert len(outcome.stderr.encode()) < 4 * MAX_STDERR_BYTES
        assert outcome.stderr.startswith("first\n")
        assert outcome.stderr.endswith("last")
        assert re.search(r"\n\[… \d{8,} bytes left out …\]\n", outcome.stderr)
        assert len(bench.lines) < 20_000

    async def test_lines_are_told_while_the_script_runs(self, bench: Bench) -> None:
        gate = bench.project.path / "gate"
        os.mkfifo(gate)
        told = asyncio.Event()

        def on_stderr(line: str) -> None:
            assert line == "ready"
            told.set()

        run = asyncio.create_task(
            bench.run(
                "import sys; print('ready', file=sys.stderr); open('gate').read(); print('{}')",
                on_stderr=on_stderr,
            )
        )
        await asyncio.wait_for(told.wait(), 20)
        assert not run.done()
        await asyncio.to_thread(gate.write_text, "go")
        assert (await run).outputs == {}


class TestManyAtOnce:
    async def test_scripts_run_at_the_same_time_and_keep_to_themselves(self, bench: Bench) -> None:
        bench.write(
            "import json, sys, pathlib\n"
            "n = json.load(sys.stdin)['n']\n"
            "pathlib.Path(f'here{n}').touch()\n"
            "while len(list(pathlib.Path('.').glob('here*'))) < 8: pass\n"
            "print(json.dumps({'n': n}))"
        )
        outcomes = await asyncio.gather(
            *(
                bench.runner.run(ScriptRequest("script.py", {"n": n}, 60_000), print)
                for n in range(8)
            )
        )
        assert [outcome.outputs for outcome in outcomes] == [{"n": n} for n in range(8)]

    async def test_flooding_script_does_not_delay_another(self, bench: Bench) -> None:
        bench.write("import os\nwhile True: os.write(2, b'x\\n' * 32768)", "flood.py")
        flooding = asyncio.Event()
        flood = asyncio.create_task(
            bench.runner.run(ScriptRequest("flood.py", {}, 60_000), lambda _: flooding.set())
        )
        await asyncio.wait_for(flooding.wait(), 20)
        outcome = await bench.run("print('{}')", timeout_ms=20_000)
        assert outcome.outputs == {}
        flood.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flood
