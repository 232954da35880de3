"""npm's packages for tests that run Node: installed once, from the lock file, outside the sources.

`from tests.node.packages import node_packages` gives a test module the fixture. Without Node or
npm its tests are skipped; under CI (the environment variable) they fail instead.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
_HERE: Final = Path(__file__).parent
_FILES: Final = ("package.json", "package-lock.json", ".npmrc")
#: A cold npm cache and a slow line.
_INSTALL_S: Final = 300.0
_RUN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class NodePackages:
    """Node, and the folder whose `node_modules` holds the packages."""

    node: str
    folder: Path

    def run(
        self,
        *arguments: str | Path,
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
        timeout: float = _RUN_S,
    ) -> subprocess.CompletedProcess[str]:
        """Run Node to its end. CommonJS finds the packages from anywhere by NODE_PATH; an ES
        module must lie in `folder` to import them by name."""
        return subprocess.run(
            [self.node, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "NODE_PATH": str(self.folder / "node_modules"), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )

    def tsc(
        self, files: Sequence[str | Path], cwd: Path = ROOT
    ) -> subprocess.CompletedProcess[str]:
        """Check TypeScript files as strictly as tsc can, the declarations they use included."""
        # No library but the language's: what is declared must stand by itself.
        none = self.folder / "no-types"
        return self._tsc("--lib", "es2022", "--typeRoots", none, *files, cwd=cwd)

    def tsc_commonjs(self, files: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Check JavaScript of Node or Electron, its types in comments, as strictly."""
        modules = self.folder / "node_modules"
        javascript = ["--allowJs", "--checkJs", "--module", "commonjs"]
        # The declarations of others are taken as they are.
        node: list[str | Path] = [
            "--skipLibCheck",
            "--typeRoots",
            modules / "@types",
            "--types",
            "node",
        ]
        electron = modules / "electron" / "electron.d.ts"
        return self._tsc(*javascript, "--lib", "es2022,dom", *node, electron, *files)

    def _tsc(self, *arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        compiler = self.folder / "node_modules" / "typescript" / "bin" / "tsc"
        strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"]
        target = ["--noEmit", "--pretty", "false", "--target", "es2022"]
        return self.run(compiler, *strict, *target, *arguments, cwd=cwd)


def missing(which: str) -> None:
    """End the test: fail under CI, else skip. A false or empty CI counts as none."""
    reason = f"{which} is not on the PATH; these tests need Node 20 or newer with npm"
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(reason)
    pytest.skip(reason)


def install(npm: str, target: Path) -> None:
    """Install the locked packages into `target`, which is there whole or not at all."""
    if target.exists():
        return
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="node-", dir=target.parent) as scratch:
        folder = Path(scratch) / "packages"
        folder.mkdir()
        for name in _FILES:
            shutil.copy(_HERE / name, folder)
        flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
        done = subprocess.run(
            [npm, "ci", *flags],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_INSTALL_S,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"npm ci failed:\n{done.stdout}")
        try:
            folder.rename(target)
        except OSError:
            # Another test run was faster.
            if not target.exists():
                raise


@pytest.fixture(scope="session")
def node_packages() -> NodePackages:
    """Node with its packages; installed by whoever comes first."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing("node" if node is None else "npm")
    assert node is not None
    assert npm is not None
    contents = b"\0".join((_HERE / name).read_bytes() for name in _FILES)
    lock_hash = hashlib.sha256(contents).hexdigest()[:12]
    target = ROOT / ".venv" / f"node-{lock_hash}"
    install(npm, target)
    return NodePackages(node, target)
