"""The environment of a script: an exact allowlist of the daemon's own, plus what its step adds.

The daemon's secrets do not reach scripts because nothing does that is not named here. Passed on:

* where things are: PATH, HOME, SHELL, USER, LOGNAME and the XDG base directories (not
  XDG_RUNTIME_DIR, which is full of the session's sockets);
* language and time: LANG, LANGUAGE, every LC_*, TZ;
* reaching the network: SSL_CERT_FILE, SSL_CERT_DIR, NO_PROXY, and HTTP_PROXY, HTTPS_PROXY,
  ALL_PROXY in either case, unless their value holds credentials (an `@`);
* on Windows also what programs there cannot start without, see `_WINDOWS`.

Set for each attempt: TMPDIR, TEMP and TMP, all its own temporary folder; XDG_CACHE_HOME, a folder
of the project that lasts; on Linux GIT_CONFIG_GLOBAL=/dev/null where the home folder is closed,
for git gives up when it finds its user's settings and cannot read them.

TERM stays out: a script has no terminal. So do SSH_AUTH_SOCK, DISPLAY, VIRTUAL_ENV and every
PYTHON*. A step adds by `env:`, all but what changes how programs are found or loaded.
"""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Final


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PASSED: Final = _names(
    """
    PATH HOME SHELL USER LOGNAME LANG LANGUAGE TZ SSL_CERT_FILE SSL_CERT_DIR
    XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_DIRS XDG_DATA_DIRS NO_PROXY no_proxy
    """
)
_PASSED_WITHOUT_CREDENTIALS: Final = _names(
    "HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy"
)
_WINDOWS: Final = _names(
    """
    ALLUSERSPROFILE APPDATA COMMONPROGRAMFILES COMMONPROGRAMFILES(X86) COMMONPROGRAMW6432
    COMPUTERNAME COMSPEC HOMEDRIVE HOMEPATH LOCALAPPDATA NUMBER_OF_PROCESSORS OS PATHEXT
    PROCESSOR_ARCHITECTURE PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432 PUBLIC
    SYSTEMDRIVE SYSTEMROOT USERDOMAIN USERNAME USERPROFILE WINDIR
    """
)

#: Programs to run, libraries to load, code to read at start: all by the name of a variable.
_REFUSED: Final = _names(
    """
    PATH PATHEXT COMSPEC SYSTEMROOT WINDIR SHELL HOME USERPROFILE IFS ENV BASH_ENV SHELLOPTS
    BASHOPTS PS4 PROMPT_COMMAND ZDOTDIR CDPATH NODE_OPTIONS NODE_PATH PERL5LIB PERL5OPT PERLLIB
    PERL5DB RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH
    GCONV_PATH LOCPATH NLSPATH HOSTALIASES RES_OPTIONS MALLOC_TRACE GLIBC_TUNABLES
    GIT_SSH GIT_SSH_COMMAND GIT_ASKPASS GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_PAGER
    GIT_EXTERNAL_DIFF GIT_PROXY_COMMAND GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_DIR SSH_ASKPASS
    LESSOPEN LESSCLOSE OPENSSL_CONF OPENSSL_ENGINES SSLKEYLOGFILE __PYVENV_LAUNCHER__
    LUA_PATH LUA_CPATH PHPRC PHP_INI_SCAN_DIR
    """
)
_REFUSED_PREFIXES: Final = ("LD_", "DYLD_", "PYTHON", "GIT_CONFIG", "BASH_FUNC_", "LUA_INIT")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def script_environment(
    extra: Mapping[str, str],
    source: Mapping[str, str] = os.environ,
    *,
    temporary: str | os.PathLike[str],
    cache: str | os.PathLike[str],
    closes_global_git_settings: bool = False,
    windows: bool = os.name == "nt",
) -> dict[str, str]:
    """The whole environment of one script: the allowlist from `source`, its folders, `extra`.

    `extra` is taken as it is; `refused_names` and `refused_value` say what may stand there.
    """
    passed = passed_environment(source, windows=windows)
    passed |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), os.fspath(temporary))
    passed["XDG_CACHE_HOME"] = os.fspath(cache)
    if closes_global_git_settings:
        passed["GIT_CONFIG_GLOBAL"] = os.devnull
    return passed | dict(extra)


def passed_environment(
    source: Mapping[str, str] = os.environ, *, windows: bool = os.name == "nt"
) -> dict[str, str]:
    """What every script gets of `source`: the allowlist, nothing of an attempt's own."""
    return {name: value for name, value in source.items() if _is_passed(name, value, windows)}


def _is_passed(name: str, value: str, windows: bool) -> bool:
    # Windows does not tell `Path` from `PATH`.
    known = name.upper() if windows else name
    if known in _PASSED_WITHOUT_CREDENTIALS:
        return "@" not in value
    return known in _PASSED or known.startswith("LC_") or (windows and known in _WINDOWS)


def refused_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Those of `names` that `env:` may not set, each with the reason; upper and lower case alike.

    Malformed names are those that are not letters, digits and `_`, or begin with a digit (POSIX).
    """
    return [(name, reason) for name in names if (reason := _why_refused(name))]


def _why_refused(name: str) -> str | None:
    if not name:
        return "is empty"
    if not _NAME.fullmatch(name):
        return "is no name of a variable: write letters, digits and _, beginning with no digit"
    upper = name.upper()
    if upper in _REFUSED or upper.startswith(_REFUSED_PREFIXES):
        return "changes how programs are found or loaded"
    return None


def refused_value(value: str) -> str | None:
    """Why a variable cannot have this value, or None. To be asked after references are resolved."""
    if "\0" in value:
        return "holds a NUL character"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode"
    return None
