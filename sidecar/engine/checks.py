"""What a workflow must satisfy beyond its shape: unique ids, references that name something, no
cycles, sensible declarations.

It works on the plain data of a file, so that every problem is found at once even where the shape
is wrong too. It does not know lines and columns, nor what the project's folder holds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from protocol.problems import Located, Path, Problem, closest, field_name, some
from protocol.workflow import WorkflowInput
from sidecar.engine import references
from sidecar.engine.access import MachineAccess
from sidecar.engine.inputs import declaration_problems
from sidecar.engine.plan import Plan, make_plan
from sidecar.engine.references import BadReference, Reference
from sidecar.scripts.environment import refused_names
from sidecar.scripts.permissions import Kind, leads_outside

#: Where references are resolved.
_TEMPLATES: Final = {"python": ("inputs", "env"), "output": ("message",)}
#: Where one is a mistake that would go unnoticed until the run, or for ever.
_NO_TEMPLATES: Final = (("script", False), ("label", True))
#: Looking for the word that was meant takes milliseconds in a large file.
_MAX_SUGGESTIONS: Final = 100
#: Each cycle is a search of its own.
_MAX_CYCLES: Final = 10


@dataclass(slots=True)
class Findings:
    """What the checks found: problems with their places, and what the run will need.

    `input_uses` and `env_uses` map a referenced name to the field that first uses it.
    """

    problems: list[Located] = field(default_factory=list)
    plan: Plan | None = None
    input_uses: dict[str, str] = field(default_factory=dict)
    env_uses: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        path: Path,
        message: str,
        *,
        suggestion: str | None = None,
        warning: bool = False,
        key: bool = False,
    ) -> None:
        """Note one problem; with `key`, it is about the key that the path ends with."""
        problem = Problem(
            field=field_name(path),
            message=message,
            severity="warning" if warning else "error",
            suggestion=suggestion,
        )
        self.problems.append(Located(path, key, problem))


def check(data: Mapping[str, Any], access: MachineAccess) -> Findings:
    """All findings about a workflow's plain data, whatever its shape."""
    return _Checks(data, access).run()


class _Checks:
    def __init__(self, data: Mapping[str, Any], access: MachineAccess) -> None:
        self.found = Findings()
        self.access = access
        self.data = data
        self.inputs = entries(data.get("inputs"))
        self.steps = entries(data.get("steps"))
        self.step_by_id: dict[str, Mapping[str, Any]] = {}
        self.input_by_id: dict[str, tuple[int, Mapping[str, Any]]] = {}
        #: Whether what is declared can be told; when not, that is the mistake to report.
        self.knows_inputs = isinstance(data.get("inputs", []), list)
        self.suggestions_left = _MAX_SUGGESTIONS
        self.cycles = 0
        self.needs: dict[str, set[str]] = {}
        #: Where a need was stated, to place a cycle.
        self.stated: dict[tuple[str, str], Path] = {}

    def run(self) -> Findings:
        self._declarations()
        self._step_ids()
        for index, step in self.steps:
            self._step(index, step)
        self._order()
        self._drawing()
        return self.found

    def _declarations(self) -> None:
        for index, entry in self.inputs:
            input_id = entry.get("id")
            if isinstance(input_id, str):
                if input_id in self.input_by_id:
                    first = self.input_by_id[input_id][0]
                    message = f'duplicate input id "{input_id}"; first used by inputs[{first}]'
                    self.found.add(("inputs", index, "id"), message)
                self.input_by_id.setdefault(input_id, (index, entry))
            try:
                declared = WorkflowInput.model_validate(entry)
            except ValidationError:
                continue  # the shape is reported by the model
            for key, message in declaration_problems(declared):
                self.found.add(("inputs", index, key), message)

    def _step_ids(self) -> None:
        first_use: dict[str, int] = {}
        for index, step in self.steps:
            step_id = step.get("id")
            if not isinstance(step_id, str):
                continue
            if step_id in first_use:
                message = (
                    f'duplicate step id "{step_id}"; first used by steps[{first_use[step_id]}]'
                )
                self.found.add(("steps", index, "id"), message)
                continue
            first_use[step_id] = index
            self.step_by_id[step_id] = step
            self.needs[step_id] = set()

    def _step(self, index: int, step: Mapping[str, Any]) -> None:
        step_id = step.get("id") if isinstance(step.get("id"), str) else None
        if step_id is not None and self.step_by_id[step_id] is not step:
            step_id = None  # what a second one of this id needs would make cycles that are none
        self._depends_on(index, step, step_id)
        templates = _TEMPLATES.get(str(step.get("type")), ())
        for key in templates:
            for path, text in references.strings_in(step.get(key)):
                self._template(("steps", index, key, *path), text, step_id)
        for key, harmless in _NO_TEMPLATES:
            value = step.get(key)
            if isinstance(value, str) and "${" in value:
                hint = "it is shown as it stands" if harmless else "pass the value by inputs"
                message = f"references are not resolved in {key}; {hint}"
                self.found.add(("steps", index, key), message, warning=harmless)
        self._permissions(index, step.get("permissions"))
        env = step.get("env")
        if isinstance(env, dict):
            for name, reason in refused_names(env):
                self.found.add(
                    ("steps", index, "env", name), f'"{name}" may not be set: {reason}', key=True
                )

    def _permissions(self, index: int, asked: Any) -> None:
        agreement = self.access.agreement
        if not isinstance(asked, dict):
            return
        where: Path = ("steps", index, "permissions")
        kinds: tuple[Kind, ...] = ("read", "write")
        for kind in kinds:
            paths = asked.get(kind)
            for position, path in enumerate(paths if isinstance(paths, list) else []):
                if isinstance(path, str) and path:
                    self._permission((*where, kind, position), kind, path)
        if agreement and (problem := agreement.network_problem(asked.get("network") is True)):
            self.found.add((*where, "network"), problem)

    def _permission(self, where: Path, kind: Kind, path: str) -> None:
        agreement = self.access.agreement
        if "${" in path:
            self.found.add(where, "references are not resolved in permissions")
        elif agreement is None:
            if leads_outside(path):
                message = f"a run needs the flag --allow-{kind} with this or a folder that holds it"
                self.found.add(where, message, warning=True)
        elif problem := agreement.problem(kind, path):
            self.found.add(where, problem)

    def _depends_on(self, index: int, step: Mapping[str, Any], step_id: str | None) -> None:
        depends_on = step.get("depends_on")
        for position, need in enumerate(depends_on if isinstance(depends_on, list) else []):
            if isinstance(need, str):
                path: Path = ("steps", index, "depends_on", position)
                self._need(path, need, step_id, "")

    def _need(self, path: Path, need: str, step_id: str | None, prefix: str) -> bool:
        """Note that a step needs another one; False when there is no such step."""
        if need not in self.step_by_id:
            near = self._closest(need, (other for other in self.step_by_id if other != step_id))
            self.found.add(path, f'{prefix}there is no step "{need}"', suggestion=near)
            return False
        if step_id is not None:
            self.needs[step_id].add(need)
            self.stated.setdefault((step_id, need), path)
        return True

    def _template(self, path: Path, text: str, step_id: str | None) -> None:
        if "${" not in text:
            return
        try:
            parts = references.parse(text)
        except BadReference as error:
            self.found.add(path, error.message, suggestion=error.suggestion)
            return
        for part in parts:
            if isinstance(part, str):
                continue
            if part.kind == "input":
                self._input_reference(path, part)
            elif part.kind == "env":
                self._env_reference(path, part)
            else:
                self._step_reference(path, part, step_id)

    def _input_reference(self, path: Path, reference: Reference) -> None:
        if reference.name not in self.input_by_id:
            if self.knows_inputs:
                self.found.add(
                    path,
                    f'{reference.text}: there is no input "{reference.name}"',
                    suggestion=self._closest(reference.name, self.input_by_id),
                )
            return
        if reference.name in self.found.input_uses:
            return
        self.found.input_uses[reference.name] = field_name(path)
        _, declared = self.input_by_id[reference.name]
        if declared.get("required", False) is False and declared.get("default") is None:
            self.found.add(
                path,
                f'{reference.text}: the input "{reference.name}" is neither required nor has a '
                "default; a run without it will be refused",
                warning=True,
            )

    def _env_reference(self, path: Path, reference: Reference) -> None:
        name = reference.name
        allowed = self.access.allowed
        if allowed is None:
            self.found.add(
                path, f"{reference.text}: a run needs the flag --allow-env {name}", warning=True
            )
        elif name not in allowed:
            self.found.add(
                path,
                f"{reference.text}: reading this variable is not allowed; "
                f"start with --allow-env {name}",
                suggestion=self._closest(name, allowed),
            )
        elif name not in self.access.values:
            self.found.add(path, f"{reference.text}: the environment variable {name} is not set")
        self.found.env_uses.setdefault(name, field_name(path))

    def _step_reference(self, path: Path, reference: Reference, step_id: str | None) -> None:
        if reference.name == step_id:
            self.found.add(path, f"{reference.text}: a step cannot use its own outputs")
            return
        if not self._need(path, reference.name, step_id, f"{reference.text}: "):
            return
        if not reference.members:
            return
        step = self.step_by_id[reference.name]
        is_output = step.get("type") == "output"
        first, deeper = reference.members[0], reference.members[1:]
        if isinstance(first, int):
            self.found.add(path, f"{reference.text}: outputs have names; write outputs.NAME")
            return
        declared = ["message"] if is_output else step.get("outputs")
        if not isinstance(declared, list):
            return
        if first not in declared:
            names = [name for name in declared if isinstance(name, str)]
            self.found.add(
                path,
                f'{reference.text}: the step "{reference.name}" declares no output "{first}", '
                f"only {some(names)}",
                suggestion=self._closest(first, names),
            )
        elif is_output and deeper:
            self.found.add(path, f"{reference.text}: message is text and holds nothing by name")

    def _order(self) -> None:
        """Make the plan, or report every cycle, each at the first need that it is made of."""
        for _ in range(_MAX_CYCLES):
            planned = make_plan(list(self.step_by_id), self.needs)
            if isinstance(planned, Plan):
                if not self.cycles:
                    self.found.plan = planned
                return
            self.cycles += 1
            self._cycle(planned)
            # Without this need the cycle is none; what is found then is another one.
            self.needs[planned[0]].discard(planned[1])

    def _cycle(self, steps: list[str]) -> None:
        shown = steps if len(steps) <= 12 else [*steps[:10], "…", steps[-1]]
        where = self.stated[steps[0], steps[1]]
        if len(steps) == 2:
            self.found.add(where, f'the step "{steps[0]}" depends on itself')
        else:
            self.found.add(where, f"the steps depend on each other: {' -> '.join(shown)}")

    def _closest(self, word: str, candidates: Iterable[str]) -> str | None:
        self.suggestions_left -= 1
        return closest(word, candidates) if self.suggestions_left >= 0 else None

    def _drawing(self) -> None:
        drawing = self.data.get("ui_metadata")
        nodes = drawing.get("nodes") if isinstance(drawing, dict) else None
        for index, node in entries(nodes):
            node_id = node.get("id")
            if isinstance(node_id, str) and node_id not in self.step_by_id:
                self.found.add(
                    ("ui_metadata", "nodes", index, "id"),
                    f'there is no step "{node_id}"',
                    suggestion=self._closest(node_id, self.step_by_id),
                    warning=True,
                )


def entries(value: Any) -> list[tuple[int, Mapping[str, Any]]]:
    """The mappings of a list, with their index; nothing when it is no list."""
    if not isinstance(value, list):
        return []
    return [(index, entry) for index, entry in enumerate(value) if isinstance(entry, dict)]
