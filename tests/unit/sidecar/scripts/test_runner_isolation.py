"""What the runner does about isolation: proves it, requires it, says what it kept a script from."""

import asyncio
import logging
import sys
from pathlib import Path

import pytest

from sidecar.scripts import isolation
from sidecar.scripts.confinement import Confinement, IsolationLevel, IsolationOptions
from sidecar.scripts.interface import Permissions, ScriptOutcome, ScriptRequest
from sidecar.scripts.interpreter import Interpreters
from sidecar.scripts.isolation import PROVEN
from sidecar.scripts.runner import LocalRunner
from tests.unit.sidecar.scripts.conftest import PYTHON, Bench, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the protections are Linux's")


def runner_of(bench: Bench, level: IsolationLevel) -> LocalRunner:
    project = bench.project
    confinement = Confinement(project.path, IsolationOptions(level))
    python = Interpreters(PYTHON, project.path)
    return LocalRunner(project, python, confinement=confinement)


async def run(runner: LocalRunner, permissions: Permissions | None = None) -> ScriptOutcome:
    request = ScriptRequest("script.py", {}, 30_000, permissions=permissions or Permissions())
    return await runner.run(request, lambda _: None)


async def test_proof_is_made_once_for_all_who_ask(bench: Bench) -> None:
    first, second = await asyncio.gather(bench.runner.isolation(), bench.runner.isolation())
    assert first == second == await bench.runner.isolation()
    assert set(first) > set(PROVEN)
    assert "unproven" not in first.values()


async def test_end_does_not_wait_for_the_proof(bench: Bench) -> None:
    runner = runner_of(bench, "best-effort")
    asking = asyncio.create_task(runner.isolation())
    await until(lambda: bool(runner._running))
    await runner.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("text", ["raise OSError('no')", "print('nothing')"])
async def test_canary_that_fails_proves_nothing_and_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    monkeypatch.setattr(isolation, "CANARY", bench.write(text, "canary.py"))
    found = await bench.runner.isolation()
    assert {found[name] for name in PROVEN} == {"unproven"}
    assert "isolation is not proven" in caplog.text


async def test_without_python_nothing_is_proven(bench: Bench) -> None:
    project = bench.project
    runner = LocalRunner(project, Interpreters("/nowhere/python", project.path))
    found = await runner.isolation()
    await runner.close()
    assert {found[name] for name in PROVEN} == {"unproven"}


async def test_required_and_missing_runs_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = runner_of(bench, "require")
    bench.write("open('ran', 'w')\nprint('{}')")

    async def found() -> dict[str, str]:
        return {**PROVEN, "signals": "none", "network_filter": "unproven"}

    monkeypatch.setattr(runner, "isolation", found)
    failure = (await run(runner)).failure
    assert failure is not None
    assert failure.error_type == "IsolationUnavailable"
    assert "not proven here: signals; " in failure.error
    failure = (await run(runner, Permissions(network=False))).failure
    assert failure is not None
    assert "not proven here: signals, network_filter; " in failure.error
    assert not (bench.project.path / "ran").exists()
    await runner.close()


async def test_required_and_there_runs(bench: Bench) -> None:
    runner = runner_of(bench, "require")
    bench.write("print('{}')")
    found = await runner.isolation()
    outcome = await run(runner)
    await runner.close()
    lacks = isolation.missing(found, network_closed=False)
    assert (outcome.failure is None) is (lacks == [])


async def test_off_confines_nothing_and_hints_at_nothing(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    runner = runner_of(bench, "off")
    bench.write("open('../outside').read()\nraise PermissionError(13, 'Permission denied', '/x')")
    outcome = await run(runner)
    found = await runner.isolation()
    await runner.close()
    assert outcome.failure is not None
    assert outcome.failure.error == "[Errno 13] Permission denied: '/x'"
    assert found["filesystem"] == "off"


async def test_refused_access_is_told_with_what_opens_it(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    outcome = await bench.run("open('../outside')")
    assert outcome.failure is not None
    if (await bench.runner.isolation())["filesystem"] == "landlock":
        assert outcome.failure.error_type == "PermissionError"
        assert "permissions: {read: [" in outcome.failure.error


async def test_permission_that_nobody_agreed_to_starts_nothing(bench: Bench) -> None:
    bench.write("print('{}')")
    failure = (await run(bench.runner, Permissions(read=("/etc",)))).failure
    assert failure is not None
    assert failure.error_type == "PermissionRefused"
    assert "--allow-read" in failure.error


async def test_no_temporary_folder_is_an_outcome(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench.runner._temporary, "make", full)
    outcome = await bench.run("print('{}')")
    assert outcome.failure is not None
    assert outcome.failure.error == (
        "Script could not be started: no temporary folder: No space left on device"
    )


async def test_what_is_proven_is_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await bench.runner.isolation()
    assert "isolation proven" in caplog.text or "isolation is incomplete" in caplog.text
