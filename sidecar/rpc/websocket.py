"""The WebSocket transport: a listening socket, and who is served over it.

Who may come in, `admission` decides; what a connection does, `websocket_connection` knows; what is
said over it, the dispatcher.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response

from protocol import limits
from sidecar.errors import UsageError
from sidecar.rpc.admission import NO_PAGES, Admission, Page, too_many
from sidecar.rpc.websocket_connection import Connection

#: Read in one turn of the loop: in empty frames, the smallest there are, some 50 ms of work.
_READ_BYTES: Final = 32 * 1024
#: A larger message is not kept for the case that it goes to somebody else too.
_SHARED_BYTES: Final = limits.MIB
#: Connections beyond the cap that may wait to be told that it is reached.
_KNOCKING: Final = 100
#: Descriptors left to everything else, those included.
_RESERVED_DESCRIPTORS: Final = 250


@dataclass(frozen=True, slots=True)
class WebSocketOptions:
    """Where to listen, and whom to let in beside clients that are no web pages.

    Port 0 picks a free one. `pages` are the files that plain GETs get, by path; if there are any,
    the pages' own origin, http://127.0.0.1:PORT or http://localhost:PORT, is allowed too. Without
    a `token` a new one is made.
    """

    host: str = "127.0.0.1"
    port: int = 0
    origins: frozenset[str] = frozenset()
    pages: Mapping[str, Page] = field(default_factory=lambda: NO_PAGES)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens, and the token that lets in."""

    host: str
    port: int
    token: str = field(repr=False)

    @property
    def address(self) -> str:
        """HOST:PORT as it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """What a WebSocket client connects to, the token included."""
        return f"ws://{self.address}/?token={self.token}"


def listen(options: WebSocketOptions) -> socket.socket:
    """Bind a listening socket. Raises UsageError."""
    where = f"{options.host}:{options.port}"
    try:
        # One address even if the name has several: port 0 is to be one port.
        family, _, _, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        # Python adds the address to the system's words, and a name's lookup has words of its own.
        is_lookup = isinstance(error, socket.gaierror)
        why = error.strerror if is_lookup else os.strerror(error.errno or 0)
        raise UsageError(
            f"cannot listen on {where}: {why}; --ws takes [HOST:]PORT, 0 for a free port"
        ) from None
    listening.setblocking(False)
    return listening


def max_connections() -> int:
    """How many connections are served at once: what is promised, or what descriptors allow."""
    try:
        import resource
    except ImportError:
        return limits.MAX_CONNECTIONS  # Windows
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return limits.MAX_CONNECTIONS
    return max(1, min(limits.MAX_CONNECTIONS, soft - _RESERVED_DESCRIPTORS))


class WebSocketServer:
    """Serves a listening socket. `serve_peer` is called for each connection that was let in, and
    the connection ends when it returns."""

    def __init__(
        self,
        listening: socket.socket,
        options: WebSocketOptions,
        serve_peer: Callable[[Connection], Awaitable[None]],
    ) -> None:
        self._listening = listening
        self._serve_peer = serve_peer
        host, port = listening.getsockname()[:2]
        # Listening everywhere includes here.
        local = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
        token = options.token or secrets.token_urlsafe(32)
        self.endpoint = Endpoint(local.get(host, host), port, token)
        own = {f"http://{name}:{port}" for name in ("127.0.0.1", "localhost")}
        origins = options.origins | own if options.pages else options.origins
        self.admission = Admission(self.endpoint.token, origins, options.pages)
        self.max_connections = max_connections()
        #: What every connection reads into; it is emptied in the turn in which it was filled.
        self.buffer = memoryview(bytearray(_READ_BYTES))
        self._connections: set[Connection] = set()
        #: Connections that have not been let in yet, oldest first.
        self._knocking: dict[Connection, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._shared: tuple[bytes, bytes] = (b"", b"")

    async def start(self) -> None:
        """Accept connections from now on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), sock=self._listening, backlog=1024
        )

    def stop_accepting(self) -> None:
        """Accept none any more."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """End every connection, and return when all are gone: what waits for them goes first."""
        self.stop_accepting()
        for connection in list(self._connections):
            connection.close(CloseCode.GOING_AWAY, "the sidecar ends")
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def abort(self) -> None:
        """End every connection at once."""
        for connection in list(self._connections):
            connection.abort()

    def frame(self, message: bytes) -> bytes:
        """A text frame; of an event that goes to many, the same bytes for all."""
        if message is self._shared[0]:
            return self._shared[1]
        framed = Frame(Opcode.TEXT, message).serialize(mask=False)
        if len(message) <= _SHARED_BYTES:
            self._shared = (message, framed)
        return framed

    # --- what connections tell ---------------------------------------------------------------

    def connected(self, connection: Connection) -> None:
        """A TCP connection was made."""
        self._connections.add(connection)
        self._knocking[connection] = None
        if len(self._connections) > self.max_connections + _KNOCKING:
            # Whoever connects and says nothing keeps nobody out.
            next(iter(self._knocking)).abort()

    def refusal(self, request: Request) -> Response | None:
        """The response that ends the request, be it a page; None when it may be upgraded."""
        refusal = self.admission.refusal(request)
        if refusal is not None:
            return refusal
        is_full = len(self._connections) - len(self._knocking) >= self.max_connections
        return too_many(self.max_connections) if is_full else None

    def let_in(self, connection: Connection) -> None:
        """A connection has become a WebSocket."""
        self._knocking.pop(connection, None)
        task = asyncio.create_task(self._serve(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection) -> None:
        try:
            await self._serve_peer(connection)
        finally:
            connection.close(CloseCode.NORMAL_CLOSURE, "")
            await connection.lost()

    def disconnected(self, connection: Connection) -> None:
        """A TCP connection is gone."""
        self._connections.discard(connection)
        self._knocking.pop(connection, None)
