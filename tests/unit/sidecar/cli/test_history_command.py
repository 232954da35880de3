"""`history`: past runs, newest first."""

import asyncio
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from protocol.executions import ExecutionDetail
from sidecar.cli.history_command import _columns, _cut
from sidecar.history.executions import ExecutionHistory
from tests.unit.sidecar.cli.conftest import Cli, Project


def keep(file: Path, *runs: dict[str, Any]) -> None:
    """Write runs into a history file, the newest last."""

    async def write() -> None:
        history = ExecutionHistory(file)
        for number, run in enumerate(runs):
            detail = {
                "id": f"00000000-0000-4000-8000-{number:012}",
                "workflow_id": "w",
                "workflow_name": "W",
                "timestamp": 1_700_000_000_000 + number * 1000,
                "duration_ms": 1234,
                "status": "success",
                "inputs": {},
                "steps_executed": 2,
                "steps_failed": 0,
                "steps": {},
                **run,
            }
            await history.ended(ExecutionDetail.model_validate(detail))
        await history.close()

    asyncio.run(write())


@pytest.fixture
def kept(project: Project) -> Path:
    file = project.path / ".workflow-sidecar" / "history.db"
    keep(
        file,
        {"workflow_id": "nightly"},
        {"workflow_id": "報告", "status": "failed", "error": "bad\x1b[31m:\nworse"},
        {"workflow_id": "nightly", "status": "cancelled", "error": "The execution was cancelled"},
    )
    return file


def test_runs_are_a_table_newest_first(cli: Cli, kept: Path) -> None:
    status, out, err = cli("history")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0].split() == [
        "RUN",
        "STARTED",
        "STATUS",
        "DURATION",
        "STEPS",
        "WORKFLOW",
        "ERROR",
    ]
    assert [line.split()[3] for line in lines[1:]] == ["cancelled", "failed", "success"]
    assert lines[2].endswith("   1.2 s      2  報告      bad\\x1b[31m: …")
    assert lines[3].endswith("   1.2 s      2  nightly")
    ends = {line.index("1.2 s") + len("1.2 s") for line in lines[1:]}
    assert ends == {lines[0].index("DURATION") + len("DURATION")}


def test_json_is_an_array_of_entries(cli: Cli, kept: Path) -> None:
    entries = json.loads(cli("history", "--json").out)
    assert [entry["status"] for entry in entries] == ["cancelled", "failed", "success"]
    assert "outputs" not in entries[0]
    assert set(entries[2]) == {
        "id", "workflow_id", "workflow_name", "timestamp", "duration_ms", "status", "inputs",
        "steps_executed", "steps_failed",
    }  # fmt: skip


def test_a_workflows_own_runs_and_a_limit(cli: Cli, kept: Path) -> None:
    own = json.loads(cli("history", "nightly", "--json").out)
    assert [entry["workflow_id"] for entry in own] == ["nightly", "nightly"]
    newest = json.loads(cli("history", "--limit", "1", "--json").out)
    assert [entry["status"] for entry in newest] == ["cancelled"]
    assert cli("history", "--limit", "0") == (0, "", "")
    assert cli("history", "--limit", "0", "--json").out == "[]\n"
    assert cli("history", "--limit", "999999999").status == 0


def test_an_unknown_workflow_is_answered_with_those_there_are(cli: Cli, kept: Path) -> None:
    assert cli("history", "nigthly").out == ('no runs of "nigthly" yet; did you mean nightly?\n')
    assert cli("history", "zzz").out == 'no runs of "zzz" yet; there are runs of nightly, 報告\n'
    assert cli("history", "zzz", "--json") == (0, "[]\n", "")


def test_looking_makes_no_file(cli: Cli, project: Project) -> None:
    assert cli("history") == (0, "no runs yet\n", "")
    assert cli("history", "w").out == "no runs yet\n"
    assert cli("history", "--json").out == "[]\n"
    assert not (project.path / ".workflow-sidecar").exists()


def test_another_project_and_another_file(cli: Cli, project: Project, tmp_path: Path) -> None:
    keep(tmp_path / "other" / ".workflow-sidecar" / "history.db", {})
    keep(tmp_path / "h.db", {}, {})
    assert len(json.loads(cli("history", "--json", "--project", "../other").out)) == 1
    assert len(json.loads(cli("history", "--json", "--history", "../h.db").out)) == 2


def test_a_damaged_file_is_a_warning(cli: Cli, project: Project) -> None:
    project.write("h.db", "no database at all, but long enough" * 100)
    status, out, err = cli("history", "--history", "h.db", "--json")
    assert (status, out) == (0, "[]\n")
    assert err.startswith("workflow-sidecar: warning: The history file was damaged.")


def test_a_file_that_cannot_be_used_is_status_2(cli: Cli, project: Project) -> None:
    assert cli("history", "--history", ".") == (
        2,
        "",
        "workflow-sidecar: error: The history file is a directory. "
        "Name another file with --history.\n",
    )


def test_rows_fit_into_the_terminal(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(
        project.path / ".workflow-sidecar" / "history.db",
        {"workflow_id": "x" * 60, "status": "failed", "error": "e" * 3000},
    )
    rows = cli("history").out.splitlines()
    assert rows[1].endswith("  " + "e" * 79 + "…")
    assert "x" * 31 + "…  e" in rows[1]

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((130, 24)))
    assert cli("history").status == 0
    monkeypatch.setenv("NO_COLOR", "1")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    assert {len(line) for line in plain.splitlines()[1:]} == {130}


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("漢字", 4, "漢字"),
        ("漢字x", 4, "漢…"),
        ("漢字", 3, "漢…"),
        ("e\u0301e\u0301", 2, "e\u0301e\u0301"),
    ],
)
def test_a_cut_counts_columns(text: str, most: int, cut: str) -> None:
    assert _cut(text, most) == cut
    assert _columns(cut) <= most


def test_one_run_is_shown_in_full_by_its_id_or_how_that_begins(cli: Cli, project: Project) -> None:
    ids = [f"{start}-0000-4000-8000-000000000000" for start in ("0f8fad5b", "0f8fad5c", "abcdef01")]
    file = project.path / ".workflow-sidecar" / "history.db"
    steps = {"a": {"status": "success", "label": "First", "attempts": []}}
    keep(file, *({"id": run_id, "steps": steps} for run_id in ids))
    for asked in (ids[1], "0f8fad5c", "0F8FAD5C"):
        lines = cli("history", asked).out.splitlines()
        assert lines[0].split() == ["run", ids[1]]
        assert lines[-1] == "a  success  First"
    [detail] = json.loads(cli("history", "0f8fad5c", "--json").out)
    assert (detail["id"], detail["steps"]["a"]["label"]) == (ids[1], "First")


def test_an_id_that_several_runs_begin_with_is_answered_with_them(
    cli: Cli, project: Project
) -> None:
    file = project.path / ".workflow-sidecar" / "history.db"
    keep(file, {}, {})
    status, out, err = cli("history", "00000000")
    assert (status, out) == (2, "")
    assert "2 runs have an id that begins with 00000000" in err
    assert "00000000-0000-4000-8000-000000000001" in err


def test_a_workflow_whose_id_looks_like_a_runs_is_still_a_workflow(
    cli: Cli, project: Project
) -> None:
    file = project.path / ".workflow-sidecar" / "history.db"
    keep(file, {"workflow_id": "abcdef01"}, {"id": "abcdef01-0000-4000-8000-000000000000"})
    rows = cli("history", "abcdef01").out.splitlines()
    assert [row.split()[-1] for row in rows] == ["ERROR", "abcdef01"]
    assert cli("history", "ffffffff").out.startswith('no runs of "ffffffff" yet')


@pytest.mark.parametrize(("columns", "has_error"), [(40, False), (70, False), (79, True)])
def test_on_a_narrow_terminal_the_workflow_and_then_the_error_give_way(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch, columns: int, has_error: bool
) -> None:
    file = project.path / ".workflow-sidecar" / "history.db"
    keep(file, {"workflow_id": "x" * 30, "status": "failed", "error": "e" * 3000})

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((columns, 24)))
    assert cli("history").status == 0
    [_, row] = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()
    assert "  xxxxxxx…" in row
    assert ("eee" in row) is has_error
    assert len(row) <= max(columns, 66)
