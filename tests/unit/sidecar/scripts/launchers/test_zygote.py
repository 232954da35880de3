"""The zygote: what it forks, what it leaves to plain spawn, and what happens when it dies."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import pytest

from sidecar.scripts.interface import ScriptRequest
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.launchers import zygote as module
from sidecar.scripts.launchers.choice import best_launcher, why_no_zygote
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.paths import ProjectRoot
from tests.unit.sidecar.scripts.conftest import (
    PYTHON,
    a_runner,
    is_alive,
    until,
)
from tests.unit.sidecar.scripts.launchers.nursery import WHO, Nursery, children


async def test_first_script_does_not_wait_for_the_zygote(nursery: Nursery) -> None:
    assert nursery.launcher.name == "spawn"
    assert await nursery.started_by() == "spawn"
    await until(lambda: nursery.launcher.name == "zygote", seconds=20)
    assert await nursery.started_by() == "zygote"


async def test_prepared_zygote_forks_every_script(nursery: Nursery) -> None:
    await nursery.ready()
    assert nursery.launcher.name == "zygote"
    runs = [await nursery.outputs(WHO) for _ in range(3)]
    assert {run["by"] for run in runs} == {"zygote"}
    assert len({run["pid"] for run in runs}) == 3, "a process of its own each"


async def test_scripts_run_at_the_same_time(nursery: Nursery) -> None:
    await nursery.ready()
    (nursery.project.path / "script.py").write_text(
        "import os, time\nopen(f'here-{os.getpid()}', 'w').close()\n"
        "while len([n for n in os.listdir('.') if n.startswith('here')]) < 4: time.sleep(.01)\n"
        "print('{}')"
    )
    request = ScriptRequest("script.py", {}, 20_000)
    runs = [nursery.runner.run(request, lambda line: None) for _ in range(4)]
    assert [outcome.failure for outcome in await asyncio.gather(*runs)] == [None] * 4


async def test_chance_is_not_the_same_in_two_scripts(nursery: Nursery) -> None:
    nursery.launcher = ZygoteLauncher(["random", "uuid", "tempfile", "secrets"])
    nursery.runner._launcher = nursery.launcher
    await nursery.ready()
    source = (
        "import json, random, secrets, tempfile, uuid, os\n"
        "print(json.dumps({'n': [random.random(), str(uuid.uuid4()), str(uuid.uuid1()),\n"
        "    secrets.token_hex(8), next(tempfile._get_candidate_names()), os.urandom(8).hex()]}))"
    )
    first, second = [(await nursery.outputs(source))["n"] for _ in range(2)]
    assert not set(first) & set(second)


async def test_module_of_the_project_is_never_stale(nursery: Nursery) -> None:
    await nursery.ready()
    for value in range(3):
        (nursery.project.path / "helper.py").write_text(f"VALUE = {value}{' ' * value}")
        source = "import helper\nprint('{\"v\": %d}' % helper.VALUE)"
        assert await nursery.outputs(source) == {"v": value}


async def test_file_named_like_a_loaded_module_gets_a_fresh_interpreter(nursery: Nursery) -> None:
    await nursery.ready()
    (nursery.project.path / "datetime.py").write_text("MINE = 1")
    assert await nursery.started_by() == "spawn"
    assert await nursery.outputs("import datetime\nprint('{\"v\": %d}' % datetime.MINE)") == {
        "v": 1
    }
    (nursery.project.path / "datetime.py").unlink()
    assert await nursery.started_by() == "zygote"


async def test_folder_of_very_many_files_gets_a_fresh_interpreter(nursery: Nursery) -> None:
    await nursery.ready()
    for number in range(5100):
        (nursery.project.path / f"{number}.txt").touch()
    assert await nursery.started_by() == "spawn"


@pytest.mark.parametrize("name", ["TZ", "LANG", "LC_NUMERIC", "MALLOC_ARENA_MAX"])
async def test_variable_that_is_read_at_the_start_gets_a_fresh_interpreter(
    nursery: Nursery, name: str
) -> None:
    await nursery.ready()
    assert await nursery.started_by(env={name: "C"}) == "spawn"
    assert await nursery.started_by(env={"OTHER": "C"}) == "zygote"


async def test_request_that_is_too_long_for_a_message_is_spawned(nursery: Nursery) -> None:
    await nursery.ready()
    env = {f"N{number}": "x" * 100_000 for number in range(8)}
    assert await nursery.started_by(env=env) == "spawn"


async def test_environment_and_place_are_the_attempts_own(nursery: Nursery) -> None:
    await nursery.ready()
    source = (
        "import json, os, subprocess\n"
        "print(json.dumps({'a': os.environ.get('A'), 'cwd': os.getcwd(),"
        "'tmp': os.environ['TMPDIR'], 'sub': "
        "subprocess.run('echo $A', shell=True, capture_output=True, text=True).stdout}))"
    )
    first = await nursery.outputs(source, env={"A": "1"})
    second = await nursery.outputs(source)
    assert (first["a"], first["sub"]) == ("1", "1\n")
    assert (second["a"], second["sub"]) == (None, "\n")
    assert first["cwd"] == second["cwd"] == str(nursery.project.path)
    assert first["tmp"] != second["tmp"]


async def test_zygote_that_dies_is_replaced_and_no_script_notices(
    nursery: Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    await nursery.ready()
    first = nursery.pid
    os.kill(first, signal.SIGKILL)
    assert await nursery.started_by() in ("zygote", "spawn")
    await until(lambda: nursery.launcher._zygote is not None and nursery.pid != first, seconds=20)
    assert await nursery.started_by() == "zygote"
    (record,) = [r for r in caplog.records if "no zygote" in r.getMessage()]
    assert record.__dict__["fields"] == {"reason": "it died", "will_retry": True}


async def test_request_that_dies_with_the_zygote_is_spawned(nursery: Nursery) -> None:
    await nursery.ready()
    os.kill(nursery.pid, signal.SIGSTOP)
    run = asyncio.create_task(nursery.outputs(WHO))
    await until(lambda: nursery.zygote.forks == 1)
    os.kill(nursery.pid, signal.SIGKILL)
    assert (await run)["by"] == "spawn"


async def test_running_script_outlives_the_zygote(nursery: Nursery) -> None:
    await nursery.ready()
    run = asyncio.create_task(
        nursery.outputs(
            "import os, time\nopen('here', 'w').close()\n"
            "while not os.path.exists('go'): time.sleep(.01)\nprint('{}')"
        )
    )
    await until((nursery.project.path / "here").exists)
    pid = nursery.pid
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not is_alive(pid))
    (nursery.project.path / "go").touch()
    assert await run == {}


async def test_zygote_that_dies_again_and_again_is_given_up(
    nursery: Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(module.MAX_DEATHS):
        await nursery.ready()
        pid = nursery.pid
        os.kill(pid, signal.SIGKILL)
        await until(lambda pid=pid: nursery.launcher._zygote is None or nursery.pid != pid)  # type: ignore[misc]
    await nursery.ready()
    assert nursery.launcher.name == "spawn"
    assert await nursery.started_by() == "spawn"
    fields = [r.__dict__["fields"] for r in caplog.records if "no zygote" in r.getMessage()]
    assert [f["will_retry"] for f in fields] == [True, True, False]


async def test_interpreter_that_can_be_no_zygote_says_why_and_scripts_are_spawned(
    nursery: Nursery, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\n"
        f"case \"$*\" in *zygote.py*) echo 'no zygote here' >&2; exit 3;; esac\n"
        f'exec "{PYTHON}" "$@"\n'
    )
    python.chmod(0o755)
    found = await nursery.pythons.get()
    nursery.runner._python = Interpreters(str(python), nursery.project.path)
    fake = type(found)(str(python), found.version, found.version_text)
    await nursery.launcher.prepare(fake)
    assert nursery.launcher.name == "spawn"
    (record,) = [r for r in caplog.records if "no zygote" in r.getMessage()]
    assert "no zygote here" in record.__dict__["fields"]["reason"]
    assert await nursery.started_by() == "spawn"


async def test_zygote_that_is_never_ready_is_given_up(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sidecar.scripts.launchers.zygote_process.READY_SECONDS", 0.0)
    await nursery.ready()
    assert nursery.launcher.name == "spawn"
    assert "not ready within" in caplog.records[-1].__dict__["fields"]["reason"]


async def test_zygote_is_replaced_after_so_many_scripts(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FORKS", 2)
    await nursery.ready()
    first = nursery.pid
    source = "print('{\"h\": %d}' % hash('x'))"
    before = [await nursery.outputs(source) for _ in range(3)]
    assert before[0] == before[1]
    await until(lambda: nursery.pid != first, seconds=20)
    await until(lambda: not is_alive(first))
    assert await nursery.outputs(source) != before[0]


async def test_preloaded_module_is_there_before_the_script(project: ProjectRoot) -> None:
    nursery = Nursery(project, ZygoteLauncher(["sqlite3", "nosuchmodule"]))
    try:
        await nursery.ready()
        seen = await nursery.outputs(
            "import sys\nprint('{\"there\": %d}' % ('sqlite3' in sys.modules))"
        )
        assert seen == {"there": 1}
    finally:
        await nursery.runner.close()


async def test_module_that_cannot_be_preloaded_is_told_and_the_rest_goes_on(
    project: ProjectRoot, caplog: pytest.LogCaptureFixture
) -> None:
    nursery = Nursery(project, ZygoteLauncher(["nosuchmodule"]))
    try:
        await nursery.ready()
        assert await nursery.started_by() == "zygote"
    finally:
        await nursery.runner.close()
    (record,) = [r for r in caplog.records if "preloaded" in r.getMessage()]
    assert record.__dict__["fields"]["module"] == "nosuchmodule"
    assert "ModuleNotFoundError" in record.__dict__["fields"]["error"]


async def test_what_a_preloaded_module_prints_comes_out_of_no_script(
    project: ProjectRoot,
) -> None:
    nursery = Nursery(project, ZygoteLauncher(["this"]))
    try:
        await nursery.ready()
        outcome = await nursery.run("print('{}')")
        assert (outcome.outputs, outcome.stderr) == ({}, "")
    finally:
        await nursery.runner.close()


async def test_zygote_has_one_thread_and_nothing_of_the_project(nursery: Nursery) -> None:
    await nursery.ready()
    await nursery.run("print('{}')")
    assert len(list(Path(f"/proc/{nursery.pid}/task").iterdir())) == 1
    assert Path(f"/proc/{nursery.pid}/cwd").readlink() == Path("/")
    maps = Path(f"/proc/{nursery.pid}/maps").read_text()
    assert str(nursery.project.path) not in maps


async def test_zygote_holds_nothing_of_ended_scripts(nursery: Nursery) -> None:
    await nursery.ready()
    descriptors = Path(f"/proc/{nursery.pid}/fd")

    def held() -> int:
        # One for each supervisor, those that wait for a script included.
        return len(list(descriptors.iterdir())) - len(children(nursery.pid))

    before = held()
    for source in ("1/0", "import os; os.abort()", "x = (", "import time; time.sleep(9)"):
        await nursery.run(source, timeout_ms=1500)
    await until(lambda: held() == before, lambda: f"{before} became {held()}")


async def test_zygote_ends_when_the_daemon_is_gone(nursery: Nursery) -> None:
    await nursery.ready()
    zygote = nursery.zygote
    nursery.launcher._zygote = None
    zygote._disconnect()  # as the kernel does at the daemon's death
    await until(lambda: not is_alive(zygote._process.pid))
    await zygote.end()


async def test_start_that_is_under_way_ends_with_the_launcher(nursery: Nursery) -> None:
    assert await nursery.started_by() == "spawn"
    # The fixture sees to it that nothing is left.


def test_zygote_is_for_linux() -> None:
    assert why_no_zygote("linux") is None
    assert "macOS" in str(why_no_zygote("darwin"))
    assert why_no_zygote("win32") is not None
    assert isinstance(best_launcher(), ZygoteLauncher)


def test_machine_without_fork_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.delattr(os, "fork")
    assert isinstance(best_launcher(["numpy"]), SpawnLauncher)
    (record,) = caplog.records
    assert record.__dict__["fields"]["preload_ignored"] == ["numpy"]


async def test_supervisor_that_is_killed_leaves_nobody_even_outside_the_group(
    project: ProjectRoot,
) -> None:
    """By an unconfined script: a confined one may signal nobody."""
    from tests.unit.sidecar.scripts.launchers.conftest import Hand

    hand = Hand(project, ZygoteLauncher())
    try:
        await hand.launcher.prepare(await hand.pythons.get())
        end = await hand.run(
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork() == 0:\n"
            "        open('pid', 'w').write(str(os.getpid()))\n"
            "        os.rename('pid', 'pids')\n"
            "    time.sleep(100)\n"
            "while not os.path.exists('pids'): time.sleep(.01)\n"
            "os.kill(os.getppid(), 9)\n"
            "time.sleep(100)"
        )
        assert end.returncode == -signal.SIGKILL
        assert not is_alive(int(hand.written("pids"))), "gone before the end is told"
    finally:
        await hand.launcher.close()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_group_that_is_killed_by_the_script_is_its_own(project: ProjectRoot) -> None:
    runner = a_runner(project, ZygoteLauncher())
    (project.path / "script.py").write_text("import os\nos.killpg(0, 9)")
    try:
        await runner.prepare()
        outcome = await runner.run(ScriptRequest("script.py", {}, 9000), lambda line: None)
        assert outcome.failure is not None
        assert outcome.failure.error == "Script was killed by signal SIGKILL"
    finally:
        await runner.close()
