"""One connection: bytes and a request, and when that is let in, a WebSocket's messages.

The protocol is websockets' sans-I/O core; the I/O around it is ours, since what the library has for
asyncio lets pongs to a peer that does not read grow without bound, and reads a burst of frames in
one turn of the loop. Here a connection is read in small pieces, and not at all while too much waits
in either direction. What messages mean, the dispatcher knows.
"""

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Protocol, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from protocol import limits

logger = logging.getLogger(__name__)

#: The library's log: at its debug level it shows request lines, and with them the token.
_quiet = logging.getLogger(f"{__name__}.library")
_quiet.setLevel(logging.WARNING)

#: What may wait to be dispatched before reading pauses.
_INBOX_MESSAGES: Final = 64
_INBOX_BYTES: Final = limits.MIB
#: For the other side to close its half, once ours is closed.
_CLOSE_S: Final = 2.0
_REFUSED: Final = (401, 403, 503)
#: socket(7): on, for no time.
_NO_LINGER: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Server(Protocol):
    """Whoever accepts connections: what one asks it, and tells it."""

    #: What every connection reads into; it is emptied in the turn in which it was filled.
    buffer: memoryview

    def refusal(self, request: Request) -> Response | None:
        """The response that ends the request, be it a page; None when it may be upgraded."""
        ...

    def frame(self, message: bytes) -> bytes:
        """A text frame."""
        ...

    def connected(self, connection: "Connection") -> None:
        """A TCP connection was made."""
        ...

    def let_in(self, connection: "Connection") -> None:
        """A connection has become a WebSocket."""
        ...

    def disconnected(self, connection: "Connection") -> None:
        """A TCP connection is gone."""
        ...


class Connection(asyncio.BufferedProtocol):
    """One connection: a request, and when that is let in a WebSocket. The outbox of its peer."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._protocol = ServerProtocol(max_size=limits.MAX_MESSAGE_BYTES, logger=_quiet)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._lost = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._written_bytes = 0
        self._inbox: deque[bytes] = deque()
        self._inbox_bytes = 0
        #: The message whose first fragments have come.
        self._begun: bytearray | None = None
        #: Set while there is something to see for whoever takes the messages.
        self._arrived = asyncio.Event()
        #: Whether something came that must not: what follows it is not looked at.
        self._failed = False
        self._writing_paused = False
        self._reading_paused = False

    # --- the peer's messages, and what goes out ----------------------------------------------

    async def messages(self) -> AsyncIterator[bytes]:
        """The peer's messages to the end; as long as nobody asks, reading pauses."""
        while True:
            await self._arrived.wait()
            if not self._inbox:
                return
            message = self._inbox.popleft()
            self._inbox_bytes -= len(message)
            if not self._inbox and not self._has_ended():
                self._arrived.clear()
            self._pace()
            yield message

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait for the peer."""
        return 0 if self._lost.done() else self._transport.get_write_buffer_size()

    @property
    def sent_bytes(self) -> int:
        """Bytes taken by the peer's machine so far."""
        return self._written_bytes - self.pending_bytes

    def send(self, message: bytes) -> None:
        """Queue one message; dropped when the peer is gone or going."""
        if self._protocol.state is State.OPEN:
            self._write(self._server.frame(message))

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake, behind all that waits."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._flush()
            self._end_within(_CLOSE_S)
        elif self._protocol.state is State.CONNECTING:
            self.abort()
        self._arrived.set()

    def abort(self) -> None:
        """End the connection at once; what waits in either direction is dropped."""
        self._inbox.clear()
        self._inbox_bytes = 0
        if not self._transport.is_closing():
            # By a reset: else the kernel would keep for a peer that does not read what it has.
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()

    async def lost(self) -> None:
        """Return when the connection is gone."""
        await asyncio.shield(self._lost)

    # --- what asyncio calls ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the client its time for a request."""
        self._transport = transport = cast("asyncio.Transport", transport)  # a TCP socket's
        # Above it reading pauses too: a peer that asks and pings and never reads fills no memory.
        transport.set_write_buffer_limits(limits.MAX_OUTBOX_BYTES)
        raw = transport.get_extra_info("socket")
        # The other machine may vanish; on this one that is never silent.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._end_within(limits.HANDSHAKE_MS / 1000)
        self._server.connected(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next piece goes."""
        return self._server.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take a piece."""
        self._protocol.receive_data(bytes(self._server.buffer[:nbytes]))
        events = self._protocol.events_received()
        if events and isinstance(events[0], Request):
            # RFC 6455, section 4.1: a client waits for the answer before it sends frames.
            if len(events) > 1 or self._protocol.parser_exc is not None:
                self.abort()
                return
            self._admit(events[0])
        else:
            for event in events:
                # The last of them may be what closes; those before it count.
                if isinstance(event, Frame) and not self._failed:
                    self._take(event)
        self._flush()
        self._pace()

    def eof_received(self) -> None:
        """The client will send nothing more: for a WebSocket, it is gone."""
        self._protocol.receive_eof()
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        """All is over."""
        self._protocol.receive_eof()
        if self._timer is not None:
            self._timer.cancel()
        self._lost.set_result(None)
        self._arrived.set()
        self._server.disconnected(self)

    def pause_writing(self) -> None:
        """Too much waits for the peer."""
        self._writing_paused = True
        self._pace()

    def resume_writing(self) -> None:
        """The peer has taken most of it."""
        self._writing_paused = False
        self._pace()

    # --- inside ------------------------------------------------------------------------------

    def _admit(self, request: Request) -> None:
        response = self._server.refusal(request) or self._protocol.accept(request)
        if response.status_code in _REFUSED:
            reason = bytes(response.body).decode().strip()
            logger.warning("connection refused", extra={"fields": {"reason": reason}})
        self._protocol.send_response(response)
        self._flush()
        if self._protocol.state is State.OPEN:
            if self._timer is not None:
                self._timer.cancel()
            self._server.let_in(self)

    def _take(self, frame: Frame) -> None:
        """Put a data frame to its message."""
        if frame.opcode is Opcode.BINARY:
            self._fail(CloseCode.UNSUPPORTED_DATA, "messages are JSON as text")
        elif frame.opcode is Opcode.TEXT and frame.fin:
            self._take_message(bytes(frame.data))
        elif frame.opcode is Opcode.TEXT:
            self._begun = bytearray(frame.data)
        elif frame.opcode is Opcode.CONT and self._begun is not None:
            self._begun += frame.data
            if frame.fin:
                message, self._begun = bytes(self._begun), None
                self._take_message(message)

    def _take_message(self, message: bytes) -> None:
        if not message.isascii():
            try:
                message.decode()
            except UnicodeDecodeError as error:
                # RFC 6455, section 8.1.
                self._fail(CloseCode.INVALID_DATA, f"invalid UTF-8 at byte {error.start}")
                return
        self._inbox.append(message)
        self._inbox_bytes += len(message)
        self._arrived.set()

    def _fail(self, code: int, reason: str) -> None:
        self._failed = True
        self._protocol.fail(code, reason)

    def _has_ended(self) -> bool:
        return self._protocol.state in (State.CLOSING, State.CLOSED)

    def _pace(self) -> None:
        """Read on, or pause."""
        full = len(self._inbox) >= _INBOX_MESSAGES or self._inbox_bytes >= _INBOX_BYTES
        pause = full or self._writing_paused
        if pause != self._reading_paused and not self._lost.done():
            self._reading_paused = pause
            (self._transport.pause_reading if pause else self._transport.resume_reading)()

    def _write(self, data: bytes) -> None:
        self._written_bytes += len(data)
        self._transport.write(data)

    def _flush(self) -> None:
        """Write what the protocol has to say."""
        for data in self._protocol.data_to_send():
            if data:
                self._write(data)
            elif not self._transport.is_closing():
                with contextlib.suppress(OSError):
                    self._transport.write_eof()
                # Not closed by us at once: that would take back what the peer has not read yet.
                self._end_within(_CLOSE_S)
        if self._has_ended():
            self._arrived.set()

    def _end_within(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self.abort)
