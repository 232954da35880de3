"""`run` on a terminal, as its user sees it."""

import json
import signal
from pathlib import Path

import pytest

from tests.integration.conftest import Project, step
from tests.integration.terminal import Terminal

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("\\x1b[31mhere\\x1b[0m <b>", file=sys.stderr, flush=True)
while True: time.sleep(1)
"""
#: Before it: the second attempt goes on when it has been seen.
HELD = """
import pathlib, time
while pathlib.Path("tries").exists() and not pathlib.Path("seen").exists():
    time.sleep(0.02)
"""
#: Fails until it has been tried three times.
FLAKY = """
import pathlib, sys
tries = pathlib.Path("tries")
tries.open("a").write(".")
if tries.stat().st_size < 3:
    raise ConnectionError("no route")
print("{}")
"""
SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


def flaky(project: Project, delay_ms: int) -> None:
    """Write the workflow that is retried, with that pause, then twice that."""
    policy = {"max_attempts": 3, "initial_delay_ms": delay_ms}
    project.workflow(
        "flaky",
        step("flaky", "./flaky.py", retry_policy=policy, label="Try hard"),
        {"id": "done", "type": "output", "message": "well done"},
    )


@pytest.fixture
def project(project: Project) -> Project:
    """The project with a workflow that is retried and one that hangs."""
    project.script("flaky.py", FLAKY)
    project.script("stubborn.py", STUBBORN)
    flaky(project, delay_ms=300)
    project.workflow("stubborn", step("stubborn", "./stubborn.py"), step("after", "./flaky.py"))
    project.workflow("hang", step("hang", "./hang.py"))
    return project


def test_retries_are_counted_down_and_the_end_is_a_summary(project: Project) -> None:
    project.script("flaky.py", HELD + FLAKY)
    # Long enough that a busy machine draws it as well.
    flaky(project, delay_ms=700)
    with Terminal(project.path, "run", "flaky.yaml") as terminal:
        terminal.shows(r"├─ ✘ flaky +error +[\d.]+ s +attempt 2 of 3, next in 0\.[0-7] s  Try hard")
        terminal.shows(r"│  └─ attempt 1 +\d+ ms  ConnectionError: no route")
        terminal.shows(r"├─ ▶ flaky +running +[\d.]+ s +attempt 2 of 3  Try hard")
        (project.path / "seen").touch()
        terminal.shows(r"├─ ✘ flaky +error +[\d.]+ s +attempt 3 of 3, next in [01]\.\d s  Try hard")
        terminal.shows(r"│  └─ attempt 2 +\d+ ms  ConnectionError: no route")
        terminal.shows(r"━*─*  0 of 2 steps  [\d.]+ s")
        assert terminal.wait() == 0
        last = terminal.text[terminal.text.rindex("├─ ✔ flaky") :]
        assert [line.split()[:4] for line in last.splitlines()[:2]] == [
            ["├─", "✔", "flaky", "success"],
            ["└─", "✔", "done", "success"],
        ]
        assert "2 retries" in last
        assert "well done" in last
        assert "success in " in last
        assert terminal.raw.rindex(SHOW_CURSOR) > terminal.raw.rindex(HIDE_CURSOR)


def test_ctrl_c_ends_the_run_in_order_and_a_second_one_kills(project: Project) -> None:
    with Terminal(project.path, "run", "stubborn.yaml") as terminal:
        terminal.shows(r"stubborn \| here <b>")
        terminal.shows(r"▶ stubborn +running +[\d.]+ m?s")
        terminal.press_ctrl_c()
        terminal.shows("stopping; Ctrl-C again kills the script")
        terminal.press_ctrl_c()
        assert terminal.wait() == 130
        assert "cancelled in " in terminal.text
        assert "- after     skipped" in terminal.text
        assert terminal.raw.rindex(SHOW_CURSOR) > terminal.raw.rindex(HIDE_CURSOR)


def test_a_window_that_is_closed_ends_the_run(project: Project) -> None:
    history = str(project.path / "history.db")
    with Terminal(project.path, "run", "hang.yaml", "--history", history, stderr="err") as terminal:
        terminal.shows("▶ hang +running")
        terminal.hang_up()
        assert terminal.wait() == 128 + signal.SIGHUP
    assert (project.path / "err").read_text() == ""
    with Terminal(project.path, "history", "--history", history) as terminal:
        assert terminal.wait() == 0
        assert "cancelled" in terminal.text


def test_a_redirected_result_leaves_the_list_on_the_terminal(project: Project) -> None:
    with Terminal(project.path, "run", "flaky.yaml", "--json", stdout="out.json") as terminal:
        assert terminal.wait() == 0
        assert "✔ flaky" in terminal.text
        assert '"execution_id"' not in terminal.text
    result = json.loads((project.path / "out.json").read_text())
    assert result["steps"]["flaky"]["retry_count"] == 2


@pytest.mark.parametrize("columns", [20, 36, 60])
def test_no_line_of_the_list_is_wider_than_the_terminal(project: Project, columns: int) -> None:
    with Terminal(project.path, "run", "flaky.yaml", columns=columns) as terminal:
        assert terminal.wait() == 0
        rows = [line for line in terminal.text.splitlines() if "─ ✔" in line]
        assert rows
        assert max(map(len, rows)) <= columns


def test_a_dumb_terminal_gets_plain_lines(project: Project, tmp_path: Path) -> None:
    with Terminal(project.path, "run", "flaky.yaml", env={"TERM": "dumb"}) as terminal:
        assert terminal.wait() == 0
        assert "\x1b" not in terminal.raw
        assert "  flaky  error    ConnectionError; attempt 2 of 3, next in 300 ms" in terminal.text


def test_a_terminal_without_unicode_gets_ascii(project: Project) -> None:
    env = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    with Terminal(project.path, "run", "flaky.yaml", env=env) as terminal:
        assert terminal.wait() == 0
        assert terminal.raw.isascii()
        assert "|- + flaky" in terminal.text


def test_what_runs_in_the_background_is_not_meant_by_ctrl_c(project: Project) -> None:
    with Terminal(project.path, "run", "hang.yaml", background=True) as terminal:
        terminal.shows(r"\| here")
        terminal.press_ctrl_c()
        terminal.shows(r"\^C")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait() == 143


def test_an_estimate_comes_from_earlier_runs(project: Project) -> None:
    with Terminal(project.path, "run", "flaky.yaml") as first:
        assert first.wait() == 0
        assert " left" not in first.text
    (project.path / "tries").unlink()
    with Terminal(project.path, "run", "flaky.yaml") as second:
        second.shows(r"0 of 2 steps  [\d.]+ s  (about 1 s|less than a second) left")
        assert second.wait() == 0


def test_a_terminal_that_is_made_narrower_shows_no_remains(project: Project) -> None:
    with Terminal(project.path, "run", "hang.yaml", columns=100) as terminal:
        terminal.shows("▶ hang +running")
        terminal.resize(columns=30)
        # As many lines up as the row of 33 columns and the bar of 52 have become.
        terminal.shows_raw(r"\x1b\[3A\r\x1b\[J")
        terminal.press_ctrl_c()
        assert terminal.wait() == 130


def test_a_failed_run_names_the_command_that_shows_all_of_it(project: Project) -> None:
    project.script("bad.py", "import sys\nsys.exit('out of \\x1b[31mluck')")
    project.workflow("bad", step("bad", "./bad.py"))
    with Terminal(project.path, "run", "bad.yaml") as terminal:
        assert terminal.wait() == 1
        command = terminal.text.splitlines()[-1].split(": ", 1)[1].split()
    assert command[:2] == ["workflow-sidecar", "history"]
    with Terminal(project.path, *command[1:]) as terminal:
        assert terminal.wait() == 0
        assert "bad  error" in terminal.text
        assert "      out of \\x1b[31mluck" in terminal.text


def test_past_runs_are_a_table_in_colours_or_without_them(project: Project) -> None:
    with Terminal(project.path, "run", "flaky.yaml") as terminal:
        assert terminal.wait() == 0
    for env, is_coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        with Terminal(project.path, "history", env=env) as terminal:
            assert terminal.wait() == 0
            head, row = terminal.text.splitlines()
            assert head.split()[:2] == ["RUN", "STARTED"]
            assert row.split()[3:] == ["success", *row.split()[4:6], "2", "flaky"]
            assert ("\x1b[32m" in terminal.raw) is is_coloured
