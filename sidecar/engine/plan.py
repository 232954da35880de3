"""The order of a workflow's steps: a dependency graph, cut into one line.

A graph from the first day: running one step at a time is its width set to 1. It knows ids and
edges, nothing of what a step does. Nothing here recurses, so 10,000 steps in a chain are fine.
"""

import heapq
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """`order` holds every step after all it depends on, file order breaking ties."""

    order: tuple[str, ...]
    dependencies: Mapping[str, Set[str]]


def make_plan(step_ids: Sequence[str], dependencies: Mapping[str, Set[str]]) -> Plan | list[str]:
    """The plan, or the path of one cycle: `["a", "b", "a"]` when a needs b and b needs a.

    `dependencies` maps a step to the steps it needs; ids unknown to `step_ids` are ignored, since
    they have been reported as such.
    """
    position = {step_id: index for index, step_id in enumerate(step_ids)}
    waiting_for = {
        step_id: {need for need in dependencies.get(step_id, ()) if need in position}
        for step_id in step_ids
    }
    needed_by: dict[str, list[str]] = {step_id: [] for step_id in step_ids}
    for step_id, needs in waiting_for.items():
        for need in needs:
            needed_by[need].append(step_id)
    missing = {step_id: len(needs) for step_id, needs in waiting_for.items()}
    ready = [position[step_id] for step_id, count in missing.items() if count == 0]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        step_id = step_ids[heapq.heappop(ready)]
        order.append(step_id)
        for dependent in needed_by[step_id]:
            missing[dependent] -= 1
            if missing[dependent] == 0:
                heapq.heappush(ready, position[dependent])
    if len(order) < len(step_ids):
        stuck = [step_id for step_id in step_ids if missing[step_id] > 0]
        return _cycle(stuck, waiting_for)
    return Plan(tuple(order), waiting_for)


def _cycle(stuck: Sequence[str], needs: Mapping[str, Set[str]]) -> list[str]:
    """One cycle among steps that each wait for another of them."""
    remaining = set(stuck)
    rank = {step_id: index for index, step_id in enumerate(stuck)}
    path: list[str] = []
    seen: dict[str, int] = {}
    step_id = stuck[0]
    # Every stuck step needs a stuck one, so following needs must come back to a step seen.
    while step_id not in seen:
        seen[step_id] = len(path)
        path.append(step_id)
        step_id = min((need for need in needs[step_id] if need in remaining), key=rank.__getitem__)
    return [*path[seen[step_id] :], step_id]
