"""Plain lines while a workflow runs, and the summary at its end."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli.display import make_progress
from sidecar.cli.progress import Progress
from sidecar.engine import loader
from sidecar.engine.access import MachineAccess
from sidecar.engine.loader import LoadedWorkflow
from sidecar.scripts.interface import ScriptFailure
from tests.unit.sidecar.engine.doubles import (
    Behaviour,
    FakeRunner,
    Recorded,
    Reply,
    failure,
    python_step,
    workflow,
)
from tests.unit.sidecar.redaction import samples


def load(*steps: dict[str, Any], **more: Any) -> LoadedWorkflow:
    return loader.load_object(workflow(*steps, **more), MachineAccess(allowed=None))


async def shown(
    project: Path, loaded: LoadedWorkflow, runner: FakeRunner | None = None, *hints: str
) -> list[str]:
    """The lines that a run prints."""
    stream = io.StringIO()
    run = Recorded(project, runner)
    with Progress(loaded, project, stream) as progress:
        run.engine.on_event(progress.on_event)
        await run.engine.execute(loaded)
        progress.summary(hints)
    return stream.getvalue().splitlines()


async def test_a_run_is_a_line_an_event_and_ends_with_what_it_says(tmp_path: Path) -> None:
    steps = [python_step("a"), {"id": "done", "type": "output", "message": "all\nwell"}]
    assert await shown(tmp_path, load(*steps), None) == [
        "W",
        "  a     running",
        "  a     success  0 ms",
        "  done  running",
        "  done  success  0 ms",
        "",
        "all",
        "well",
        "",
        "success in 0 ms (2 steps)",
    ]


async def test_a_failure_is_told_at_the_end_with_its_place_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "deep.py").touch()
    trace = (
        'Traceback (most recent call last):\n  File "a.py", line 5, in <module>\n    f(1)\n'
        '  File "lib/deep.py", line 3, in f\n    json.loads("")\n'
        '  File "decoder.py", line 355, in raw_decode\n    raise\nValueError: bad\n'
    )
    runner = FakeRunner(a=[ScriptFailure("bad:\nworse\n", "ValueError", (), trace)])
    lines = await shown(tmp_path, load(*map(python_step, "abc")), runner, "see also: x")
    assert lines == [
        "W",
        "  a  running",
        "  a  error    0 ms",
        "  (2 steps skipped)",
        "",
        "failed in 0 ms (1 of 3 steps)",
        "",
        "ValueError in step a: bad:",
        "  worse",
        "  at lib/deep.py:3, in f",
        "see also: x",
    ]


SECRET = samples.VENDORS["GitHub token"][0]


async def test_names_that_look_like_secrets_are_shown_as_events_tell_them(tmp_path: Path) -> None:
    steps = [
        python_step(SECRET, label=SECRET, retry_policy={"initial_delay_ms": 1600}),
        {"id": f"{SECRET}x", "type": "output", "message": "all well"},
    ]
    loaded = load(*steps, workflow={"name": f"for {SECRET}"})
    replies: dict[str, list[Reply] | Behaviour] = {SECRET: [failure(), {}]}
    assert await shown(tmp_path, loaded, FakeRunner(**replies)) == [
        "for [REDACTED]",
        "  [REDACTED]      running",
        "  [REDACTED]      error    ConnectionError; attempt 2 of 3, next in 1.6 s",
        "  [REDACTED]      running (attempt 2 of 3)",
        "  [REDACTED]      success  1.6 s, 1 retry",
        "  [REDACTED] (2)  running",
        "  [REDACTED] (2)  success  0 ms",
        "",
        "all well",
        "",
        "success in 1.6 s (2 steps)",
    ]


async def test_a_place_in_the_scripts_body_has_no_function(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    trace = 'Traceback:\n  File "a.py", line 5, in <module>\nValueError: bad\n'
    runner = FakeRunner(a=[ScriptFailure("bad", "ValueError", (), trace)])
    assert (await shown(tmp_path, load(python_step("a")), runner))[-1] == "  at a.py:5"


async def test_one_skipped_step_is_named(tmp_path: Path) -> None:
    runner = FakeRunner(a=[failure("OddError", "odd")])
    lines = await shown(tmp_path, load(*map(python_step, "ab")), runner)
    assert "  b  skipped" in lines


async def test_retries_are_told_as_they_come(tmp_path: Path) -> None:
    timeout = ScriptFailure("Script timeout after 5ms", "ScriptTimeout")
    runner = FakeRunner(a=[failure(), timeout, {}])
    step = python_step("a", retry_policy={"initial_delay_ms": 1600})
    assert (await shown(tmp_path, load(step), runner))[1:-2] == [
        "  a  running",
        # The message stands in the line before, which is the last of the traceback on stderr.
        "  a  error    ConnectionError; attempt 2 of 3, next in 1.6 s",
        "  a  running (attempt 2 of 3)",
        "  a  error    ScriptTimeout: Script timeout after 5ms; attempt 3 of 3, next in 3.2 s",
        "  a  running (attempt 3 of 3)",
        "  a  success  4.8 s, 2 retries",
    ]


async def test_the_end_says_how_often_it_was_tried(tmp_path: Path) -> None:
    runner = FakeRunner(a=[failure()])
    step = python_step("a", retry_policy={"max_attempts": 2})
    lines = await shown(tmp_path, load(step), runner)
    assert lines[-1] == "ConnectionError in step a after 2 attempts: no route"


async def test_what_scripts_write_cannot_reach_the_terminal(tmp_path: Path) -> None:
    async def write(_: Any, on_stderr: Any) -> dict[str, Any]:
        on_stderr("\x1b[31mred\x1b[0m\tx\x1b]0;title\x07\u202e <b>")
        return {"x": "\x1b[2Jgone\x07"}

    named = {"workflow": {"id": "w", "name": "N\x1b[5m"}}
    steps = [
        python_step("a"),
        {"id": "done", "type": "output", "message": "${steps.a.outputs.x}"},
    ]
    lines = await shown(tmp_path, load(*steps, **named), FakeRunner(a=write))
    assert lines[0] == "N"
    assert lines[2] == "  a     | red     x\\x1b]0;title\\x07\\u202e <b>"
    assert "\\x1b[2Jgone\\x07" in lines
    assert "\x1b" not in "".join(lines)


async def test_a_message_too_large_to_be_shown_is_cut(tmp_path: Path) -> None:
    runner = FakeRunner(a=[{"x": "y" * 300_000}])
    steps = [
        python_step("a"),
        {"id": "done", "type": "output", "message": "${steps.a.outputs.x}"},
    ]
    lines = await shown(tmp_path, load(*steps), runner)
    assert "(all of it: --json)" in lines
    assert all(len(line) < 2000 for line in lines)


async def test_a_reader_that_leaves_does_not_end_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Left(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    loaded = load(python_step("a"), python_step("b"))
    run = Recorded(tmp_path)
    with Progress(loaded, tmp_path, Left()) as progress:
        run.engine.on_event(progress.on_event)
        assert (await run.engine.execute(loaded)).success
        progress.summary([])
    assert capsys.readouterr().err == ""


async def test_a_full_disk_is_told_once_and_does_not_end_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    full = Full()
    monkeypatch.setattr(sys, "stdout", full)
    loaded = load(python_step("a"))
    run = Recorded(tmp_path)
    progress = make_progress(loaded, tmp_path, as_json=False)
    run.engine.on_event(progress.on_event)
    assert (await run.engine.execute(loaded)).success
    assert capsys.readouterr().err == (
        "workflow-sidecar: warning: progress cannot be shown: No space left on device; "
        "the run goes on\n"
    )


def test_a_run_that_never_began_has_no_summary(tmp_path: Path) -> None:
    stream = io.StringIO()
    with Progress(load(python_step("a")), tmp_path, stream) as progress:
        progress.stopping()
        progress.summary(["hint"])
    assert stream.getvalue() == ""


async def test_json_leaves_stdout_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = load(python_step("a"))
    run = Recorded(tmp_path)
    with make_progress(loaded, tmp_path, as_json=True) as progress:
        run.engine.on_event(progress.on_event)
        await run.engine.execute(loaded)
        progress.summary([])
    assert capsys.readouterr() == ("", "")
