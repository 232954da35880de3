"""Secrets known by what stands around them: keys in PEM, JWTs, URLs and headers with credentials.

Knows a few public formats that need more than a literal start and a run of characters. Everything
here takes time linear in the text; the comments say why where it is not plain.
"""

import re
from typing import Final

from sidecar.redaction.mark import MARK

# RFC 7468 and, for PGP, RFC 9580 6.2.
_PEM_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END: Final = "-----END "
_PEM_END_LINE: Final = re.compile(r"[A-Z0-9 ]{0,60}-----")
_KEY_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINE: Final = re.compile(r"\s*[A-Za-z0-9+/=]{40,}\s*")
_LAST_KEY_LINE: Final = re.compile(r"\s*[A-Za-z0-9+/=]{2,}\s*")
#: No private key is longer, nor the distance from its begin to its end line.
_PEM_MAX: Final = 64 * 1024
# What follows a begin line without its end, as in a text that was cut: lines of base64, whose ends
# may be escaped. The two runs share no character, so there is one way to match.
_PEM_BODY: Final = re.compile(r"(?:(?:\s|\\+[nrt])*[A-Za-z0-9+/=]{16,})*")

# RFC 7515 3.1 and RFC 7516 3.1: three or five parts of base64url. A header is a JSON object, whose
# base64 begins with eyJ. Matched from the begin of a run only, and each run once.
_DOTTED: Final = re.compile(r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]{12,})((?:\.[A-Za-z0-9_-]*){1,4})")
_JWT_BEGIN: Final = "eyJ"
_JWT_MIN: Final = 30

# RFC 3986 3.2.1. The host stays, and a user's name unless it is long enough to be a token.
# Passwords may hold an @ that should have been encoded; a slash ends the authority, so no two
# matches meet.
_URL_TOKEN: Final = re.compile(
    r"(:\\?/\\?/)(?:[A-Za-z0-9_.%~+-]{20,1024}|(?=[A-Za-z]{0,20}[0-9])[A-Za-z0-9]{12,19})"
    r"(?::[^\s/?#\"'<>]{0,1024})?@"
)
_URL_PASSWORD: Final = re.compile(r"(:\\?/\\?/[^\s/?#\"'<>@:]{0,256}:)[^\s/?#\"'<>]{1,1024}@")

# RFC 6750 2.1, RFC 7617 2. A digit, an equals sign or an inner capital tells credentials from prose
# such as "basic authentication".
_SCHEME: Final = re.compile(
    r"(?<![A-Za-z])((?:[Bb]earer|BEARER|[Bb]asic|BASIC)[ \t]{1,4})"
    r"(?=[A-Za-z._~+/-]{0,128}[0-9=]|[A-Za-z][a-z]{0,64}[A-Z])[A-Za-z0-9._~+/=-]{8,}"
)
_SCHEMES: Final = ("earer", "asic", "EARER", "ASIC")

# Oracle's: jdbc:oracle:thin:user/password@host
_THIN: Final = re.compile(r"(:(?:thin|oci):[^\s/@]{1,128}/)[^\s@/]{1,256}@")

# Keys of web services and codes of OAuth (RFC 6749 4.1.2), which prose and routes have no use for.
_URL_KEY: Final = re.compile(
    r"([?&](?:key|code)=)(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_/%.~-]{14,2048}"
)

# Signatures in URLs are as good as a password while they last: AWS SigV4, Google, Azure SAS.
_URL_SIGNATURE: Final = re.compile(
    r"([?&](?:sig|[Ss]ignature|X-(?:Amz|Goog)-(?:Signature|Credential))=)[^&\s\"'<>]{8,}"
)
_SIGNATURES: Final = ("sig=", "ignature=", "redential=")


def hide(text: str) -> str:
    """`text` with such secrets replaced by the mark."""
    if "-----BEGIN " in text:
        text = _hide_private_keys(text)
    if "PRIVATE KEY" in text and _PEM_END in text:
        text = _hide_rest_of_key(text)
    if _JWT_BEGIN in text:
        text = _DOTTED.sub(_hide_jwt, text)
    if "@" in text and "/" in text:
        text = _URL_TOKEN.sub(rf"\1{MARK}@", text)
        text = _URL_PASSWORD.sub(rf"\1{MARK}@", text)
        text = _THIN.sub(rf"\1{MARK}@", text) if ":thin:" in text or ":oci:" in text else text
    if "?key=" in text or "&key=" in text or "code=" in text:
        text = _URL_KEY.sub(rf"\1{MARK}", text)
    if any(scheme in text for scheme in _SCHEMES):
        text = _SCHEME.sub(rf"\1{MARK}", text)
    if "=" in text and any(signature in text for signature in _SIGNATURES):
        text = _URL_SIGNATURE.sub(rf"\1{MARK}", text)
    return text


def _hide_private_keys(text: str) -> str:
    parts: list[str] = []
    position = end = 0
    while (begin := _PEM_BEGIN.search(text, position)) is not None:
        if 0 <= end < begin.end():
            # Looked for only when passed, or many begin lines would each read to a far end line.
            end = text.find(_PEM_END, begin.end())
        parts += (text[position : begin.start()], MARK)
        position = _end_of_key(text, begin.end(), end)
    return "".join((*parts, text[position:]))


def _hide_rest_of_key(text: str) -> str:
    """A key whose beginning was cut off: the lines of base64 above its end line."""
    parts: list[str] = []
    done = 0
    for end in _KEY_END.finditer(text):
        start = end.start()
        while start > done:
            line = text.rfind("\n", done, start - 1) + 1 or done
            pattern = _LAST_KEY_LINE if start == end.start() else _KEY_LINE
            if pattern.fullmatch(text, line, start) is None:
                break
            start = line
        if start < end.start():
            parts += (text[done:start], MARK)
            done = end.end()
    return "".join((*parts, text[done:]))


def _end_of_key(text: str, start: int, end: int) -> int:
    if 0 <= end - start <= _PEM_MAX:
        line = _PEM_END_LINE.match(text, end + len(_PEM_END))
        if line is not None:
            return line.end()
    body = _PEM_BODY.match(text, start)
    return start if body is None else body.end()


def _hide_jwt(match: re.Match[str]) -> str:
    run, rest = match.groups()
    begin = run.find(_JWT_BEGIN)
    if begin < 0 or len(run) - begin + len(rest) < _JWT_MIN:
        return match[0]
    return run[:begin] + MARK
