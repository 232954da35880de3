"""Any bytes, split anywhere: always an answer or a clean end, and the next connection is served."""

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Coroutine, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.sync.client import connect

from protocol.methods import METHODS
from sidecar.daemon import Daemon, DaemonOptions
from sidecar.rpc.framing import Framing, Message
from tests.integration.clients import SOAK
from tests.integration.driver import Driver
from tests.integration.host import PATIENCE_S
from tests.unit.sidecar.rpc.doubles import Peer

EXAMPLES = 20_000 if SOAK else 200
INFO = b'{"jsonrpc":"2.0","id":"info","method":"sidecar:info"}'
#: All but the one that ends everything.
NAMES = sorted(set(METHODS) - {"sidecar:shutdown"})

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*NAMES, "2.0", "*", "$/cancelRequest", "w.yaml", "__proto__"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["jsonrpc", "id", "method", "params", "workflow", "limit", "x"])
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
REQUEST = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | JSON, "method": st.sampled_from(NAMES) | JSON},
    optional={"id": JSON, "params": JSON, "more": JSON},
)
TEXT = (
    st.one_of(REQUEST, st.lists(REQUEST, max_size=4), JSON)
    .map(json.dumps)
    .map(str.encode)
    .flatmap(
        # Whole, or damaged at one place.
        lambda text: (
            st.just(text)
            | st.tuples(st.integers(0, len(text)), st.binary(max_size=3)).map(
                lambda damage: text[: damage[0]] + damage[1] + text[damage[0] :]
            )
            | st.integers(0, len(text)).map(lambda length: text[:length])
        )
    )
)
STREAM = st.lists(
    st.binary(max_size=20)
    | TEXT
    | TEXT.map(lambda text: text + b"\n")
    | TEXT.map(lambda text: b"Content-Length: %d\r\n\r\n%b" % (len(text), text))
    | st.sampled_from([b"\n", b"\r\n", b"Content-Length: ", b"Content-Length: 5\r\n\r\n", b"-1"]),
    max_size=6,
).map(b"".join)

many = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
few = settings(many, max_examples=EXAMPLES // 5)


class Served:
    """The daemon's inside without its transports."""

    def __init__(self, project: Path) -> None:
        self._runner = asyncio.Runner()
        self._daemon = self.run(self._make(project))

    async def _make(self, project: Path) -> Daemon:
        return Daemon(DaemonOptions(project, project / "history.db", sys.executable))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    async def answers(self, messages: list[Message]) -> list[Any]:
        """What one peer is sent for its messages, when all of it is done."""
        peer = Peer()
        for message in messages:
            self._daemon._dispatcher.receive(peer.session, message)
            await peer.session.has_room()
        async with asyncio.timeout(PATIENCE_S):
            await peer.session.finished()
        self._daemon._forget(peer.session)
        return [message for message in peer.messages if "method" not in message]

    def close(self) -> None:
        self.run(self._daemon._engine.close())
        self._runner.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.close()


def framed(pieces: list[bytes]) -> list[Message]:
    framing = Framing()
    found = [message for piece in pieces for message in framing.feed(piece)]
    return found + framing.end()


def most_answers(message: Message) -> tuple[int, int]:
    """The fewest and the most answers that a message may have."""
    try:
        value = json.loads(message if isinstance(message, bytes) else b"")
    except (ValueError, RecursionError):
        return 1, 1
    if isinstance(value, list):
        # An array with one answer at least for each of its requests, or one error.
        return (0, 1) if any(isinstance(one, dict) and "id" not in one for one in value) else (1, 1)
    is_notification = isinstance(value, dict) and "id" not in value
    return (0, 1) if is_notification else (1, 1)


@pytest.mark.soak
@many
@given(STREAM, st.lists(st.integers(0, 400), max_size=8))
def test_any_stream_has_its_answers_however_it_is_split(
    served: Served, data: bytes, cuts: list[int]
) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    messages = framed([data[a:b] for a, b in pairwise(edges)])
    assert messages == framed([data])
    answers = served.run(served.answers(messages))
    bounds = [most_answers(message) for message in messages]
    assert sum(least for least, _ in bounds) <= len(answers) <= sum(most for _, most in bounds)
    for answer in answers:
        for one in answer if isinstance(answer, list) else [answer]:
            assert set(one) in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"})
            assert one.get("error", {}).get("code") != -32603, one
    (info,) = served.run(served.answers([INFO]))
    assert info["id"] == "info"
    assert "result" in info


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    with Driver(tmp_path_factory.mktemp("fuzz"), transport="websocket") as driver:
        yield driver


def masked(opcode: Opcode, data: bytes, fin: bool) -> bytes:
    """A frame of at most 125 bytes, its mask no matter of chance."""
    return bytes([0x80 * fin | opcode, 0x80 | len(data)]) + b"\0\0\0\0" + data


FRAMES = st.lists(
    st.binary(max_size=40)
    | st.builds(
        masked,
        st.sampled_from(list(Opcode)),
        st.binary(max_size=60) | TEXT.filter(lambda text: len(text) < 126),
        st.booleans(),
    ),
    max_size=5,
).map(b"".join)


@pytest.mark.soak
@few
@given(st.binary(max_size=200) | st.none(), FRAMES, st.lists(st.integers(0, 200), max_size=4))
def test_any_bytes_on_the_websocket_end_that_connection_at_most(
    daemon: Driver, before: bytes | None, frames: bytes, cuts: list[int]
) -> None:
    url = urlsplit(daemon.ready["url"])
    handshake = (
        f"GET /?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
    with socket.create_connection((url.hostname, url.port)) as raw:
        raw.settimeout(PATIENCE_S)
        with contextlib.suppress(ConnectionError):
            raw.sendall(handshake if before is None else before)
            if before is None:
                assert raw.recv(4096).startswith(b"HTTP/1.1 101 ")
            edges = sorted({0, len(frames), *(cut for cut in cuts if cut < len(frames))})
            for a, b in pairwise(edges):
                raw.sendall(frames[a:b])
            raw.shutdown(socket.SHUT_WR)
            # A clean end: nothing hangs.
            while raw.recv(65536):
                pass
    with connect(daemon.ready["url"]) as client:
        client.send(INFO.decode())
        assert json.loads(client.recv(timeout=PATIENCE_S))["id"] == "info"


@pytest.mark.soak
@settings(many, max_examples=500 if SOAK else 4)
@given(STREAM)
def test_any_bytes_on_stdin_end_in_an_orderly_exit(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    with Driver(tmp_path_factory.mktemp("fuzz"), reads=False) as driver:
        driver.write(data)
        driver.close_stdin()
        assert driver.wait() == 0
        assert not [line for line in driver.log if line["level"] == "critical"]
