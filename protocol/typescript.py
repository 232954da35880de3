"""The wire as TypeScript declarations, from the same schemas as the OpenRPC document.

A host gets a typed `Methods`, an `ExecutionEvent` to switch over and the `error.data` of each
code. It knows the few forms of JSON Schema that our models have, and refuses any other.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from protocol import PROTOCOL_VERSION
from protocol.errors import WIRE_ERRORS
from protocol.events import EVENT_NOTIFICATION, ExecutionEvent
from protocol.limits import MAX_SHOWN_VALUE_BYTES
from protocol.methods import CANCEL_NOTIFICATION, METHODS, Method
from protocol.openrpc import CANCEL_SUMMARY, EVENT_SUMMARY, error_data_schema
from protocol.params import CancelRequestParams
from protocol.schemas import REF, Named, accepted, sent

_JSON_TYPES: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
_BOUNDS: Final = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "minLength": "characters: at least",
    "maxLength": "characters: at most",
    "minItems": "entries: at least",
    "maxItems": "entries: at most",
    "pattern": "pattern",
}

_HEAD: Final = f"""\
/**
 * The wire of workflow-sidecar, protocol {PROTOCOL_VERSION}.
 * Written by `python -m protocol.generate`; do not edit.
 *
 * Times are integer milliseconds; a `timestamp` counts them since the Unix epoch (UTC).
 */

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** Any JSON object. */
export type JsonObject = {{ [key: string]: JsonValue }};

/** Stands in events and history for a value of more than {MAX_SHOWN_VALUE_BYTES} bytes as JSON. */
export type Truncated = {{ $truncated: true; bytes: number; preview: string }};
"""

_TAIL: Final = """\
/** The name of any method. */
export type MethodName = keyof Methods;

/** The type of any execution event. */
export type EventType = ExecutionEvent["event_type"];

/** The execution event of one type. */
export type EventOf<T extends EventType> = Extract<ExecutionEvent, { event_type: T }>;
"""


def typescript() -> str:
    """The whole file."""
    named: Named = {}
    methods = [_method(method, named) for method in METHODS.values()]
    named["CancelRequestParams"] = accepted(CancelRequestParams, named)
    event = sent(ExecutionEvent, named)
    errors = [
        comment(error.meaning)
        + f"{error.type}: {{\n  code: {error.code};\n  message: string;\n"
        + f"  data: {_indented(type_of(error_data_schema(error, named)))};\n}};\n"
        for error in WIRE_ERRORS
    ]
    named |= {"ExecutionEvent": {**event, "description": f"{EVENT_SUMMARY}."}}
    notifications = [
        f'{comment(CANCEL_SUMMARY)}"{CANCEL_NOTIFICATION}": CancelRequestParams;\n',
        f'{comment(EVENT_SUMMARY)}"{EVENT_NOTIFICATION}": ExecutionEvent;\n',
    ]
    parts = [
        _HEAD,
        *(_declaration(name, schema) for name, schema in sorted(named.items())),
        _interface("Every method: its params by name or by position (`args`), its result.")
        + f"Methods {_braced(methods)}\n",
        _interface("What the client may send without an answer, with its params.")
        + f"ClientNotifications {_braced(notifications[:1])}\n",
        _interface("What the sidecar sends by itself, with its params.")
        + f"SidecarNotifications {_braced(notifications[1:])}\n",
        _interface("Every error that a request may be answered with, by `data.type`.")
        + f"Errors {_braced(errors)}\n",
        f"{comment('Any error.')}export type WireError = Errors[keyof Errors];\n",
        comment("The code of any error.")
        + _union(
            "export type ErrorCode =",
            [str(error.code) for error in WIRE_ERRORS],
        ),
        _TAIL,
    ]
    return "\n".join(parts)


def _interface(description: str) -> str:
    return f"{comment(description)}export interface "


def _method(method: Method, named: Named) -> str:
    name = method.params.__name__
    schema = named[name] = accepted(method.params, named)
    required = schema.get("required", [])
    args = ", ".join(
        f"{field}{'' if field in required else '?'}: {type_of(member)}"
        for field, member in schema.get("properties", {}).items()
    )
    result = type_of(sent(method.result, named))
    return (
        f'{comment(method.summary)}"{method.name}": '
        f"{{\n  params: {name};\n  args: [{args}];\n  result: {result};\n}};\n"
    )


def _declaration(name: str, schema: dict[str, Any]) -> str:
    doc = comment(schema.get("description", name))
    if schema.get("properties"):
        return f"{doc}export interface {name} {_members(schema)}\n"
    if "oneOf" in schema:
        return doc + _union(f"export type {name} =", [type_of(part) for part in schema["oneOf"]])
    return f"{doc}export type {name} = {type_of(schema)};\n"


def _union(head: str, choices: Iterable[str]) -> str:
    return head + "".join(f"\n  | {choice}" for choice in choices) + ";\n"


def _members(schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    return _braced(
        f"{comment(' '.join([member.get('description', ''), *_notes(member)]).strip())}"
        f"{_key(name)}{'' if name in required else '?'}: {_indented(type_of(member))};\n"
        for name, member in schema["properties"].items()
    )


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _braced(members: Iterable[str]) -> str:
    body = "".join(f"  {_indented(member.rstrip())}\n" for member in members)
    return f"{{\n{body}}}"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def comment(text: str) -> str:
    """A doc comment with its line end; nothing without text."""
    # A comment must not end where a text in it does.
    told = text.replace("*/", "*\\/").splitlines()
    if not told:
        return ""
    if len(told) == 1:
        return f"/** {told[0]} */\n"
    return "/**\n" + "".join(f" * {line}\n" for line in told) + " */\n"


def _notes(member: dict[str, Any]) -> list[str]:
    """What the type does not say: default and bounds."""
    told = bounds(member)
    if member.get("default") is not None:
        told.append(f"default {json.dumps(member['default'])}")
    return [f"({'; '.join(told)})"] if told else []


def bounds(member: dict[str, Any]) -> list[str]:
    """The bounds of a field, in words."""
    schemas = [member, *member.get("anyOf", [])]
    return [
        f"{words} {schema[key]:,}" if key != "pattern" else f"{words} `{schema[key]}`"
        for schema in schemas
        for key, words in _BOUNDS.items()
        if key in schema
    ]


def type_of(schema: dict[str, Any]) -> str:
    """The TypeScript type of a schema. Raises ValueError for a form that no model has yet."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(REF)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(type_of(choice) for choice in schema[key])
    kind = schema.get("type")
    if kind == "array":
        return _array(type_of(schema["items"]))
    if kind == "object":
        return _object(schema)
    if kind in _JSON_TYPES:
        return _JSON_TYPES[kind]
    if kind is None:
        return "JsonValue"
    raise ValueError(f"no TypeScript for {schema}")


def _array(item: str) -> str:
    return f"({item})[]" if " " in item else f"{item}[]"


def _object(schema: dict[str, Any]) -> str:
    if schema.get("properties"):
        return _members(schema)
    more = schema.get("additionalProperties", True)
    if more is False:
        return "Record<string, never>"
    return "JsonObject" if more is True else f"Record<string, {type_of(more)}>"
