"""The tree on a terminal, drawn onto a stream that says it is one."""

import asyncio
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli import live
from sidecar.cli.display import make_progress
from sidecar.cli.live import LiveProgress
from sidecar.engine.loader import LoadedWorkflow
from tests.unit.sidecar.cli.test_progress import SECRET, load
from tests.unit.sidecar.engine.doubles import FakeRunner, Recorded, failure, python_step

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


class Terminal(io.TextIOWrapper):
    """A terminal that keeps what it is sent."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.received = io.BytesIO()
        super().__init__(self.received, encoding=encoding, write_through=True)
        self._changed = asyncio.Event()

    def write(self, text: str) -> int:
        self._changed.set()
        return super().write(text)

    async def shows(self, pattern: str) -> None:
        """Wait until it has been sent a text."""
        async with asyncio.timeout(20):
            while not re.search(pattern, self.text, re.DOTALL):
                await self._changed.wait()
                self._changed.clear()

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        return self.received.getvalue().decode(self.encoding)

    def last_frame(self) -> list[str]:
        """What stands below the last erasure, without colours."""
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-IK-Z]", "", self.text)
        return [line.rstrip() for line in plain.split("\x1b[J")[-1].splitlines()]


@pytest.fixture(autouse=True)
def size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal() as terminal:
        yield terminal


class LiveRun:
    """A run that is drawn on a terminal."""

    def __init__(
        self, project: Path, loaded: LoadedWorkflow, terminal: Terminal, runner: FakeRunner
    ) -> None:
        self.loaded = loaded
        self.run = Recorded(project, runner)
        self.progress = LiveProgress(loaded, project, terminal)
        self.run.engine.on_event(self.progress.on_event)

    async def to_its_end(self, *hints: str) -> None:
        with self.progress:
            await self.run.engine.execute(self.loaded)
        self.progress.summary(hints)


async def drawn(
    project: Path, terminal: Terminal, runner: FakeRunner, *steps: dict[str, Any]
) -> list[str]:
    await LiveRun(project, load(*steps), terminal, runner).to_its_end()
    return terminal.last_frame()


async def test_every_step_is_a_row_with_its_status_in_words(
    tmp_path: Path, terminal: Terminal
) -> None:
    runner = FakeRunner(a=[failure(), {}], b=[failure("OddError", "odd\nindeed")])
    steps = [
        python_step("a", retry_policy={"max_attempts": 2}, label="First"),
        python_step("b", label="Second [red]"),
        python_step("c", label="Third"),
    ]
    frame = await drawn(tmp_path, terminal, runner, *steps)
    rows = [re.sub(r"[0-9.]+ m?s ", "TIME ", line) for line in frame[:3]]
    assert [" ".join(row.split()) for row in rows] == [
        "├─ ✔ a success TIME 1 retry First",
        "├─ ✘ b error TIME OddError: odd … Second [red]",
        "└─ - c skipped Third",
    ]
    assert frame[3:] == [
        "",
        "failed in 1.0 s (2 of 3 steps)",
        "",
        "OddError in step b: odd",
        "  indeed",
    ]


async def test_rows_of_names_that_look_like_secrets_are_drawn_as_events_tell_them(
    tmp_path: Path, terminal: Terminal
) -> None:
    step = python_step(SECRET, label=f"to {SECRET}")
    frame = await drawn(tmp_path, terminal, FakeRunner(), step)
    row = re.sub(r"[0-9.]+ m?s ", "TIME ", frame[0])
    assert " ".join(row.split()) == "└─ ✔ [REDACTED] success TIME to [REDACTED]"
    assert SECRET not in terminal.text


async def test_the_cursor_comes_back(tmp_path: Path, terminal: Terminal) -> None:
    await drawn(tmp_path, terminal, FakeRunner(), python_step("a"))
    assert terminal.text.rindex(SHOW_CURSOR) > terminal.text.rindex(HIDE_CURSOR)


async def test_a_running_step_has_a_timer_and_a_waiting_one_a_countdown(
    tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_REDRAW_S", 0.001)

    async def run(*_: Any) -> Any:
        time = r"running[^\n]*? (\d\.\d) s"
        await terminal.shows(time)
        first = re.findall(time, terminal.text)[0]
        await terminal.shows(time.replace("(", f"(?!{first})("))
        return failure()

    async def sleep(_: int) -> None:
        await terminal.shows(r"attempt 2 of 2, next in 19\.\d s")
        await terminal.shows(r"└─ .*attempt 1.*ConnectionError: no route")

    step = python_step("a", retry_policy={"max_attempts": 2, "initial_delay_ms": 20_000})
    drawing = LiveRun(tmp_path, load(step), terminal, FakeRunner(a=run))
    monkeypatch.setattr(drawing.run.clock, "sleep", sleep)
    await drawing.to_its_end()
    assert "after 2 attempts" in terminal.text


async def test_lines_of_scripts_stand_above_the_list_and_are_harmless(
    tmp_path: Path, terminal: Terminal
) -> None:
    async def write(_: Any, on_stderr: Any) -> dict[str, Any]:
        on_stderr("\x1b[31mred\x1b[0m \x1b]0;title\x07 [bold]markup[/bold] <b>")
        return {}

    frame = await drawn(tmp_path, terminal, FakeRunner(a=write), python_step("a"))
    assert "a | " in terminal.text
    assert "red \\x1b]0;title\\x07 [bold]markup[/bold] <b>" in terminal.text
    assert frame[0].startswith("   a | red")
    assert frame[1].startswith("└─ ✔ a")


async def test_of_many_steps_those_around_the_running_one_are_drawn(
    tmp_path: Path, terminal: Terminal
) -> None:
    steps = [python_step(f"s{number}") for number in range(200)]
    frame = await drawn(tmp_path, terminal, FakeRunner(), *steps)
    assert frame[0] == "├─ … 182 more steps, done"
    rows = [line for line in frame if "success  " in line]
    assert len(rows) == 18
    assert rows[-1].split()[:3] == ["└─", "✔", "s199"]


@pytest.mark.parametrize("columns", [24, 36, 50, 80])
async def test_rows_fit_into_a_narrow_terminal(
    tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    step = python_step("a-step-with-quite-a-long-id", label="A label of some length " * 4)
    frame = await drawn(tmp_path, terminal, FakeRunner(), step)
    assert len(frame[0]) <= columns
    assert frame[0].startswith("└─ ✔ a-ste")
    assert frame[1] == ""


async def test_an_ascii_terminal_gets_ascii_of_known_width(tmp_path: Path) -> None:
    with Terminal("ascii") as terminal:
        step = python_step("a-step-with-quite-a-long-id", label="é" * 100)
        frame = await drawn(tmp_path, terminal, FakeRunner(), step)
        assert frame[0].startswith("`- + a-step-with-quite-a-lon~  success")
        assert "\\xe9\\xe9" in frame[0]
        assert len(frame[0]) <= 80


async def test_no_color_means_none(
    tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    await drawn(tmp_path, terminal, FakeRunner(), python_step("a"))
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", terminal.text)


async def test_ctrl_c_is_answered_in_the_row_of_the_running_step(
    tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_REDRAW_S", 0.001)
    loaded = load(python_step("a"))

    async def run(*_: Any) -> dict[str, Any]:
        drawing.progress.stopping()
        await terminal.shows("stopping; Ctrl-C again kills the script")
        return {}

    drawing = LiveRun(tmp_path, loaded, terminal, FakeRunner(a=run))
    await drawing.to_its_end()


async def test_a_terminal_that_goes_away_does_not_end_the_run(
    tmp_path: Path, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    async def hang_up(_: Any, on_stderr: Any) -> dict[str, Any]:
        on_stderr("nobody sees this")

        def write(_: str) -> int:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(terminal, "write", write)
        return {}

    with pytest.MonkeyPatch.context() as monkeypatch:
        loaded = load(python_step("a"), python_step("b"))
        drawing = LiveRun(tmp_path, loaded, terminal, FakeRunner(a=hang_up))
        await drawing.to_its_end("hint")
    assert drawing.run.types()[-1] == "workflow_completed"


def test_a_run_that_never_began_draws_nothing(tmp_path: Path, terminal: Terminal) -> None:
    with LiveProgress(load(python_step("a")), tmp_path, terminal) as progress:
        pass
    progress.summary([])
    assert terminal.text == ""


def test_only_a_terminal_gets_the_list(
    tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load(python_step("a"))
    monkeypatch.setattr(sys, "stdout", terminal)
    assert isinstance(make_progress(loaded, tmp_path, as_json=False), LiveProgress)
    assert not isinstance(make_progress(loaded, tmp_path, as_json=True), LiveProgress)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert isinstance(make_progress(loaded, tmp_path, as_json=True), LiveProgress)
    monkeypatch.setenv("TERM", "dumb")
    assert not isinstance(make_progress(loaded, tmp_path, as_json=False), LiveProgress)
