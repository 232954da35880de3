"""The generated TypeScript, as the compiler sees it."""

import json
import re
from pathlib import Path

from protocol.documents import FILES
from protocol.examples import EXAMPLES
from tests.node.packages import ROOT, NodePackages, node_packages

__all__ = ["node_packages"]

HERE = Path(__file__).parent
DECLARATIONS = ROOT / "protocol" / "generated" / FILES["typescript"]


def test_a_host_with_every_method_event_and_error_compiles(node_packages: NodePackages) -> None:
    done = node_packages.tsc([HERE / "host.ts"])

    assert (done.returncode, done.stdout) == (0, "")


def test_a_hosts_mistakes_are_found_where_they_are(node_packages: NodePackages) -> None:
    source = HERE / "wrong_host.ts"
    lines = source.read_text("utf-8").splitlines()
    expected = {
        (number, match[1])
        for number, line in enumerate(lines, 1)
        if (match := re.search(r" // (TS\d+)$", line))
    }
    done = node_packages.tsc([source.name], cwd=HERE)
    found = re.findall(r"^wrong_host\.ts\((\d+),\d+\): error (TS\d+):", done.stdout, re.M)

    assert done.returncode != 0
    assert {(int(number), code) for number, code in found} == expected, done.stdout


def test_every_example_has_the_types_of_its_method(
    node_packages: NodePackages, tmp_path: Path
) -> None:
    lines = [f'import type {{ Methods }} from "{DECLARATIONS.as_posix().removesuffix(".d.ts")}";']
    for number, example in enumerate(EXAMPLES):
        method = f'Methods["{example.method}"]'
        lines += [
            f'export const params{number}: {method}["params"] = {json.dumps(example.params)};',
            f'export const result{number}: {method}["result"] = {json.dumps(example.result)};',
        ]
    source = tmp_path / "examples.ts"
    source.write_text("\n".join(lines), "utf-8")
    done = node_packages.tsc([source])

    assert (done.returncode, done.stdout) == (0, "")


def test_no_declaration_says_any() -> None:
    text = re.sub(r"/\*\*.*?\*/", "", DECLARATIONS.read_text("utf-8"), flags=re.S)

    assert re.findall(r"\bany\b", text) == []
