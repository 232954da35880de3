"""Messages to answers, with handlers of our own making."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from protocol import params as wire
from protocol.errors import WIRE_ERRORS
from protocol.methods import METHODS
from protocol.problems import Problem
from sidecar import errors
from sidecar.errors import SidecarError
from sidecar.rpc import json_text, requests
from sidecar.rpc.dispatcher import Dispatcher, Handler
from sidecar.rpc.framing import Oversized
from sidecar.rpc.session import Session
from tests.unit.sidecar.rpc.doubles import Peer, turns

INFO = {"jsonrpc": "2.0", "id": 1, "method": "sidecar:info"}


def raising(error: BaseException) -> Handler:
    async def handler(session: Session, params: Any) -> Any:
        raise error

    return handler


def returning(result: Any) -> Handler:
    async def handler(session: Session, params: Any) -> Any:
        return result

    return handler


async def answers(handler: Handler, *messages: Any, method: str = "sidecar:info") -> list[Any]:
    """What comes back for the messages, when all is done."""
    peer = Peer()
    dispatcher = Dispatcher({method: handler})
    for message in messages or [{**INFO, "method": method}]:
        dispatcher.receive(peer.session, json.dumps(message).encode())
    await asyncio.wait_for(peer.session.finished(), 10)
    return peer.messages


async def test_a_result_comes_back_with_the_requests_id() -> None:
    assert await answers(returning({"a": None})) == [
        {"jsonrpc": "2.0", "id": 1, "result": {"a": None}}
    ]


async def test_an_internal_exception_shows_nothing_but_a_correlation_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (answer,) = await answers(raising(RuntimeError("the table users has no column secret")))
    error = answer["error"]
    assert (error["code"], error["message"]) == (-32603, "Internal error")
    assert error["data"]["type"] == "InternalError"
    assert "users" not in json.dumps(answer)
    (record,) = caplog.records
    assert record.__dict__["fields"] == {"correlation_id": error["data"]["correlation_id"]}
    assert record.exc_info is not None


async def test_a_result_that_cannot_be_sent_is_an_internal_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    batch = [INFO, {**INFO, "id": 2, "method": "nothing"}]
    for answer in await answers(returning(object()), INFO, batch):
        for one in answer if isinstance(answer, list) else [answer]:
            if one["id"] == 1:
                assert one["error"]["code"] == -32603
                assert one["error"]["data"]["correlation_id"] in str(
                    [record.__dict__ for record in caplog.records]
                )
            else:
                assert one["error"]["code"] == -32601


async def test_an_internal_error_of_a_notification_is_only_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notification = {"jsonrpc": "2.0", "method": "sidecar:info"}
    assert await answers(raising(KeyError("x")), notification, [notification]) == []
    assert len(caplog.records) == 2


PROBLEM = Problem(field="f", message="m", line=3, column=4)
NOTE = Problem(field="g", message="n", severity="warning")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.WorkflowNotFound("no file"), -32001),
        (errors.WorkflowInvalid("bad", [PROBLEM, NOTE]), -32002),
        (errors.ExecutionNotFound("no run"), -32003),
        (errors.InvalidInputs("bad", [PROBLEM]), -32004),
        (errors.InvalidOptions("bad", [PROBLEM]), -32602),
        (errors.ShuttingDown("ending"), -32005),
        (errors.HistoryError("disk"), -32006),
        (errors.Overloaded("full"), -32007),
        (errors.PathOutsideProject("out"), -32602),
        (errors.UsageError("odd"), -32603),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_each_error_of_ours_has_its_code(error: SidecarError, code: int) -> None:
    (answer,) = await answers(raising(error))
    assert answer["error"]["code"] == code
    assert answer["error"]["message"] == error.message
    data = answer["error"]["data"]
    assert data["type"] == next(one.type for one in WIRE_ERRORS if one.code == code)
    if hasattr(error, "problems"):
        assert data["errors"] == [
            {"field": "f", "message": "m", "line": 3, "column": 4, "severity": "error"}
        ]


async def test_params_arrive_as_the_methods_model_by_name_and_by_position() -> None:
    seen: list[Any] = []

    async def handler(session: Session, params: Any) -> Any:
        seen.append(params)
        return {}

    method = "workflow:execution:history"
    for params in ({"workflow_id": "w", "limit": 2}, ["w", 2], ["w"]):
        await answers(handler, {**INFO, "method": method, "params": params}, method=method)
    full = wire.HistoryParams(workflow_id="w", limit=2)
    assert seen == [full, full, wire.HistoryParams(workflow_id="w")]


async def test_null_by_position_stands_for_a_param_that_was_left_out() -> None:
    seen: list[Any] = []

    async def handler(session: Session, params: Any) -> Any:
        seen.append(params)
        return {}

    method = "workflow:execution:subscribe"
    for params in ([None, None, ["step_output"]], [None, "a"], ["w", None, None]):
        await answers(handler, {**INFO, "method": method, "params": params}, method=method)
    assert seen == [
        wire.SubscribeParams(include=["step_output"]),
        wire.SubscribeParams(subscriber="a"),
        wire.SubscribeParams(workflow_id="w"),
    ]


async def test_nothing_that_was_sent_is_told_back_at_length() -> None:
    long = "x" * 1_000_000
    wrong: list[Any] = [{**INFO, "params": {long: 1}}, {**INFO, "method": long}]
    wrong.append({**INFO, "params": {f"key{n}": 1 for n in range(requests.MAX_PROBLEMS + 1)}})
    for answer in await answers(returning({}), *wrong):
        assert len(json.dumps(answer)) < 10_000
    long_error = errors.WorkflowInvalid(long, [Problem(field=long, message=long)])
    (answer,) = await answers(raising(long_error))
    assert len(json.dumps(answer)) < 10_000


async def test_no_error_shows_a_secret() -> None:
    secret = "AKIA" + "IOSFODNN7" + "EXAMPLE"
    invalid = errors.WorkflowInvalid(f"bad {secret}", [Problem(field="f", message=secret)])
    (answer,) = await answers(raising(invalid))
    assert secret not in json.dumps(answer)
    assert "[REDACTED]" in answer["error"]["message"]
    for wrong in ({**INFO, "method": secret}, {**INFO, "params": {secret: 1}}):
        (answer,) = await answers(returning({}), wrong)
        assert secret not in json.dumps(answer)
        assert answer["error"]["data"]["type"] in ("MethodNotFound", "InvalidParams")


async def test_an_oversized_message_is_an_invalid_request() -> None:
    peer = Peer()
    Dispatcher({}).receive(peer.session, Oversized(64))
    (answer,) = peer.messages
    assert (answer["error"]["code"], answer["id"]) == (-32600, None)
    assert answer["error"]["message"] == "the message is larger than 64 bytes and was skipped"


async def test_values_are_counted_outside_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_VALUES", 10)
    many = [{**INFO, "params": [1] * 20}]
    (answer,) = await answers(returning({}), many)
    assert (answer["error"]["code"], answer["id"]) == (-32600, None)
    text = {**INFO, "id": '[,{\\"' * 20}
    (answer,) = await answers(returning({}), text)
    assert answer["id"] == text["id"]


async def test_an_answer_comes_before_any_event_that_its_handler_let_in() -> None:
    """A subscription's snapshot is sent in the very turn in which it was taken."""

    async def subscribe(session: Session, params: Any) -> Any:
        asyncio.get_running_loop().call_soon(session.notify, b'{"event": 1}')
        return {"snapshot": 1}

    first, second = await answers(subscribe)
    assert (first["result"], second) == ({"snapshot": 1}, {"event": 1})


def waits(started: asyncio.Event) -> Handler:
    async def handler(session: Session, params: Any) -> Any:
        started.set()
        await asyncio.Event().wait()

    return handler


async def test_a_cancelled_request_answers_and_a_cancelled_notification_does_not() -> None:
    started = asyncio.Event()
    peer = Peer()
    dispatcher = Dispatcher({"sidecar:info": waits(started)})
    dispatcher.receive(peer.session, json.dumps(INFO).encode())
    dispatcher.receive(peer.session, b'{"jsonrpc":"2.0","method":"sidecar:info"}')
    await started.wait()
    for task in list(peer.session._tasks):
        task.cancel()
    await asyncio.wait_for(peer.session.finished(), 10)
    (answer,) = peer.messages
    assert (answer["error"]["code"], answer["id"]) == (-32800, 1)


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: [m]], ids=["alone", "in a batch"])
async def test_a_request_that_has_not_begun_yet_can_be_cancelled(
    wrap: Callable[[Any], Any],
) -> None:
    cancel = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}}
    (answer,) = await answers(waits(asyncio.Event()), wrap(INFO), cancel)
    answer = answer[0] if isinstance(answer, list) else answer
    assert answer["error"]["code"] == -32800


async def test_a_cancellation_must_be_a_proper_notification() -> None:
    cancel = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}}
    started = asyncio.Event()
    peer = Peer()
    dispatcher = Dispatcher({"sidecar:info": waits(started)})
    dispatcher.receive(peer.session, json.dumps(INFO).encode())
    # With an id it is a request for a method that there is not; without a version, nothing.
    for no_cancel in ({**cancel, "id": 9}, {**cancel, "jsonrpc": 2}, {**cancel, "params": []}):
        dispatcher.receive(peer.session, json.dumps(no_cancel).encode())
    await turns()
    assert [answer["error"]["code"] for answer in peer.messages] == [-32601, -32600]
    dispatcher.receive(peer.session, json.dumps(cancel).encode())
    await asyncio.wait_for(peer.session.finished(), 10)
    assert peer.messages[-1]["error"]["code"] == -32800


async def test_a_batch_is_answered_when_its_last_request_is() -> None:
    may_end = asyncio.Event()

    async def handler(session: Session, params: Any) -> Any:
        await may_end.wait()
        return {}

    peer = Peer()
    dispatcher = Dispatcher({"sidecar:info": handler})
    dispatcher.receive(peer.session, json.dumps([INFO, {**INFO, "method": "x"}]).encode())
    await turns()
    assert peer.messages == []
    may_end.set()
    await asyncio.wait_for(peer.session.finished(), 10)
    (batch,) = peer.messages
    assert ["result" in answer for answer in batch] == [False, True]


async def test_a_method_of_the_table_without_a_handler_is_not_found() -> None:
    (answer,) = await answers(returning({}), {**INFO, "method": "workflow:list"})
    assert answer["error"]["code"] == -32601
    assert "workflow:list" in METHODS
