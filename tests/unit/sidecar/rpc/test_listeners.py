"""Who hears of which executions."""

import asyncio
from typing import Any

import pytest

from protocol.events import EVENT_ADAPTER, ExecutionEvent
from protocol.limits import MIB
from sidecar.rpc import session as session_module
from sidecar.rpc.listeners import Listeners
from tests.unit.sidecar.rpc.doubles import Peer


def event(workflow_id: str = "w", event_type: str = "step_completed") -> ExecutionEvent:
    every: dict[str, dict[str, Any]] = {
        "step_completed": {"outputs": {"n": None}, "execution_time_ms": 1, "retry_count": 0},
        "step_output": {"stream": "stderr", "text": "line"},
        "step_skipped": {"reason": "why"},
    }
    return EVENT_ADAPTER.validate_python(
        {
            "workflow_id": workflow_id,
            "execution_id": "e",
            "event_type": event_type,
            "step_id": "s",
            "seq": 1,
            "timestamp": 1,
            "data": every[event_type],
        }
    )


def test_an_event_goes_to_those_who_listen_to_its_workflow_or_to_all() -> None:
    listeners, one, every, other = Listeners(), Peer(), Peer(), Peer()
    listeners.add(one.session, "w", "", [])
    listeners.add(every.session, "*", "", [])
    listeners.add(other.session, "other", "", [])
    asyncio.run(_deliver(listeners, event()))
    assert [len(peer.messages) for peer in (one, every, other)] == [1, 1, 0]
    assert one.messages == [
        {
            "jsonrpc": "2.0",
            "method": "workflow:execution:event",
            "params": {
                "workflow_id": "w",
                "execution_id": "e",
                "seq": 1,
                "timestamp": 1,
                "step_id": "s",
                "event_type": "step_completed",
                "data": {"outputs": {"n": None}, "execution_time_ms": 1, "retry_count": 0},
            },
        }
    ]


async def _deliver(listeners: Listeners, *events: ExecutionEvent) -> None:
    for one in events:
        listeners.deliver(one)


async def test_a_session_gets_an_event_once_however_many_of_its_listeners_match() -> None:
    listeners, peer = Listeners(), Peer()
    for workflow_id in ("w", "*"):
        for subscriber in ("a", "b"):
            listeners.add(peer.session, workflow_id, subscriber, [])
    listeners.add(peer.session, "w", "a", [])
    assert listeners.count() == 4
    listeners.deliver(event())
    assert len(peer.messages) == 1


async def test_removing_one_listener_leaves_all_others() -> None:
    listeners, mine, theirs = Listeners(), Peer(), Peer()
    for peer in (mine, theirs):
        listeners.add(peer.session, "w", "a", [])
        listeners.add(peer.session, "w", "b", [])
    assert listeners.remove(mine.session, "w", "a") is True
    assert listeners.remove(mine.session, "w", "a") is False
    assert listeners.remove(mine.session, "other", "b") is False
    listeners.deliver(event())
    assert (len(mine.messages), len(theirs.messages)) == (1, 1)
    assert listeners.remove(mine.session, None, "b") is True
    listeners.deliver(event())
    assert (len(mine.messages), len(theirs.messages)) == (1, 2)
    listeners.remove_session(theirs.session)
    listeners.remove_session(theirs.session)
    assert listeners.count() == 0


async def test_ten_thousand_resubscriptions_leave_nothing_behind() -> None:
    listeners, peer = Listeners(), Peer()
    for number in range(10_000):
        listeners.add(peer.session, f"w{number}", "", [])
        listeners.remove(peer.session, f"w{number}", "")
    assert listeners.count() == 0
    assert listeners._by_session == {}


async def test_optional_events_go_only_to_those_who_asked() -> None:
    listeners, asked, not_asked = Listeners(), Peer(), Peer()
    listeners.add(asked.session, "w", "a", ["step_output"])
    listeners.add(asked.session, "*", "b", [])
    listeners.add(not_asked.session, "w", "", [])
    for event_type in ("step_output", "step_skipped", "step_completed"):
        listeners.deliver(event(event_type=event_type))
    types = [message["params"]["event_type"] for message in asked.messages]
    assert types == ["step_output", "step_completed"]
    assert len(not_asked.messages) == 1


async def test_script_output_is_left_out_for_a_peer_that_reads_slowly() -> None:
    listeners, peer = Listeners(), Peer()
    listeners.add(peer.session, "w", "", ["step_output"])
    peer.session.send(b"x" * (MIB + 1))
    listeners.deliver(event(event_type="step_output"))
    listeners.deliver(event())
    assert len(peer.outbox.sent) == 2


async def test_waiting_for_readers_waits_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "STALL_S", 1000.0)
    listeners, first, second = Listeners(), Peer(), Peer()
    for peer in (first, second):
        listeners.add(peer.session, "w", "", [])
        peer.session.send(b"x" * (session_module.HOLD_BYTES + 1))
    waiting = asyncio.create_task(listeners.drained())
    first.outbox.take()
    done, _ = await asyncio.wait({waiting}, timeout=0.02)
    assert not done
    second.outbox.take()
    await asyncio.wait_for(waiting, 10)


def test_a_session_that_is_closed_gets_no_listener_by_its_last_request() -> None:
    listeners, peer = Listeners(), Peer()
    peer.session.closed = True
    listeners.add(peer.session, "w", "", [])
    assert listeners.count() == 0
