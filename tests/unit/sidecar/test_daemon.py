"""The daemon in this process, on pipes of our own."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from protocol import limits
from sidecar import daemon as module
from sidecar.daemon import Daemon, DaemonOptions
from sidecar.errors import PythonNotFound, UsageError
from sidecar.rpc.stdio import StdoutWriter
from sidecar.rpc.websocket import Endpoint, WebSocketOptions, listen
from sidecar.scripts.interpreter import Interpreters
from tests.unit.sidecar.rpc.doubles import turns

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


async def test_a_search_for_python_that_the_end_cuts_short_is_no_missing_python(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    python = Interpreters(None, served.daemon._engine.project.path, {"PATH": "/usr/bin:/bin"})
    served.daemon._engine.python = python
    python.close()
    await served.daemon._look_for_python()
    assert "no Python for scripts" not in caplog.messages


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


@pytest.mark.parametrize("ends_with_stdin", [True, False])
def test_a_parent_that_died_while_all_was_loaded_is_not_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends_with_stdin: bool
) -> None:
    served = []

    def run(serving: Coroutine[Any, Any, int]) -> int:
        served.append(serving)
        serving.close()
        return 7

    (stdin, said), (heard, stdout) = os.pipe(), os.pipe()
    monkeypatch.setattr(module, "claim_stdio", lambda peer: (stdin, stdout))
    monkeypatch.setattr(module, "forbid_dumps", lambda: None)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(asyncio, "run", run)
    os.write(said, INFO)
    os.close(said)
    os.close(heard)
    history = tmp_path / "history.db"
    status = module.serve(DaemonOptions(tmp_path, history, ends_with_stdin=ends_with_stdin))
    os.close(stdin)
    os.close(stdout)
    assert (status, len(served)) == ((0, 0) if ends_with_stdin else (7, 1))


class ServedWebSocket:
    """A daemon with a WebSocket, alone or beside stdio, and the other ends of its pipes."""

    def __init__(self, project: Path, *, stdio: bool, **more: Any) -> None:
        self.stdin, self.write_to = os.pipe()
        self.read_from, self.stdout = os.pipe()
        websocket = WebSocketOptions()
        options = DaemonOptions(
            project,
            project / "history.db",
            sys.executable,
            stdio=stdio,
            websocket=websocket,
            **more,
        )
        self.daemon = Daemon(options, listen(websocket))
        self.url = ""
        self.status = asyncio.create_task(self.daemon.run(self.stdin, self.stdout, self._announce))

    def _announce(self, endpoint: Endpoint) -> str:
        self.url = endpoint.url
        return module.ready_line(endpoint)

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[ClientConnection]:
        await turns()
        async with connect(self.url) as client:
            yield client

    async def ended(self) -> int:
        return await asyncio.wait_for(self.status, 10)

    def close(self) -> None:
        for fd in (self.stdin, self.write_to, self.read_from, self.stdout):
            with contextlib.suppress(OSError):
                os.close(fd)


@pytest.fixture
async def serve_websocket(tmp_path: Path) -> AsyncIterator[Callable[..., ServedWebSocket]]:
    started: list[ServedWebSocket] = []

    def start(**more: Any) -> ServedWebSocket:
        started.append(ServedWebSocket(tmp_path, **more))
        return started[-1]

    yield start
    for served in started:
        served.daemon.end("the test's end")
        with contextlib.suppress(UsageError):
            await served.ended()
        served.close()


async def test_the_websocket_alone_tells_its_url_on_stdout_and_serves(
    serve_websocket: Callable[..., ServedWebSocket],
) -> None:
    served = serve_websocket(stdio=False)
    async with served.client() as client:
        await client.send(INFO.decode())
        info = json.loads(await client.recv())
        assert info["result"]["pid"] == os.getpid()
        ready = json.loads(os.read(served.read_from, 1 << 16))
        assert ready == {
            "ready": True,
            "url": served.url,
            "pid": os.getpid(),
            "version": info["result"]["version"],
        }
        os.close(served.write_to)
        with pytest.raises(ConnectionClosed, match="1001"):
            await client.recv()
    assert await served.ended() == 0


async def test_a_client_that_goes_away_takes_its_listeners_with_it(
    serve_websocket: Callable[..., ServedWebSocket],
) -> None:
    served = serve_websocket(stdio=False)
    subscribe = '{"jsonrpc":"2.0","id":1,"method":"workflow:execution:subscribe"}'
    async with served.client() as other:
        await other.send(subscribe)
        await other.recv()
        async with served.client() as client:
            await client.send(subscribe)
            await client.recv()
            assert served.daemon._listeners.count() == 2
            # Its last request is under way when it goes.
            await client.send(subscribe)
        while len(served.daemon._sessions) > 1:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)
        await turns(20)
        assert served.daemon._listeners.count() == 1


async def test_a_websocket_peer_that_is_cut_off_is_disconnected(
    serve_websocket: Callable[..., ServedWebSocket], caplog: pytest.LogCaptureFixture
) -> None:
    served = serve_websocket(stdio=False)
    async with served.client() as client:
        await client.send(INFO.decode())
        await client.recv()
        (session,) = served.daemon._sessions
        session._on_overflow(session)
        with pytest.raises(ConnectionClosed):
            await client.recv()
    assert "stopped reading" in caplog.text


async def test_where_stdin_is_no_pipe_its_end_means_nothing(
    serve_websocket: Callable[..., ServedWebSocket], tmp_path: Path
) -> None:
    served = serve_websocket(stdio=False, ends_with_stdin=False)
    os.close(served.write_to)
    async with served.client() as client:
        await client.send(INFO.decode())
        assert json.loads(await client.recv())["id"] == 1
    assert not served.status.done()


async def test_a_stdio_in_which_no_frame_is_found_ends_only_its_own_connection(
    serve_websocket: Callable[..., ServedWebSocket], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_ready, stderr = os.pipe()
    monkeypatch.setattr(module, "STDERR", stderr)
    served = serve_websocket(stdio=True)
    async with served.client() as client:
        assert json.loads(os.read(read_ready, 1 << 16))["url"] == served.url
        body = INFO.replace(b"sidecar:info", b"workflow:execution:subscribe")
        os.write(served.write_to, b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        os.write(served.write_to, b"Content-Length: x\r\n\r\n")
        answers = b""
        while b"is a number of bytes" not in answers:
            answers += await asyncio.to_thread(os.read, served.read_from, 1 << 16)
        assert answers.startswith(b"Content-Length: ")
        assert b"-32700" in answers
        while len(served.daemon._sessions) > 1:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)
        assert served.daemon._listeners.count() == 0
        await client.send(INFO.decode())
        assert json.loads(await client.recv())["id"] == 1
        # Its end is still the parent's.
        os.close(served.write_to)
        with pytest.raises(ConnectionClosed, match="1001"):
            await client.recv()
    assert await served.ended() == 0
    for fd in (read_ready, stderr):
        os.close(fd)


async def test_a_url_that_cannot_be_told_is_an_error(
    serve_websocket: Callable[..., ServedWebSocket],
) -> None:
    served = serve_websocket(stdio=False)
    os.close(served.read_from)
    with pytest.raises(UsageError, match="URL cannot be written: Broken pipe"):
        await served.ended()
