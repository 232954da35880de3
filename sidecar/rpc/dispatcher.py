"""One message of a peer → its answer. The only place that knows jsonrpcserver, and the only one
that gives exceptions their codes.

jsonrpcserver answers a batch with one bad member by a single error, and puts the text of an
uncaught exception into the answer. So batches are split here, messages read and params checked in
`requests`; each entry is then dispatched alone, to handlers that never raise.
"""

import asyncio
import logging
import uuid
import warnings
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from typing import Any, Final

from protocol import errors
from protocol.errors import WireError
from protocol.methods import CANCEL_NOTIFICATION, METHODS, Method
from protocol.params import CancelRequestParams
from protocol.problems import Problem, closest, shown
from sidecar.errors import (
    ExecutionNotFound,
    HistoryError,
    InvalidInputs,
    InvalidOptions,
    Overloaded,
    PathError,
    ShuttingDown,
    SidecarError,
    WorkflowInvalid,
    WorkflowNotFound,
)
from sidecar.redaction import Redactor
from sidecar.rpc.encoding import encode
from sidecar.rpc.framing import Message, Oversized, Unframed
from sidecar.rpc.json_text import (
    MAX_VALUES,
    NotJson,
    has_too_many_values,
    parsed,
    with_exact_ids,
    with_exact_integers,
)
from sidecar.rpc.requests import BadParams, cut, legal_id, params_of, request_problem
from sidecar.rpc.session import Session

with warnings.catch_warnings():
    # It uses what has been deprecated since, and must not end whoever makes warnings errors.
    warnings.simplefilter("ignore", DeprecationWarning)
    from jsonrpcserver import Error, Success
    from jsonrpcserver.async_dispatcher import dispatch_request
    from jsonrpcserver.dispatcher import create_request, to_response
    from jsonrpcserver.response import to_serializable_one

logger = logging.getLogger(__name__)

Handler = Callable[[Session, Any], Awaitable[Any]]

#: Requests in one batch; more is a client gone wrong.
MAX_BATCH: Final = 1_000
_CANCEL: Final = Method(CANCEL_NOTIFICATION, CancelRequestParams, None, "Cancel a request")

_CODE_OF: Final[Mapping[type[SidecarError], WireError]] = {
    WorkflowNotFound: errors.WORKFLOW_NOT_FOUND,
    WorkflowInvalid: errors.WORKFLOW_INVALID,
    InvalidInputs: errors.INVALID_INPUTS,
    InvalidOptions: errors.INVALID_PARAMS,
    ExecutionNotFound: errors.EXECUTION_NOT_FOUND,
    ShuttingDown: errors.SHUTTING_DOWN,
    Overloaded: errors.OVERLOADED,
    HistoryError: errors.HISTORY_UNAVAILABLE,
    PathError: errors.INVALID_PARAMS,
}


class Dispatcher:
    """Answers messages with the given handlers, one for each method of the protocol's table."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._methods = {name: _never_raising(handler) for name, handler in handlers.items()}
        self._redactor = Redactor(of_all_runs=True)

    async def serve(self, session: Session, messages: AsyncIterable[Message]) -> None:
        """Answer a peer's messages to their end, each begun when those before it have had their
        first turn."""
        async for message in messages:
            self.receive(session, message)
            await session.has_room()

    def receive(self, session: Session, message: Message) -> None:
        """Start answering one message; the answer goes to the session when it is ready."""
        if isinstance(message, Unframed):
            self._refuse(session, errors.PARSE_ERROR, message.problem)
            return
        if isinstance(message, Oversized):
            text = f"the message is larger than {message.limit_bytes} bytes and was skipped"
            self._refuse(session, errors.INVALID_REQUEST, text)
            return
        if has_too_many_values(message):
            text = f"the message holds more than {MAX_VALUES} values and was skipped"
            self._refuse(session, errors.INVALID_REQUEST, text)
            return
        try:
            data = with_exact_integers(message, with_exact_ids(message, parsed(message)))
        except NotJson as error:
            self._refuse(session, errors.PARSE_ERROR, f"not JSON: {error}")
            return
        if isinstance(data, list):
            self._receive_batch(session, data)
        elif not self._cancelled_request(session, data):
            session.run(legal_id(data), self._answer_one(session, data))

    def _receive_batch(self, session: Session, entries: list[Any]) -> None:
        """JSON-RPC 2.0, section 6: one array of answers; notifications have none."""
        if not entries:
            self._refuse(session, errors.INVALID_REQUEST, "an empty batch")
            return
        if len(entries) > MAX_BATCH:
            text = f"a batch of {len(entries)} requests; at most {MAX_BATCH} are accepted"
            self._refuse(session, errors.INVALID_REQUEST, text)
            return
        answers: list[bytes] = []
        # Each is a request of its own from now on, so that each can be cancelled.
        answering = [
            session.run(legal_id(entry), self._answer_entry(session, entry, answers))
            for entry in entries
            if not self._cancelled_request(session, entry)
        ]
        if answering:
            session.run(None, self._answer_batch(session, answering, answers))

    def _refuse(self, session: Session, kind_of_error: WireError, text: str) -> None:
        session.send(encode(self._error(kind_of_error, text, None)))

    async def _answer_one(self, session: Session, data: Any) -> None:
        answer = await self._answer(session, data)
        if answer is not None:
            session.send(answer)

    async def _answer_entry(self, session: Session, entry: Any, answers: list[bytes]) -> None:
        answer = await self._answer(session, entry)
        if answer is not None:
            answers.append(answer)

    async def _answer_batch(
        self, session: Session, answering: list[asyncio.Task[None]], answers: list[bytes]
    ) -> None:
        await asyncio.wait(answering)
        if answers:
            session.send(b"[" + b",".join(answers) + b"]")

    def _cancelled_request(self, session: Session, data: Any) -> bool:
        """Handle the notification `$/cancelRequest` (LSP 3.17) at once; was it one?"""
        if request_problem(data) or data["method"] != CANCEL_NOTIFICATION or "id" in data:
            return False
        try:
            params = params_of(_CANCEL, data.get("params"))
        except BadParams:
            return True  # a notification is never answered, not even a wrong one
        session.cancel_request(params.model_dump()["id"])
        return True

    async def _answer(self, session: Session, data: Any) -> bytes | None:
        """The answer to one request, or None to a notification; raises nothing."""
        problem = request_problem(data)
        if problem is not None:
            return encode(self._error(errors.INVALID_REQUEST, problem, legal_id(data)))
        try:
            answer = await self._dispatch(session, data)
            return encode(answer) if "id" in data else None
        except asyncio.CancelledError:
            answer = self._error(
                errors.REQUEST_CANCELLED, "the request was cancelled", data.get("id")
            )
        except Exception:
            # A result that cannot be sent.
            correlation_id = _logged_bug()
            answer = self._error(errors.INTERNAL_ERROR, "Internal error", data.get("id"))
            answer["error"]["data"]["correlation_id"] = correlation_id
        return encode(answer) if "id" in data else None

    async def _dispatch(self, session: Session, data: dict[str, Any]) -> dict[str, Any]:
        name = data["method"]
        method = METHODS.get(name)
        try:
            params = params_of(method, data.get("params")) if method else None
        except BadParams as bad:
            return self._error(errors.INVALID_PARAMS, bad.message, data.get("id"), bad.problems)
        # Not the library's whole dispatch: that runs each request in one more task, and events
        # could come between a subscription and its answer.
        request, result = await dispatch_request(
            self._methods,
            session,
            create_request({"method": name, "params": [params], "id": data.get("id")}),
        )
        answer: dict[str, Any] = to_serializable_one(to_response(request, result))
        if "error" in answer:
            return self._worded(answer, name)
        return answer

    def _worded(self, answer: dict[str, Any], method: str) -> dict[str, Any]:
        """An error answer of the library in our words, and with no secret in it."""
        if answer["error"]["code"] == errors.METHOD_NOT_FOUND.code:
            near = closest(method, METHODS)
            hint = f'; did you mean "{near}"?' if near else "; rpc.discover lists all"
            text = f"there is no method {shown(method)}{hint}"
            return self._error(errors.METHOD_NOT_FOUND, text, answer["id"])
        return {**answer, "error": self._redactor.value(answer["error"])}

    def _error(
        self,
        kind_of_error: WireError,
        message: str,
        request_id: Any,
        problems: list[Problem] | None = None,
    ) -> dict[str, Any]:
        data: dict[str, Any] = {"type": kind_of_error.type}
        if problems is not None:
            data["errors"] = [_shown_problem(problem) for problem in problems]
        error = {"code": kind_of_error.code, "message": cut(message), "data": data}
        return {"jsonrpc": "2.0", "error": self._redactor.value(error), "id": request_id}


def _shown_problem(problem: Problem) -> dict[str, Any]:
    """As `workflow:validate` shows it, what quotes the sender cut short."""
    fields = problem.model_dump(exclude_none=True)
    return {key: cut(item) if isinstance(item, str) else item for key, item in fields.items()}


def _never_raising(handler: Handler) -> Callable[[Session, Any], Awaitable[Any]]:
    """The handler with every exception turned into an error of the wire."""

    async def answer(session: Session, params: Any) -> Any:
        try:
            return Success(await handler(session, params))
        except SidecarError as error:
            wire = _wire_error(error)
            data: dict[str, Any] = {"type": wire.type}
            if isinstance(error, (WorkflowInvalid, InvalidInputs, InvalidOptions)):
                data["errors"] = [
                    _shown_problem(problem)
                    for problem in error.problems
                    if problem.severity == "error"
                ]
            return Error(wire.code, cut(error.message), data)
        except Exception:
            wire = errors.INTERNAL_ERROR
            data = {"type": wire.type, "correlation_id": _logged_bug()}
            return Error(wire.code, "Internal error", data)

    return answer


def _logged_bug() -> str:
    """Log the exception being handled; the id that finds it in the log."""
    correlation_id = str(uuid.uuid4())
    fields = {"correlation_id": correlation_id}
    logger.exception("internal error in a method", extra={"fields": fields})
    return correlation_id


def _wire_error(error: SidecarError) -> WireError:
    for cls in type(error).__mro__:
        if cls in _CODE_OF:
            return _CODE_OF[cls]
    return errors.INTERNAL_ERROR
