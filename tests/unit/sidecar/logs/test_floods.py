"""Which records of a flood pass, by a clock that the test moves."""

import logging

from sidecar.logs.floods import BURST, MAX_CAUSES, PER_SECOND, Floods


class Clock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def counted(thinned: Floods) -> list[int]:
    """How many were left out, of each cause."""
    return [vars(summary)["fields"]["records"] for summary in thinned.summaries()]


def record(message: str, level: int = logging.ERROR, logger: str = "a") -> logging.LogRecord:
    return logging.LogRecord(logger, level, "", 0, message, (), None)


def test_a_burst_passes_and_then_so_many_a_second() -> None:
    clock = Clock()
    thinned = Floods(clock)
    assert sum(thinned.passes(record("x")) for _ in range(1_000)) == BURST
    clock.now_s += 3
    assert sum(thinned.passes(record("x")) for _ in range(1_000)) == 3 * PER_SECOND
    clock.now_s += 1_000
    assert sum(thinned.passes(record("x")) for _ in range(1_000)) == BURST
    assert counted(thinned) == [3_000 - 2 * BURST - 3 * PER_SECOND]
    assert counted(thinned) == []


def test_one_flood_costs_no_other_cause_its_place() -> None:
    thinned = Floods(Clock())
    for _ in range(1_000):
        thinned.passes(record("flood"))
    assert thinned.passes(record("another text"))
    assert thinned.passes(record("flood", logger="another logger"))
    assert thinned.passes(record("flood", level=logging.WARNING))


def test_lower_levels_pass_whatever_comes() -> None:
    thinned = Floods(Clock())
    assert all(thinned.passes(record("x", logging.INFO)) for _ in range(1_000))


def test_texts_without_number_cannot_fill_the_memory() -> None:
    clock = Clock()
    thinned = Floods(clock)
    passed = sum(thinned.passes(record(f"text {number}")) for number in range(10_000))
    # Each of the first ones by itself, then all others together.
    assert passed == MAX_CAUSES + BURST
    assert len(thinned._causes) == MAX_CAUSES + 1
    assert sum(counted(thinned)) == 10_000 - passed
    clock.now_s += 60
    assert thinned.passes(record("a new text"))
    assert len(thinned._causes) == 1, "what has been quiet is forgotten"
