"""How to get a Python for scripts, for the system at hand, in one line."""

import platform
import sys
from typing import Final

#: The ID or ID_LIKE of os-release(5), and the command there.
_LINUX: Final = {
    "debian": "sudo apt install python3",
    "ubuntu": "sudo apt install python3",
    "fedora": "sudo dnf install python3",
    "rhel": "sudo dnf install python3",
    "suse": "sudo zypper install python3",
    "arch": "sudo pacman -S python",
    "alpine": "sudo apk add python3",
}
_ELSE: Final = "or name one with --python PATH or WORKFLOW_SIDECAR_PYTHON"


def install_guide(system: str = sys.platform) -> str:
    """One sentence: the command or page that installs Python, and how to point at another one."""
    if system == "win32":
        return f"Install Python with `winget install Python.Python.3.13`, {_ELSE}."
    if system == "darwin":
        return f"Install Python with `brew install python` or from python.org, {_ELSE}."
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    for name in [release.get("ID", ""), *release.get("ID_LIKE", "").split()]:
        if name in _LINUX:
            return f"Install Python with `{_LINUX[name]}`, {_ELSE}."
    return f"Install Python from python.org or your system's packages, {_ELSE}."
