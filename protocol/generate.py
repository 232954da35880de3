"""Writes what is generated from the models: `generated/` and the tables of README.md.

Run `python -m protocol.generate` after a change to the models; a test fails while the two differ.
It knows the tables of this package and nothing of what answers them.
"""

import sys
from pathlib import Path
from typing import Any, Final

import orjson

from protocol import schemas
from protocol.openrpc import openrpc
from protocol.reference import reference
from protocol.typescript import typescript

__all__ = ["ROOT", "documents", "main", "openrpc", "workflow_schema"]

ROOT: Final = Path(__file__).parent
_README: Final = "README.md"
#: In README.md, what stands before this line is written by hand.
_MARK: Final = "<!-- Generated from here on: python -m protocol.generate -->\n"


def workflow_schema() -> dict[str, Any]:
    """JSON Schema draft-07 of workflow files: what editors' YAML support reads."""
    schema = schemas.workflow_file()
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "workflow-sidecar workflow file",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def documents() -> dict[str, bytes]:
    """What must stand in the files: path from here to bytes."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    introduction, _, _ = (ROOT / _README).read_text("utf-8").partition(_MARK)
    return {
        "generated/workflow.schema.json": orjson.dumps(workflow_schema(), option=options),
        "generated/openrpc.json": orjson.dumps(openrpc(), option=options),
        "generated/protocol.d.ts": typescript().encode(),
        _README: (introduction + _MARK + "\n" + reference()).encode(),
    }


def main(root: Path = ROOT) -> int:
    """Write every document below `root`; the exit status."""
    for name, content in documents().items():
        file = root / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        sys.stdout.write(f"wrote {name} ({len(content)} bytes)\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
