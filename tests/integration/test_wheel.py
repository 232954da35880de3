"""The wheel: built from the checkout, installed elsewhere, run there. Nothing is downloaded."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from sidecar import __version__

CHECKOUT = Path(__file__).parents[2]
#: All that is built or shipped; what else lies in a checkout is nobody's concern.
SOURCES = (
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "protocol",
    "pyproject.toml",
    "renderer-demo",
    "sidecar",
    "tests",
)
#: What runs of the sample and of the tests leave behind, and what a package manager does.
LEFTOVERS = (
    "renderer-demo/sample-project/workflow-report/report.html",
    "renderer-demo/sample-project/.workflow-sidecar/history.db",
    "renderer-demo/sample-project/scripts/__pycache__/report.cpython-311.pyc",
    "renderer-demo/electron/node_modules/electron/index.js",
    "sidecar/cli/__pycache__/live.cpython-311.pyc",
    "sidecar/.mypy_cache/x.json",
)
MAX_BYTES = 1_000_000


def _done(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {
        name: value
        for name, value in os.environ.items()
        # Only what stands in the new environment may be found there.
        if not name.startswith(("PYTHON", "COVERAGE"))
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env={**environment, "WORKFLOW_SIDECAR_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the wheel and the sdist of a checkout that has been worked in."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        source = CHECKOUT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules", "workflow-report")
            shutil.copytree(source, checkout / name, ignore=ignored)
        else:
            shutil.copy(source, checkout / name)
    for name in LEFTOVERS:
        file = checkout / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("left over")
    # The wheel that is tested is the one of the sdist's sources, as an index would build it.
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist"]
    _done(build, checkout)
    return checkout / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script of the wheel, in an environment that has its dependencies from here."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    if importlib.util.find_spec("ensurepip") is not None:
        _done([sys.executable, "-m", "venv", str(folder)], folder.parent)
        install = [str(scripts / "python"), "-m", "pip", "install", "--quiet"]
        _done([*install, "--disable-pip-version-check", "--no-deps", str(wheel)], folder)
    else:
        # A Python without pip has been set up by uv.
        uv = shutil.which("uv") or pytest.fail("neither pip nor uv is there")
        _done([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder.parent)
        install = [uv, "pip", "install", "--offline", "--no-deps", "--python"]
        _done([*install, str(scripts / "python"), str(wheel)], folder)
    new = _done(
        [str(scripts / "python"), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        folder,
    )
    # As a plain entry of the path: that folder's own .pth files, and with them the checkout, are
    # not looked at.
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(new.stdout.strip()) / "dependencies.pth").write_text("\n".join(sorted(paths)) + "\n")
    return scripts / "workflow-sidecar"


def test_the_wheel_holds_all_that_runs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "protocol/generated/openrpc.json",
        "protocol/generated/workflow.schema.json",
        "protocol/py.typed",
        "sidecar/_renderer_demo/app.js",
        "sidecar/_renderer_demo/components/App.js",
        "sidecar/_renderer_demo/index.html",
        "sidecar/_renderer_demo/sample-project/scripts/report.css",
        "sidecar/_renderer_demo/sample-project/scripts/report.py",
        "sidecar/_renderer_demo/sample-project/workflow.yaml",
        "sidecar/_renderer_demo/vendor/LICENSE.preact",
        "sidecar/_renderer_demo/vendor/preact.js",
        "sidecar/py.typed",
        "sidecar/scripts/child/bootstrap.py",
        f"workflow_sidecar-{__version__}.dist-info/licenses/LICENSE",
    } <= names
    assert {name.split("/")[0] for name in names} == {
        "protocol",
        "sidecar",
        f"workflow_sidecar-{__version__}.dist-info",
    }
    parts = {part for name in names for part in name.split("/")}
    assert not parts & {
        "__pycache__",
        "node_modules",
        "screenshots",
        "tests",
        "workflow-report",
        ".workflow-sidecar",
        ".mypy_cache",
    }
    assert not [name for name in names if name.endswith((".pyc", ".db"))]


def test_the_wheel_holds_every_source_file_of_the_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for package in ("sidecar", "protocol"):
        for file in (CHECKOUT / package).rglob("*.py"):
            assert file.relative_to(CHECKOUT).as_posix() in names


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_BYTES


def test_an_index_would_take_both(built: Path) -> None:
    check = [sys.executable, "-m", "twine", "check", "--strict", *map(str, built.iterdir())]
    assert _done(check, built).stdout.count("PASSED") == 2


def test_the_sdist_can_be_set_up_and_tested(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        ".ci/setup",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "pyproject.toml",
        "renderer-demo/report-on-this-repository.yaml",
        "sidecar/scripts/child/bootstrap.py",
        "tests/integration/test_wheel.py",
        "tests/unit/sidecar/cli/conftest.py",
    } <= names
    assert not names & set(LEFTOVERS)


def test_the_installed_command_is_this_version_and_not_the_checkout(
    command: Path, tmp_path: Path
) -> None:
    assert _done([str(command), "--version"], tmp_path).stdout == (
        f"workflow-sidecar {__version__}\n"
    )
    where = [str(command.with_name("python")), "-c", "import sidecar; print(sidecar.__file__)"]
    assert Path(_done(where, tmp_path).stdout.strip()).is_relative_to(command.parents[1])


def test_the_sample_project_that_comes_along_runs_to_its_end(command: Path, tmp_path: Path) -> None:
    (demo,) = command.parents[1].rglob("_renderer_demo")
    project = tmp_path / "sample"
    shutil.copytree(demo / "sample-project", project)
    done = _done([str(command), "run", "workflow.yaml", "--json"], project)
    result = json.loads(done.stdout)
    assert result["success"]
    assert (project / result["outputs"]["report"]["report"]).is_file()
    assert len(json.loads(_done([str(command), "history", "--json"], project).stdout)) == 1


def test_the_installed_command_knows_its_schemas(command: Path, tmp_path: Path) -> None:
    for name in ("workflow", "openrpc"):
        assert json.loads(_done([str(command), "schema", name], tmp_path).stdout)


def test_the_installed_command_validates(command: Path, tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("workflow: {name: W}\nsteps: [{id: a, type: output, message: x}]\n")
    done = _done([str(command), "validate", str(file)], tmp_path)
    assert (done.stdout, done.stderr) == ("", "1 of 1 workflow valid\n")
