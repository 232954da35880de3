"""The order of steps."""

import itertools
import time

import pytest

from sidecar.engine.plan import Plan, make_plan


def order(ids: str, needs: dict[str, str]) -> str:
    plan = make_plan(list(ids), {step: set(others) for step, others in needs.items()})
    assert isinstance(plan, Plan)
    return "".join(plan.order)


def cycle(ids: str, needs: dict[str, str]) -> str:
    found = make_plan(list(ids), {step: set(others) for step, others in needs.items()})
    assert isinstance(found, list)
    return "".join(found)


def test_without_needs_the_order_is_that_of_the_file() -> None:
    assert order("cab", {}) == "cab"


def test_a_step_comes_after_all_it_needs() -> None:
    assert order("abc", {"a": "bc", "b": "c"}) == "cba"


def test_ties_are_broken_by_the_file_even_when_steps_become_ready_late() -> None:
    # d is ready at once, b only after c; b stands earlier in the file, so it goes before d.
    assert order("abcd", {"b": "c"}) == "acbd"
    assert order("dcba", {"c": "a"}) == "dbac"


def test_a_diamond_runs_each_side_once() -> None:
    assert order("dcba", {"d": "bc", "b": "a", "c": "a"}) == "acbd"


def test_needs_that_are_no_steps_are_left_out() -> None:
    plan = make_plan(["a", "b"], {"a": {"b", "gone"}, "gone": {"a"}})

    assert isinstance(plan, Plan)
    assert plan.order == ("b", "a")
    assert plan.dependencies == {"a": {"b"}, "b": set()}


def test_nothing_is_planned_from_nothing() -> None:
    assert make_plan([], {}) == Plan((), {})


@pytest.mark.parametrize(
    ("ids", "needs", "path"),
    [
        ("a", {"a": "a"}, "aa"),
        ("ab", {"a": "b", "b": "a"}, "aba"),
        ("abcde", {"a": "b", "b": "c", "c": "d", "d": "e", "e": "a"}, "abcdea"),
        # What only waits for the cycle is no part of it.
        ("abc", {"a": "b", "b": "c", "c": "b"}, "bcb"),
        # Of two the one that the first stuck step leads to.
        ("abcd", {"c": "d", "d": "c", "a": "b", "b": "a"}, "aba"),
    ],
)
def test_a_cycle_is_named_with_its_path(ids: str, needs: dict[str, str], path: str) -> None:
    assert cycle(ids, needs) == path


def test_10_000_steps_in_a_chain_are_planned_quickly() -> None:
    ids = [f"s{i}" for i in range(10_000)]
    started_s = time.process_time()
    plan = make_plan(ids[::-1], {step: {need} for need, step in itertools.pairwise(ids)})

    assert isinstance(plan, Plan)
    assert plan.order == tuple(ids)
    assert time.process_time() - started_s < 5


def test_10_000_steps_in_a_fan_are_planned_quickly() -> None:
    ids = [f"s{i}" for i in range(10_000)]
    started_s = time.process_time()
    plan = make_plan(["end", *ids, "start"], {"end": set(ids), **{step: {"start"} for step in ids}})

    assert isinstance(plan, Plan)
    assert plan.order == ("start", *ids, "end")
    assert time.process_time() - started_s < 5


def test_a_cycle_of_10_000_steps_is_found_quickly() -> None:
    ids = [f"s{i}" for i in range(10_000)]
    found = make_plan(ids, {step: {ids[i - 1]} for i, step in enumerate(ids)})

    assert isinstance(found, list)
    assert len(found) == 10_001
