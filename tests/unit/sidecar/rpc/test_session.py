"""One peer: what waits for it, and its requests in flight."""

import asyncio

import pytest

from protocol import limits
from protocol.limits import MAX_OUTBOX_BYTES, MAX_REQUESTS_IN_FLIGHT, MIB
from sidecar.rpc import session as module
from sidecar.rpc.json_text import ExactNumber
from tests.unit.sidecar.rpc.doubles import Peer, turns


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer counts as stopped at once."""
    monkeypatch.setattr(module, "STALL_S", 0.0)


async def test_a_peer_that_stops_reading_is_cut_off_at_sixteen_mib(quick: None) -> None:
    peer = Peer()
    for _ in range(16):
        peer.session.notify(b"x" * MIB)
    assert (peer.overflows, peer.session.pending_bytes) == (0, MAX_OUTBOX_BYTES)
    peer.session.notify(b"x")
    assert (peer.overflows, peer.session.pending_bytes) == (1, MAX_OUTBOX_BYTES)
    # Once it has read, it may subscribe again, and is cut off again.
    peer.outbox.take()
    for _ in range(17):
        peer.session.notify(b"x" * MIB)
    assert peer.overflows == 2


async def test_a_peer_that_reads_is_not_cut_off_behind_a_large_answer() -> None:
    peer = Peer()
    peer.session.send(b"x" * (MAX_OUTBOX_BYTES + MIB))
    for _ in range(10):
        peer.outbox.take(64 * 1024)
        peer.session.notify(b"event")
    assert (peer.overflows, len(peer.outbox.sent)) == (0, 11)


async def test_even_a_peer_that_reads_costs_bounded_memory() -> None:
    peer = Peer()
    for _ in range(200):
        peer.outbox.take(min(1, peer.session.pending_bytes))
        peer.session.notify(b"x" * MIB)
    assert peer.overflows > 0
    assert peer.session.pending_bytes <= module.MAX_BURST_BYTES


async def test_answers_are_sent_whatever_waits(quick: None) -> None:
    peer = Peer()
    peer.session.send(b"x" * MAX_OUTBOX_BYTES)
    peer.session.send(b"answer")
    assert peer.outbox.sent[-1] == b"answer"


async def test_a_run_waits_for_a_peer_that_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 1000.0)
    peer = Peer()
    peer.session.send(b"x" * (module.PACE_BYTES + 10))
    waiting = asyncio.create_task(peer.session.drained())
    await turns()
    assert not waiting.done()
    peer.outbox.take(5)
    await turns()
    assert not waiting.done()
    peer.outbox.take(5)
    await asyncio.wait_for(waiting, 10)


async def test_nobody_waits_for_a_peer_that_is_not_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "STALL_S", 1000.0)
    peer = Peer()
    peer.session.send(b"x" * (module.PACE_BYTES + 10))
    await asyncio.wait_for(peer.session.drained(), 10)
    # It reads again, and is waited for again.
    monkeypatch.setattr(module, "_PAUSE_S", 1000.0)
    peer.outbox.take(1)
    waiting = asyncio.create_task(peer.session.drained())
    await turns()
    assert not waiting.done()
    peer.outbox.take()
    await asyncio.wait_for(waiting, 10)


async def test_a_peer_that_pauses_is_waited_for_only_when_it_could_be_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "STALL_S", 0.1)
    peer = Peer()
    peer.session.send(b"x" * (module.HOLD_BYTES + 10))
    loop = asyncio.get_running_loop()
    before_s = loop.time()
    await asyncio.wait_for(peer.session.drained(), 10)
    assert loop.time() - before_s >= 0.1
    # It has stopped by now: nobody waits a second time, not for one turn of the loop.
    with pytest.raises(StopIteration):
        peer.session.drained().send(None)


async def test_a_peer_that_had_nothing_to_read_has_not_stopped() -> None:
    for large in (True, False):
        peer = Peer()
        peer.session.notify(b"")
        peer.session._seen_at_s -= 1000
        if large:
            peer.session.send(b"x" * (MAX_OUTBOX_BYTES + MIB))
        for _ in range(17):
            peer.session.notify(b"x" * MIB)
        assert peer.overflows == 0


async def test_requests_are_held_while_answers_are_not_read() -> None:
    peer = Peer()
    await asyncio.wait_for(peer.session.has_room(), 10)
    peer.session.send(b"x" * (MAX_OUTBOX_BYTES + 1))
    waiting = asyncio.create_task(peer.session.has_room())
    await turns()
    assert not waiting.done()
    peer.outbox.take(1)
    await asyncio.wait_for(waiting, 10)


async def test_requests_are_held_while_too_many_are_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MAX_REQUESTS_IN_FLIGHT == 10_000
    monkeypatch.setattr(limits, "MAX_REQUESTS_IN_FLIGHT", 3)
    peer = Peer()
    may_end = asyncio.Event()

    async def work() -> None:
        await may_end.wait()

    for number in range(3):
        peer.session.run(number, work())
    waiting = asyncio.create_task(peer.session.has_room())
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not done
    may_end.set()
    await asyncio.wait_for(waiting, 10)


async def test_a_request_is_cancelled_by_its_own_id_and_once() -> None:
    peer = Peer()
    cancelled: list[object] = []

    async def work(name: object) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(name)
                if cancelled.count(name) > 1 or name == 1.0:
                    raise

    # As it was sent, an id that is a float stands in its own text.
    names: tuple[object, ...] = (1, ExactNumber("1.00"), "1")
    tasks = {name: peer.session.run(name, work(name)) for name in names}
    # At once, before any of them has begun: each is to see its cancellation.
    peer.session.cancel_request(1)
    peer.session.cancel_request(1)
    peer.session.cancel_request([1])
    peer.session.cancel_request(None)
    await turns()
    assert cancelled == [1]
    peer.session.cancel_request(1.0)
    await turns()
    assert cancelled == [1, 1.0]
    assert (tasks[1.0].done(), tasks["1"].done()) == (True, False)
    for task in tasks.values():
        task.cancel()
        task.cancel()
    await turns()
    tasks[1].cancel()
    tasks["1"].cancel()
    await asyncio.wait_for(peer.session.finished(), 10)


async def test_an_id_used_again_while_in_flight_belongs_to_the_later_request() -> None:
    peer = Peer()
    first_may_end = asyncio.Event()

    async def first() -> None:
        await first_may_end.wait()

    async def second() -> None:
        await asyncio.Event().wait()

    earlier = peer.session.run(7, first())
    later = peer.session.run(7, second())
    first_may_end.set()
    await asyncio.wait_for(earlier, 10)
    peer.session.cancel_request(7)
    await turns()
    assert later.cancelled()


async def test_finished_waits_for_requests_that_requests_began() -> None:
    peer = Peer()
    done: list[str] = []

    async def inner() -> None:
        await asyncio.sleep(0)
        done.append("inner")

    async def outer() -> None:
        peer.session.run(None, inner())
        done.append("outer")

    peer.session.run(None, outer())
    await asyncio.wait_for(peer.session.finished(), 10)
    assert done == ["outer", "inner"]
