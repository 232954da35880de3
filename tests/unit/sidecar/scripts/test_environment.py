"""What of the daemon's environment reaches a script, and what a step may add."""

import os

import pytest

from sidecar.scripts.environment import refused_names, refused_value, script_environment

DAEMON = {
    "PATH": "/usr/bin",
    "HOME": "/home/u",
    "LANG": "de_DE.UTF-8",
    "LC_TIME": "C",
    "TZ": "UTC",
    "XDG_CONFIG_HOME": "/c",
    "SSL_CERT_FILE": "/certs",
    "HTTPS_PROXY": "http://proxy:8080",
    "http_proxy": "http://user:secret@proxy:8080",
    "no_proxy": "localhost",
}
#: Set for each attempt, whatever the daemon has.
OWN = {"TMPDIR": "/t", "TEMP": "/t", "TMP": "/t", "XDG_CACHE_HOME": "/own"}
PASSED = (DAEMON.keys() - {"http_proxy"}) | OWN.keys()


def environment(
    source: dict[str, str], step: dict[str, str] | None = None, **more: bool
) -> dict[str, str]:
    options = {"windows": False, **more}
    return script_environment(step or {}, source, temporary="/t", cache="/own", **options)


def test_only_the_allowlist_reaches_a_script() -> None:
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "x",
        "OPENAI_API_KEY": "x",
        "WORKFLOW_SIDECAR_PYTHON": "x",
        "PYTHONPATH": "/evil",
        "LD_PRELOAD": "/evil.so",
        "SSH_AUTH_SOCK": "/s",
        "XDG_RUNTIME_DIR": "/run",
        "TERM": "xterm",
        "path": "/evil",
        "APPDATA": "x",
    }
    assert environment(DAEMON | secrets).keys() == PASSED


def test_proxy_with_credentials_stays_with_the_daemon() -> None:
    passed = environment(DAEMON)
    assert passed["HTTPS_PROXY"] == "http://proxy:8080"
    assert "http_proxy" not in passed


def test_step_adds_to_the_environment_and_wins() -> None:
    step = {"LANG": "C", "MODE": "x", "TMPDIR": "build"}
    assert environment({"LANG": "de", "A": "b"}, step) == OWN | step


def test_folders_of_the_daemon_are_not_those_of_a_script() -> None:
    daemon = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME"), "/daemon")
    assert environment(daemon) == OWN


def test_git_does_not_look_for_settings_that_are_closed() -> None:
    closed = environment({}, closes_global_git_settings=True)
    assert closed == OWN | {"GIT_CONFIG_GLOBAL": os.devnull}


def test_windows_gets_what_programs_need_there_in_any_case() -> None:
    source = {"SystemRoot": "C:\\Windows", "Path": "C:\\", "ProgramFiles(x86)": "p", "Secret": "x"}
    passed = environment(source, windows=True)
    assert passed.keys() == (source.keys() - {"Secret"}) | OWN.keys()


@pytest.mark.parametrize(
    "name",
    """
    PATH path Path LD_PRELOAD LD_LIBRARY_PATH ld_audit DYLD_INSERT_LIBRARIES PYTHONPATH
    PYTHONSTARTUP PythonHome NODE_OPTIONS BASH_ENV ENV PERL5LIB RUBYOPT GIT_SSH_COMMAND
    GIT_CONFIG_COUNT IFS HOME JAVA_TOOL_OPTIONS GLIBC_TUNABLES BASH_FUNC_ls
    """.split(),  # noqa: SIM905  # a list of names
)
def test_name_that_changes_how_programs_load_is_refused(name: str) -> None:
    assert refused_names([name]) == [(name, "changes how programs are found or loaded")]


@pytest.mark.parametrize("name", ["", "A=B", "A\0", "1A", "A B", "ä", "A-B", "=C:", "PATH\n"])
def test_malformed_name_is_refused(name: str) -> None:
    assert [refused for refused, _ in refused_names([name])] == [name]


def test_ordinary_names_pass() -> None:
    names = ["API_URL", "_x", "mode", "PATHS", "MY_PATH", "LDAP_HOST", "TZ", "DEBUG", "A1"]
    assert refused_names(names) == []


def test_value_that_no_environment_can_hold_is_refused() -> None:
    assert refused_value("a\0b") == "holds a NUL character"
    assert refused_value("\ud800") == "is not valid Unicode"
    assert refused_value("line\nline ü = ;") is None
