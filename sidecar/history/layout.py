"""Runs as keys and values of a store: which keys keep a run, and in which order runs ended.

N is 16 digits that increase with every end of a run (not a time: clocks go back):

    run:ID                      N and the history entry, as JSON
    detail:ID                   its steps, as JSON
    workflow:LENGTH:WORKFLOW:N  ID; the length keeps any two workflow ids apart
    order:N                     the key above
    running:ID                  a detail and the process it runs in, as JSON
    damaged:KEY                 what stood under KEY and could not be read

Knows neither SQL nor processes, and reads nothing back as a run: that is `executions`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from protocol.executions import ExecutionDetail
from protocol.limits import HISTORY_PER_WORKFLOW
from sidecar.history import owner
from sidecar.history.records import to_json, to_record
from sidecar.history.storage import Item, Storage

#: The index of all ended runs.
ORDER: Final = "order:"
RUNNING: Final = "running:"


def of_workflow(workflow_id: str) -> str:
    """The index of a workflow's ended runs."""
    return f"workflow:{len(workflow_id)}:{workflow_id}:"


def execution_id(storage: Storage, index_key: str) -> str | None:
    """Whose run a key of one of the indexes stands for."""
    if index_key.startswith(ORDER):
        index_key = storage.getItem(index_key) or ""
    return storage.getItem(index_key)


def contains(storage: Storage, run_id: str) -> bool:
    """Whether a run of this id is kept, running or ended."""
    return any(storage.getItem(kind + run_id) is not None for kind in ("run:", RUNNING))


def store_running(storage: Storage, detail: ExecutionDetail) -> None:
    """Keep a run that goes on, as one of this process."""
    record = {"owner": owner.this_process(), "detail": to_record(detail)}
    storage.setItem(RUNNING + detail.id, to_json(record))


def store_ended(storage: Storage, detail: ExecutionDetail) -> bool:
    """Keep a run that ended; whether others had to go. The caller holds the transaction.

    A run that has been kept before keeps its place.
    """
    entry = to_record(detail)
    steps = entry.pop("steps")
    number = _number(storage, detail.id)
    index = of_workflow(detail.workflow_id)
    storage.setItem("run:" + detail.id, to_json({"number": number, "entry": entry}))
    storage.setItem("detail:" + detail.id, to_json(steps))
    storage.setItem(index + number, detail.id)
    storage.setItem(ORDER + number, index + number)
    storage.removeItem(RUNNING + detail.id)
    surplus = storage.last_keys(index)[HISTORY_PER_WORKFLOW:]
    for key in surplus:
        drop(storage, key)
    return bool(surplus)


def _number(storage: Storage, run_id: str) -> str:
    """The number a run has already, else the next one."""
    try:
        return f"{int(orjson.loads(storage.getItem('run:' + run_id) or '')['number']):016d}"
    except (ValueError, TypeError, KeyError):
        last = storage.last_keys(ORDER, 1)
        return f"{int(last[0].removeprefix(ORDER)) + 1 if last else 1:016d}"


def drop(storage: Storage, index_key: str) -> None:
    """Forget the run that an index's key stands for; the caller holds the transaction."""
    run_id = execution_id(storage, index_key)
    order_key = ORDER + index_key.rpartition(":")[2]
    for key in (
        storage.getItem(order_key),
        order_key,
        index_key,
        f"run:{run_id}",
        f"detail:{run_id}",
    ):
        if key is not None:
            storage.removeItem(key)


def clear(storage: Storage, workflow_id: str | None) -> int:
    """Forget the ended runs of one workflow, or of all; how many."""
    with storage.transaction():
        keys = storage.last_keys(ORDER if workflow_id is None else of_workflow(workflow_id))
        for key in keys:
            drop(storage, key)
        if workflow_id is None:
            for key in storage.last_keys("damaged:"):
                storage.removeItem(key)
    return len(keys)


def mended(items: Iterable[Item]) -> list[Item]:
    """What a store begins with that was found damaged, of the items that could be read.

    A run whose entry is there gets back what leads to it, and loses its steps if they are lost;
    what no run belongs to any more is dropped.
    """
    there = dict(items)
    whole = [item for item in there.items() if item[0].startswith((RUNNING, "damaged:"))]
    for key, text in there.items():
        if key.startswith("run:"):
            whole += _mended_run(there, key, text)
    return list(dict(whole).items())


def _mended_run(there: dict[str, str], key: str, text: str) -> Iterator[Item]:
    run_id = key.removeprefix("run:")
    try:
        record: dict[str, Any] = orjson.loads(text)
        number = f"{int(record['number']):016d}"
        index_key = of_workflow(str(record["entry"]["workflow_id"])) + number
    except (ValueError, TypeError, KeyError):
        yield "damaged:" + key, text
        return
    yield key, text
    yield "detail:" + run_id, there.get("detail:" + run_id, "{}")
    yield index_key, run_id
    yield ORDER + number, index_key
