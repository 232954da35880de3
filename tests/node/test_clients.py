"""Third-party JSON-RPC clients of Node as they come from their registry, each in one session."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.node.packages import NodePackages, node_packages
from tests.sessions import EXPECTED, project_of_sessions

__all__ = ["node_packages"]

CLIENTS = Path(__file__).parent / "clients"
#: What only one client can do, and what comes of it.
MORE: dict[str, dict[str, Any]] = {
    "vscode_jsonrpc": {
        "cancelled_code": -32800,
        "cancelled": ["workflow_failed", "cancelled"],
    },
    "open_rpc": {"batch": [[], []]},
}


@pytest.mark.parametrize(
    "client",
    [
        "vscode_jsonrpc",
        "json_rpc_2_0 lines",
        "json_rpc_2_0 websocket",
        "rpc_websockets",
        "jayson",
        "open_rpc",
    ],
)
def test_a_client_subscribes_executes_looks_back_unsubscribes_and_ends(
    node_packages: NodePackages, tmp_path: Path, client: str
) -> None:
    name, *mode = client.split()
    project_of_sessions(tmp_path)
    done = node_packages.run(CLIENTS / f"{name}.js", sys.executable, tmp_path, *mode)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {**EXPECTED, **MORE.get(name, {})}
