"""Writes `generated/` from the models: JSON Schema of workflow files, OpenRPC of the wire.

Run `python -m protocol.generate` after a change to the models; a test fails while the two differ.
It knows the tables of this package and nothing of what answers them.
"""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from protocol import PROTOCOL_VERSION
from protocol.base import Model
from protocol.errors import INTERNAL_ERROR, INVALID_PARAMS
from protocol.events import EVENT_ADAPTER, EVENT_NOTIFICATION
from protocol.methods import METHODS, Method
from protocol.workflow import Workflow

GENERATED: Final = Path(__file__).parent / "generated"


def workflow_schema() -> dict[str, Any]:
    """JSON Schema draft-07 of workflow files: what editors' YAML support reads."""
    schema = Workflow.model_json_schema(ref_template="#/definitions/{model}")
    _describe(schema, *schema["$defs"].values())
    schema = _as_draft_07(schema)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "workflow-sidecar workflow file",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def openrpc() -> dict[str, Any]:
    """The OpenRPC 1.3.2 document of all methods, and of the event notification."""
    schemas: dict[str, Any] = {}
    methods = [_method(method, schemas) for method in METHODS.values()]
    event = _schema(EVENT_ADAPTER, schemas)
    _describe(*schemas.values())
    return {
        "openrpc": "1.3.2",
        "info": {
            "title": "workflow-sidecar",
            "version": PROTOCOL_VERSION,
            "description": "Runs workflows of Python scripts. Events arrive as the notification "
            f"{EVENT_NOTIFICATION}, described under x-notifications.",
        },
        "methods": methods,
        "components": {"schemas": dict(sorted(schemas.items()))},
        "x-notifications": {EVENT_NOTIFICATION: event},
    }


def _method(method: Method, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = TypeAdapter(method.params).json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    _describe(schema)
    required = schema.get("required", [])
    return {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "either",
        "params": [
            {"name": name, "required": name in required, "schema": member}
            for name, member in schema.get("properties", {}).items()
        ],
        "result": {"name": "result", "schema": _schema(TypeAdapter(method.result), schemas)},
        "errors": [
            {"code": error.code, "message": error.type, "data": {"meaning": error.meaning}}
            for error in (INVALID_PARAMS, INTERNAL_ERROR, *method.errors)
        ],
    }


def _schema(adapter: TypeAdapter[Any], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = adapter.json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(schema.pop("$defs", {}))
    _describe(schema)
    return schema


def _describe(*schemas: dict[str, Any]) -> None:
    """Put the text below each field of our models into their schemas, whose titles they are."""
    texts = _texts()
    for schema in schemas:
        for field, member in schema.get("properties", {}).items():
            text = texts.get((schema.get("title", ""), field))
            if text is not None:
                member["description"] = text


#: Where our models are; whoever else derives from them is not described here.
_MODULES: Final = frozenset(
    f"protocol.{name}" for name in ("events", "executions", "methods", "problems", "workflow")
)


@cache
def _texts() -> dict[tuple[str, str], str]:
    """The text below each field, by model and field; a model has those of its bases too."""
    found: dict[tuple[str, str], str] = {}
    models = [Model]
    for model in models:
        models.extend(sub for sub in model.__subclasses__() if sub.__module__ in _MODULES)
        for base in reversed(model.__mro__):
            if issubclass(base, Model):
                found |= {(model.__name__, field): text for field, text in _own_texts(base)}
    return found


@cache
def _own_texts(model: type[Model]) -> list[tuple[str, str]]:
    body = ast.parse(inspect.getsource(model)).body[0]
    lines = body.body if isinstance(body, ast.ClassDef) else []
    return [
        (field.target.id, inspect.cleandoc(text.value.value))
        for field, text in pairwise(lines)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    ]


def _as_draft_07(value: Any) -> Any:
    """Rename what 2020-12 renamed; drop OpenAPI's `discriminator`, which draft-07 lacks."""
    if isinstance(value, dict):
        renamed = {"$defs": "definitions"}
        return {
            renamed.get(key, key): _as_draft_07(member)
            for key, member in value.items()
            if not (key == "discriminator" and isinstance(member, dict) and "mapping" in member)
        }
    if isinstance(value, list):
        return [_as_draft_07(member) for member in value]
    return value


def documents() -> dict[str, bytes]:
    """What `generated/` must hold: file name to bytes."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return {
        "workflow.schema.json": orjson.dumps(workflow_schema(), option=options),
        "openrpc.json": orjson.dumps(openrpc(), option=options),
    }


def main() -> int:
    """Write every document; the exit status."""
    GENERATED.mkdir(exist_ok=True)
    for name, content in documents().items():
        (GENERATED / name).write_bytes(content)
        sys.stdout.write(f"wrote generated/{name} ({len(content)} bytes)\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
