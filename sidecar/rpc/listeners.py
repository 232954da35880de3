"""Who hears of which executions.

A listener is keyed by (session, workflow_id, subscriber). However many listeners of a session
match, it gets an event once; an event is serialised once for all. It knows neither transports nor
how executions run.
"""

import logging
from collections.abc import Iterable
from typing import Final

from protocol import limits
from protocol.events import EVENT_NOTIFICATION, OPTIONAL_EVENT_TYPES, ExecutionEvent
from sidecar.rpc.encoding import encode
from sidecar.rpc.session import Session

logger = logging.getLogger(__name__)

ALL_WORKFLOWS: Final = "*"
#: While so much waits for a peer, scripts' output is left out for it: the six events are not.
OUTPUT_PAUSE_BYTES: Final = limits.MIB

_Key = tuple[str, str]


class Listeners:
    """All listeners of all sessions."""

    def __init__(self) -> None:
        self._by_session: dict[Session, dict[_Key, frozenset[str]]] = {}

    def add(
        self, session: Session, workflow_id: str, subscriber: str, include: Iterable[str]
    ) -> None:
        """Add a listener; the same key again replaces what it includes. None for a closed session:
        its last requests may still be under way."""
        if session.closed:
            return
        listeners = self._by_session.setdefault(session, {})
        listeners[workflow_id, subscriber] = frozenset(include)

    def remove(self, session: Session, workflow_id: str | None, subscriber: str) -> bool:
        """Remove one listener, or without `workflow_id` all of the subscriber; was there one?"""
        listeners = self._by_session.get(session, {})
        keys = [
            key
            for key in listeners
            if key[1] == subscriber and (workflow_id is None or key[0] == workflow_id)
        ]
        for key in keys:
            del listeners[key]
        if not listeners:
            self._by_session.pop(session, None)
        return bool(keys)

    def remove_session(self, session: Session) -> None:
        """Remove every listener of a session."""
        self._by_session.pop(session, None)

    def count(self) -> int:
        """How many listeners there are."""
        return sum(len(listeners) for listeners in self._by_session.values())

    def deliver(self, event: ExecutionEvent) -> None:
        """Send an event to every session that has a matching listener."""
        message: bytes | None = None
        for session, listeners in list(self._by_session.items()):
            if not _wanted(listeners, event):
                continue
            if event.event_type == "step_output" and session.pending_bytes > OUTPUT_PAUSE_BYTES:
                logger.debug("a subscriber reads too slowly for step_output; lines left out")
                continue
            if message is None:
                message = encode({"jsonrpc": "2.0", "method": EVENT_NOTIFICATION, "params": event})
            session.notify(message)

    async def drained(self) -> None:
        """Return when every session that reads can take more."""
        for session in list(self._by_session):
            await session.drained()


def _wanted(listeners: dict[_Key, frozenset[str]], event: ExecutionEvent) -> bool:
    optional = event.event_type in OPTIONAL_EVENT_TYPES
    return any(
        workflow_id in (ALL_WORKFLOWS, event.workflow_id)
        and (not optional or event.event_type in include)
        for (workflow_id, _), include in listeners.items()
    )
