"""The reference of the wire in Markdown, from the same schemas as the OpenRPC document.

What README.md says about methods, events, errors and every field of every object is written here,
so that nothing can be left out or be told otherwise than it is. The introduction before it is
written by hand.
"""

import json
from collections.abc import Iterable
from typing import Any

from protocol.errors import WIRE_ERRORS
from protocol.events import EVENT_NOTIFICATION, OPTIONAL_EVENT_TYPES, ExecutionEvent
from protocol.examples import EXAMPLES
from protocol.methods import (
    CANCEL_NOTIFICATION,
    COMMON_ERRORS,
    METHODS,
    Method,
)
from protocol.openrpc import CANCEL_SUMMARY, EVENT_SUMMARY, error_data_schema
from protocol.params import CancelRequestParams
from protocol.schemas import REF, Named, accepted, sent
from protocol.typescript import bounds


def reference() -> str:
    """Everything below the introduction."""
    named: Named = {}
    methods = [_method(method, named) for method in METHODS.values()]
    cancel = accepted(CancelRequestParams, named)
    events = _events(named)
    errors = _errors(named)
    parts = [
        "## Methods",
        _common_errors(),
        *methods,
        "## Notifications",
        f"### `{CANCEL_NOTIFICATION}`",
        f"From the client. {CANCEL_SUMMARY}.",
        _fields(cancel),
        *events,
        "## Errors",
        *errors,
        "## Objects",
        "A field without a mark is always there. What ends in `Draft` is what the sidecar takes, "
        "with the fields that may be left out; the same name without it is what the sidecar sends.",
        *_objects(named),
    ]
    return "\n\n".join(parts) + "\n"


def _method(method: Method, named: Named) -> str:
    params = accepted(method.params, named)
    result = sent(method.result, named)
    own = [f"`{error.type}`" for error in method.errors]
    parts = [f"### `{method.name}`", f"{method.summary}."]
    if params.get("properties"):
        parts.append(_fields(params))
    else:
        parts.append("No params.")
    parts.append(f"Result: {_type(result)}.")
    if own:
        parts.append(f"Errors: {', '.join(own)}.")
    for example in EXAMPLES:
        if example.method == method.name:
            call = {"method": method.name, "params": example.params}
            parts.append(
                f"Example, {example.name}:\n\n```json\n{json.dumps(call)}\n"
                f"{json.dumps(example.result)}\n```"
            )
    return "\n\n".join(parts)


def _common_errors() -> str:
    common = ", ".join(f"`{error.type}`" for error in COMMON_ERRORS)
    return (
        "Params go by name or, in the order of each table, by position. "
        f"Beside the errors named, every method may answer {common}."
    )


def _events(named: Named) -> list[str]:
    """The notification, what all events share, and the data of each."""
    choices = sent(ExecutionEvent, named)["oneOf"]
    models = [named.pop(choice["$ref"].removeprefix(REF)) for choice in choices]
    shared: dict[str, Any] = {
        name: member
        for model in models
        for name, member in model["properties"].items()
        if name not in ("event_type", "data")
    }
    event_type = {"type": "string", "description": "Which event; it decides what `data` is."}
    data = {"type": "object", "description": "As the tables below say."}
    always = set(shared) - {"step_id"}
    parts = [
        f"### `{EVENT_NOTIFICATION}`",
        f"From the sidecar. {EVENT_SUMMARY}.",
        _fields(
            {
                "properties": {**shared, "event_type": event_type, "data": data},
                "required": [*always, "event_type", "data"],
            }
        ),
        "`step_id` is there in every event of a step, and in no other.",
    ]
    for model in models:
        event_type = model["properties"]["event_type"]["const"]
        payload = named.pop(model["properties"]["data"]["$ref"].removeprefix(REF))
        title = f"#### `{event_type}`"
        if event_type in OPTIONAL_EVENT_TYPES:
            title += " (only when asked for by `include`)"
        parts += [title, model["description"], _fields(payload)]
    return parts


def _errors(named: Named) -> list[str]:
    rows = [
        (f"{error.code}", f"`{error.type}`", error.meaning, _data(error_data_schema(error, named)))
        for error in WIRE_ERRORS
    ]
    table = _table(("code", "`data.type`", "means", "`data` holds beside `type`"), rows)
    return [table]


def _data(schema: dict[str, Any]) -> str:
    """The fields of `error.data` beside its type, in one cell."""
    required = schema.get("required", [])
    return "; ".join(
        f"`{name}`{'' if name in required else ' (may be absent)'}: {_type(member)}. "
        f"{member['description']}"
        for name, member in schema["properties"].items()
        if name != "type"
    )


def _objects(named: Named) -> list[str]:
    parts = []
    for name, schema in sorted(named.items()):
        parts += [f"### {name}", schema["description"]]
        if schema.get("properties"):
            parts.append(_fields(schema))
    return parts


def _fields(schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (
            f"`{name}`" + ("" if name in required else " (optional)"),
            _type(member),
            _default(member),
            " ".join([member["description"], *_bounds(member)]),
        )
        for name, member in schema["properties"].items()
    ]
    if not any(default for _, _, default, _ in rows):
        return _table(("field", "type", "is"), [(name, kind, is_) for name, kind, _, is_ in rows])
    return _table(("field", "type", "default", "is"), rows)


def _default(member: dict[str, Any]) -> str:
    return f"`{json.dumps(member['default'])}`" if "default" in member else ""


def _bounds(member: dict[str, Any]) -> list[str]:
    told = bounds(member)
    return [f"({'; '.join(told)})"] if told else []


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _type(schema: dict[str, Any]) -> str:
    """A type in words, objects as links to their tables."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REF)
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_type(choice) for choice in schema[key])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    more = schema.get("additionalProperties")
    if schema.get("type") == "object" and isinstance(more, dict):
        return f"object of {_type(more)}"
    return str(schema.get("type", "any JSON value"))
