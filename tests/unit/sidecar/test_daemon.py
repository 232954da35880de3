"""The daemon in this process, on pipes of our own."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from protocol import limits
from sidecar import daemon as module
from sidecar.daemon import Daemon, DaemonOptions, claim_stdio
from sidecar.errors import PythonNotFound, UsageError
from sidecar.rpc.stdio import StdoutWriter

INFO = b'{"jsonrpc":"2.0","id":1,"method":"sidecar:info"}'


class Served:
    """A daemon that runs, and the other ends of its pipes."""

    def __init__(self, project: Path) -> None:
        self.stdin, self.write_to = os.pipe()
        self.read_from, self.stdout = os.pipe()
        self.daemon = Daemon(DaemonOptions(project, project / "history.db", sys.executable))
        self.status = asyncio.create_task(self.daemon.run(self.stdin, self.stdout))

    async def answer(self) -> Any:
        line = bytearray()
        while not line.endswith(b"\n"):
            line += await asyncio.to_thread(os.read, self.read_from, 1)
        return json.loads(line)

    def write(self, data: bytes) -> None:
        os.write(self.write_to, data)

    def close(self) -> None:
        for fd in (self.stdin, self.write_to, self.read_from, self.stdout):
            with contextlib.suppress(OSError):
                os.close(fd)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    serving = Served(tmp_path)
    yield serving
    serving.daemon.end("the test's end")
    await asyncio.wait_for(serving.status, 10)
    serving.close()


async def test_it_serves_until_the_end_of_stdin(served: Served) -> None:
    served.write(INFO + b"\n")
    assert (await served.answer())["result"]["pid"] == os.getpid()
    # A last message needs no line end.
    served.write(INFO.replace(b":1", b":2"))
    os.close(served.write_to)
    assert (await served.answer())["id"] == 2
    assert await asyncio.wait_for(served.status, 5) == 0


async def test_the_first_reason_for_the_end_counts(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    served.daemon.end("one")
    served.daemon.end("two")
    assert await asyncio.wait_for(served.status, 5) == 0
    reasons = [r.__dict__["fields"]["reason"] for r in caplog.records if r.message == "ending"]
    assert reasons == ["one"]


async def test_a_signal_ends_in_order_and_a_second_one_at_once(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[Any] = []
    monkeypatch.setattr(served.daemon._engine.runner, "kill_all", lambda: exits.append("killed"))
    monkeypatch.setattr(os, "_exit", exits.append)
    served.daemon.end("another reason")
    served.daemon._on_signal(signal.SIGTERM)
    assert exits == []
    served.daemon._on_signal(signal.SIGINT)
    assert exits == ["killed", 130]


async def test_where_the_loop_takes_no_signals_handlers_wake_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    installed: dict[int, Callable[[int, Any], None]] = {}

    def refuse(*arguments: Any) -> NoReturn:
        raise NotImplementedError

    monkeypatch.setattr(loop, "add_signal_handler", refuse)
    monkeypatch.setattr(signal, "signal", installed.__setitem__)
    monkeypatch.delattr(signal, "SIGHUP")
    serving = Served(tmp_path)
    served_until = asyncio.wait_for(serving.status, 10)
    await asyncio.sleep(0)
    assert set(installed) == {signal.SIGTERM, signal.SIGINT}
    installed[signal.SIGTERM](signal.SIGTERM, None)
    assert await served_until == 0
    serving.close()


async def test_a_missing_python_is_logged_and_served_without(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def missing() -> NoReturn:
        raise PythonNotFound("none here", "install one")

    monkeypatch.setattr(served.daemon._engine.python, "get", missing)
    await served.daemon._look_for_python()
    record = next(r for r in caplog.records if r.message == "no Python for scripts")
    assert record.__dict__["fields"] == {"error": "none here", "install_guide": "install one"}


async def test_a_peer_that_is_cut_off_loses_its_listeners(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    served.write(b'{"jsonrpc":"2.0","id":1,"method":"workflow:execution:subscribe"}\n')
    await served.answer()
    (session,) = served.daemon._listeners._by_session
    served.daemon._cut_off(session)
    assert served.daemon._listeners.count() == 0
    assert "stopped reading" in caplog.text


async def test_an_end_that_hangs_is_cut_short(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*arguments: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "_LAST_WORDS_S", 0.01)
    monkeypatch.setattr(limits, "SHUTDOWN_MS", 600)
    monkeypatch.setattr(served.daemon._engine, "stop", never)
    monkeypatch.setattr(served.daemon._engine, "close", never)
    monkeypatch.setattr(StdoutWriter, "flush", never)
    served.daemon.end("now")
    assert await asyncio.wait_for(served.status, 5) == 0


async def test_a_process_that_hangs_after_the_end_is_ended(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = threading.Event()
    monkeypatch.setattr(limits, "SHUTDOWN_MS", 510)
    monkeypatch.setattr(os, "_exit", lambda status: gone.set())
    watching = asyncio.create_task(module._watch_the_end(served.daemon))
    await asyncio.sleep(0)
    assert not watching.done()
    served.daemon.end("now")
    await watching
    assert await asyncio.to_thread(gone.wait, 5)


@pytest.mark.parametrize("name", ["stdin", "stdout"])
def test_a_stream_that_is_closed_is_an_error_that_says_so(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(sys, name, None)
    with pytest.raises(UsageError, match=f"^{name} is closed; the sidecar speaks JSON-RPC"):
        claim_stdio()
