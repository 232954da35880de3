"""`schema`: the documents that come along, byte for byte."""

import json
from pathlib import Path

import pytest

import protocol
from tests.unit.sidecar.cli.conftest import Cli

GENERATED = Path(protocol.__file__).parent / "generated"


@pytest.mark.parametrize(
    ("name", "file"), [("workflow", "workflow.schema.json"), ("openrpc", "openrpc.json")]
)
def test_a_document_is_printed_as_it_is(cli: Cli, name: str, file: str) -> None:
    status, out, err = cli("schema", name)
    assert (status, err) == (0, "")
    assert out == (GENERATED / file).read_text(encoding="utf-8")
    assert json.loads(out)
