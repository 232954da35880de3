"""Time as the engine sees it, so that tests can run hours of backoff in no time."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the engine asks of a clock."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, for people; may jump."""
        ...

    def monotonic_ms(self) -> float:
        """Milliseconds since some instant, for durations; never goes back."""
        ...

    async def sleep(self, delay_ms: int) -> None:
        """Return after `delay_ms` milliseconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        """Milliseconds since some instant."""
        return time.monotonic_ns() / 1_000_000

    async def sleep(self, delay_ms: int) -> None:
        """Return after `delay_ms` milliseconds."""
        await asyncio.sleep(delay_ms / 1000)
