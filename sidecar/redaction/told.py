"""Secrets told without a sign: `token a1b2… was rejected`, `ENV TOKEN x`, `sshpass -p x`.

Prose names secrets far more often than it tells them. So what follows a name is hidden only if it
looks like no word, or where a command or a statement leaves no doubt. Knows phrases, no vendors and
no values.
"""

import re
from collections.abc import Iterator
from typing import Final

from sidecar.redaction.mark import MARK
from sidecar.redaction.names import is_secret_name
from sidecar.redaction.randomness import looks_random

# A name, a few words between, a value. The value is bounded, since its end is looked for from each
# name that stands before it.
_NAMED: Final = re.compile(
    r"""
    (?<![\w.$-])
    (?P<name>
      (?:pass(?:word|wd|phrase|code)|pwd|(?:secret|api|access|private|auth)[ _-]?key
      |secret|token|credential)s?)
    ["'`]?
    (?:[ \t]{1,4}(?:is|was|are|value|given|provided|used|equals|set[ ]to|(?:for|of)[ ]\S{1,64}))?
    (?:[ \t]{1,4}|[ \t]{0,4}(?::|->|→|[(|=])[ \t]{0,4})
    ["'`(]?
    (?P<value>[^\s"'`<>()|]{8,512})
    """,
    re.VERBOSE | re.IGNORECASE,
)
#: Every such name begins with one of these, in small letters.
_NAMES: Final = (
    *("passw", "passp", "passc", "pwd", "secret", "token", "credential"),
    *("api", "access", "private", "auth"),
)
_WORD_BEFORE: Final = re.compile(r"([A-Za-z]{2,16})[ _-]\Z")
#: Around a value, not of it.
_PUNCTUATION: Final = ".,;:!?)]}"
# Where a configuration or a command tells a variable or header without a sign.
_STATEMENT: Final = re.compile(
    r"(?:(?<![\w-])(?:ENV|ARG|setx|setenv|SetEnv|\#define|proxy_set_header|add_header|addHeader)"
    r"[ \t]{1,4}(?P<name>[\w-]{1,128})|(?<![\w-])(?:requirepass|masterauth|sentinel auth-pass \w+))"
    r"[ \t]{1,8}[\"']?(?P<value>[^\s\"';]{1,512})"
)
_STATEMENTS: Final = (
    *("ENV ", "ARG ", "setx", "set_header", "add_header", "addHeader", "etEnv", "etenv", "#define"),
    *("requirepass", "masterauth", "auth-pass"),
)

# SQL: IDENTIFIED BY 'x', PASSWORD 'x'.
_SQL: Final = re.compile(
    r"(?<![\w-])(?:IDENTIFIED[ ]BY(?:[ ]PASSWORD)?|PASSWORD)[ \t]{1,4}"
    r"(['\"])(?P<value>[^'\"\r\n]{1,512})\1",
    re.IGNORECASE,
)

# The programs whose short flags are passwords.
_PROGRAM: Final = re.compile(
    r"(?<![\w-])(?:sshpass[ ]-p[ ]?|mysql\w{0,16}[ ](?:[^\r\n|;&]{0,200}?[ ])?-p(?=[^\s])"
    r"|(?:login|unzip|zip|7z)[ ](?:[^\r\n|;&]{0,200}?[ ])?-[pP][ ]?)"
    r"(?P<quote>[\"']?)(?P<value>[^\s\"']{1,512})"
)
_PROGRAMS: Final = ("sshpass ", "mysql", "login ", "zip ", "7z ")

# curl -u user:password
_CURL_USER: Final = re.compile(r"( (?:-u ?|--user[ =])[\"']?[^\s:\"']{1,128}:)[^\s\"']{1,256}")


def hide(text: str) -> str:
    """`text` with such secrets replaced by the mark."""
    if any(word in text for word in _STATEMENTS):
        text = _STATEMENT.sub(_hide_if_secret, text)
    if " -p" in text or " -P" in text:
        text = _PROGRAM.sub(_hide_value, text)
    if " -u" in text or " --user" in text:
        text = _CURL_USER.sub(rf"\1{MARK}", text)
    if "'" in text or '"' in text:
        text = _SQL.sub(_hide_value, text)
    small = text.lower()
    if not any(name in small for name in _NAMES):
        return text
    if len(small) != len(text):  # few letters have no single small one, such as İ
        return _NAMED.sub(_hide_if_no_word, text)
    return _hide_named(text, small)


def _hide_named(text: str, small: str) -> str:
    """As `_NAMED.sub`, which would try every character."""
    parts: list[str] = []
    done = 0
    for position in sorted(_positions(small)):
        match = _NAMED.match(text, position) if position >= done else None
        if match is not None:
            parts += (text[done:position], _hide_if_no_word(match))
            done = match.end()
    return "".join((*parts, text[done:])) if parts else text


def _positions(small: str) -> Iterator[int]:
    """Where names may begin."""
    for name in _NAMES:
        position = small.find(name)
        while position >= 0:
            yield position
            position = small.find(name, position + len(name))


def _hide_if_no_word(match: re.Match[str]) -> str:
    value = match["value"].rstrip(_PUNCTUATION)
    if not looks_random(value) or MARK in match[0]:
        return match[0]
    start = match.start()
    before = _WORD_BEFORE.search(match.string, max(start - 20, 0), start)
    # Of a page token or an unexpected token, names know that it is no secret.
    name = f"{before[1]}_{match['name']}" if before else match["name"]
    return _hide_value(match, len(value)) if is_secret_name(name) else match[0]


def _hide_if_secret(match: re.Match[str]) -> str:
    name = match["name"]
    return _hide_value(match) if name is None or is_secret_name(name) else match[0]


def _hide_value(match: re.Match[str], length: int | None = None) -> str:
    start, stop = match.span("value")
    if match["value"].startswith(MARK) or match["value"] == "=":
        return match[0]
    if length is not None:
        stop = start + length
    first = match.start()
    return match[0][: start - first] + MARK + match[0][stop - first :]
