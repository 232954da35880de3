"""The flags about what scripts may reach."""

from pathlib import Path

import pytest

from sidecar.cli import arguments
from sidecar.cli.isolation import isolation_options
from sidecar.errors import UsageError
from sidecar.scripts.confinement import SCRIPT_LIMITS, IsolationOptions


def options(*typed: str) -> IsolationOptions:
    return isolation_options(arguments.parse(["serve", *typed]))


def test_without_flags_scripts_get_what_the_machine_offers_and_nothing_more() -> None:
    assert options() == IsolationOptions()


def test_every_flag_has_its_say(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data")
    typed = ["--allow-read", str(tmp_path / "link"), "--allow-read", str(tmp_path)]
    typed += ["--allow-write", str(tmp_path / "data"), "--no-network", "--isolation", "require"]
    typed += ["--script-limit", "open_files=64", "--script-limit", "file_bytes=2GiB"]
    assert options(*typed) == IsolationOptions(
        level="require",
        allow_read=(tmp_path / "data", tmp_path),
        allow_write=(tmp_path / "data",),
        network=False,
        script_limits={"open_files": 64, "file_bytes": 2 * 2**30},
    )


@pytest.mark.parametrize("name", SCRIPT_LIMITS)
def test_every_limit_can_be_set(name: str) -> None:
    assert options("--script-limit", f"{name}=1KiB").script_limits == {name: 1024}


@pytest.mark.parametrize("folder", ["/nowhere", "", "a\0b", __file__])
@pytest.mark.parametrize("flag", ["--allow-read", "--allow-write"])
def test_folder_that_is_none_is_refused(flag: str, folder: str) -> None:
    with pytest.raises(UsageError, match=rf"{flag}: there is no folder"):
        options(flag, folder)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("open_file=1", "did you mean open_files?"),
        ("open_files", "expected NAME=N"),
        ("open_files=", "expected a whole number"),
        ("open_files=0", "expected a whole number"),
        ("open_files=-1", "expected a whole number"),
        ("file_bytes=1GB", "with or without a unit such as GiB"),
        ("file_bytes=" + "9" * 16, "expected a whole number"),
    ],
)
def test_limit_that_is_none_is_refused(
    typed: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        options("--script-limit", typed)
    assert words in capsys.readouterr().err
