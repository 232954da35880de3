"""A workflow's inputs: what a declaration may say, and whether given values fit it.

It knows types, bounds and the project's boundary; it does not know steps or references.
"""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from protocol.problems import Problem, closest, kind, number_text, shortened, shown, some
from protocol.workflow import Workflow, WorkflowInput
from sidecar.engine import yaml_scalars
from sidecar.errors import InvalidInputs, PathError
from sidecar.redaction import is_secret_name
from sidecar.scripts.paths import ProjectRoot

#: Looking for the word that was meant takes time; a run with more mistakes has another problem.
_MAX_SUGGESTIONS = 20
_TEXT_TYPES = frozenset({"string", "select", "file", "directory"})


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> TypeAdapter[str]:
    # pydantic's regex engine is linear in the text, so no pattern can hang the process.
    return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])


def is_secret(declared: WorkflowInput) -> bool:
    """Whether an input's value is a secret, by its declaration or by its name."""
    return declared.secret or is_secret_name(declared.id)


def declaration_problems(declared: WorkflowInput) -> Iterator[tuple[str, str]]:
    """What is wrong with one declaration, as (its key, message)."""
    if declared.type == "select" and declared.options is None:
        yield "type", 'an input of type "select" needs options'
    if declared.options is not None and declared.type not in ("select", "string"):
        yield "options", f'options go with "select" or "string", not with "{declared.type}"'
    if declared.pattern is not None:
        if declared.type != "string":
            yield "pattern", f'a pattern goes with "string", not with "{declared.type}"'
            return
        try:
            _pattern(declared.pattern)
        except SchemaError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            reason = reason.removeprefix("SchemaError: ").removeprefix("error: ").removesuffix(".")
            yield "pattern", f"not a regular expression (RE2 syntax): {reason}"
            return  # no default can be held against it
    for bound in ("min", "max"):
        if getattr(declared, bound) is not None and declared.type not in ("number", "string"):
            yield bound, f'{bound} goes with "number" or "string", not with "{declared.type}"'
    if declared.min is not None and declared.max is not None and declared.min > declared.max:
        yield (
            "max",
            (f"max ({number_text(declared.max)}) is less than min ({number_text(declared.min)})"),
        )
    if declared.default is not None:
        problem = value_problem(declared, declared.default, None)
        if problem and is_secret(declared):
            problem = "its value is not what the declaration asks for"
        if problem:
            yield "default", f"the default does not fit: {problem}"


def value_problem(declared: WorkflowInput, value: Any, project: ProjectRoot | None) -> str | None:
    """Why `value` is none for this input, or None. Without a project, paths are not looked up."""
    if declared.type == "boolean":
        return None if isinstance(value, bool) else f"expected true or false, got {_got(value)}"
    if declared.type == "number":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"expected a number, got {_got(value)}"
        if not math.isfinite(value):
            return f"expected a finite number, got {value}"
        if isinstance(value, int) and not -(2**63) <= value < 2**64:
            return "the number does not fit into 64 bits"
        return _bounds_problem(declared, value, number_text(value))
    if not isinstance(value, str):
        return f"expected text, got {_got(value)}"
    if declared.options is not None and value not in declared.options:
        near = closest(value, declared.options)
        hint = f'; did you mean "{near}"?' if near else ""
        return f"expected one of {some(declared.options)}, got {shown(value)}{hint}"
    if declared.type == "string":
        return _text_problem(declared, value)
    if project is not None and declared.type in ("file", "directory"):
        try:
            project.check_input_path(value, declared.type)
        except PathError as error:
            return error.message
    return None


def _text_problem(declared: WorkflowInput, value: str) -> str | None:
    if declared.pattern is not None:
        try:
            _pattern(declared.pattern).validate_python(value)
        except ValidationError:
            return f"{shown(value)} does not match the pattern {declared.pattern}"
    return _bounds_problem(declared, len(value), f"{len(value):,}", " characters")


def _bounds_problem(declared: WorkflowInput, size: float, got: str, unit: str = "") -> str | None:
    if declared.min is not None and size < declared.min:
        return f"expected at least {number_text(declared.min)}{unit}, got {got}"
    if declared.max is not None and size > declared.max:
        return f"expected at most {number_text(declared.max)}{unit}, got {got}"
    return None


def _got(value: Any) -> str:
    return "nothing (null)" if value is None else f"{kind(value)} ({shown(value)})"


def complete_inputs(
    workflow: Workflow, given: Mapping[str, Any], project: ProjectRoot
) -> dict[str, Any]:
    """The values a run starts with: those given, else the defaults; optional ones may be absent.

    Raises InvalidInputs with every problem. A secret's value stands in no message.
    """
    problems: list[Problem] = []
    declared_ids = {declared.id: None for declared in workflow.inputs}
    names = some(list(declared_ids))
    for name in given:
        if name not in declared_ids:
            near = closest(name, declared_ids) if len(problems) < _MAX_SUGGESTIONS else None
            message = f'unknown input "{shortened(name)}"; the workflow declares: {names}'
            problems.append(Problem(field=name, message=message, suggestion=near))
    values: dict[str, Any] = {}
    for declared in workflow.inputs:
        value = given.get(declared.id)
        if value is None:
            value = declared.default
        if value is None:
            if declared.required:
                message = f"required, but not given (type {declared.type})"
                problems.append(Problem(field=declared.id, message=message))
            continue
        problem = value_problem(declared, value, project)
        if problem and is_secret(declared):
            problem = f"the value does not fit the declaration (type {declared.type})"
        if problem:
            problems.append(Problem(field=declared.id, message=problem))
        values[declared.id] = value
    if problems:
        raise InvalidInputs(invalid_inputs_message(problems), problems)
    return values


def invalid_inputs_message(problems: list[Problem]) -> str:
    """One line for the problems of a run's inputs, ten at most."""
    more = f"; and {len(problems) - 10:,} more" if len(problems) > 10 else ""
    shown_ones = "; ".join(f"{shortened(p.field)}: {p.text()}" for p in problems[:10])
    return f"Invalid inputs: {shown_ones}{more}"


def value_from_text(declared: WorkflowInput | None, text: str) -> Any:
    """The value that a text from a command line means for an input; numbers as in YAML.

    A text that is no number or boolean is returned as it is, for `complete_inputs` to explain.
    """
    if declared is None or declared.type in _TEXT_TYPES:
        return text
    if declared.type == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        value = yaml_scalars.resolve(text)
    except ValueError:
        return text
    return value if type(value) in (int, float) else text
