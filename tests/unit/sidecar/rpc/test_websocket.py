"""The server on real sockets, in this process; clients of websockets and bytes written by hand."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from protocol import limits
from sidecar.errors import UsageError
from sidecar.rpc import websocket as module
from sidecar.rpc import websocket_connection as connection_module
from sidecar.rpc.admission import Page
from sidecar.rpc.websocket import (
    Endpoint,
    WebSocketOptions,
    WebSocketServer,
    listen,
    max_connections,
)
from sidecar.rpc.websocket_connection import Connection
from tests.unit.sidecar.rpc.doubles import turns

MIB = 1024 * 1024
PATIENCE_S = 20


class Served:
    """A server that echoes, and what it was told."""

    def __init__(self, options: WebSocketOptions) -> None:
        self.connections: list[Connection] = []
        self.received: list[bytes] = []
        self.may_take = asyncio.Event()
        self.may_take.set()
        self.server = WebSocketServer(listen(options), options, self.serve)

    async def serve(self, connection: Connection) -> None:
        self.connections.append(connection)
        async for message in connection.messages():
            await self.may_take.wait()
            self.received.append(message)
            connection.send(b"echo " + message[:100])

    @property
    def endpoint(self) -> Endpoint:
        return self.server.endpoint

    def client(self, **more: Any) -> connect:
        return connect(self.endpoint.url, **more)

    async def raw(self, data: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TCP connection that has sent `data`."""
        reader, writer = await asyncio.open_connection(self.endpoint.host, self.endpoint.port)
        writer.write(data)
        return reader, writer

    async def raw_websocket(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TCP connection that has been upgraded."""
        reader, writer = await self.raw(self.handshake())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        return reader, writer

    def handshake(self) -> bytes:
        return (
            f"GET /?token={self.endpoint.token} HTTP/1.1\r\nHost: {self.endpoint.address}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()


Serve = Callable[..., "asyncio.Future[Served]"]


@pytest.fixture
async def serve() -> AsyncIterator[Any]:
    """Start a server with the given options."""
    started: list[Served] = []

    async def start(**options: Any) -> Served:
        served = Served(WebSocketOptions(**options))
        await served.server.start()
        started.append(served)
        return served

    yield start
    for served in started:
        served.may_take.set()
        served.server.abort()
        await asyncio.wait_for(served.server.close(), PATIENCE_S)
        assert served.server._connections == set()
        assert served.server._knocking == {}


@pytest.fixture
async def served(serve: Any) -> Served:
    made: Served = await serve()
    return made


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)


async def closed_with(client: ClientConnection) -> tuple[int, str]:
    """The code and reason that the server closes with."""
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                await client.recv()
    closing = caught.value.rcvd
    assert closing is not None
    return closing.code, closing.reason


async def status_of(served: Served, request: bytes) -> int:
    reader, writer = await served.raw(request)
    head = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    return int(head.split(b" ", 2)[1])


async def test_messages_come_and_go_in_order(served: Served) -> None:
    async with served.client() as client:
        for number in range(200):
            await client.send(f"message {number} ü")
        answers = [await client.recv() for _ in range(200)]
    assert answers == [f"echo message {number} ü" for number in range(200)]
    await until(lambda: served.server._connections == set())


async def test_a_request_in_pieces_is_understood(served: Served) -> None:
    reader, writer = await served.raw()
    for byte in served.handshake():
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    for byte in Frame(Opcode.TEXT, b"hi").serialize(mask=True):
        writer.write(bytes([byte]))
        await writer.drain()
    assert await reader.readexactly(9) == b"\x81\x07echo hi"
    writer.close()


async def test_fragments_are_put_together(served: Served) -> None:
    _, writer = await served.raw_websocket()
    parts = ["ü".encode()[:1], "ü".encode()[1:], b"", b"x" * 70_000, b"end"]
    for number, part in enumerate(parts):
        opcode = Opcode.CONT if number else Opcode.TEXT
        frame = Frame(opcode, part, fin=number == len(parts) - 1)
        writer.write(frame.serialize(mask=True))
        writer.write(Frame(Opcode.PING, b"in between").serialize(mask=True))
    await until(lambda: len(served.received) == 1)
    assert served.received == [b"".join(parts)]
    writer.close()


async def test_a_binary_message_is_closed_with_1003(served: Served) -> None:
    async with served.client() as client:
        await client.send(b"{}")
        assert await closed_with(client) == (1003, "messages are JSON as text")
    assert served.received == []


async def test_invalid_utf8_is_closed_with_1007(served: Served) -> None:
    async with served.client() as client:
        await client.send(b"ab\xff", text=True)
        assert await closed_with(client) == (1007, "invalid UTF-8 at byte 2")


async def test_a_message_over_the_limit_is_closed_with_1009_and_one_of_just_it_is_taken(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_MESSAGE_BYTES", 1000)
    served = await serve()
    async with served.client() as client:
        await client.send("x" * 1000)
        assert await client.recv() == "echo " + "x" * 100
        await client.send(["x" * 999, "xx"])
        code, _ = await closed_with(client)
    assert code == 1009
    assert len(served.received) == 1


async def test_the_limit_is_64_mib(served: Served) -> None:
    reader, writer = await served.raw_websocket()
    header = b"\x81\xff" + (64 * MIB + 1).to_bytes(8, "big") + b"mask"
    writer.write(header)
    assert (await asyncio.wait_for(reader.readexactly(4), PATIENCE_S))[2:] == b"\x03\xf1"
    writer.close()


async def test_a_wrong_token_is_told_and_logged_without_it(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(InvalidStatus) as refused:
        await connect(served.endpoint.url + "x").__aenter__()
    assert refused.value.response.status_code == 401
    (record,) = [r for r in caplog.records if r.name.startswith("sidecar")]
    assert record.__dict__["fields"]["reason"].startswith("401 Unauthorized: the token is missing")
    assert served.endpoint.token not in str([r.__dict__ for r in caplog.records if r is record])


async def test_the_token_is_in_no_log_and_no_repr(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    quiet = logging.getLogger("websockets")
    quiet.setLevel(logging.ERROR)  # the client's, in this process
    served = await serve()
    async with served.client(logger=quiet) as client:
        await client.send("hi")
        await client.recv()
    await status_of(served, f"GET /?token={served.endpoint.token} HTTP/1.1\r\n\r\n".encode())
    assert served.endpoint.token not in repr((served.endpoint, served.server.admission))
    assert served.endpoint.token not in caplog.text
    assert len(served.endpoint.token) >= 43


async def test_a_page_and_its_own_origin_are_served_together(serve: Any) -> None:
    page = Page("text/html", b"<p>", {"Content-Security-Policy": "default-src 'self'"})
    served = await serve(pages={"/": page}, origins=frozenset({"app://x"}))
    reader, writer = await served.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    response = await reader.read()
    writer.close()
    assert response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Security-Policy: default-src 'self'\r\n" in response
    assert response.endswith(b"\r\n\r\n<p>")
    port = served.endpoint.port
    for origin in (f"http://127.0.0.1:{port}", f"http://localhost:{port}", "app://x"):
        async with served.client(origin=origin) as client:
            await client.send("hi")
            assert await client.recv() == "echo hi"
    with pytest.raises(InvalidStatus):
        await served.client(origin=f"http://127.0.0.1:{port + 1}").__aenter__()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET / HTTP/1.1", 426),
        (b"GET /x HTTP/1.1", 404),
        (b"POST / HTTP/1.1", 405),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1", 414),
    ],
)
async def test_plain_http_is_answered_and_closed(
    served: Served, request_line: bytes, status: int
) -> None:
    request = request_line + b"\r\nHost: localhost\r\n\r\n"
    assert await status_of(served, request) == status
    await until(lambda: served.server._connections == set())
    assert served.connections == []


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\n\n\n", b"{}\r\n", b"GET / HTTP/9\r\n\r\n"])
async def test_what_is_no_http_is_closed(served: Served, data: bytes) -> None:
    reader, writer = await served.raw(data)
    assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    writer.close()


async def test_frames_before_the_upgrade_end_the_connection(served: Served) -> None:
    for early in (
        Frame(Opcode.PING, b"").serialize(mask=True),
        Frame(Opcode.TEXT, b"{}").serialize(mask=True),
        Frame(Opcode.CLOSE, b"").serialize(mask=True),
        b"\x81\x00",
    ):
        reader, writer = await served.raw(served.handshake() + early)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()
    assert served.connections == []


async def test_a_handshake_that_never_ends_is_cut_off(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limits.HANDSHAKE_MS == 10_000
    monkeypatch.setattr(limits, "HANDSHAKE_MS", 300)
    served = await serve()
    reader, writer = await served.raw(served.handshake()[:-2])
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    writer.close()
    # Whoever has been let in may be silent for longer.
    async with served.client() as client:
        await asyncio.sleep(0.4)
        await client.send("hi")
        assert await client.recv() == "echo hi"


async def test_connections_beyond_the_cap_are_told_so(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "max_connections", lambda: 2)
    served = await serve()
    async with served.client() as one, served.client():
        with pytest.raises(InvalidStatus) as refused:
            await served.client().__aenter__()
        assert refused.value.response.status_code == 503
        assert b"there are 2 connections already" in refused.value.response.body
        await one.close()
        async with served.client() as third:
            await third.send("hi")
            assert await third.recv() == "echo hi"


async def test_connections_that_say_nothing_keep_nobody_out(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "max_connections", lambda: 1)
    monkeypatch.setattr(module, "_KNOCKING", 3)
    served = await serve()
    silent = [await served.raw() for _ in range(20)]
    async with served.client() as client:
        await client.send("hi")
        assert await client.recv() == "echo hi"
        assert len(served.server._connections) <= 5
    for _, writer in silent:
        writer.close()


async def test_a_peer_that_pings_and_does_not_read_fills_no_memory(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_OUTBOX_BYTES", 64 * 1024)
    served = await serve()
    reader, writer = await served.raw_websocket()
    reader._transport.pause_reading()
    ping = Frame(Opcode.PING, b"x" * 125).serialize(mask=True) * 500
    flooding = asyncio.create_task(flood(writer, ping))
    await until(lambda: bool(served.connections) and served.connections[0]._reading_paused)
    most = 0
    for _ in range(200):
        await asyncio.sleep(0)
        most = max(most, served.connections[0].pending_bytes)
    assert most < 200 * 1024
    flooding.cancel()
    writer.transport.abort()
    await until(lambda: served.server._connections == set())


async def flood(writer: asyncio.StreamWriter, data: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(data)
            await writer.drain()


async def test_messages_that_nobody_takes_stop_the_reading(served: Served) -> None:
    served.may_take.clear()
    _, writer = await served.raw_websocket()
    message = Frame(Opcode.TEXT, b"x" * 10_000).serialize(mask=True) * 10
    flooding = asyncio.create_task(flood(writer, message))
    await until(lambda: bool(served.connections) and served.connections[0]._reading_paused)
    await turns(100)
    (connection,) = served.connections
    assert len(connection._inbox) <= connection_module._INBOX_MESSAGES + 10
    taken = len(served.received)
    served.may_take.set()
    await until(lambda: len(served.received) > taken + 500)
    flooding.cancel()
    writer.close()


async def test_what_came_before_the_end_is_still_taken(served: Served) -> None:
    served.may_take.clear()
    async with served.client() as client:
        for number in range(5):
            await client.send(str(number))
    served.may_take.set()
    await until(lambda: len(served.received) == 5)


async def test_a_peer_that_is_gone_is_sent_nothing(served: Served) -> None:
    async with served.client() as client:
        await client.send("hi")
        await client.recv()
    (connection,) = served.connections
    await asyncio.wait_for(connection.lost(), PATIENCE_S)
    before = connection.sent_bytes
    connection.send(b"more")
    connection.close(1000, "")
    connection.abort()
    assert (connection.pending_bytes, connection.sent_bytes) == (0, before)


async def test_pending_and_sent_bytes_are_told(served: Served) -> None:
    reader, writer = await served.raw_websocket()
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    await until(lambda: bool(served.connections))
    (connection,) = served.connections
    before = connection.sent_bytes
    connection.send(b"x" * (20 * MIB))
    assert connection.pending_bytes > 10 * MIB
    assert connection.pending_bytes + connection.sent_bytes - before == 20 * MIB + 10
    reader._transport.resume_reading()  # type: ignore[attr-defined]
    assert len(await reader.readexactly(20 * MIB + 10)) == 20 * MIB + 10
    await until(lambda: connection.pending_bytes == 0)
    assert connection.sent_bytes - before == 20 * MIB + 10
    writer.close()


async def test_an_event_for_many_is_framed_once(served: Served) -> None:
    event = b"x" * 300
    assert served.server.frame(event) is served.server.frame(event)
    large = b"x" * (2 * MIB)
    assert served.server.frame(large) == served.server.frame(large)
    assert served.server.frame(large) is not served.server.frame(large)


async def test_at_the_end_peers_get_what_waits_and_then_1001(served: Served) -> None:
    async with served.client() as client, served.client():
        _, writer = await served.raw(b"GET / ")
        await until(lambda: len(served.connections) == 2)
        for connection in served.connections:
            connection.send(b"last words")
        closing = asyncio.create_task(served.server.close())
        assert await client.recv() == "last words"
        assert await closed_with(client) == (1001, "the sidecar ends")
        await asyncio.wait_for(closing, PATIENCE_S)
        writer.close()
    with pytest.raises(OSError):
        await served.raw()


async def test_a_peer_that_does_not_answer_the_close_is_gone_soon(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_CLOSE_S", 0.05)
    _, writer = await served.raw_websocket()
    await until(lambda: bool(served.connections))
    await asyncio.wait_for(served.server.close(), PATIENCE_S)
    writer.close()


async def test_a_half_closed_connection_is_gone(served: Served) -> None:
    reader, writer = await served.raw_websocket()
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), PATIENCE_S) in (b"", b"\x88\x02\x03\xe8")
    await until(lambda: served.server._connections == set())
    writer.close()


def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"^cannot listen on 127.0.0.1:{port}: "):
            listen(WebSocketOptions(port=port))


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid"])
def test_a_host_that_is_not_ours_is_an_error_that_says_so(host: str) -> None:
    with pytest.raises(UsageError, match=rf"^cannot listen on {host}:0: \w"):
        listen(WebSocketOptions(host=host))


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0", "::1", "::"])  # noqa: S104
async def test_the_url_is_one_that_a_client_can_use(serve: Any, host: str) -> None:
    try:
        served = await serve(host=host)
    except UsageError:
        assert ":" in host, "only IPv6 may be missing on a machine"
        pytest.skip("no IPv6 here")
    assert served.endpoint.host in ("127.0.0.1", "::1")
    async with served.client() as client:
        await client.send("hi")
        assert await client.recv() == "echo hi"


def test_where_open_files_are_few_so_are_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for soft, expected in (
        (1024, 774),
        (100, 1),
        (10_000, limits.MAX_CONNECTIONS),
        (resource.RLIM_INFINITY, limits.MAX_CONNECTIONS),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        assert max_connections() == expected
    monkeypatch.setitem(sys.modules, "resource", None)
    assert max_connections() == limits.MAX_CONNECTIONS
