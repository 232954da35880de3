"""`.ci/setup` and the Makefile's use of it: what is told, and that it is done once.

With stand-ins for python and uv on a PATH of its own, in a folder of its own; nothing is
downloaded, no real environment is made.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
#: What the shell script itself calls.
TOOLS = ("dirname", "make", "mkdir", "rm", "sh", "touch", "chmod", "cp")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no make")

#: A python of some version, with a line in `log` for every environment and installation. Its
#: environments are a copy of itself as .venv/bin/python.
PYTHON = """#!/bin/sh
case "$*" in
    *"import pip; "*) {has_pip} ;;
esac
case "$*" in
    *version_info\\ \\<*) {is_new} ;;
    *version_info*) echo {version} ;;
    *ensurepip*) {has_venv} ;;
    "-m venv .venv") echo "venv by {version}" >> log; mkdir -p .venv/bin; cp "$0" {made} ;;
    "-m pip install"*) echo "pip" "$@" >> log; {installs} ;;
esac
"""
UV = """#!/bin/sh
echo "uv" "$@" >> log
case "$1" in
    venv) {makes_venv}; mkdir -p .venv/bin; cp fake-python .venv/bin/python ;;
    pip) {installs} ;;
esac
"""


class Machine:
    """A fresh clone, and a PATH that holds nothing but what was put there."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "a clone"
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.clone / ".ci").mkdir(parents=True)
        for name in (".ci/setup", "Makefile", "pyproject.toml"):
            shutil.copy(CHECKOUT / name, self.clone / name)
        for tool in TOOLS:
            found = shutil.which(tool)
            if found is None:
                pytest.skip(f"{tool} is missing")
            (self.bin / tool).symlink_to(found)

    def python(
        self,
        name: str = "python3",
        version: str = "3.12.1",
        *,
        folder: Path | None = None,
        has_venv: bool = True,
        has_pip: bool = True,
        installs: bool = True,
    ) -> Path:
        """Put a python there."""
        is_new = tuple(map(int, version.split("."))) >= (3, 11)
        file = (folder or self.bin) / name
        text = PYTHON.format(
            version=version,
            made=".venv/bin/python",
            is_new=f"exit {int(not is_new)}",
            has_venv=f"exit {int(not has_venv)}",
            has_pip=":" if has_pip else "exit 1",
            installs="exit 0" if installs else "echo 'no network' >&2; exit 1",
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
        return file

    def uv(self, *, makes_venv: bool = True, installs: bool = True) -> None:
        """Put a uv there."""
        self.python("fake-python", folder=self.clone, has_pip=False)
        text = UV.format(
            makes_venv=":" if makes_venv else "exit 2",
            installs="exit 0" if installs else "echo 'no network' >&2; exit 1",
        )
        file = self.bin / "uv"
        file.write_text(text)
        file.chmod(0o755)

    def setup(self, what: str = "run", **env: str) -> "subprocess.CompletedProcess[str]":
        return self._do(["sh", ".ci/setup", what], env)

    def make(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return self._do(["make", "--silent", *arguments], env)

    def _do(self, command: list[str], env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        found = shutil.which(command[0], path=str(self.bin)) or command[0]
        return subprocess.run(
            [found, *command[1:]],
            cwd=self.clone,
            env={"PATH": str(self.bin), **env},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    @property
    def log(self) -> list[str]:
        file = self.clone / "log"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


PIP = "pip -m pip install --quiet --quiet --disable-pip-version-check --editable"


def test_a_fresh_clone_gets_an_environment_with_the_package(machine: Machine) -> None:
    machine.python()
    done = machine.setup()
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "",
        "installing into .venv (once) ...\n",
    )
    assert machine.log == ["venv by 3.12.1", f"{PIP} ."]


def test_the_tests_get_their_tools_too(machine: Machine) -> None:
    machine.python()
    assert machine.setup("test").returncode == 0
    assert machine.log[-1] == f"{PIP} .[test]"


def test_it_works_from_any_folder(machine: Machine) -> None:
    machine.python()
    done = subprocess.run(
        [machine.bin / "sh", machine.clone / ".ci" / "setup", "run"],
        cwd=machine.bin,
        env={"PATH": str(machine.bin)},
        timeout=20,
        check=False,
    )
    assert done.returncode == 0
    assert (machine.clone / ".venv" / ".installed-run").exists()


def test_the_first_python_that_is_new_enough_is_taken(machine: Machine) -> None:
    machine.python("python3", "3.8.18")
    machine.python("python3.12", "3.12.9")
    machine.python("python3.11", "3.11.2")
    assert machine.setup().returncode == 0
    assert machine.log[0] == "venv by 3.12.9"


def test_a_python_of_ones_choice_is_taken_spaces_and_all(machine: Machine, tmp_path: Path) -> None:
    machine.python("python3", "3.13.0")
    chosen = machine.python("python", "3.11.5", folder=tmp_path / "my pythons")
    assert machine.setup(PYTHON=str(chosen)).returncode == 0
    assert machine.log[0] == "venv by 3.11.5"


@pytest.mark.parametrize("what", ["run", "test"])
def test_a_python_too_old_is_one_line(machine: Machine, what: str) -> None:
    machine.python("python3", "3.8.18")
    machine.python("python", "2.7.18")
    done = machine.setup(what)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "workflow-sidecar: needs Python 3.11 or newer (python3 is 3.8.18); install it "
        "(https://www.python.org/downloads/) or name it with PYTHON=/path/to/python3\n"
    )


def test_no_python_at_all_is_one_line(machine: Machine) -> None:
    done = machine.setup()
    assert done.returncode == 1
    assert done.stderr.startswith("workflow-sidecar: needs Python 3.11 or newer; install it")
    assert done.stderr.count("\n") == 1


def test_a_chosen_python_that_will_not_do_is_named(machine: Machine, tmp_path: Path) -> None:
    machine.python()
    old = machine.python("old", "3.9.1", folder=tmp_path)
    assert machine.setup(PYTHON=str(old)).stderr == (
        f"workflow-sidecar: needs Python 3.11 or newer; {old} is 3.9.1\n"
    )
    assert machine.setup(PYTHON="/nowhere").stderr == (
        "workflow-sidecar: needs Python 3.11 or newer; PYTHON=/nowhere is no Python\n"
    )


def test_a_python_without_venv_is_one_line(machine: Machine) -> None:
    machine.python(has_venv=False)
    done = machine.setup()
    assert (done.returncode, done.stderr) == (
        1,
        "workflow-sidecar: python3 has no venv; "
        "install it (Debian, Ubuntu: sudo apt install python3-venv)\n",
    )


def test_an_installation_that_fails_is_told_and_tried_again(machine: Machine) -> None:
    machine.python(installs=False)
    done = machine.setup()
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [
        "no network",
        "workflow-sidecar: pip could not install into .venv; the reason stands above",
    ]
    assert not (machine.clone / ".venv" / ".installed-run").exists()


@pytest.mark.parametrize(("version", "has_pip"), [("3.12.1", False), ("3.9.0", True)])
def test_an_environment_that_was_cut_off_or_is_too_old_is_made_again(
    machine: Machine, version: str, has_pip: bool
) -> None:
    machine.python()
    machine.python("python", version, folder=machine.clone / ".venv" / "bin", has_pip=has_pip)
    assert machine.setup().returncode == 0
    assert machine.log[0] == "venv by 3.12.1"


def test_a_good_environment_is_kept(machine: Machine) -> None:
    machine.python("python", folder=machine.clone / ".venv" / "bin")
    assert machine.setup().returncode == 0
    assert machine.log == [f"{PIP} ."]


def test_uv_is_used_where_it_is(machine: Machine) -> None:
    machine.python()
    machine.uv()
    assert machine.setup("test").returncode == 0
    assert machine.log == [
        "uv venv --quiet .venv",
        "uv pip install --quiet --python .venv/bin/python --editable .[test]",
    ]
    assert machine.setup("test").returncode == 0
    assert machine.log[2:] == machine.log[1:2]


def test_uv_gets_the_python_of_ones_choice(machine: Machine) -> None:
    machine.uv()
    assert machine.setup(PYTHON="/my python").returncode == 0
    assert machine.log[0] == "uv venv --quiet --python /my python .venv"


def test_what_uv_cannot_do_is_told(machine: Machine) -> None:
    machine.uv(makes_venv=False)
    assert "needs Python 3.11 or newer, and uv found none; " in machine.setup().stderr
    machine.uv(installs=False)
    done = machine.setup()
    assert done.returncode == 1
    assert done.stderr.endswith(
        "workflow-sidecar: uv could not install into .venv; the reason stands above\n"
    )


def test_make_installs_once_and_again_when_the_dependencies_change(machine: Machine) -> None:
    machine.python()
    assert machine.make(".venv/.installed-run").returncode == 0
    first = machine.log
    assert len(first) == 2
    assert machine.make(".venv/.installed-run").stderr == ""
    assert machine.log == first
    later = (machine.clone / ".venv" / ".installed-run").stat().st_mtime + 10
    os.utime(machine.clone / "pyproject.toml", (later, later))
    assert machine.make(".venv/.installed-run").returncode == 0
    assert machine.log == [*first, f"{PIP} ."]


def test_after_the_tests_a_run_has_nothing_to_install(machine: Machine) -> None:
    machine.python()
    assert machine.make(".venv/.installed-test").returncode == 0
    before = machine.log
    assert machine.make(".venv/.installed-run").returncode == 0
    assert machine.log == before


def test_make_run_uses_the_new_environments_python_for_the_scripts(machine: Machine) -> None:
    machine.python()
    assert machine.make(".venv/.installed-run").returncode == 0
    command = machine.clone / ".venv" / "bin" / "workflow-sidecar"
    command.write_text('#!/bin/sh\necho "$WORKFLOW_SIDECAR_PYTHON $*"\n')
    command.chmod(0o755)
    arguments = "run renderer-demo/report-on-this-repository.yaml"
    assert machine.make("run").stdout == f".venv/bin/python {arguments}\n"
    mine = machine.make("run", WORKFLOW_SIDECAR_PYTHON="/mine")
    assert mine.stdout == f"/mine {arguments}\n"
