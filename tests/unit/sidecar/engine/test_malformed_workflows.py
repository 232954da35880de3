"""What an author is told about a broken file: every line, with its place, in the file's order."""

import time

import pytest
import yaml

from protocol.problems import Problem
from sidecar.cli.workflow_argument import problem_line
from sidecar.engine import loader, yaml_text
from sidecar.engine.access import MachineAccess
from sidecar.engine.loader import LoadedWorkflow
from sidecar.errors import WorkflowInvalid
from tests.unit.sidecar.engine.malformed import (
    ACCESS,
    HEAD,
    STEPS,
    Row,
    bounds,
    declaration,
    plain_data,
    references,
    shape,
    step,
    syntax,
    value,
)

ROWS = (*syntax.ROWS, *plain_data.ROWS, *shape.ROWS, *bounds.ROWS, *references.ROWS)
#: The pure parser lets these pass, or finds fault with something else in them.
ONLY_LIBYAML = {"a directive", "half a surrogate pair as escape"}


def load(source: str | bytes, access: MachineAccess = ACCESS) -> LoadedWorkflow:
    return loader.load_text(source, access)


def problems_of(source: str | bytes) -> list[Problem]:
    with pytest.raises(WorkflowInvalid) as raised:
        load(source)
    return raised.value.problems


def lines_of(source: str | bytes) -> tuple[str, ...]:
    return tuple(problem_line("wf.yaml", problem) for problem in problems_of(source))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_mistake_is_told_with_its_place(row: Row) -> None:
    assert lines_of(row.source) == row.lines


def test_no_two_rows_have_the_same_name() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) >= 80


@pytest.mark.parametrize(
    "row", [row for row in syntax.ROWS if row.name not in ONLY_LIBYAML], ids=lambda row: row.name
)
def test_without_libyaml_the_same_is_told(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)

    assert lines_of(row.source) == row.lines


def test_without_libyaml_half_a_surrogate_pair_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)

    assert lines_of('workflow:\n  name: "\\ud800"\n' + STEPS) == (
        "wf.yaml:2:9: error: half of a surrogate pair is no character; delete it",
    )


def test_a_message_never_spans_lines_nor_holds_control_characters() -> None:
    printed = [line for row in ROWS for line in row.lines]

    assert [line for line in printed if not line.isprintable()] == []


def test_a_suggestion_put_in_place_mends_the_file() -> None:
    broken = HEAD + "steps:\n  - {id: a, typ: pyton, script: a.py, timeout: 30s, label: 5}\n"
    for _ in range(4):
        problem = next(problem for problem in problems_of(broken) if problem.suggestion)
        lines = broken.split("\n")
        line, column = problem.line or 0, problem.column or 0
        wrong = lines[line - 1][column - 1 :]
        word = wrong[: min(wrong.index(end) for end in ":,}" if end in wrong)]
        mended = wrong.replace(word, problem.suggestion or "", 1)
        lines[line - 1] = lines[line - 1][: column - 1] + mended
        broken = "\n".join(lines)

    assert load(broken).workflow.steps[0].label == "5"


LEGAL: dict[str, str | bytes] = {
    "names of a language's own": HEAD
    + "steps:\n  - {id: __proto__, type: python, script: a.py}\n"
    + "  - {id: constructor, type: output, message: '${steps.__proto__.outputs.toString}'}\n",
    "byte order mark": "\ufeff" + HEAD + STEPS,
    "byte order mark in bytes": ("\ufeff" + HEAD + STEPS).encode(),
    "CRLF": (HEAD + STEPS).replace("\n", "\r\n"),
    "CR": (HEAD + STEPS).replace("\n", "\r"),
    "document marks": "%YAML 1.2\n---\n" + HEAD + STEPS + "...\n",
    "anchors": step("    inputs: {a: &list [1, 2], b: *list, c: *list}\n"),
    "an anchor given twice": "workflow: {name: &n W, id: &n V, author: *n }\n" + STEPS,
    "an alias as key": "workflow: {name: &n W}\n" + step("    inputs: {*n : 1}\n")[len(HEAD) :],
    "a literal dollar": step("    inputs: {shell: 'echo $${HOME} $HOME $$ $'}\n"),
    "braces of another language": step("    inputs: {x: '{{ steps.a.outputs.b }} }'}\n"),
    "quotes": "workflow: {\"name\": 'it''s', 'id': \"a\\tb\"}\n" + STEPS,
    "names in every script": "workflow: {name: Bücher 图书 🎉, id: نشر}\n" + STEPS,
    "long texts": step("    description: >-\n      folded\n      text\n    label: |\n      kept\n"),
    "only output steps": HEAD + "steps:\n  - {id: a, type: output, message: m}\n",
    "as JSON": '{"workflow": {"name": "W"}, "steps": '
    '[{"id": "a", "type": "output", "message": "m"}]}',
    "YAML 1.1 booleans as text": value("[on, yes, no, off, y, n]"),
    "dates that are none": value("[2020-13-45, 2020-02-30, 1:30, 0o8, 1_000, =, <<]"),
    "null where nothing need be": "workflow: {name: W, id: , version: ~}\nui_metadata:\n" + STEPS,
    "the bounds themselves": step(
        "    timeout: 86400000\n    retry_policy: {max_attempts: 100, initial_delay_ms: 0,"
        " backoff_multiplier: 1, max_delay_ms: 3600000}\n"
    ),
    "the longest id": HEAD + "steps:\n  - {id: " + "a" * 128 + ", type: output, message: m}\n",
    "64 levels": value("[" * 60 + "]" * 60),
    "options on a string": declaration("type: string, options: [a, b], default: b"),
    "explicit core tags": step("    inputs: !!map {a: !!seq [!!str 5, ! 6]}\n"),
}


@pytest.mark.parametrize("name", LEGAL)
def test_what_only_looks_odd_is_legal(name: str) -> None:
    assert load(LEGAL[name]).warnings == []


def test_octal_looking_numbers_are_decimal() -> None:
    assert load(step("    timeout: 010\n")).workflow.steps[0].timeout == 10  # type: ignore[union-attr]


WARNED = {
    "a label with a reference": (
        step("    label: '${workflow.inputs.x}'\n"),
        "wf.yaml:6:12: warning: references are not resolved in label; it is shown as it stands",
    ),
    "an optional input that is used, told once": (
        declaration("type: string").replace(
            "script: a.py", "script: a.py, inputs: {x: '${workflow.inputs.i}${workflow.inputs.i}'}"
        ),
        'wf.yaml:5:53: warning: ${workflow.inputs.i}: the input "i" is neither required nor has a '
        "default; a run without it will be refused",
    ),
    "a node without step": (
        HEAD + STEPS + "ui_metadata: {nodes: [{id: aa, position: {x: 1, y: 2}}]}\n",
        'wf.yaml:4:28: warning: there is no step "aa"; did you mean "a"?',
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_may_be_meant_is_a_warning(name: str) -> None:
    source, line = WARNED[name]

    assert [problem_line("wf.yaml", problem) for problem in load(source).warnings] == [line]


def test_where_the_flags_of_the_run_are_not_known_a_variable_is_a_warning() -> None:
    loaded = load(value("'${env.TOKEN}'"), MachineAccess(allowed=None))

    assert [problem_line("wf.yaml", problem) for problem in loaded.warnings] == [
        "wf.yaml:6:17: warning: ${env.TOKEN}: a run needs the flag --allow-env TOKEN"
    ]
    assert loaded.env_uses == {"TOKEN": "steps[0].inputs.x"}


def chain(length: int) -> str:
    later = "".join(
        f"  - {{id: s{i}, type: output, message: '${{steps.s{i - 1}.outputs.message}}'}}\n"
        for i in range(1, length)
    )
    return f"{HEAD}steps:\n  - {{id: s0, type: output, message: m}}\n{later}"


def test_20_000_steps_in_a_chain_load_in_seconds() -> None:
    started_s = time.process_time()
    loaded = load(chain(20_000))

    assert loaded.plan.order == tuple(f"s{i}" for i in range(20_000))
    assert time.process_time() - started_s < 10


def test_20_000_misspelt_dependencies_are_all_told_in_seconds() -> None:
    started_s = time.process_time()
    problems = problems_of(chain(20_000).replace("${steps.s", "${steps.z"))

    assert len(problems) == 19_999
    assert time.process_time() - started_s < 20
