"""Taking a figure: rounds of timings, their median and their 99th percentile."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Timings of one thing, in milliseconds."""

    name: str
    times_ms: list[float]

    @property
    def p50_ms(self) -> float:
        """The median."""
        return statistics.median(self.times_ms)

    @property
    def p99_ms(self) -> float:
        """The 99th percentile; of fewer than 100 rounds, the greatest."""
        return sorted(self.times_ms)[min(len(self.times_ms) - 1, int(len(self.times_ms) * 0.99))]

    def row(self, baseline: "Figure | None" = None, limit_ms: float | None = None) -> str:
        """One line of the table."""
        ratio = f"{self.p50_ms / baseline.p50_ms:6.2f} x {baseline.name}" if baseline else ""
        limit = f"  (plan: {limit_ms:.0f} ms)" if limit_ms is not None else ""
        return f"{self.name:<44} {self.p50_ms:10.3f} {self.p99_ms:10.3f}   {ratio}{limit}"


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that one call takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def interleaved(rounds: int, **works: Callable[[], object]) -> dict[str, Figure]:
    """Time several things in turn, A B A B …, so that a drift of the machine hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(timed(work))
    return {name: Figure(name, values) for name, values in times.items()}
