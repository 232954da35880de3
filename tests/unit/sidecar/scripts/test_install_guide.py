"""The way to a Python, in the words of the system at hand."""

import platform

import pytest

from sidecar.scripts.install_guide import install_guide


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ({"ID": "debian"}, "apt install python3"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "apt install python3"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "dnf install python3"),
        ({"ID": "arch"}, "pacman -S python"),
        ({"ID": "unheard-of"}, "python.org"),
    ],
)
def test_linux_is_told_its_own_command(
    monkeypatch: pytest.MonkeyPatch, release: dict[str, str], command: str
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    assert command in install_guide("linux")


def test_linux_without_a_release_file_is_told_something(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> dict[str, str]:
        raise OSError

    monkeypatch.setattr(platform, "freedesktop_os_release", missing)
    assert "python.org" in install_guide("linux")


def test_other_systems_are_told_theirs() -> None:
    assert "winget" in install_guide("win32")
    assert "brew" in install_guide("darwin")


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_guide_is_one_line_and_names_the_other_way(system: str) -> None:
    guide = install_guide(system)
    assert "\n" not in guide
    assert "--python" in guide
