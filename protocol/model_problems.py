"""What a model refuses, in sentences for authors: pydantic's errors → problems.

Each says what was expected, what came, and for a slip of the pen what to write instead.
"""

import re
import types
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from protocol.problems import (
    Located,
    Path,
    Problem,
    closest,
    field_name,
    kind,
    number_text,
    shown,
    some,
)


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Located]:
    """Each of pydantic's errors as a problem in the data that `model` has refused."""
    found = []
    missing = set()
    for item in error.errors(include_url=False):
        path, _ = _walk(model, item["loc"])
        if item["type"] == "missing":
            missing.add(path)
        message, suggestion = _describe(item, path, model)
        problem = Problem(field=field_name(path), message=message, suggestion=suggestion)
        found.append(Located(path, item["type"] == "extra_forbidden", problem))
    # A misspelt key is one mistake, not two: what it should be is not missing as well.
    meant = {(*one.path[:-1], one.problem.suggestion) for one in found if one.is_key}
    return [one for one in found if one.path not in missing & meant]


def _describe(item: Any, path: Path, model: type[BaseModel]) -> tuple[str, str | None]:
    """Message and suggestion for one of pydantic's errors."""
    code, value, context = item["type"], item["input"], item.get("ctx", {})
    name = str(path[-1]) if path else ""
    if code == "extra_forbidden":
        fields = _fields_at(model, item["loc"][:-1])
        place = f" in {field_name(path[:-1])}" if path[:-1] else ""
        near = closest(name, fields)
        known = "" if near else f"; the keys are {some(fields, 12)}"
        quoted = shown(name)
        # Cut, it has no quote at its end but the mark of the cut.
        quoted = quoted if quoted.endswith('"') else f'{quoted}"'
        return f"unknown key {quoted}{place}{known}", near
    if code == "missing":
        return f'the key "{name}" is missing', None
    if code == "literal_error":
        expected = [
            choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")
        ]
        near = closest(value, expected) if isinstance(value, str) else None
        return f"expected {_one_of(expected)}, got {shown(value)}", near
    bound = _BOUNDS.get(code)
    message = bound(context, value) if bound else _wrong_type(code, item, value)
    if name in _IN_MILLISECONDS or name.endswith("_ms"):
        message = message.replace(", got ", " (milliseconds), got ", 1)
    if code == "list_type":
        _, annotation = _walk(model, item["loc"])
        return message, _as_list(annotation, value)
    return message, _converted(code, value)


def _one_of(choices: Sequence[str]) -> str:
    quoted = [f'"{choice}"' for choice in choices]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "an integer",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def _wrong_type(code: str, item: Any, value: Any) -> str:
    expected = _EXPECTED.get(code)
    if expected is None:
        return str(item["msg"])
    got = f"{kind(value)} ({shown(value)})" if value is not None else "nothing (null)"
    return f"expected {expected}, got {got}{_hint(code, value)}"


def _hint(code: str, value: Any) -> str:
    """How to mend the usual reasons for a value of the wrong type."""
    if code == "string_type" and isinstance(value, (int, float)):
        return "; put it in quotes"
    if code in ("int_type", "float_type", "bool_type") and isinstance(value, str):
        return "; delete the quotes" if _WITHOUT_QUOTES[code].fullmatch(value) else ""
    if code.startswith(("model", "dict")) and isinstance(value, str):
        return "; a key needs a space after its colon" if _KEY_AND_VALUE.match(value) else ""
    if code == "list_type" and isinstance(value, dict):
        first = next(iter(value), "")
        is_item = isinstance(first, str) and first.startswith("-")
        return '; a list item needs a space after its "-"' if is_item else ""
    return ""


_KEY_AND_VALUE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*:\S")
_WITHOUT_QUOTES: Final = {
    "int_type": re.compile(r"[0-9]{1,15}"),
    "float_type": re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?"),
    "bool_type": re.compile("true|false"),
}
#: Keys whose numbers are milliseconds although their names do not say so.
_IN_MILLISECONDS: Final = frozenset({"timeout"})
_ONE_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_UNITS_MS: Final = {"ms": 1, "s": 1000, "sec": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000}
_DURATION: Final = re.compile(r"([0-9]{1,9}) ?([a-z]+)")


def _converted(code: str, value: Any) -> str | None:
    """What a value of the wrong type most likely should be."""
    if code == "string_type" and isinstance(value, (int, float)):
        return f'"{shown(value)}"'
    if code == "bool_type" and isinstance(value, str):
        words = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false"}
        return words.get(value.lower()) or closest(value, ["true", "false"])
    if code in ("int_type", "float_type") and isinstance(value, str):
        if _WITHOUT_QUOTES[code].fullmatch(value):
            return value
        duration = _DURATION.fullmatch(value)
        if duration and duration[2] in _UNITS_MS:
            return str(int(duration[1]) * _UNITS_MS[duration[2]])
    if code == "int_type" and isinstance(value, float) and value.is_integer():
        return str(int(value))
    if code == "string_pattern_mismatch":
        return re.sub(r"[^A-Za-z0-9_-]+", "_", value).strip("-_") or None
    return None


def _as_list(annotation: Any, value: Any) -> str | None:
    """A list of the one word that stands where a list of words should."""
    lists = [choice for choice in _alternatives(annotation) if get_origin(choice) is list]
    of_words = any(_alternatives(get_args(choice)[0]) == [str] for choice in lists)
    is_word = isinstance(value, str) and _ONE_WORD.fullmatch(value)
    return f"[{value}]" if of_words and is_word else None


_BOUNDS: dict[str, Callable[[dict[str, Any], Any], str]] = {
    "greater_than_equal": lambda c, v: (
        f"expected at least {number_text(c['ge'])}, got {number_text(v)}"
    ),
    "less_than_equal": lambda c, v: (
        f"expected at most {number_text(c['le'])}, got {number_text(v)}"
    ),
    "greater_than": lambda c, v: f"expected more than {number_text(c['gt'])}, got {number_text(v)}",
    "string_too_short": lambda c, v: "must not be empty",
    "string_too_long": lambda c, v: (
        f"expected at most {c['max_length']:,} characters, got {len(v):,}"
    ),
    "too_short": lambda c, v: "must have at least one entry",
    "too_long": lambda c, v: f"expected at most {c['max_length']:,} entries, got {len(v):,}",
    "string_pattern_mismatch": lambda c, v: (
        f"{shown(v)} is not a legal id: use A-Z, a-z, 0-9, _ and -, and do not begin with -"
    ),
    "finite_number": lambda c, v: f"expected a finite number, got {v}",
}


def _fields_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that may stand in the mapping at pydantic's `path`."""
    _, annotation = _walk(model, path)
    candidates = [c for c in _alternatives(annotation) if _is_model(c)]
    return [name for candidate in candidates for name in candidate.model_fields]


def _walk(model: type[BaseModel], loc: Path) -> tuple[Path, Any]:
    """The path of the value that pydantic's `loc` means, and what is declared there.

    In a union of models `loc` also names the member by its tag, which the value does not hold.
    """
    current: Any = model
    path: list[str | int] = []
    for part in loc:
        models = [choice for choice in _alternatives(current) if _is_model(choice)]
        tagged = [choice for choice in models if len(models) > 1 and part in _tags(choice)]
        if tagged:
            current = tagged[0]
            continue
        path.append(part)
        current = _member(current, part)
    return tuple(path), current


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    tag = model.model_fields.get("type")
    return get_args(tag.annotation) if tag else ()


def _member(annotation: Any, part: str | int) -> Any:
    for choice in _alternatives(annotation):
        if _is_model(choice) and part in choice.model_fields:
            return choice.model_fields[part].annotation
        if get_origin(choice) is list and isinstance(part, int):
            return get_args(choice)[0]
        if get_origin(choice) is dict and isinstance(part, str):
            return get_args(choice)[1]
    return Any


def _alternatives(annotation: Any) -> list[Any]:
    """The members of a union, Annotated peeled off."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for choice in get_args(annotation) for inner in _alternatives(choice)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
