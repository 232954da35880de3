"""What validation reports: problems of a workflow, of inputs or of params; and the words for them.

Messages about names, values and types are made of the same words everywhere. It does not know
texts and lines; the loader adds those.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

import orjson

from protocol.base import Model

Path = tuple[str | int, ...]

#: Beyond so many candidates only those that begin like the word are compared.
_MANY_CANDIDATES: Final = 2_000
#: Comparing takes time with the square of the length.
_LONGEST_WORD: Final = 256
#: Suggestions that are values, not words: shown as they are, without quotes around them.
_LITERAL: Final = re.compile(r'-?[0-9].*|true|false|".*"|\[.*\]')


class Problem(Model):
    """One thing wrong, where it is, and what to write instead."""

    line: int | None = None
    """Line in the text, from 1; absent when there is no text."""
    column: int | None = None
    """Column in the text, from 1, in characters."""
    field: str
    """Where in the value: `steps[0].script`; empty for the whole."""
    message: str
    """What is wrong and how to mend it."""
    severity: Literal["error", "warning"] = "error"
    """A warning does not make a workflow invalid."""
    suggestion: str | None = None
    """What to write instead, verbatim (text that YAML would misread: with its quotes), when it
    looks like a slip of the pen."""

    def text(self) -> str:
        """The message and the suggestion in one line."""
        if not self.suggestion:
            return self.message
        meant = self.suggestion
        shown_as = meant if _LITERAL.fullmatch(meant) else f'"{meant}"'
        return f"{self.message}; did you mean {shown_as}?"


class Located(NamedTuple):
    """A problem with its place in the data: with `is_key`, the key that the path ends with."""

    path: Path
    is_key: bool
    problem: Problem


def field_name(path: Sequence[str | int]) -> str:
    """A path as authors read it: `("steps", 0, "script")` is `steps[0].script`."""
    name = ""
    for part in path:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            name += f".{part}" if name else part
    return name


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` is most likely a misspelling or the beginning of, or None."""
    wanted = word.lower()[:_LONGEST_WORD]
    lowered = {c.lower(): c for c in candidates}
    # Only words of like length can be close.
    near = [c for c in lowered if abs(len(c) - len(wanted)) <= 2 + len(wanted) // 3]
    if len(near) > _MANY_CANDIDATES:
        near = [c for c in near if c[:3] == wanted[:3]][:_MANY_CANDIDATES]
    found = difflib.get_close_matches(wanted, near, n=1, cutoff=0.6)
    if not found and len(wanted) >= 3:
        found = [c for c in lowered if c.startswith(wanted)][:2]
    return lowered[found[0]] if len(found) == 1 else None


def some(names: Sequence[str], most: int = 10) -> str:
    """Names in a message: the first of them, and how many more there are."""
    if not names:
        return "none"
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def shortened(text: str, most: int = 60) -> str:
    """A text cut to `most` characters, the mark of the cut among them."""
    return text if len(text) <= most else text[: most - 1] + "…"


def shown(value: Any, most: int = 60) -> str:
    """A value as JSON, cut to `most` characters, for a message."""
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, ValueError):
        text = f'"{type(value).__name__}"'
    return shortened(text, most)


def kind(value: Any) -> str:
    """The JSON name of a value's type, with its article."""
    names: list[tuple[type, str]] = [
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a number"),
        (str, "text"),
        (list, "a list"),
        (dict, "a mapping"),
    ]
    return next((name for cls, name in names if isinstance(value, cls)), "null")


def number_text(number: float) -> str:
    """A number as people read it: `86,400,000`, `0.5`, `5` for 5.0."""
    if abs(number) < 1e15 and number == int(number):
        number = int(number)
    return f"{number:,}"
