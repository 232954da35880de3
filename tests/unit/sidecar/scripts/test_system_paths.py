"""What of the machine is open to every script, and what never is."""

import sys
from pathlib import Path

import pytest

from sidecar.scripts.system_paths import (
    command_rules,
    is_within,
    opens_any,
    system_rules,
    without_needless,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="the tables are Linux's")


@linux
def test_system_is_open_and_what_is_secret_or_others_is_not() -> None:
    rules = system_rules({})
    opened = [path for path, _ in rules]
    assert any(is_within("/usr/bin/env", path) for path in opened)
    assert any(is_within("/etc/passwd", path) for path in opened)
    for secret in ("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/ssh/x", "/etc/ssl/private"):
        assert not any(is_within(secret, path) for path in opened), secret
    for others in ("/root/x", "/home/ada/x", "/tmp/x", "/var/lib/x", "/dev/sda", "/run/user/1"):
        assert not any(is_within(others, path) for path in opened), others


@linux
def test_every_rule_is_about_something_that_is_there_and_no_link() -> None:
    for path, letter in system_rules({}):
        assert Path(path).resolve() == Path(path)
        assert Path(path).exists()
        assert (letter == "f") <= (not Path(path).is_dir())


@linux
def test_certificates_that_the_environment_names_are_open(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.touch()
    assert (str(file), "f") in system_rules({"SSL_CERT_FILE": str(file)})
    assert system_rules({"SSL_CERT_FILE": str(tmp_path / "none")}) == system_rules({})


def test_folders_of_the_path_are_open_unless_they_open_more(tmp_path: Path) -> None:
    for name in ("bin", "manager/shims", "home/ada/bin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "bin")
    home = str(tmp_path / "home" / "ada")
    entries = ["bin", "", "manager/shims", "home/ada/bin", "home", "home/ada", "none", "link"]
    search_path = ":".join(str(tmp_path / entry) if entry else "." for entry in entries)
    assert [Path(path) for path, _ in command_rules(search_path, (home,))] == [
        tmp_path / "bin",
        tmp_path / "manager",
        tmp_path / "home" / "ada" / "bin",
        tmp_path / "bin",
    ]
    assert command_rules("/:/tmp:/etc:bin", ()) == []


def test_folder_that_holds_a_closed_one_opens_it() -> None:
    assert opens_any("/", ("/home/ada",))
    assert opens_any("/home/ada", ("/home/ada",))
    assert opens_any("/data", ("/data/ada",))
    assert not opens_any("/home/ada/bin", ("/home/ada",))
    assert not opens_any("/data-too", ("/data",))


def test_rule_within_another_of_its_kind_is_needless() -> None:
    rules = [("/usr/bin", "x"), ("/usr", "x"), ("/usr/x", "r"), ("/usr", "x"), ("/usrx", "x")]
    assert without_needless(rules) == [("/usr", "x"), ("/usrx", "x"), ("/usr/x", "r")]
