"""Models → JSON Schemas as peers meet them: what is accepted, and what is sent.

The two differ where a field has a default: who sends to the sidecar may leave it out, while the
sidecar always sends it, unless it is null: then the sidecar leaves it out. So one model can have
two schemas; the accepted one of a workflow is named `…Draft`. Everything is draft-07, which is
what OpenRPC and editors read. It knows no document.
"""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Final

from pydantic import TypeAdapter

from protocol.base import Model
from protocol.workflow import Workflow

#: Named schemas of a document, by name.
Named = dict[str, dict[str, Any]]

REF: Final = "#/components/schemas/"
_DRAFT: Final = "Draft"
#: Models that `x-model` may name.
_MODELS: Final = {"Workflow": Workflow}


def accepted(kind: Any, named: Named) -> dict[str, Any]:
    """Schema of what the sidecar takes; those that it refers to are added to `named`."""
    schema, more = _both(kind)
    named |= more
    for part in _parts(schema):
        model = part.pop("x-model", None)
        if model is not None:
            part.pop("type")
            part["$ref"] = f"{REF}{model}{_DRAFT}"
            _add_drafts(_MODELS[model], named)
    return schema


def sent(kind: Any, named: Named) -> dict[str, Any]:
    """Schema of what the sidecar says; a model's is added to `named` and referred to."""
    schema, more = _both(kind)
    for part in (schema, *more.values()):
        _as_sent(part)
    named |= more
    if isinstance(kind, type) and issubclass(kind, Model):
        named[kind.__name__] = schema
        return {"$ref": f"{REF}{kind.__name__}"}
    return schema


def workflow_file() -> dict[str, Any]:
    """The schema of workflow files with its own definitions."""
    schema = Workflow.model_json_schema(ref_template="#/definitions/{model}")
    definitions = schema.pop("$defs")
    _describe(schema, *definitions.values())
    _as_draft_07(schema, *definitions.values())
    return {"definitions": definitions, **schema}


def _both(kind: Any) -> tuple[dict[str, Any], Named]:
    schema = TypeAdapter(kind).json_schema(ref_template=REF + "{model}")
    more = schema.pop("$defs", {})
    _describe(schema, *more.values())
    _as_draft_07(schema, *more.values())
    for part in (schema, *more.values()):
        # pydantic's titles of fields only repeat their names.
        for member in part.get("properties", {}).values():
            member.pop("title", None)
            if isinstance(member.get("default"), dict):
                # As it would be written: what is null is left out.
                member["default"] = {
                    key: value for key, value in member["default"].items() if value is not None
                }
    return schema, more


def _add_drafts(model: type[Model], named: Named) -> None:
    schema, more = _both(model)
    for name, draft in {**more, model.__name__: schema}.items():
        for part in _parts(draft):
            if "$ref" in part:
                part["$ref"] += _DRAFT
        named[name + _DRAFT] = {**draft, "title": name + _DRAFT}


def _as_sent(schema: dict[str, Any]) -> None:
    """Fields with a default are always there; null ones never, unless they must be."""
    required = set(schema.get("required", []))
    for name, member in schema.get("properties", {}).items():
        if "default" not in member:
            continue
        if member.pop("default") is None:
            _without_null(member)
        else:
            required.add(name)
    if required:
        schema["required"] = [name for name in schema["properties"] if name in required]


def _without_null(member: dict[str, Any]) -> None:
    choices = [choice for choice in member.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        del member["anyOf"]
        member |= choices[0]


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and every schema inside it."""
    if isinstance(schema, dict):
        yield schema
        for key, member in schema.items():
            if key not in ("default", "enum", "const", "required"):
                yield from _parts(member)
    elif isinstance(schema, list):
        for member in schema:
            yield from _parts(member)


def _as_draft_07(*schemas: dict[str, Any]) -> None:
    """Drop OpenAPI's `discriminator`, which draft-07 lacks."""
    for schema in schemas:
        for part in _parts(schema):
            if "mapping" in part.get("discriminator", {}):
                del part["discriminator"]


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
    f"protocol.{name}"
    for name in ("errors", "events", "executions", "params", "problems", "results", "workflow")
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
    fields = {name: info.alias or name for name, info in model.model_fields.items()}
    return [
        (fields[field.target.id], inspect.cleandoc(text.value.value))
        for field, text in pairwise(lines)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and field.target.id in fields
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    ]
