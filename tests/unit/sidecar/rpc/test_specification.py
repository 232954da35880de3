"""Every example of the JSON-RPC 2.0 specification's section 7, answer for answer.

The methods are the specification's; the texts are its own, character for character.
"""

import asyncio
import json
from typing import Any

import pytest

from protocol.base import Model
from protocol.methods import METHODS, Method
from sidecar.rpc import dispatcher as module
from sidecar.rpc.dispatcher import Dispatcher
from sidecar.rpc.session import Session
from tests.unit.sidecar.rpc.doubles import Peer


class Subtract(Model):
    """Params by position or by name."""

    minuend: int
    subtrahend: int


class Sum(Model):
    """Three numbers."""

    a: int
    b: int
    c: int


class Update(Model):
    """Five numbers."""

    a: int
    b: int
    c: int
    d: int
    e: int


class Hello(Model):
    """One number."""

    a: int


class Nothing(Model):
    """None."""


PARAMS: dict[str, type[Model]] = {
    "subtract": Subtract,
    "sum": Sum,
    "update": Update,
    "notify_hello": Hello,
    "notify_sum": Sum,
    "get_data": Nothing,
}


async def subtract(session: Session, params: Subtract) -> int:
    return params.minuend - params.subtrahend


async def add(session: Session, params: Sum) -> int:
    return params.a + params.b + params.c


async def get_data(session: Session, params: Nothing) -> list[Any]:
    return ["hello", 5]


async def heard(session: Session, params: Model) -> None:
    return None


HANDLERS: dict[str, module.Handler] = {
    "subtract": subtract,
    "sum": add,
    "get_data": get_data,
    "update": heard,
    "notify_hello": heard,
    "notify_sum": heard,
}

#: What the client sends, and what comes back; None where nothing does.
EXAMPLES: list[tuple[str, str, str | None]] = [
    (
        "positional parameters",
        '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
        '{"jsonrpc": "2.0", "result": 19, "id": 1}',
    ),
    (
        "positional parameters, the other way round",
        '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
        '{"jsonrpc": "2.0", "result": -19, "id": 2}',
    ),
    (
        "named parameters",
        '{"jsonrpc": "2.0", "method": "subtract", '
        '"params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
        '{"jsonrpc": "2.0", "result": 19, "id": 3}',
    ),
    (
        "named parameters, the other way round",
        '{"jsonrpc": "2.0", "method": "subtract", '
        '"params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
        '{"jsonrpc": "2.0", "result": 19, "id": 4}',
    ),
    ("a notification", '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', None),
    ("another notification", '{"jsonrpc": "2.0", "method": "foobar"}', None),
    (
        "a non-existent method",
        '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
        '{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"}',
    ),
    (
        "invalid JSON",
        '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
        '{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}',
    ),
    (
        "an invalid Request object",
        '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
        '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}',
    ),
    (
        "a batch of invalid JSON",
        """[
  {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
  {"jsonrpc": "2.0", "method"
]""",
        '{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}',
    ),
    (
        "an empty Array",
        "[]",
        '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}',
    ),
    (
        "an invalid batch, but not empty",
        "[1]",
        """[
  {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}
]""",
    ),
    (
        "an invalid batch",
        "[1,2,3]",
        """[
  {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
  {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
  {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}
]""",
    ),
    (
        "a batch",
        """[
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]""",
        """[
        {"jsonrpc": "2.0", "result": 7, "id": "1"},
        {"jsonrpc": "2.0", "result": 19, "id": "2"},
        {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
        {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "5"},
        {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}
    ]""",
    ),
    (
        "a batch of notifications",
        """[
        {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
    ]""",
        None,
    ),
]


def comparable(answer: Any) -> Any:
    """An answer without an error's words and data, which are the server's own (section 5.1); a
    batch in an order of its own, since the server may choose one (section 6)."""
    if isinstance(answer, list):
        return sorted((comparable(one) for one in answer), key=repr)
    if "error" in answer:
        assert isinstance(answer["error"]["message"], str)
        return {**answer, "error": answer["error"]["code"]}
    return answer


@pytest.mark.parametrize(
    ("sent", "expected"),
    [pytest.param(sent, expected, id=name) for name, sent, expected in EXAMPLES],
)
async def test_each_example_is_answered_as_the_specification_says(
    monkeypatch: pytest.MonkeyPatch, sent: str, expected: str | None
) -> None:
    table = {name: Method(name, params, Any, "") for name, params in PARAMS.items()}
    monkeypatch.setattr(module, "METHODS", {**METHODS, **table})
    peer = Peer()
    Dispatcher(HANDLERS).receive(peer.session, sent.encode())
    await asyncio.wait_for(peer.session.finished(), 10)
    answers = [comparable(answer) for answer in peer.messages]
    assert answers == ([] if expected is None else [comparable(json.loads(expected))])
