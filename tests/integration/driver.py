"""A host as an outsider would write one: starts the daemon and speaks JSON-RPC to it.

It imports nothing of the product. Threads read what the daemon writes.
"""

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.integration.host import (
    MARKER,
    PATIENCE_S,
    TERMINAL,
    Host,
    Message,
    assert_no_gaps,
    assert_nothing_left,
    marked,
    poll,
)

__all__ = [
    "MARKER",
    "PATIENCE_S",
    "TERMINAL",
    "Driver",
    "Host",
    "Message",
    "assert_no_gaps",
    "assert_nothing_left",
    "marked",
    "poll",
]


class Framing(Protocol):
    """How messages stand in a stream of bytes."""

    def frame(self, message: bytes) -> bytes:
        """A message as it goes out."""
        ...

    def cut(self, received: bytearray) -> Iterator[bytes]:
        """Take the whole frames off the front of what was received."""
        ...


class Lines:
    """One message a line."""

    def frame(self, message: bytes) -> bytes:
        return message + b"\n"

    def cut(self, received: bytearray) -> Iterator[bytes]:
        while (end := received.find(b"\n")) >= 0:
            line = bytes(received[:end])
            del received[: end + 1]
            yield line


class ContentLength:
    """Headers, a blank line, the message; as strict about it as any client may be."""

    def frame(self, message: bytes) -> bytes:
        return b"Content-Length: %d\r\n\r\n%b" % (len(message), message)

    def cut(self, received: bytearray) -> Iterator[bytes]:
        while (head := received.find(b"\r\n\r\n")) >= 0:
            name, _, value = bytes(received[:head]).partition(b": ")
            if name != b"Content-Length" or not value.isdigit():
                return
            end = head + 4 + int(value)
            if len(received) < end:
                return
            message = bytes(received[head + 4 : end])
            del received[:end]
            yield message


FRAMINGS: dict[str, type[Framing]] = {"lines": Lines, "content-length": ContentLength}
#: What `Driver` can speak.
TRANSPORTS = (*FRAMINGS, "websocket")


class Driver(Host):
    """One daemon, from its start to its death; as a context manager it leaves nothing running.

    `transport` is one of TRANSPORTS. Over WebSocket `ready` is the line that tells the URL, and the
    end of stdin is the parent's end all the same.
    """

    def __init__(
        self,
        project: Path,
        *flags: str,
        transport: str = "lines",
        env: dict[str, str] | None = None,
        reads: bool = True,
        wrapper: Sequence[str] = (),
        **popen: Any,
    ) -> None:
        super().__init__(project)
        self.transport = transport
        self._framing = FRAMINGS.get(transport, Lines)()
        command = [sys.executable, "-m", "sidecar", "serve", "--project", str(project)]
        if transport == "websocket":
            command += ["--ws", "0"]
        options: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        options["env"] = {**os.environ, MARKER: self.marker, **(env or {})}
        options |= popen
        arguments = [*wrapper, *command, "--python", sys.executable, *flags]
        self.process: subprocess.Popen[bytes] = subprocess.Popen(arguments, **options)
        self._threads: list[threading.Thread] = []
        self._begin(self._read_stderr)
        self.ready: Message = {}
        self._client: ClientConnection | None = None
        if transport == "websocket":
            self._connect(reads)
        elif reads and self.process.stdout is not None:
            self._begin(self._read_stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        if kind is None:
            self.assert_clean()
        else:
            with suppress(AssertionError):
                self.assert_clean()

    def _begin(self, work: Any) -> None:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    # --- out ---------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        return self.process.pid

    def write(self, data: bytes) -> None:
        """Raw bytes to stdin; a daemon that is gone is for the test to notice by other means."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            return

    def flood(self, data: bytes, at_most_bytes: int, quiet_s: float = 1.0) -> int:
        """Write `data` over and over until the daemon takes no more for a while; how many bytes."""
        assert self.process.stdin is not None
        fd = self.process.stdin.fileno()
        os.set_blocking(fd, False)
        written = 0
        rest = b""
        while written < at_most_bytes and select.select([], [fd], [], quiet_s)[1]:
            rest = rest or data
            with suppress(BlockingIOError):
                count = os.write(fd, rest)
                written += count
                rest = rest[count:]
        os.set_blocking(fd, True)
        return written

    def send_bytes(self, *messages: bytes) -> None:
        if self._client is None:
            self.write(b"".join(map(self._framing.frame, messages)))
            return
        with suppress(ConnectionClosed):
            for message in messages:
                self._client.send(message, text=True)

    def close_stdin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def hang_up(self) -> None:
        """Close the WebSocket, and leave the daemon alone."""
        assert self._client is not None
        self._client.close()

    # --- in ----------------------------------------------------------------------------------

    def _connect(self, reads: bool) -> None:
        """Learn the URL from the first line on stdout, and connect to it."""
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())
        self._begin(self._read_stray)
        connecting = connect(
            self.ready["url"],
            max_size=None,
            compression=None,
            close_timeout=1,
            # Its pings draw from `random`, which hypothesis keeps an eye on.
            ping_interval=None,
        )
        self._client = connecting.__enter__()
        if reads:
            self._begin(self._read_websocket)

    def _read_websocket(self) -> None:
        assert self._client is not None
        with suppress(ConnectionClosed):
            while True:
                self.take(self._client.recv(decode=False))
        self.take_end()

    def _read_stray(self) -> None:
        """What comes on stdout after the ready line: nothing."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.stray.append(line)

    def _read_stdout(self) -> None:
        received = bytearray()
        assert self.process.stdout is not None
        while data := os.read(self.process.stdout.fileno(), 1 << 20):
            received += data
            for frame in self._framing.cut(received):
                self.take(frame)
        if received:
            self.stray.append(bytes(received))
        self.take_end()

    def _read_stderr(self) -> None:
        if self.process.stderr is None:
            return
        for line in self.process.stderr:
            self.take_log(line.decode())

    # --- the end -----------------------------------------------------------------------------

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = PATIENCE_S) -> int:
        status = self.process.wait(timeout)
        for thread in self._threads:
            thread.join(timeout)
        return status

    def kill(self) -> None:
        """End the daemon as a host does, then by force; frees every descriptor."""
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._client is not None:
            self._client.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
