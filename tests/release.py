"""`make release`: builds what is published into `dist/` and checks it. Needs a network.

That the descriptions are what an index accepts, that the wheel is small, and that nobody needs a
compiler: for every Python and system there are wheels of all that is compiled; what comes as source
alone is pure Python.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
MAX_WHEEL_BYTES = 1_000_000
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
#: The oldest of each system that is still looked after.
SYSTEMS = {
    "Linux": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "Linux on ARM": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    "macOS": ("macosx_14_0_arm64", "macosx_11_0_arm64"),
    "Windows": ("win_amd64",),
}
#: Published as source only, by name, with what they need themselves.
SOURCE_ONLY = {"jsonrpcserver": ("oslash", "jsonschema<5"), "oslash": ("typing-extensions",)}


def main() -> int:
    """Build and check; the exit status."""
    folder = CHECKOUT / "dist"
    for old in folder.glob("workflow_sidecar-*"):
        old.unlink()
    _run("-m", "build", "--no-isolation", "--outdir", str(folder))
    built = sorted(folder.glob("workflow_sidecar-*"))
    _run("-m", "twine", "check", "--strict", *map(str, built))
    for file in built:
        print(f"{file.name}: {file.stat().st_size:,} bytes")
        if file.suffix == ".whl" and file.stat().st_size > MAX_WHEEL_BYTES:
            print(f"more than {MAX_WHEEL_BYTES:,} bytes")
            return 1
    needed = _dependencies()
    with tempfile.TemporaryDirectory() as elsewhere:
        _require_pure(elsewhere)
        for system, platforms in SYSTEMS.items():
            for python in PYTHONS:
                given = [word for name in platforms for word in ("--platform", name)]
                _run(
                    *("-m", "pip", "download", "-qq", "--only-binary=:all:"),
                    *("--python-version", python, *given, "--dest", f"{elsewhere}/{python}"),
                    *needed,
                )
                print(f"wheels for Python {python} on {system}")
    return 0


def _dependencies() -> list[str]:
    """What an installation fetches, but for what comes as source."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [line for line in project["dependencies"] if not line.startswith(tuple(SOURCE_ONLY))]
    inner = [name for names in SOURCE_ONLY.values() for name in names if name not in SOURCE_ONLY]
    return [*needed, *inner]


def _require_pure(folder: str) -> None:
    """Raises SystemExit when what comes as source only does not become a wheel for any system."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = {name: name for name in SOURCE_ONLY}
    bounds |= {
        name: line
        for line in project["dependencies"]
        for name in SOURCE_ONLY
        if line.startswith(name)
    }
    _run("-m", "pip", "wheel", "-qq", "--no-deps", "--wheel-dir", folder, *bounds.values())
    for wheel in Path(folder).glob("*.whl"):
        print(f"source only: {wheel.name}")
        if not wheel.name.endswith("-py3-none-any.whl"):
            raise SystemExit(f"{wheel.name} is compiled, and comes without a wheel")


def _run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=CHECKOUT, check=False)
    if done.returncode:
        raise SystemExit(f"failed: python {' '.join(arguments)}")


if __name__ == "__main__":
    raise SystemExit(main())
