"""One peer: the requests it has in flight and what waits to be sent to it.

It does not know which transport carries the bytes, nor what the methods do.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from protocol import limits

logger = logging.getLogger(__name__)

#: Above this, a run waits for a peer that is reading; below, nobody notices anything.
PACE_BYTES: Final = 4 * limits.MIB
#: Above this, also for one that may have paused: it must not come to be cut off.
HOLD_BYTES: Final = 12 * limits.MIB
#: A peer that took nothing for so long while data waits is not reading just now.
_PAUSE_S: Final = 0.01
#: And after this, it has stopped. Not less: TCP lets a slow reader's progress be seen only when a
#: good part of its buffer of some MiB is free again.
STALL_S: Final = 1.0
#: How often it is looked what a peer has taken.
_LOOK_S: Final = 0.001
#: What may wait even for a peer that reads: many runs may end in the same instant.
MAX_BURST_BYTES: Final = 4 * limits.MAX_OUTBOX_BYTES


class Outbox(Protocol):
    """Where a transport takes the bytes for one peer."""

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait."""
        ...

    @property
    def sent_bytes(self) -> int:
        """Bytes taken by the peer so far."""
        ...

    def send(self, message: bytes) -> None:
        """Queue one message; never blocks, never raises."""
        ...


class Session:
    """A connected peer. `on_overflow` is called when an event finds too much waiting for a peer
    that has stopped reading; it must see to it that no further events come."""

    def __init__(self, outbox: Outbox, on_overflow: Callable[["Session"], None]) -> None:
        self._outbox = outbox
        self._on_overflow = on_overflow
        #: Set when the peer is gone: it hears of nothing any more, and its runs go on.
        self.closed = False
        #: Bytes taken when last looked at while more waited, and since when it has been so many.
        self._seen_bytes = -1
        self._seen_at_s = 0.0
        self._requests: dict[Any, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- out ---------------------------------------------------------------------------------

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait for the peer."""
        return self._outbox.pending_bytes

    def send(self, message: bytes) -> None:
        """Send an answer."""
        if not self._outbox.pending_bytes:
            self._seen_bytes = -1  # what waits, waits from now on
        self._outbox.send(message)

    def notify(self, message: bytes) -> None:
        """Send an event; a peer that does not read and has too much waiting is cut off instead."""
        pending_bytes = self._outbox.pending_bytes
        if not pending_bytes:
            self._seen_bytes = -1
        else:
            reads = self._idle_s() < STALL_S
            most_bytes = MAX_BURST_BYTES if reads else limits.MAX_OUTBOX_BYTES
            if pending_bytes + len(message) > most_bytes:
                self._on_overflow(self)
                return
        self._outbox.send(message)

    def _idle_s(self) -> float:
        """For how long the peer has taken nothing of what waits for it."""
        now_s = asyncio.get_running_loop().time()
        if self._outbox.sent_bytes != self._seen_bytes:
            self._seen_bytes, self._seen_at_s = self._outbox.sent_bytes, now_s
        return now_s - self._seen_at_s

    async def has_room(self) -> None:
        """Return in the loop's next turn, or when a peer that does not read its answers does, or
        has fewer requests in flight."""
        await asyncio.sleep(0)
        while (  # noqa: ASYNC110 - rare
            self._outbox.pending_bytes > limits.MAX_OUTBOX_BYTES
            or len(self._tasks) >= limits.MAX_REQUESTS_IN_FLIGHT
        ):
            await asyncio.sleep(_LOOK_S)

    async def drained(self) -> None:
        """Return when the peer can take more, or is not reading: a run goes on at the speed of who
        reads, and waits for nobody else."""
        while (pending_bytes := self._outbox.pending_bytes) > PACE_BYTES:
            idle_s = self._idle_s()
            if idle_s >= (_PAUSE_S if pending_bytes <= HOLD_BYTES else STALL_S):
                return
            await asyncio.sleep(_LOOK_S)

    # --- requests ----------------------------------------------------------------------------

    def run(self, request_id: Any, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Answer a request in a task of its own, so that none waits for another."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if request_id is not None:
            key = _key(request_id)
            self._requests[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        return task

    def _forget(self, key: Any, task: asyncio.Task[None]) -> None:
        # An id used again while in flight belongs to the later request.
        if self._requests.get(key) is task:
            del self._requests[key]

    def cancel_request(self, request_id: Any) -> None:
        """Cancel a request in flight, once; an unknown id is none, as in LSP."""
        # Once: a second time would disturb the stopping of its script.
        task = self._requests.pop(_key(request_id), None)
        if task is not None:
            # Not at once: a task cancelled before its first step would never answer.
            asyncio.get_running_loop().call_soon(task.cancel)

    async def finished(self) -> None:
        """Wait until every request so far is answered."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))


def _key(request_id: Any) -> Any:
    # 1, 1.0 and "1" are three ids, and what `$/cancelRequest` names may have no hash.
    if isinstance(request_id, float):
        return ("float", float(request_id))
    return (type(request_id).__name__, repr(request_id))
