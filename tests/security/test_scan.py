"""The security scan: the product's code, its dependencies, and tokens in the repository.

bandit (the reference implementation of the rules that ruff's "S" has ported) runs without a
network. What it finds is accepted one by one, with a reason, in
`[tool.security_scan.accepted]` of pyproject.toml.
"""

import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from sidecar.redaction import shapes
from tests.unit.sidecar.redaction.from_shapes import all_secrets

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONFIG: dict[str, Any] = PYPROJECT["tool"]["security_scan"]
SCANNED = ("sidecar", "protocol", "renderer-demo")


def findings(*paths: str | Path) -> set[str]:
    """What bandit finds: `B102 sidecar/scripts/child/bootstrap.py`."""
    command = [sys.executable, "-m", "bandit", "-q", "-r", "-f", "json", *map(str, paths)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 1), ended.stderr
    report = json.loads(ended.stdout)
    assert report["errors"] == []
    return {
        f"{found['test_id']} {Path(found['filename']).as_posix()}" for found in report["results"]
    }


def test_each_finding_in_the_product_is_accepted_with_a_reason_and_still_there() -> None:
    accepted: dict[str, str] = CONFIG["accepted"]
    found = findings(*SCANNED)
    unknown = {finding for finding in found if not finding.startswith(tuple(accepted))}
    assert unknown == set(), "mend it, or accept it in [tool.security_scan.accepted] and say why"
    of_files = {entry for entry in accepted if not entry.endswith("/")}
    assert of_files - found == set(), "found no more; take it out of the table"
    assert all(len(reason.split()) > 5 for reason in accepted.values())


def test_a_hole_in_the_code_would_be_found(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("import os, pickle\nos.system(input())\npickle.loads(b'')\neval(input())\n")
    assert {found.split()[0] for found in findings(tmp_path)} >= {"B605", "B301", "B307"}


def dependencies() -> dict[str, Requirement]:
    """What the product needs at run time, by name."""
    found = [Requirement(text) for text in PYPROJECT["project"]["dependencies"]]
    return {requirement.name.lower(): requirement for requirement in found}


@pytest.mark.parametrize("advisory", CONFIG["advisories"], ids=lambda advisory: advisory["id"])
def test_no_version_with_a_published_hole_is_installed_or_asked_for(
    advisory: dict[str, str],
) -> None:
    requirement = dependencies()[advisory["package"].lower()]
    affected = SpecifierSet(advisory["affected"])
    assert metadata.version(requirement.name) not in affected
    least = next(spec for spec in requirement.specifier if spec.operator == ">=")
    assert least.version not in affected, "the least version that is asked for has it"


def test_advisories_were_looked_up_for_every_dependency() -> None:
    assert set(CONFIG["looked_up"]) == set(dependencies())


def tracked_files() -> list[Path]:
    """The repository's files; without git, as in an unpacked archive, all that are there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [file for name in (*SCANNED, "tests") for file in (ROOT / name).rglob("*")]


def test_no_file_of_the_repository_holds_what_looks_like_a_token() -> None:
    files = [file for file in tracked_files() if file.is_file()]
    assert len(files) > 200
    texts = {file: file.read_text(errors="replace") for file in files}
    held = [file.name for file, text in texts.items() if shapes.hide(text) != text]
    assert held == []


def test_a_token_in_a_file_would_be_found() -> None:
    assert all(shapes.hide(f"x = {secret!r}\n") != f"x = {secret!r}\n" for secret in all_secrets())
