"""What happens where there is no Chromium: a reason is told, and CI does not let it pass."""

import os
from pathlib import Path

import pytest

from tests.browser.chromium import NoChromiumError, chromium_or_skip, find_chromium

pytestmark = pytest.mark.skipif(os.name == "nt", reason="about the script of POSIX systems")


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH with a shell and nothing else, for somebody who is not root."""
    for name in ("sh",):
        (tmp_path / name).symlink_to(f"/bin/{name}")
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("CI", "CHROMIUM"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_without_one_a_test_is_skipped_and_told_how_to_get_one(nothing: Path) -> None:
    with pytest.raises(NoChromiumError, match="apt install chromium"):
        find_chromium()
    with pytest.raises(pytest.skip.Exception, match="the browser tests need Chromium"):
        chromium_or_skip()


def test_under_ci_it_fails(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="the browser tests need Chromium"):
        chromium_or_skip()


def test_the_one_that_is_named_is_taken(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = nothing / "my-browser"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert chromium_or_skip() == str(mine)


def test_root_on_debian_installs_one(nothing: Path) -> None:
    (nothing / "id").write_text("#!/bin/sh\necho 0\n")
    apt = nothing / "apt-get"
    apt.write_text(
        "#!/bin/sh\n"
        'case "$*" in *"install"*chromium) echo "#!/bin/sh" > "${0%/*}/chromium"\n'
        '/bin/chmod +x "${0%/*}/chromium";; esac\n'
    )
    apt.chmod(0o755)
    assert chromium_or_skip() == str(nothing / "chromium")
