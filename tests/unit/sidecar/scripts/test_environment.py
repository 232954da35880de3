"""What of the daemon's environment reaches a script, and what a step may add."""

import pytest

from sidecar.scripts.environment import refused_names, refused_value, script_environment

DAEMON = {
    "PATH": "/usr/bin",
    "HOME": "/home/u",
    "LANG": "de_DE.UTF-8",
    "LC_TIME": "C",
    "TZ": "UTC",
    "XDG_CACHE_HOME": "/c",
    "SSL_CERT_FILE": "/certs",
    "HTTPS_PROXY": "http://proxy:8080",
    "http_proxy": "http://user:secret@proxy:8080",
    "no_proxy": "localhost",
}
PASSED = DAEMON.keys() - {"http_proxy"}


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
    assert script_environment({}, DAEMON | secrets, windows=False).keys() == PASSED


def test_proxy_with_credentials_stays_with_the_daemon() -> None:
    environment = script_environment({}, DAEMON, windows=False)
    assert environment["HTTPS_PROXY"] == "http://proxy:8080"
    assert "http_proxy" not in environment


def test_step_adds_to_the_environment_and_wins() -> None:
    assert script_environment({"LANG": "C", "MODE": "x"}, {"LANG": "de", "A": "b"}) == {
        "LANG": "C",
        "MODE": "x",
    }


def test_windows_gets_what_programs_need_there_in_any_case() -> None:
    source = {"SystemRoot": "C:\\Windows", "Path": "C:\\", "ProgramFiles(x86)": "p", "Secret": "x"}
    assert script_environment({}, source, windows=True).keys() == source.keys() - {"Secret"}


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
