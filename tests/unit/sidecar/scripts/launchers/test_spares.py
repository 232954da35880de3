"""Spares: what is ready for a script before it is known, and serves one script after another."""

import asyncio
import errno
import os
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from sidecar.own_folder import OWN_FOLDER
from sidecar.scripts.confinement import Confinement, IsolationOptions
from sidecar.scripts.interface import Permissions, ScriptRequest
from sidecar.scripts.launchers import spares as module
from sidecar.scripts.launchers import supervised
from sidecar.scripts.launchers.pipes import Pipes
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.paths import ProjectRoot
from tests.unit.sidecar.scripts.conftest import is_alive, left_open, until
from tests.unit.sidecar.scripts.launchers.nursery import WHO, Nursery

#: Prints the numbers of the script's process and its supervisor.
PIDS = 'import os\nprint(\'{"pid": %d, "by": %d}\' % (os.getpid(), os.getppid()))'
#: Leaves a trace of every time that it runs.
TRACED = "open('runs', 'a').write('x')\n"


@pytest.fixture
async def open_nursery(project: ProjectRoot) -> AsyncIterator[Nursery]:
    """One whose scripts are not confined: a confined one may signal nobody."""
    confinement = Confinement(project.path, IsolationOptions(level="off"))
    nursery = Nursery(project, ZygoteLauncher(), confinement)
    yield nursery
    await nursery.runner.close()


async def warm(nursery: Nursery, source: str, timeout_ms: int = 20_000) -> list[tuple[int, int]]:
    """Run a script once, so that a spare can run it; the spares."""
    await nursery.ready()
    await nursery.run(source, timeout_ms=timeout_ms)
    return await nursery.spares()


async def test_script_that_has_run_before_is_run_by_a_process_that_was_there(
    nursery: Nursery,
) -> None:
    await nursery.ready()
    source = "import sys\n" + WHO + "print(open('/proc/self/comm').read(), end='', file=sys.stderr)"
    outcome = await nursery.run(source)
    for _ in range(5):
        ready = [pid for _, pid in await nursery.spares()]
        again = await nursery.run(source)
        assert again.outputs is not None
        assert again.outputs["pid"] in ready
        assert again.stderr == outcome.stderr, "its name is that of any script's process"


async def test_supervisor_serves_one_script_after_another(nursery: Nursery) -> None:
    await warm(nursery, PIDS)
    runs = []
    for _ in range(8):
        await nursery.spares()
        runs.append(await nursery.outputs(PIDS))
    assert len({run["pid"] for run in runs}) == len(runs), "a process of its own each"
    assert len({run["by"] for run in runs}) <= 2


@pytest.mark.parametrize("which", [0, 1])
async def test_spare_that_is_killed_costs_no_script(nursery: Nursery, which: int) -> None:
    await warm(nursery, TRACED + PIDS)
    for _ in range(2):
        await nursery.outputs(TRACED + PIDS)
        ready = await nursery.spares()
        for spare in ready:
            os.kill(spare[which], signal.SIGKILL)
        while any(is_alive(spare[which]) or is_alive(spare[1]) for spare in ready):
            pass  # and no await, so that the launcher cannot notice before the next script
        assert (await nursery.outputs(TRACED + PIDS))["pid"] not in [pid for _, pid in ready]
        await until(lambda ready=ready: not any(is_alive(pid) for both in ready for pid in both))  # type: ignore[misc]
    assert (nursery.project.path / "runs").read_text() == "xxxxx"


async def test_attempt_that_dies_before_it_has_begun_is_begun_anew(nursery: Nursery) -> None:
    ready = await warm(nursery, TRACED + PIDS)
    for _, pid in ready:
        os.kill(pid, signal.SIGSTOP)
    run = asyncio.create_task(nursery.outputs(TRACED + PIDS))
    await until(lambda: nursery.zygote.forks == 2)
    for _, pid in ready:
        os.kill(pid, signal.SIGKILL)
    assert (await run)["pid"] not in [pid for _, pid in ready]
    assert (nursery.project.path / "runs").read_text() == "xx"


async def test_script_that_kills_its_supervisor_is_not_run_twice(open_nursery: Nursery) -> None:
    source = (
        TRACED + "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(9)"
    )
    await warm(open_nursery, source)
    outcome = await open_nursery.run(source)
    assert outcome.failure is not None
    assert outcome.failure.error == "Script was killed by signal SIGKILL"
    assert (open_nursery.project.path / "runs").read_text() == "xx"


async def test_script_that_stops_its_supervisor_is_ended_at_its_timeout(
    open_nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "KILL_ANSWER_SECONDS", 0.2)
    monkeypatch.setattr("sidecar.scripts.running.KILL_GRACE_MS", 100)
    source = "import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(99)"
    await warm(open_nursery, "print('{}')")
    (open_nursery.project.path / "script.py").write_text(source)
    for _ in range(2):
        outcome = await open_nursery.run(source, timeout_ms=300)
        assert outcome.failure is not None
        assert outcome.failure.error == "Script timeout after 300ms"


async def test_supervisor_that_was_told_to_end_a_script_gets_no_other(nursery: Nursery) -> None:
    source = "import os, time\nprint(os.getppid(), file=__import__('sys').stderr)\ntime.sleep(99)"
    await warm(nursery, source, timeout_ms=1_000)
    seen = []
    for _ in range(3):
        await nursery.spares()
        outcome = await nursery.run(source, timeout_ms=300)
        assert outcome.failure is not None
        seen.append(outcome.stderr)
    assert len(set(seen)) == 3


async def test_spare_knows_nothing_of_the_script_before(nursery: Nursery) -> None:
    await nursery.ready()
    source = "open('here', 'w').close()\nprint('{}')"
    for _ in range(4):
        await nursery.outputs(source, env={"SECRET_OF_A_STEP": "hunter2"})
        for both in await nursery.spares():
            for pid in both:
                assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
                assert b"hunter2" not in Path(f"/proc/{pid}/environ").read_bytes()
                held = {fd.name: os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}  # noqa: PTH115
                more = [link for name, link in held.items() if int(name) > 2]
                known = ("socket:", "anon_inode:", "pipe:")
                assert all(link.startswith(known) for link in more), held
                assert held["0"] == held["1"] == held["2"] == os.devnull
    reading = (
        "import os\nfound = [os.environ.get('SECRET_OF_A_STEP')]\nprint('{\"found\": %d}' % len("
        "[x for x in found if x]))"
    )
    await nursery.outputs(reading)
    await nursery.spares()
    assert await nursery.outputs(reading) == {"found": 0}


async def test_script_has_no_descriptor_of_those_before(nursery: Nursery) -> None:
    source = "import os\nprint('{\"n\": %d}' % len(os.listdir('/proc/self/fd')))"
    await nursery.ready()
    first = await nursery.outputs(source)
    for _ in range(4):
        await nursery.spares()
        assert await nursery.outputs(source) == first == {"n": 4}


async def test_folder_that_was_replaced_meanwhile_is_open_to_the_next_script(
    nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    await nursery.ready()
    source = "import subprocess\nprint(subprocess.check_output(['tool'], text=True))"
    for version in range(3):
        programs.mkdir()
        (programs / "tool").write_text(f"#!/bin/sh\necho '{{\"version\": {version}}}'")
        (programs / "tool").chmod(0o755)
        for _ in range(2):
            assert await nursery.outputs(source) == {"version": version}
        await nursery.spares()
        programs.rename(tmp_path / f"old-{version}")


async def test_file_that_comes_beside_a_script_may_have_any_name(nursery: Nursery) -> None:
    source = "import datetime\nprint('{\"mine\": %d}' % hasattr(datetime, 'MINE'))"
    await warm(nursery, source)
    for mine in (False, True, False, True):
        await nursery.spares()
        if mine:
            (nursery.project.path / "datetime.py").write_text("MINE = 1")
        assert await nursery.outputs(source) == {"mine": mine}
        (nursery.project.path / "datetime.py").unlink(missing_ok=True)


async def test_what_comes_into_the_own_folder_meanwhile_is_covered_too(nursery: Nursery) -> None:
    source = (
        "import json, os\nfound = {}\n"
        f"for name in sorted(os.listdir({OWN_FOLDER!r})):\n"
        f"    try: open(os.path.join({OWN_FOLDER!r}, name)).close()\n"
        "    except OSError as error: found[name] = type(error).__name__\n"
        "print(json.dumps(found))"
    )
    await warm(nursery, source)
    for name in ("history.db", "history.db-wal"):
        await nursery.spares()
        (nursery.project.path / OWN_FOLDER / name).write_text("secret")
        found = await nursery.outputs(source)
        assert found[name] == "PermissionError"
        assert found["cache"] == "IsADirectoryError", "it is open, as ever"


@pytest.mark.parametrize("gone", ["cache", ""])
async def test_cache_that_was_removed_meanwhile_is_made_anew(nursery: Nursery, gone: str) -> None:
    source = (
        "import os\nopen(os.path.join(os.environ['XDG_CACHE_HOME'], 'mine'), 'a').write('x')\n"
        "print('{}')"
    )
    await warm(nursery, source)
    own = nursery.project.path / OWN_FOLDER
    for _ in range(3):
        await nursery.spares()
        shutil.rmtree(own / gone)
        assert await nursery.outputs(source) == {}
        assert (own / "cache" / "mine").read_text() == "x"


async def test_script_gets_no_spare_that_is_open_to_more(nursery: Nursery) -> None:
    source = (
        "import json, socket\n"
        "try: socket.socket().close(); print('{\"network\": true}')\n"
        "except OSError: print('{\"network\": false}')"
    )
    await warm(nursery, source)
    for network in (True, False, True, False, False, True):
        await nursery.spares()
        found = await nursery.outputs(source, permissions=Permissions(network=network))
        assert found == {"network": network}


async def test_scripts_beyond_the_spares_are_forked_when_they_come(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    source = (
        "import json, os, time\nopen(f'here-{os.getpid()}', 'w').close()\n"
        "while len([n for n in os.listdir('.') if n.startswith('here')]) < 7: time.sleep(.01)\n"
        "print(json.dumps({'by': os.getppid()}))"
    )
    (nursery.project.path / "here-first").touch()
    await nursery.ready()
    (nursery.project.path / "script.py").write_text(source)
    request = ScriptRequest("script.py", {}, 20_000)
    for _ in range(2):
        runs = [nursery.runner.run(request, lambda line: None) for _ in range(6)]
        outcomes = await asyncio.gather(*runs)
        assert [outcome.failure for outcome in outcomes] == [None] * 6
        assert len({outcome.outputs["by"] for outcome in outcomes if outcome.outputs}) == 6
        for file in nursery.project.path.glob("here-*[0-9]"):
            file.unlink()
    await until(lambda: len(nursery.zygote.spares._free) == 2)


async def test_spare_that_nobody_needs_goes(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = await warm(nursery, PIDS)
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.0)
    run = await nursery.outputs(PIDS)
    assert run["by"] in [supervisor for supervisor, _ in ready]
    await until(lambda: not is_alive(run["by"]))
    assert (await nursery.outputs(PIDS))["pid"] != run["pid"]


async def test_spare_that_cannot_be_forked_leaves_nothing_open() -> None:
    def refuse(kind: bytes, variables: Sequence[str], descriptors: Sequence[int]) -> None:
        raise BlockingIOError(errno.EAGAIN, "no process to give")

    before = left_open()
    spares = module.Spares(refuse)
    for _ in range(3):
        spares.replenish(b"kind", [])
        assert spares.take(b"kind") is None
    assert left_open() == before


async def test_attempt_of_a_supervisor_that_never_speaks_can_be_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervised, "KILL_ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(supervised, "LAST_RESORT_SECONDS", 0.05)
    held: list[int] = []
    before = left_open()
    spares = module.Spares(lambda _, __, descriptors: held.extend(map(os.dup, descriptors)))
    spares.replenish(b"kind", [])
    spare = spares.take(b"kind")
    assert spare is not None
    with Pipes() as pipes:
        attempt = spare.give(b"attempt", [], pipes)
    attempt.kill()
    await asyncio.wait_for(attempt.exited, 5)
    assert (await attempt.reap()).returncode == -signal.SIGKILL
    for fd in (*held, attempt.stdin, attempt.stdout, attempt.stderr):
        os.close(fd)
    assert left_open() == before


async def test_spare_ends_with_a_zygote_that_is_killed(nursery: Nursery) -> None:
    ready = await warm(nursery, PIDS)
    os.kill(nursery.pid, signal.SIGKILL)
    await until(lambda: not any(is_alive(pid) for both in ready for pid in both))


async def test_spare_has_ended_when_the_zygote_has(nursery: Nursery) -> None:
    ready = await warm(nursery, PIDS)
    await nursery.launcher.close()
    assert not any(is_alive(pid) for both in ready for pid in both)
