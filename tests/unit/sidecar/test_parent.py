"""Waiting for a process that is nobody's child here."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import NoReturn

import pytest

from sidecar import parent
from sidecar.history import owner


@pytest.fixture(params=["pidfd", "looking"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of noticing an end."""
    if request.param == "looking":

        def refuse(pid: int) -> NoReturn:
            raise OSError(38, "Function not implemented")

        monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
        monkeypatch.setattr(parent, "_LOOK_S", 0.01)
    elif not hasattr(os, "pidfd_open"):
        pytest.skip("this system has no pidfd")
    return str(request.param)


@pytest.fixture
def host() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


@pytest.mark.usefixtures("way")
async def test_it_waits_as_long_as_the_process_lives(host: "subprocess.Popen[bytes]") -> None:
    waiting = asyncio.create_task(parent.ended(host.pid))
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    assert not done
    host.kill()
    # A zombie, whose parent has not asked for it, has ended all the same.
    await asyncio.wait_for(waiting, 5)


@pytest.mark.usefixtures("way")
async def test_a_process_that_is_not_there_has_ended(host: "subprocess.Popen[bytes]") -> None:
    host.kill()
    host.wait()
    await asyncio.wait_for(parent.ended(host.pid), 5)


async def test_who_stops_waiting_leaves_no_descriptor(host: "subprocess.Popen[bytes]") -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    waiting = asyncio.create_task(parent.ended(host.pid))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_another_process_of_the_same_id_is_not_it() -> None:
    described = owner.describe(os.getpid())
    assert owner.is_alive(described)
    assert not owner.is_alive({**described, "started": "another time"})
