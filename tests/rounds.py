"""Figures of time and memory on a machine, and beneath an allocator, that do other things as well.

Their noise only ever adds, and does not stay: what is little by itself is so at least once in a few
rounds, what is much, or grows, is so in all of them.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final

ROUNDS: Final = 4


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    began_s = time.monotonic()
    work()
    return time.monotonic() - began_s


def assert_once_below(limit: float, figure: Callable[[], float]) -> None:
    """Take the figure until it is below the limit; fail if it never is."""
    taken = []
    for _ in range(ROUNDS):
        taken.append(figure())
        if taken[-1] < limit:
            return
    raise AssertionError(f"never below {limit}: {taken}")


async def assert_once_below_async(limit: float, figure: Callable[[], Awaitable[float]]) -> None:
    """The same for a figure that is awaited."""
    taken = []
    for _ in range(ROUNDS):
        taken.append(await figure())
        if taken[-1] < limit:
            return
    raise AssertionError(f"never below {limit}: {taken}")
