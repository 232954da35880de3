"""What happens where Node is missing: a reason is told, and CI does not let it pass."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.node import packages


@pytest.mark.parametrize("ci", [None, "", "false", "0"])
def test_without_node_a_test_is_skipped_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, ci: str | None
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    with pytest.raises(pytest.skip.Exception, match="node is not on the PATH"):
        packages.missing("node")


def test_under_ci_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="npm is not on the PATH"):
        packages.missing("npm")


@pytest.fixture
def npm(tmp_path: Path) -> Callable[[str], str]:
    """An npm that runs a shell script instead."""

    def write(script: str) -> str:
        file = tmp_path / "npm"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return str(file)

    return write


def test_a_failed_installation_is_told_and_leaves_nothing(
    npm: Callable[[str], str], tmp_path: Path
) -> None:
    target = tmp_path / "venv" / "node-1"
    with pytest.raises(RuntimeError, match="no network"):
        packages.install(npm("echo no network >&2; exit 1"), target)

    assert list(target.parent.iterdir()) == []


def test_an_installation_that_is_there_is_not_touched(
    npm: Callable[[str], str], tmp_path: Path
) -> None:
    target = tmp_path / "venv" / "node-1"
    packages.install(npm(": > node_modules"), target)
    packages.install(npm("exit 1"), target)

    assert {file.name for file in target.iterdir()} == {
        "node_modules",
        "package.json",
        "package-lock.json",
        ".npmrc",
    }
    assert [file.name for file in target.parent.iterdir()] == ["node-1"]


def test_the_lock_file_names_no_registry() -> None:
    lock = (Path(packages.__file__).parent / "package-lock.json").read_text("utf-8")

    assert '"resolved"' not in lock
    assert '"integrity"' in lock
