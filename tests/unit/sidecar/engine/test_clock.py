"""The machine's clock, by the engine's names."""

import time

from sidecar.engine.clock import SystemClock


async def test_the_clock_tells_the_epoch_and_sleeps_what_it_is_asked() -> None:
    clock = SystemClock()
    assert abs(clock.now_ms() - time.time() * 1000) < 5_000
    before_ms = clock.monotonic_ms()
    await clock.sleep(20)
    assert clock.monotonic_ms() - before_ms >= 19
