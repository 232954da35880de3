"""The generated documents: no drift, valid by their own schemas, of use to an editor."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
import yaml

from protocol import documents, generate

#: Every key that a workflow file may have, once.
EXAMPLE = """
workflow: {id: nightly-report, name: Nightly report, version: "1.0.0", description: d,
  tags: [a, b], author: me}
inputs:
  - {id: folder, type: directory, label: Folder, required: true, description: d}
  - {id: format, type: select, options: [md, html], default: md}
  - {id: key, type: string, secret: true, pattern: "^[a-z]+$", min: 1, max: 20}
steps:
  - id: count
    type: python
    label: Count files
    description: d
    script: ./scripts/count.py
    inputs: {folder: "${workflow.inputs.folder}"}
    outputs: [total]
    timeout: 30000
    env: {NAME: value}
    retry_policy: {max_attempts: 3, initial_delay_ms: 1000, backoff_multiplier: 2,
      max_delay_ms: 30000, retry_on_error_types: [ConnectionError]}
  - {id: report, type: python, script: ./scripts/report.py, depends_on: [count],
     inputs: {total: "${steps.count.outputs.total}", out: "out.${workflow.inputs.format}"}}
  - {id: done, type: output, message: "Counted ${steps.count.outputs.total}", format: text}
ui_metadata: {nodes: [{id: count, position: {x: 100, y: 100}, width: 10, height: 10}],
  viewport: {zoom: 1, x: 0, y: 0}}
"""


def example() -> Any:
    return yaml.safe_load(EXAMPLE)


def errors_of(data: Any) -> list[str]:
    validator = jsonschema.Draft7Validator(generate.workflow_schema())
    return [error.message for error in validator.iter_errors(data)]


@pytest.mark.parametrize("name", list(generate.documents()))
def test_the_file_is_what_the_models_say(name: str) -> None:
    assert (generate.ROOT / name).read_bytes() == generate.documents()[name], (
        f"{name} has drifted; run python -m protocol.generate"
    )


def test_nothing_else_stands_among_the_generated_files() -> None:
    found = {file.relative_to(generate.ROOT) for file in (generate.ROOT / "generated").iterdir()}

    assert {file.as_posix() for file in found} == set(generate.documents()) - {"README.md"}
    assert {file.name for file in found} == set(documents.FILES.values())


def test_every_document_is_written_where_it_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate.main(tmp_path) == 0

    written = {name: (tmp_path / name).read_bytes() for name in generate.documents()}
    assert written == generate.documents()
    assert "wrote generated/openrpc.json" in capsys.readouterr().out


def test_what_is_written_by_hand_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# By hand\n")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    once = generate.documents()["README.md"]
    (tmp_path / "README.md").write_bytes(once)

    assert once.startswith(b"# By hand\n")
    assert generate.documents()["README.md"] == once


@pytest.mark.parametrize("name", documents.FILES)
def test_a_document_is_read_as_it_was_written(name: str) -> None:
    file = generate.ROOT / "generated" / documents.FILES[name]

    assert documents.read(name) == file.read_bytes()


def test_what_discover_answers_is_the_document_and_read_once() -> None:
    assert documents.openrpc() == generate.openrpc()
    assert documents.openrpc() is documents.openrpc()


def test_the_workflow_schema_is_draft_07() -> None:
    jsonschema.Draft7Validator.check_schema(generate.workflow_schema())

    text = orjson.dumps(generate.workflow_schema()).decode()
    assert "$defs" not in text
    assert "discriminator" not in text


def test_every_key_of_a_workflow_file_is_described() -> None:
    schema = generate.workflow_schema()
    tables = {"": schema, **schema["definitions"]}
    undescribed = [
        f"{table}.{name}"
        for table, definition in tables.items()
        for name, member in definition["properties"].items()
        if not member.get("description")
    ]

    assert undescribed == []


def test_the_schema_accepts_every_legal_key() -> None:
    assert errors_of(example()) == []


def without(*path: str | int) -> Any:
    data = example()
    place = data
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return data


def replaced(value: Any, *path: str | int) -> Any:
    data = example()
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return data


def malformed() -> Iterator[Any]:
    yield from (None, [], {}, "text")
    yield without("workflow")
    yield without("workflow", "name")
    yield without("steps", 0, "script")
    yield without("steps", 2, "message")
    yield without("steps", 0, "type")
    yield replaced(1, "extra")
    yield replaced("/bin/sh", "steps", 0, "interpreter")
    yield replaced("shell", "steps", 0, "type")
    yield replaced("my step", "steps", 0, "id")
    yield replaced("a" * 129, "steps", 0, "id")
    yield replaced(0, "steps", 0, "timeout")
    yield replaced(3_000_000_000, "steps", 0, "timeout")
    yield replaced(101, "steps", 0, "retry_policy", "max_attempts")
    yield replaced(0.5, "steps", 0, "retry_policy", "backoff_multiplier")
    yield replaced(5, "steps", 0, "env", "NAME")
    yield replaced([], "steps")
    yield replaced("yes", "inputs", 0, "required")
    yield replaced([], "inputs", 1, "options")
    yield replaced("text", "inputs", 0, "type")
    yield replaced("html", "steps", 2, "format")
    yield replaced(0, "ui_metadata", "viewport", "zoom")


@pytest.mark.parametrize("data", list(malformed()))
def test_the_schema_refuses_what_is_malformed(data: Any) -> None:
    assert errors_of(data) != []
