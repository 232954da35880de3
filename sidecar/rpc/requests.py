"""What a peer sent: from the value of a message to requests and checked params.

It knows the protocol's table and nothing of how anything is answered.
"""

from typing import Any, Final

from pydantic import ValidationError

from protocol.base import Model
from protocol.methods import Method
from protocol.model_problems import problems_of
from protocol.problems import Problem, kind

#: Problems of one request that are told; beyond that, only how many there are.
MAX_PROBLEMS: Final = 100
#: Characters of a message that quotes what was sent.
MAX_TEXT_CHARACTERS: Final = 2_000


def cut(text: str) -> str:
    """A text that quotes what was sent, cut to a length worth sending back."""
    return text if len(text) <= MAX_TEXT_CHARACTERS else text[:MAX_TEXT_CHARACTERS] + "…"


class BadParams(Exception):
    """Params that do not fit their method; `problems` names each field."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems
        self.message = "Invalid params: " + "; ".join(
            f"{problem.field}: {problem.text()}" if problem.field else problem.text()
            for problem in problems
        )


def request_problem(data: Any) -> str | None:
    """Why `data` is no request (JSON-RPC 2.0, section 4), or None."""
    if not isinstance(data, dict):
        return f"a request is an object, not {kind(data)}"
    if data.get("jsonrpc") != "2.0":
        return 'a request has "jsonrpc": "2.0"'
    if "method" not in data and ("result" in data or "error" in data):
        return "an answer, but nothing was asked"
    if not isinstance(data.get("method"), str):
        return "a request has a method, as text"
    if "id" in data and not _is_legal_id(data["id"]):
        return f"an id is text, a number or null, not {kind(data['id'])}"
    if not isinstance(data.get("params", []), (list, dict, type(None))):
        return f"params are an object or a list, not {kind(data['params'])}"
    return None


def _is_legal_id(value: Any) -> bool:
    return value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool))


def legal_id(data: Any) -> Any:
    """The id to echo in the answer to an invalid request: null when it cannot be told."""
    if isinstance(data, dict) and "method" in data and _is_legal_id(data.get("id")):
        return data.get("id")
    return None


def params_of(method: Method, params: Any) -> Model:
    """Check params, by name or by position, against the method's model. Raises BadParams.

    By position, null stands for a param that is not given if it need not be: so JSON writes an
    argument that a caller left out before others.
    """
    fields = method.params.model_fields
    names = list(fields)
    given = params if params is not None else {}
    if isinstance(given, list):
        if len(given) > len(names):
            expected = f"at most {len(names)} ({', '.join(names)})" if names else "none"
            message = f"expected {expected}, got {len(given)} by position"
            raise BadParams([Problem(field="params", message=message)])
        given = {
            name: value
            for name, value in zip(names, given, strict=False)
            if value is not None or fields[name].is_required()
        }
    try:
        return method.params.model_validate(given)
    except ValidationError as error:
        count = error.error_count()
        if count > MAX_PROBLEMS:
            # Telling what is wrong costs far more than finding it.
            raise BadParams([Problem(field="params", message=f"{count} problems")]) from None
        found = [one.problem for one in problems_of(error, method.params)]
        raise BadParams(found) from None
