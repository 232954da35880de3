"""A Chromium to test with: one that is installed, else one that can be installed.

Without any the tests are skipped by name; under CI (the environment variable) they fail instead.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
#: apt-get on a slow line.
_INSTALL_S: Final = 600.0
#: For a browser that runs as root, on a machine without a screen, and that talks to nobody of its
#: own accord.
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoChromiumError(Exception):
    """There is none, and none could be installed; the text says how to get one."""


def find_chromium() -> str:
    """The path of a Chromium, installed now if need be. Raises NoChromiumError."""
    if os.name == "nt":
        found = shutil.which("chrome") or shutil.which("msedge")
        if found is None:
            raise NoChromiumError("neither Chrome nor Edge is on the PATH")
        return found
    done = subprocess.run(
        ["sh", str(ROOT / ".ci" / "browser")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_INSTALL_S,
        check=False,
    )
    if done.returncode != 0:
        raise NoChromiumError(done.stderr.strip().splitlines()[-1])
    return done.stdout.strip().splitlines()[-1]


def chromium_or_skip() -> str:
    """The same for a test, which ends without one. A false or empty CI counts as none."""
    try:
        return find_chromium()
    except NoChromiumError as error:
        text = f"the browser tests need Chromium: {error}"
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(text)
    pytest.skip(text)
