"""The demo page's modules: their types, their own logic, and what they were vendored from."""

import json
import subprocess
from pathlib import Path

from tests.node.packages import ROOT, NodePackages, node_packages

__all__ = ["node_packages"]

HERE = Path(__file__).parent
PAGE = ROOT / "renderer-demo"
VENDOR = PAGE / "vendor"


def test_the_modules_have_the_types_of_the_generated_protocol(
    node_packages: NodePackages, tmp_path: Path
) -> None:
    done = _type_check(node_packages, tmp_path, PAGE)

    assert (done.returncode, done.stdout) == (0, "")


def test_a_field_that_the_protocol_does_not_have_is_found(
    node_packages: NodePackages, tmp_path: Path
) -> None:
    page = tmp_path / "page"
    page.mkdir()
    declarations = (ROOT / "protocol" / "generated" / "protocol.js").as_posix()
    (page / "wrong.js").write_text(
        f'/** @import {{ Snapshot }} from "{declarations}" */\n'
        "/** @param {Snapshot} snapshot */\n"
        "export const step = (snapshot) => snapshot.step;\n"
    )
    (page / "tsconfig.json").write_text((PAGE / "tsconfig.json").read_text())
    done = _type_check(node_packages, tmp_path, page)

    assert done.returncode != 0
    assert "error TS2551: Property 'step' does not exist on type 'Snapshot'" in done.stdout


def _type_check(
    node_packages: NodePackages, folder: Path, page: Path
) -> "subprocess.CompletedProcess[str]":
    modules = (node_packages.folder / "node_modules").as_posix()
    config = {
        "extends": (page / "tsconfig.json").as_posix(),
        # The types of what is vendored are its package's own.
        "compilerOptions": {
            "paths": {
                "preact": [f"{modules}/preact/src/index.d.ts"],
                "preact/hooks": [f"{modules}/preact/hooks/src/index.d.ts"],
                "htm": [f"{modules}/htm/dist/htm.d.ts"],
                "@dagrejs/dagre": [f"{modules}/@dagrejs/dagre/dist/types/index.d.ts"],
                "@dagrejs/graphlib": [f"{modules}/@dagrejs/graphlib/dist/types/index.d.ts"],
            }
        },
        "include": [f"{page.as_posix()}/{pattern}" for pattern in _included(page)],
    }
    file = folder / "tsconfig.check.json"
    file.write_text(json.dumps(config))
    compiler = node_packages.folder / "node_modules" / "typescript" / "bin" / "tsc"
    return node_packages.run(compiler, "-p", file, "--pretty", "false", timeout=120)


def _included(page: Path) -> list[str]:
    patterns: list[str] = json.loads((page / "tsconfig.json").read_text())["include"]
    return patterns


def test_the_pages_own_logic_holds(node_packages: NodePackages) -> None:
    files = sorted((HERE / "page").glob("*.test.mjs"))
    done = node_packages.run("--test", *files, timeout=120)

    assert done.returncode == 0, done.stdout


def test_what_is_vendored_is_what_the_packages_hold(
    node_packages: NodePackages, tmp_path: Path
) -> None:
    modules = node_packages.folder / "node_modules"
    done = node_packages.run(VENDOR / "update.mjs", modules, tmp_path)

    assert done.returncode == 0, done.stderr
    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    kept = {file.name for file in VENDOR.iterdir() if not file.name.endswith(".d.ts")}
    assert set(written) == kept - {"README.md", "update.mjs"}
    for name, contents in written.items():
        assert (VENDOR / name).read_bytes() == contents, f"{name}: run vendor/update.mjs"


def test_the_versions_that_the_list_of_vendored_files_names_are_those_of_the_lock_file() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())["packages"]
    listed = (VENDOR / "README.md").read_text()
    for package in ("preact", "htm", "@dagrejs/dagre", "@fontsource-variable/inter"):
        version = lock[f"node_modules/{package}"]["version"]
        assert f"| {package}, `" in listed
        row = next(line for line in listed.splitlines() if f"| {package}, `" in line)
        assert f"| {version} |" in row
