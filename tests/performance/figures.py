"""Taking a figure: rounds of timings, their median and their 99th percentile, and its line.

A benchmark is a generator of rows; it measures what it compares with in the same run, in turn, so
that a ratio holds although the machine's speed does not.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

#: A benchmark: gets an empty folder of its own, yields the lines of its part of the table.
Benchmark = Callable[[Path], Iterable["Row"]]


@dataclass(frozen=True)
class Row:
    """One line of the table. `p50` and `p99` are in `unit`; `limit` is the plan's, in `unit`.

    `curve` and `size` make it a point of the plot: what is measured, and at how much of it.
    """

    name: str
    p50: float
    p99: float | None = None
    unit: str = "ms"
    baseline: str | None = None
    baseline_p50: float | None = None
    limit: float | None = None
    curve: str | None = None
    size: int | None = None

    @property
    def ratio(self) -> float | None:
        """Of the medians, ours over the baseline's."""
        return self.p50 / self.baseline_p50 if self.baseline_p50 else None

    @property
    def cost(self) -> float:
        """What one costs: of so many a second, the time for one of them."""
        return 1 / self.p50 if self.unit.endswith(("/s", "per s")) else self.p50

    def __str__(self) -> str:
        p99 = "" if self.p99 is None else number(self.p99)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} x"
        beside = "" if self.baseline_p50 is None else f"{number(self.baseline_p50)} {self.unit}"
        limit = "" if self.limit is None else f"{self.limit:g} {self.unit}"
        return (
            f"{self.name:<52} {number(self.p50):>10} {p99:>10} {self.unit:<5} {limit:>7} "
            f"{ratio:>9}  {self.baseline or '':<42} {beside}"
        ).rstrip()


HEADING = (
    f"{'':<52} {'p50':>10} {'p99':>10} {'unit':<5} {'limit':>7} {'ratio':>9}  "
    f"{'to its baseline':<42} p50 of that"
)


def number(value: float) -> str:
    """A figure as people read it."""
    return f"{value:,.{0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 3}f}"


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

    def per(self, count: int, name: str) -> "Figure":
        """The same timings shared among the `count` things that each took."""
        return Figure(name, [time_ms / count for time_ms in self.times_ms])

    def row(
        self,
        baseline: "Figure | None" = None,
        limit_ms: float | None = None,
        *,
        curve: str | None = None,
        size: int | None = None,
    ) -> Row:
        """Its line of the table."""
        return Row(
            self.name,
            self.p50_ms,
            self.p99_ms,
            baseline=baseline.name if baseline else None,
            baseline_p50=baseline.p50_ms if baseline else None,
            limit=limit_ms,
            curve=curve,
            size=size,
        )


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that one call takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


#: Between scripts whose start is timed: what is done when one has ended is done by then.
REST_S = 0.01


def interleaved(
    rounds: int, rest_s: float = 0.0, /, **works: Callable[[], object]
) -> dict[str, Figure]:
    """Time several things in turn, A B A B …, so that a drift of the machine hits all alike.

    Each is called once before, untimed. Before each call there is a pause of `rest_s`, so that what
    one does when it has answered is not in the next one's way.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            time.sleep(rest_s)
            times[name].append(timed(work))
    return {name: Figure(name.replace("_", " "), values) for name, values in times.items()}
