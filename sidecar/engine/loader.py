"""A workflow file, text or object → a checked Workflow with its plan.

Every problem is found at once, each with line and column where there is a text. It joins what
YAML, the model of the file and the checks say; it does not look into the project's folder.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from protocol import limits
from protocol.model_problems import problems_of
from protocol.problems import Located, Path, Problem, closest, field_name, shown
from protocol.workflow import PythonStep, Workflow
from sidecar.engine import checks, yaml_text
from sidecar.engine.access import MachineAccess
from sidecar.engine.checks import Findings
from sidecar.engine.plan import Plan
from sidecar.engine.yaml_places import Place
from sidecar.engine.yaml_text import ParsedYaml
from sidecar.errors import WorkflowInvalid
from sidecar.redaction import Redactor

#: What more than the loader knows is wrong with a workflow's data, whatever its shape.
FurtherChecks = Callable[[Mapping[str, Any]], Iterable[Located]]

_redactor = Redactor()
_STEP_TYPES = ("python", "output")
#: Distinguishes the kinds of step when `type` itself is wrong.
_KEY_OF_TYPE = {"script": "python", "message": "output"}


@dataclass(frozen=True, slots=True)
class LoadedWorkflow:
    """A workflow that can be run: its model, the order of its steps, what it reads.

    `input_uses` and `env_uses` map each referenced input or variable to the field that uses it
    first; `warnings` are problems that do not keep it from running.
    """

    workflow: Workflow
    plan: Plan
    input_uses: Mapping[str, str]
    env_uses: Mapping[str, str]
    warnings: list[Problem]


def _nothing_further(_: Mapping[str, Any]) -> Iterable[Located]:
    return ()


def load_text(
    source: bytes | str, access: MachineAccess, further: FurtherChecks = _nothing_further
) -> LoadedWorkflow:
    """Load a YAML text. Raises WorkflowInvalid with every problem, warnings included."""
    parsed = yaml_text.parse(source)
    if parsed.problems and not isinstance(parsed.data, dict):
        raise _invalid([_shown(problem) for problem in parsed.problems])
    return _load(parsed, access, further)


def load_object(
    data: Any, access: MachineAccess, further: FurtherChecks = _nothing_further
) -> LoadedWorkflow:
    """Load a workflow given as a JSON object. Raises WorkflowInvalid.

    What is kept is a copy, so that the caller may go on with the object.
    """
    depth = _depth(data)
    if depth > limits.MAX_YAML_DEPTH:
        message = f"nested deeper than {limits.MAX_YAML_DEPTH} levels"
        raise _invalid([Problem(field="", message=message)])
    try:
        copy = orjson.dumps(data)
    except TypeError as error:
        path, reason = _no_json(data) or ((), str(error))
        problem = Problem(field=field_name(path), message=f"not a JSON value: {reason}")
        raise _invalid([_shown(problem)]) from None
    if len(copy) > limits.MAX_WORKFLOW_FILE_BYTES:
        message = (
            f"the workflow has {len(copy):,} bytes as JSON; "
            f"at most {limits.MAX_WORKFLOW_FILE_BYTES:,} are read"
        )
        raise _invalid([Problem(field="", message=message)])
    return _load(ParsedYaml(orjson.loads(copy), None, [], set()), access, further)


def _load(parsed: ParsedYaml, access: MachineAccess, further: FurtherChecks) -> LoadedWorkflow:
    data, root = parsed.data, parsed.root
    if not isinstance(data, dict):
        message = f"expected a mapping with workflow and steps, got {shown(data)}"
        problem = Located((), False, Problem(field="", message=message))
        raise _invalid([_shown(_placed(problem, root))])
    located: list[Located] = []
    data = _with_known_types(data, located)
    workflow = None
    try:
        workflow = Workflow.model_validate(data)
    except ValidationError as error:
        located += problems_of(error, Workflow)
    findings: Findings = checks.check(data, access)
    # A value of the wrong shape has been reported; what else follows from it is no news.
    misshapen = {one.path for one in located if not one.is_key}
    located += [
        one
        for one in (*findings.problems, *further(data))
        if one.path not in misshapen or one.is_key
    ]
    problems = parsed.problems + [
        placed
        for placed in (_placed(one, root) for one in located)
        if (placed.line, placed.column) not in parsed.unreadable
    ]
    problems = [_shown(problem) for problem in problems]
    problems.sort(key=lambda p: (p.line or 0, p.column or 0))
    if workflow is None or findings.plan is None or any(p.severity == "error" for p in problems):
        raise _invalid(problems)
    return LoadedWorkflow(workflow, findings.plan, findings.input_uses, findings.env_uses, problems)


def _with_known_types(data: dict[str, Any], located: list[Located]) -> dict[str, Any]:
    """The data with a wrong or missing step type replaced by the one most likely meant.

    So that the rest of such a step is still checked; the type itself is noted as a problem.
    """
    steps = data.get("steps")
    if not isinstance(steps, list):
        return data
    steps = list(steps)
    for index, step in enumerate(steps):
        if not isinstance(step, dict) or step.get("type") in _STEP_TYPES:
            continue
        misspelt = None if "type" in step else next((k for k in step if _means_type(k)), None)
        given = step.get(misspelt or "type")
        near = closest(given, _STEP_TYPES) if isinstance(given, str) else None
        meant = near or next((t for key, t in _KEY_OF_TYPE.items() if key in step), "python")
        steps[index] = {**step, "type": given if given in _STEP_TYPES else meant}
        if misspelt:
            continue  # the model reports it as an unknown key
        if "type" in step:
            path: Path = ("steps", index, "type")
            message = f'expected "python" or "output", got {shown(given)}'
        else:
            path = ("steps", index)
            message = 'the key "type" is missing; write "python" or "output"'
        problem = Problem(field=field_name(path), message=message, suggestion=near)
        located.append(Located(path, False, problem))
    return {**data, "steps": steps}


def _means_type(key: str) -> bool:
    return closest(key, PythonStep.model_fields) == "type"


def _placed(located: Located, root: Place | None) -> Problem:
    if root is None:
        return located.problem
    line, column = root.of(located.path, key=located.is_key)
    return located.problem.model_copy(update={"line": line, "column": column})


def _shown(problem: Problem) -> Problem:
    """A problem as it may be shown: it quotes the file, and files hold secrets."""
    shown = _redactor.value({"field": problem.field, "message": problem.message})
    suggestion = problem.suggestion and _redactor.text(problem.suggestion)
    return problem.model_copy(update={**shown, "suggestion": suggestion})


def _invalid(problems: list[Problem]) -> WorkflowInvalid:
    errors = [problem for problem in problems if problem.severity == "error"]
    first = errors[0]
    where = f"line {first.line}, column {first.column}: " if first.line else ""
    field = f"{first.field}: " if first.field and not first.line else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return WorkflowInvalid(f"Invalid workflow: {where}{field}{first.text()}{more}", problems)


def _no_json(data: Any) -> tuple[Path, str] | None:
    """Where the first value stands that JSON cannot hold, and why it cannot."""
    pending: list[tuple[Path, Any]] = [((), data)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str) or _why_no_json(key):
                    return path, f"the key {key!r} is no text"
            pending.extend(((*path, key), item) for key, item in reversed(value.items()))
        elif isinstance(value, list):
            pending.extend(((*path, index), value[index]) for index in reversed(range(len(value))))
        elif reason := _why_no_json(value):
            return path, reason
    return None


def _why_no_json(value: Any) -> str | None:
    if isinstance(value, int):
        fits = -(2**63) <= value < 2**64
        return None if fits else "the number does not fit into 64 bits; give it as text"
    try:
        orjson.dumps(value)
    except TypeError as error:
        return str(error)
    return None


def _depth(value: Any) -> int:
    """How deep a JSON value nests, counted no further than one past the limit."""
    level = [value]
    depth = 0
    while depth <= limits.MAX_YAML_DEPTH:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not any(isinstance(item, (dict, list)) for item in level):
            break
        level = inner
        depth += 1
    return depth
