"""The TypeScript declarations, as text; `tests/node` has the compiler read them."""

import re
from typing import Any

import pytest

from protocol import typescript
from protocol.errors import WIRE_ERRORS
from protocol.methods import METHODS

TEXT = typescript.typescript()


def test_every_method_and_error_has_its_row() -> None:
    methods = TEXT.partition("export interface Methods {")[2].partition("\n}")[0]
    errors = TEXT.partition("export interface Errors {")[2].partition("\n}")[0]

    assert re.findall(r'^  "(.+)": \{$', methods, re.M) == list(METHODS)
    assert re.findall(r"^  (\w+): \{\n    code: (-\d+);", errors, re.M) == [
        (error.type, str(error.code)) for error in WIRE_ERRORS
    ]


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({}, "JsonValue"),
        ({"type": "integer"}, "number"),
        ({"const": "a"}, '"a"'),
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, '("a" | "b")[]'),
        ({"type": "object"}, "JsonObject"),
        ({"type": "object", "additionalProperties": False}, "Record<string, never>"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "Record<string, number>"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string | null"),
        ({"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "boolean"}]}, "A | boolean"),
    ],
)
def test_a_schema_has_its_type(schema: dict[str, Any], written: str) -> None:
    assert typescript.type_of(schema) == written


def test_a_form_that_no_model_has_is_refused() -> None:
    with pytest.raises(ValueError, match="no TypeScript for"):
        typescript.type_of({"type": "date"})


def test_a_description_cannot_end_its_comment() -> None:
    assert typescript.comment("a */ b") == "/** a *\\/ b */\n"
    assert typescript.comment("a\nb") == "/**\n * a\n * b\n */\n"
    assert typescript.comment("") == ""
