"""The wire: how late an event comes, how many are delivered, how many requests are answered.

What it is compared with runs in the same run, in turn, on the same bytes: a process that only
writes them to a pipe or a WebSocket, `websockets.broadcast`, a loop of jsonrpcserver and nothing
else. The other sides of these are at the end of this file, as programs of their own.
"""

import asyncio
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as serve_websockets
from websockets.frames import Frame, Opcode

from protocol.events import StepCompletedData, StepCompletedEvent
from sidecar.rpc.encoding import encode
from sidecar.rpc.listeners import Listeners
from sidecar.rpc.session import Session
from sidecar.rpc.websocket import (
    WebSocketOptions,
    WebSocketServer,
    listen,
    max_connections,
)
from sidecar.rpc.websocket_connection import Connection
from tests.performance.daemons import serving
from tests.performance.figures import Figure, Row, interleaved

#: Events per round and rounds: enough for a 99th percentile.
EVENTS, ROUNDS = 50, 12
SUBSCRIBERS = (1, 100, 1_000)
#: Per round, over all subscribers.
DELIVERIES = 20_000
REQUESTS = 1_000
SUBSCRIBE = {"jsonrpc": "2.0", "id": 1, "method": "workflow:execution:subscribe", "params": {}}
STEPS = [{"id": f"s{n}", "type": "output", "message": "hi"} for n in range(EVENTS // 2)]
EXECUTE = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "workflow:execute",
    "params": [{"workflow": {"name": "w"}, "steps": STEPS}],
}


# --- how late an event comes -----------------------------------------------------------------


def event_latency(folder: Path) -> Iterator[Row]:
    """From an event's timestamp to the client that has parsed it, over stdio and WebSocket.

    A timestamp is in whole milliseconds, cut off: half of one is the clock's. The baseline writes
    the same number of messages of that size with such a timestamp, and does nothing else.
    """
    late: dict[str, list[float]] = {"stdio": [], "WebSocket": [], "pipe": [], "websockets": []}
    with ExitStack() as stack:
        daemon = stack.enter_context(serving(folder))
        sides = {
            "stdio": stack.enter_context(_over_pipes(daemon)),
            "WebSocket": stack.enter_context(_daemon_over_websocket(folder)),
            "pipe": stack.enter_context(_over_pipes(stack.enter_context(_program("stamps")))),
            "websockets": stack.enter_context(_stamps_over_websocket()),
        }
        for name in ("stdio", "WebSocket"):
            send, receive = sides[name]
            send(SUBSCRIBE)
            receive()
        for number in range(ROUNDS + 1):
            for name, (send, receive) in sides.items():
                send(EXECUTE)
                found = _latencies(receive)
                if number:
                    late[name] += found
    for ours, theirs in (("stdio", "pipe"), ("WebSocket", "websockets")):
        figure = Figure(f"event over {ours}, timestamp to client", late[ours])
        baseline = f"a timestamp down a bare {'pipe' if theirs == 'pipe' else 'websockets server'}"
        yield figure.row(Figure(baseline, late[theirs]), limit_ms=50)


def _latencies(receive: Callable[[], Any]) -> list[float]:
    """Of the events up to the answer."""
    late = []
    while "method" in (message := receive()):
        late.append(time.time() * 1000 - message["params"]["timestamp"])
    return late


_Side = tuple[Callable[[Any], None], Callable[[], Any]]


@contextmanager
def _over_pipes(process: "subprocess.Popen[bytes]") -> Iterator[_Side]:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise RuntimeError("started without pipes")

    def send(message: Any) -> None:
        stdin.write(json.dumps(message).encode() + b"\n")
        stdin.flush()

    yield send, lambda: json.loads(stdout.readline())


@contextmanager
def _over_websocket(url: str) -> Iterator[_Side]:
    """Frames cut by hand, at the price of cutting lines: clients differ more than servers do."""
    raw = _upgraded(url)
    with raw, raw.makefile("rb") as stream:

        def send(message: Any) -> None:
            raw.sendall(Frame(Opcode.TEXT, json.dumps(message).encode()).serialize(mask=True))

        def receive() -> Any:
            size = stream.read(2)[1]
            if size >= 126:
                size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
            return json.loads(stream.read(size))

        yield send, receive


def _upgraded(url: str) -> socket.socket:
    """A TCP connection that has become a WebSocket."""
    parts = urlsplit(url)
    raw = socket.create_connection((parts.hostname, parts.port))
    raw.sendall(
        f"GET /?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += raw.recv(1)
    return raw


@contextmanager
def _daemon_over_websocket(folder: Path) -> Iterator[_Side]:
    project = folder / "websocket"
    project.mkdir()
    with serving(project, "--ws", "0") as daemon:
        if daemon.stdout is None:
            raise RuntimeError("started without pipes")
        with _over_websocket(json.loads(daemon.stdout.readline())["url"]) as side:
            yield side


@contextmanager
def _stamps_over_websocket() -> Iterator[_Side]:
    with _program("websocket-stamps") as process:
        if process.stdout is None:
            raise RuntimeError("started without pipes")
        with _over_websocket(process.stdout.readline().decode().strip()) as side:
            yield side


# --- how many are delivered ------------------------------------------------------------------


def deliveries(folder: Path) -> Iterator[Row]:
    """An event to many subscribers, until the last of them has it, against broadcast."""
    for count in SUBSCRIBERS:
        if count > max_connections():
            yield Row(f"deliveries to {count:,}: too few open files are allowed", 0.0)
            continue
        ours, theirs = asyncio.run(_delivered(count))
        yield Row(
            f"deliveries a second, {count:,} subscriber{'s' * (count > 1)}",
            statistics.median(ours),
            unit="1/s",
            baseline="websockets.broadcast of the same bytes",
            baseline_p50=statistics.median(theirs),
            curve="deliveries",
            size=count,
        )


async def _delivered(count: int) -> tuple[list[float], list[float]]:
    """Deliveries a second, ours and websockets', in turn."""
    event = StepCompletedEvent(
        workflow_id="nightly-report",
        execution_id="6f6f2b0e-8d3c-4c67-9d35-2f1c0f1f7c11",
        step_id="count",
        seq=3,
        timestamp=1_767_225_600_000,
        data=StepCompletedData(outputs={"total": 42}, execution_time_ms=25, retry_count=0),
    )
    sent = encode({"jsonrpc": "2.0", "method": "workflow:execution:event", "params": event})
    times = DELIVERIES // count
    async with _our_server(count) as (listeners, ours), _their_server(count) as theirs:
        figures: tuple[list[float], list[float]] = ([], [])

        def deliver() -> None:
            listeners.deliver(event)

        def broadcast_same() -> None:
            broadcast(theirs[0], sent, text=True)

        for number in range(ROUNDS + 1):
            for figure, work, transports in (
                (figures[0], deliver, ours),
                (figures[1], broadcast_same, theirs[1]),
            ):
                start = time.perf_counter()
                for _ in range(times):
                    work()
                    await asyncio.sleep(0)
                while any(one.get_write_buffer_size() for one in transports):  # noqa: ASYNC110
                    await asyncio.sleep(0)
                if number:
                    figure.append(times * count / (time.perf_counter() - start))
    return figures


@asynccontextmanager
async def _our_server(count: int) -> AsyncIterator[tuple[Listeners, list[Any]]]:
    listeners = Listeners()
    transports: list[Any] = []

    async def serve(connection: Connection) -> None:
        listeners.add(Session(connection, listeners.remove_session), "*", "", [])
        transports.append(connection._transport)
        async for _ in connection.messages():
            pass

    options = WebSocketOptions()
    server = WebSocketServer(listen(options), options, serve)
    await server.start()
    with _program("readers", server.endpoint.url, str(count)) as readers:
        await asyncio.to_thread(_first_line, readers)
        while len(transports) < count:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        yield listeners, transports
        server.abort()
        await server.close()


@asynccontextmanager
async def _their_server(count: int) -> AsyncIterator[tuple[list[Any], list[Any]]]:
    connections: list[Any] = []

    async def handler(connection: ServerConnection) -> None:
        connections.append(connection)
        await connection.wait_closed()

    async with serve_websockets(handler, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        with _program("readers", f"ws://127.0.0.1:{port}/", str(count)) as readers:
            await asyncio.to_thread(_first_line, readers)
            while len(connections) < count:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            yield connections, [connection.transport for connection in connections]
            for connection in connections:
                connection.transport.abort()


def _first_line(process: "subprocess.Popen[bytes]") -> bytes:
    if process.stdout is None:
        raise RuntimeError("started without pipes")
    return process.stdout.readline()


# --- how many requests are answered ----------------------------------------------------------


def requests(folder: Path) -> Iterator[Row]:
    """`sidecar:info`, a thousand in a row on their way at once, against a bare dispatch loop."""
    with serving(folder) as daemon, _program("jsonrpcserver") as bare:
        with _over_pipes(daemon) as (send, receive):
            request = {"jsonrpc": "2.0", "id": 1, "method": "sidecar:info"}
            send(request)
            info = receive()["result"]
        with _over_pipes(bare) as (send, receive):
            send(info)
            receive()
        figures = interleaved(
            ROUNDS, ours=lambda: _ask_many(daemon), theirs=lambda: _ask_many(bare)
        )
    yield Row(
        "requests a second, sidecar:info over stdio",
        REQUESTS * 1000 / figures["ours"].p50_ms,
        unit="1/s",
        baseline="a loop of jsonrpcserver.dispatch, same result",
        baseline_p50=REQUESTS * 1000 / figures["theirs"].p50_ms,
    )


def _ask_many(process: "subprocess.Popen[bytes]") -> None:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise RuntimeError("started without pipes")
    # As many on their way as the pipes hold both ways: nobody waits for somebody who does not read.
    for _ in range(REQUESTS // 20):
        stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "sidecar:info"}\n' * 20)
        stdin.flush()
        for _ in range(20):
            stdout.readline()


BENCHMARKS = (event_latency, deliveries, requests)


# --- the other sides -------------------------------------------------------------------------


@contextmanager
def _program(name: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """One of the programs below, from its start to its end."""
    command = [sys.executable, "-m", "tests.performance.wire", name, *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _stamped() -> bytes:
    message = {"method": "m", "params": {"timestamp": time.time_ns() // 1_000_000, "x": "x" * 160}}
    return json.dumps(message).encode()


def _stamps() -> None:
    """For each line on stdin, a run's number of timestamps on stdout."""
    for _ in sys.stdin.buffer:
        for _ in range(EVENTS):
            sys.stdout.buffer.write(_stamped() + b"\n")
            sys.stdout.buffer.flush()
            time.sleep(0.0002)  # about what a step takes
        sys.stdout.buffer.write(b"{}\n")
        sys.stdout.buffer.flush()


def _websocket_stamps() -> None:
    """The same for each message, with websockets as it comes."""

    async def handler(connection: ServerConnection) -> None:
        async for _ in connection:
            for _ in range(EVENTS):
                await connection.send(_stamped().decode())
                await asyncio.sleep(0.0002)
            await connection.send("{}")

    async def serve() -> None:
        async with serve_websockets(handler, "127.0.0.1", 0, compression=None) as server:
            port = server.sockets[0].getsockname()[1]
            print(f"ws://127.0.0.1:{port}/", flush=True)
            await server.serve_forever()

    asyncio.run(serve())


def _readers(url: str, count: int) -> None:
    """So many clients that read and throw away; a line on stdout when all are connected."""

    async def read() -> None:
        loop = asyncio.get_running_loop()
        with ExitStack() as clients:
            for _ in range(count):
                raw = clients.enter_context(_upgraded(url))
                raw.setblocking(False)
                loop.add_reader(raw, _drop, raw)
            print("connected", flush=True)
            await asyncio.Event().wait()

    asyncio.run(read())


def _drop(raw: socket.socket) -> None:
    with contextlib.suppress(OSError):
        raw.recv(1 << 18)


def _jsonrpcserver() -> None:
    """The first line on stdin is what the method returns; each other one is dispatched."""
    from jsonrpcserver import Success, dispatch

    info = json.loads(sys.stdin.readline())
    methods = {"sidecar:info": lambda: Success(info)}
    print("{}", flush=True)
    for line in sys.stdin:
        sys.stdout.write(dispatch(line, methods=methods) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["stamps"]:
            _stamps()
        case ["websocket-stamps"]:
            _websocket_stamps()
        case ["jsonrpcserver"]:
            _jsonrpcserver()
        case ["readers", url, count]:
            _readers(url, int(count))
