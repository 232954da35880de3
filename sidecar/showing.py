"""How much of a value is shown: large parts cut to a preview, all of it something JSON can hold.

Knows JSON and sizes; knows no secrets. Values come here after redaction, or a cut could leave half
a secret that nothing recognises any more.
"""

from collections.abc import Callable
from typing import Any, Final

import orjson

#: Characters of a cut value that are shown.
PREVIEW_CHARACTERS: Final = 1024
#: Levels of nesting that are shown. orjson writes no more than 254 (github.com/ijl/orjson,
#: "Serialize"), and a value here stands inside an event or a stored run.
MAX_DEPTH: Final = 200

#: Characters after a preview that are read with it: a secret that begins in it ends here.
_LONGEST_SECRET: Final = 32 * 1024

# Integers beyond 64 bits, which neither orjson nor most readers of JSON can hold.
_MAX_INTEGER: Final = 2**64 - 1
_MIN_INTEGER: Final = -(2**63)


def truncated(size: int, preview: str) -> dict[str, Any]:
    """What stands for a value of `size` bytes as JSON that is not shown whole."""
    return {"$truncated": True, "bytes": size, "preview": preview}


def truncate(value: Any, limit_bytes: int) -> Any:
    """`value` with every part of more than `limit_bytes` as JSON replaced by `truncated`.

    The deepest too large parts go first, and what holds them is measured again with the marks in
    their place, so that a large blob costs its neighbours nothing. A value that fits is returned
    as it is. Whatever JSON cannot hold stands as `json_safe` has it. Takes time linear in the size;
    `limit_bytes` is at least 8 KiB, so that a mark always fits.
    """
    try:
        if len(orjson.dumps(value)) <= limit_bytes:
            return value
    except orjson.JSONEncodeError:
        value = json_safe(value)
    return _cut(value, limit_bytes)[0]


def _cut(value: Any, limit: int) -> tuple[Any, int, int]:
    """What is shown of `value`, its size as JSON, and the size of the whole."""
    if isinstance(value, dict):
        shown: Any = {}
        size = whole = max(1 + len(value), 2)
        for key, item in value.items():
            shown[key], item_size, item_whole = _cut(item, limit)
            key_size = len(orjson.dumps(key)) + 1
            size += key_size + item_size
            whole += key_size + item_whole
    elif isinstance(value, list):
        shown = []
        size = whole = max(1 + len(value), 2)
        for item in value:
            item_shown, item_size, item_whole = _cut(item, limit)
            shown.append(item_shown)
            size += item_size
            whole += item_whole
    else:
        shown = value
        size = whole = len(orjson.dumps(value))
    if size <= limit:
        return shown, size, whole
    text = shown if isinstance(shown, str) else orjson.dumps(shown).decode()
    shown = truncated(whole, text[:PREVIEW_CHARACTERS])
    return shown, len(orjson.dumps(shown)), whole


def cut_texts(value: Any, limit_bytes: int, redact: Callable[[str], str]) -> Any:
    """`value` with every text of more than `limit_bytes` characters cut before it is redacted.

    Redaction reads every character, and no thread can be interrupted in the middle of one text;
    of a large one only the beginning is ever shown. It is redacted here with enough text after it
    that no secret in it is cut in half.
    """
    if isinstance(value, str):
        if len(value) <= limit_bytes:
            return value
        size = len(json_safe(value).encode()) + 2
        head = redact(value[: PREVIEW_CHARACTERS + _LONGEST_SECRET])
        return truncated(size, head[:PREVIEW_CHARACTERS])
    if isinstance(value, dict):
        return {key: cut_texts(item, limit_bytes, redact) for key, item in value.items()}
    if isinstance(value, list):
        return [cut_texts(item, limit_bytes, redact) for item in value]
    return value


def json_safe(value: Any, _depth: int = 0) -> Any:
    """A copy of `value` that any writer of JSON takes.

    Integers beyond 64 bits become floats, lone surrogates U+FFFD, NaN and infinities null, keys
    text; what is deeper than 200 levels, or of a type that JSON does not have, becomes a text that
    names its type.
    """
    if isinstance(value, str):
        # By way of UTF-16, in which two halves of a character meet again.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value) if _MIN_INTEGER <= value <= _MAX_INTEGER else _as_float(value)
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if _depth < MAX_DEPTH and isinstance(value, dict):
        return {
            json_safe(key if isinstance(key, str) else str(key)): json_safe(item, _depth + 1)
            for key, item in value.items()
        }
    if _depth < MAX_DEPTH and isinstance(value, (list, tuple)):
        return [json_safe(item, _depth + 1) for item in value]
    return f"<{type(value).__name__}>"


def _as_float(value: int) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None
