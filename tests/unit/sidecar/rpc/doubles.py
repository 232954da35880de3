"""Peers without a transport."""

import asyncio
import json
from typing import Any

from sidecar.rpc.session import Session


class FakeOutbox:
    """Keeps what was sent; the peer takes it when `take` is called."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.pending_bytes = 0
        self.sent_bytes = 0

    def send(self, message: bytes) -> None:
        self.sent.append(message)
        self.pending_bytes += len(message)

    def take(self, size_bytes: int | None = None) -> None:
        taken = self.pending_bytes if size_bytes is None else size_bytes
        self.pending_bytes -= taken
        self.sent_bytes += taken


class Peer:
    """A session and what came out of it."""

    def __init__(self) -> None:
        self.outbox = FakeOutbox()
        self.overflows = 0
        self.session = Session(self.outbox, self._overflowed)

    def _overflowed(self, session: Session) -> None:
        assert session is self.session
        self.overflows += 1

    @property
    def messages(self) -> list[Any]:
        return [json.loads(message) for message in self.outbox.sent]


async def turns(count: int = 5) -> None:
    """Let everything that is ready have its turn."""
    for _ in range(count):
        await asyncio.sleep(0)
