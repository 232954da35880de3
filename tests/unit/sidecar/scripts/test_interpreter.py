"""Which Python is found, which are passed over, and what is said when there is none."""

import asyncio
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.errors import PythonNotFound
from sidecar.scripts import interpreter
from sidecar.scripts.interpreter import Interpreters, find_python
from tests.unit.sidecar.scripts.conftest import is_alive, until

REAL = sys.executable


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def lay(tmp_path: Path) -> Callable[[str, str], Path]:
    """Lays an executable shell script `<tmp>/<path>`; `answers` are at hand for its text."""

    def lay(path: str, text: str) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return file

    return lay


def answers(version: str, path: str = "/opt/python") -> str:
    return f"echo '[\"{path}\", [{version}]]'"


SHIM = f'exec {shlex.quote(REAL)} "$@"'
Lay = Callable[[str, str], Path]


def environ(*folders: Path | str) -> dict[str, str]:
    return {"PATH": os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"])}


class TestSearch:
    def test_real_interpreter_tells_its_path_and_version(self, project: Path) -> None:
        found = find_python(REAL, project, {})
        assert found.path == REAL
        assert found.version == sys.version_info[:3]
        assert found.version_text == ".".join(map(str, sys.version_info[:3]))

    def test_shim_is_resolved_to_the_executable_behind_it(self, project: Path, lay: Lay) -> None:
        shim = lay("shims/python3", SHIM)
        assert find_python(None, project, environ(shim.parent)).path == REAL

    def test_given_path_wins_over_everything(self, project: Path, lay: Lay) -> None:
        other = environ(lay("bin/python3", answers("3, 12, 0")).parent)
        other["WORKFLOW_SIDECAR_PYTHON"] = str(lay("env/python", answers("3, 10, 0", "/env")))
        given = lay("given/python", answers("3, 9, 0", "/given"))
        assert find_python(str(given), project, other).path == "/given"
        assert find_python(None, project, other).path == "/env"

    def test_variable_that_names_nothing_usable_is_told_and_passed_over(
        self, project: Path, lay: Lay, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = environ(lay("bin/python3", answers("3, 12, 0", "/found")).parent)
        for unusable in ("/nowhere/python", str(lay("old/python", answers("3, 7, 9")))):
            path["WORKFLOW_SIDECAR_PYTHON"] = unusable
            assert find_python(None, project, path).path == "/found"
            assert "WORKFLOW_SIDECAR_PYTHON cannot be used" in caplog.messages[-1]
        with pytest.raises(PythonNotFound, match="WORKFLOW_SIDECAR_PYTHON cannot be used"):
            find_python(None, project, {"WORKFLOW_SIDECAR_PYTHON": "/nowhere/python", "PATH": ""})

    def test_python3_comes_before_python_whatever_the_folder(self, project: Path, lay: Lay) -> None:
        first = lay("a/python", answers("3, 12, 0", "/python")).parent
        second = lay("b/python3", answers("3, 9, 0", "/python3")).parent
        assert find_python(None, project, environ(first, second)).path == "/python3"

    def test_old_broken_and_babbling_ones_are_passed_over(self, project: Path, lay: Lay) -> None:
        folders = [
            lay("old/python3", answers("3, 7, 9")).parent,
            lay("broken/python3", "exit 1").parent,
            lay("babbling/python3", "echo hello").parent,
            lay("relative/python3", answers("3, 12, 0", "python3")).parent,
            lay("odd/python3", "echo '[1, 2]'").parent,
            lay("good/python3", answers("3, 8, 0", "/good")).parent,
        ]
        (folders[0].parent / "folder" / "python3").mkdir(parents=True)
        no_program = lay("noprogram/python3", "").parent
        (no_program / "python3").write_bytes(b"\0")
        path = environ(folders[0].parent / "folder", no_program, *folders)
        assert find_python(None, project, path).path == "/good"

    def test_entries_that_are_relative_or_inside_the_project_are_ignored(
        self, project: Path, lay: Lay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inside = lay("project/.venv/bin/python3", answers("3, 12, 0", "/evil"))
        (tmp_path / "alias").symlink_to(inside.parent)
        (tmp_path / "links").mkdir()
        (tmp_path / "links" / "python3").symlink_to(inside)
        shim = lay("shim/python3", answers("3, 12, 0", str(inside)))
        good = lay("good/python3", answers("3, 11, 0", "/good"))
        monkeypatch.chdir(project)
        folders: list[Path | str] = [
            ".venv/bin",
            "",
            inside.parent,
            tmp_path / "alias",
            tmp_path / "links",
        ]
        path = environ(*folders, shim.parent, good.parent)
        assert find_python(None, project, path).path == "/good"

    def test_given_one_may_lie_in_the_project(self, project: Path, lay: Lay) -> None:
        inside = lay("project/.venv/bin/python3", answers("3, 12, 0", "/venv"))
        assert find_python(str(inside), project, {}).path == "/venv"

    def test_virtual_environment_keeps_its_own_path(self, project: Path, tmp_path: Path) -> None:
        venv = tmp_path / "venv"
        (venv / "bin").mkdir(parents=True)
        (venv / "pyvenv.cfg").write_text(f"home = {Path(REAL).resolve().parent}\n")
        (venv / "bin" / "python3").symlink_to(Path(REAL).resolve())
        found = find_python(None, project, environ(venv / "bin"))
        assert found.path == str(venv / "bin" / "python3")

    def test_probe_runs_isolated_and_outside_the_project(
        self, project: Path, lay: Lay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = tmp_path / "seen"
        shim = lay("shim/python3", f'echo "$PWD $*" >{seen}; {SHIM}')
        (project / "json.py").write_text("raise SystemExit(1)")
        monkeypatch.chdir(project)
        find_python(None, project, environ(shim.parent) | {"PYTHONPATH": str(project)})
        assert seen.read_text().startswith("/ -I -S -c ")

    def test_bare_name_is_looked_up_on_the_path_only(
        self, project: Path, lay: Lay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lay("project/python3.99", answers("3, 99, 0", "/evil"))
        good = lay("bin/python3.99", answers("3, 99, 0", "/good"))
        monkeypatch.chdir(project)
        path = environ(".", project, good.parent)
        assert find_python("python3.99", project, path).path == "/good"
        with pytest.raises(PythonNotFound, match=r'^Python not found: "python3.99"$'):
            find_python("python3.99", project, environ())

    def test_windows_also_asks_its_launcher(
        self, project: Path, lay: Lay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(interpreter, "_WINDOWS", True)
        py = lay("bin/py", f'[ "$1" = -3 ] && {answers("3, 12, 1", "/py")}')
        assert find_python(None, project, {"PATH": str(py.parent)}).path == "/py"
        with pytest.raises(PythonNotFound):
            find_python(None, project, {"PATH": str(project.parent)})


#: More than anybody reads.
TALKS_ON = "head -c 1000000 /dev/zero"


class TestFailure:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (answers("3, 7, 16"), "Python 3.7.16 is too old for scripts, 3.8 or newer is needed: "),
            (answers("2, 7, 18"), "Python 2.7.18 is too old for scripts, 3.8 or newer is needed: "),
            ("exit 3", "Python does not answer: "),
            (TALKS_ON, "Python does not answer: "),
        ],
    )
    def test_unusable_given_one_is_not_replaced_by_another(
        self, project: Path, lay: Lay, monkeypatch: pytest.MonkeyPatch, text: str, message: str
    ) -> None:
        if text == TALKS_ON:
            monkeypatch.setattr(interpreter, "PROBE_SECONDS", 0.3)
        given = str(lay("given/python", text))
        with pytest.raises(PythonNotFound) as caught:
            find_python(given, project, environ(Path(REAL).parent))
        assert str(caught.value) == f'{message}"{given}"'
        assert "--python" in caught.value.install_guide

    async def test_hanging_one_is_ended_with_all_it_started(
        self, project: Path, lay: Lay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pids = tmp_path / "pids"
        given = lay("given/python", f"sleep 100 & echo $$ $! >{pids}; wait")
        # Longer, should a busy machine need it to come so far.
        for seconds in (0.3, 1, 5):
            monkeypatch.setattr(interpreter, "PROBE_SECONDS", seconds)
            with pytest.raises(PythonNotFound, match=r"^Python does not answer: "):
                await asyncio.to_thread(find_python, str(given), project, environ())
            if pids.exists() and pids.stat().st_size:
                break
        started = [int(pid) for pid in pids.read_text().split()]
        assert len(started) == 2
        await until(lambda: not any(map(is_alive, started)))

    def test_child_that_keeps_the_pipe_does_not_delay_the_answer(
        self, project: Path, lay: Lay, tmp_path: Path
    ) -> None:
        given = lay("given/python", f"sleep 3 & {answers('3, 9, 0', '/quick')}")
        assert find_python(str(given), project, environ()).path == "/quick"

    @pytest.mark.parametrize(
        ("found", "message"),
        [
            (None, "No Python 3.8 or newer on the PATH"),
            ("3, 6, 1", "No Python 3.8 or newer on the PATH; the newest found is 3.6.1"),
        ],
    )
    def test_nothing_on_the_path_is_one_clear_line(
        self, project: Path, lay: Lay, tmp_path: Path, found: str | None, message: str
    ) -> None:
        folder = lay("bin/python", answers(found)).parent if found else tmp_path
        with pytest.raises(PythonNotFound) as caught:
            find_python(None, project, {"PATH": str(folder)})
        assert str(caught.value) == message

    def test_search_as_a_whole_is_bounded(
        self, project: Path, lay: Lay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(interpreter, "SEARCH_SECONDS", 0.2)
        first = lay("a/python3", "exec sleep 100").parent
        second = lay("b/python3", answers("3, 12, 0")).parent
        with pytest.raises(PythonNotFound):
            find_python(None, project, environ(first, second))

    def test_name_that_cannot_be_a_file_is_not_found(self, project: Path) -> None:
        with pytest.raises(PythonNotFound, match=r"^Python not found: "):
            find_python("/nowhere/python", project, {})


class TestCache:
    async def test_all_who_ask_share_one_search(
        self, project: Path, lay: Lay, tmp_path: Path
    ) -> None:
        count = tmp_path / "count"
        given = lay("given/python", f"echo x >>{count}; {answers('3, 9, 1')}")
        pythons = Interpreters(str(given), project, environ())
        found = await asyncio.gather(*(pythons.get() for _ in range(20)))
        assert {python.version_text for python in found} == {"3.9.1"}
        assert count.read_text() == "x\n"

    async def test_failure_is_kept_as_well(self, project: Path, lay: Lay, tmp_path: Path) -> None:
        count = tmp_path / "count"
        given = lay("given/python", f"echo x >>{count}; exit 1")
        pythons = Interpreters(str(given), project, environ())
        for _ in range(3):
            with pytest.raises(PythonNotFound, match=r"^Python does not answer"):
                await pythons.get()
        assert count.read_text() == "x\n"

    async def test_cancelled_asker_does_not_end_the_search_of_others(
        self, project: Path, lay: Lay, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        os.mkfifo(gate)
        given = lay("given/python", f"read x <{gate}; {answers('3, 9, 2')}")
        pythons = Interpreters(str(given), project, environ())
        first, second = asyncio.create_task(pythons.get()), asyncio.create_task(pythons.get())
        await until(lambda: pythons._search is not None)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await asyncio.to_thread(gate.write_text, "go\n")
        assert (await second).version == (3, 9, 2)


async def test_a_search_that_is_ended_leaves_no_candidate_behind(project: Path, lay: Lay) -> None:
    began = project.parent / "began"
    hanging = lay(
        "bin/python3",
        f"echo $$ > {shlex.quote(str(began))}.new\n"
        f"mv {shlex.quote(str(began))}.new {shlex.quote(str(began))}\nexec sleep 60",
    )
    searching = Interpreters(str(hanging), project)
    asked = asyncio.create_task(searching.get())
    await until(began.exists)
    pid = int(began.read_text())
    searching.close()
    with pytest.raises(PythonNotFound):
        await asked
    assert not is_alive(pid)


async def test_nobody_is_asked_once_the_search_is_ended(project: Path) -> None:
    searching = Interpreters(None, project, environ(Path(REAL).parent))
    searching.close()
    with pytest.raises(PythonNotFound):
        await searching.get()
