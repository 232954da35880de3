"""The OpenRPC document against the official meta schema."""

from pathlib import Path

import orjson
import pytest

from protocol import documents, generate
from tests.node.packages import NodePackages, node_packages

__all__ = ["node_packages"]

CHECK = Path(__file__).parent / "check_openrpc.js"


def test_the_document_fits_the_meta_schema(node_packages: NodePackages) -> None:
    done = node_packages.run(CHECK, generate.ROOT / "generated" / documents.FILES["openrpc"])

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("damage", ["name", "params", "schema", "code", "version"])
def test_the_check_finds_what_does_not_fit(
    node_packages: NodePackages, tmp_path: Path, damage: str
) -> None:
    document = generate.openrpc()
    method = document["methods"][0]
    match damage:
        case "version":
            document["openrpc"] = "1"
        case "schema":
            method["params"][0]["schema"] = {"type": "text"}
        case "code":
            method["errors"].append({"code": "-32000", "message": ""})
        case _:
            del method[damage]
    file = tmp_path / "openrpc.json"
    file.write_bytes(orjson.dumps(document))
    done = node_packages.run(CHECK, file)

    assert done.returncode == 1
    assert done.stdout != ""
    assert done.stderr == ""
