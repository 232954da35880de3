"""One object per run that knows what may not be shown of it, asked by every sink.

Brings together values (`known`), names (`names`, `assignments`, `told`) and shapes (`shapes`,
`credentials`, `cuts`); knows neither events nor files nor logs.

Closed on failure: where anything goes wrong with a part of a value, the mark stands in its place.
"""

import json
import re
import threading
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from sidecar.redaction import assignments, credentials, cuts, shapes, told
from sidecar.redaction.known import KnownValues, is_too_ordinary
from sidecar.redaction.lines import LineRedactor
from sidecar.redaction.mark import MARK
from sidecar.redaction.names import hides_numbers, is_secret_name
from sidecar.redaction.paths import ProjectPaths

#: Deeper than this the mark stands: writers of JSON give up at 254 levels (orjson), and what is
#: redacted goes into an event or a stored run.
MAX_DEPTH: Final = 200

#: Within something of a secret-sounding name, what these say is no secret.
_PLAIN_WITHIN: Final = frozenset({"type", "kind", "method", "scheme"})
#: A dict with one of the first and one of the second is a named value: `{"name": …, "value": …}`.
_NAME_KEYS: Final = ("name", "key", "Name", "Key")
_VALUE_KEYS: Final = ("value", "Value")
_COLUMN: Final = re.compile(r"[A-Za-z_ ]{0,128}|\[REDACTED\]")
_FLAG: Final = re.compile(r"--?([A-Za-z][\w-]{0,127})")
_PLAIN: Final = re.compile(r"\w[\w./-]*")
#: No rule finds anything in shorter text.
_MIN_TEXT: Final = 5

#: The redactors that know secrets, for what shows things of no run in particular: the log.
_knowing: "weakref.WeakSet[Redactor]" = weakref.WeakSet()
_knowing_lock: Final = threading.Lock()


class Redactor:
    """Replaces secrets by `[REDACTED]` in all that a run shows.

    The methods that show never raise, take time linear in what they are given, leave what holds no
    secret equal to what it was, and find nothing more to hide in their own results.
    """

    def __init__(
        self,
        secrets: Iterable[str] = (),
        project: Path | None = None,
        *,
        of_all_runs: bool = False,
    ) -> None:
        """Know `secrets` by value; `project` is the folder that paths are shown relative to.

        `of_all_runs` hides what any other redactor in this process knows as well.
        """
        self._of_all_runs = of_all_runs
        self._known = KnownValues()
        self._numbers: set[str] = set()
        self._fields: set[str] = set()
        self._ordinary: dict[tuple[str, str], re.Pattern[str]] = {}
        self._paths = ProjectPaths(project)
        for secret in secrets:
            self.add_secret(secret)

    def add_secret(self, value: Any, field: str | None = None) -> None:
        """Remember a secret: a text, a number, or all texts and numbers in a list or dict.

        It is hidden wherever it turns up, also as base64, URL-encoded or JSON-escaped, unless it
        has fewer than 8 characters or is a common word. `field` is the name of the input it came
        from: whatever stands under that name is hidden whole, and so is a short or common value in
        text right after that name.
        """
        if field:
            self._fields.add(field)
        with _knowing_lock:
            _knowing.add(self)
        for secret in _leaves(value):
            self._known.add(secret)
            if _is_number(secret) and not is_too_ordinary(secret):
                self._numbers.add(secret)
            if secret.lstrip()[:1] == "{":
                self._learn_json(secret)
            if field and secret and is_too_ordinary(secret):
                pattern = rf"(?<!\w){re.escape(field)}[\"'\s:=]{{1,8}}({re.escape(secret)})(?!\w)"
                self._ordinary[field, secret] = re.compile(pattern)

    def learn(self, value: Any) -> None:
        """Remember as secrets what stands under secret-sounding names anywhere in `value`.

        For the inputs of a workflow or a step. `value` must not hold itself.
        """
        pending = [value]
        while pending:
            item = pending.pop()
            if isinstance(item, dict):
                for key, inner in item.items():
                    if isinstance(key, str) and is_secret_name(key):
                        self.add_secret(inner, key)
                    else:
                        pending.append(inner)
            elif isinstance(item, (list, tuple)):
                pending.extend(item)

    def value(self, value: Any) -> Any:
        """A deep copy of JSON-like data with all secrets replaced, in keys too.

        What is of no JSON type, or more than 200 levels deep, is replaced whole. `value` must not
        hold itself.
        """
        return self._walk(value, 0)

    def text(self, text: str) -> str:
        """`text` with all secrets replaced."""
        try:
            return self._hide(text)
        except Exception:
            return MARK

    def stack_trace(self, text: str) -> str:
        """Like `text`; of paths outside the project only the file's name stays.

        Paths inside become relative to it. File names, lines and functions stay.
        """
        try:
            # Hidden first, or a secret that holds a path would be found no more; and again, since
            # what was shortened may look like one.
            return self._hide(self._paths.shorten_trace(self._hide(text)))
        except Exception:
            return MARK

    def error(self, text: str) -> str:
        """Like `stack_trace`, for messages: routes such as `/api/v1` and URLs stay as they are."""
        try:
            return self._hide(self._paths.shorten(self._hide(text)))
        except Exception:
            return MARK

    def lines(self) -> LineRedactor:
        """Like `error`, for the lines of a stream that are shown as they come."""
        return LineRedactor(self.error)

    def _hide(self, text: str) -> str:
        if len(text) < _MIN_TEXT:
            return text
        # Exact values first: whatever else is hidden could break one apart.
        text = self._hide_known(text)
        if self._of_all_runs:
            with _knowing_lock:
                others = list(_knowing)
            for other in others:
                text = other._hide_known(text)
        # The names, words and paths that most of an event consists of assign nothing.
        plain = _PLAIN.fullmatch(text) is not None
        if plain and len(text) < shapes.MIN_CHARACTERS:
            return text
        text = credentials.hide(text)
        text = cuts.hide(shapes.hide(text))
        return text if plain else told.hide(assignments.hide(text))

    def _hide_known(self, text: str) -> str:
        text = self._known.hide(text)
        for (field, secret), pattern in list(self._ordinary.items()):
            if secret in text and field in text:
                text = pattern.sub(_hide_group, text)
        return text

    def _walk(self, value: Any, depth: int) -> Any:
        try:
            if isinstance(value, str):
                return self._hide(value)
            if isinstance(value, bool) or value is None:
                return value
            if isinstance(value, (int, float)):
                return MARK if self._numbers and _digits(value) in self._numbers else value
            if depth < MAX_DEPTH and isinstance(value, dict):
                return self._walk_dict(value, depth + 1)
            if depth < MAX_DEPTH and isinstance(value, (list, tuple)):
                return self._walk_list(value, depth + 1)
        except Exception:
            return MARK
        return MARK

    def _walk_dict(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        named = _named_value(value)
        shown: dict[str, Any] = {}
        for key, item in value.items():
            name = key if isinstance(key, str) else str(key)
            if name in self._fields:
                redacted = None if item is None else MARK
            elif is_secret_name(name) or name == named:
                redacted = _hide_all(item, depth, hides_numbers(name))
            else:
                redacted = self._walk(item, depth)
            shown[_unused(self._hide(name), shown)] = redacted
        return shown

    def _walk_list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        if _is_secret_pair(value):
            return [self._walk(value[0], depth), MARK]
        shown = []
        flag = False
        for item in value:
            if flag and isinstance(item, str) and item[:1] != "-":
                shown.append(MARK)
                flag = False
                continue
            shown.append(self._walk(item, depth))
            # ["--password", "x"], as in a command line.
            match = _FLAG.fullmatch(item) if isinstance(item, str) else None
            flag = match is not None and is_secret_name(match[1])
        return shown

    def _learn_json(self, text: str) -> None:
        """A secret that is itself a JSON object, such as a service account's key file."""
        try:
            self.learn(json.loads(text))
        except (ValueError, RecursionError):
            return


def _leaves(value: Any) -> Iterator[str]:
    """All texts and numbers in `value`, as text."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, (list, tuple)):
            pending.extend(item)
        elif isinstance(item, (int, float)) and not isinstance(item, bool):
            yield _digits(item)


def _digits(number: int | float) -> str:
    """A number as text, the same for 1 and 1.0."""
    if isinstance(number, float):
        return repr(int(number) if number.is_integer() else number)
    # Python refuses to write integers of more than 4,300 digits in tens.
    return str(number) if number.bit_length() < 1024 else hex(number)


def _is_number(secret: str) -> bool:
    return secret.lstrip("+-").replace(".", "", 1).isdigit()


def _named_value(value: dict[Any, Any]) -> str | None:
    """The key of a value whose secret-sounding name stands beside it."""
    for name_key in _NAME_KEYS:
        name = value.get(name_key)
        if isinstance(name, str) and is_secret_name(name):
            return next((key for key in _VALUE_KEYS if key in value), None)
    return None


def _is_secret_pair(value: list[Any] | tuple[Any, ...]) -> bool:
    """Whether it is ["Authorization", "x"], and not ["password", "email"], names of columns."""
    if len(value) != 2 or not isinstance(value[0], str) or not isinstance(value[1], str):
        return False
    return is_secret_name(value[0]) and not _COLUMN.fullmatch(value[1])


def _hide_all(value: Any, depth: int, numbers: bool) -> Any:
    """What stands under a secret-sounding name: its structure, with the mark for every text."""
    if value is None or isinstance(value, bool) or value == "":
        return value
    if isinstance(value, (int, float)):
        return MARK if numbers else value
    if depth < MAX_DEPTH and isinstance(value, dict):
        return {
            key: item if key in _PLAIN_WITHIN and isinstance(item, str) else hidden
            for key, item in value.items()
            for hidden in [_hide_all(item, depth + 1, numbers)]
        }
    if depth < MAX_DEPTH and isinstance(value, (list, tuple)):
        return [_hide_all(item, depth + 1, numbers) for item in value]
    return MARK


def _hide_group(match: re.Match[str]) -> str:
    return match[0][: match.start(1) - match.start()] + MARK


def _unused(key: str, taken: dict[str, Any]) -> str:
    """`key`, with a number if another key looks the same after redaction."""
    unused, number = key, 1
    while unused in taken:
        number += 1
        unused = f"{key} ({number})"
    return unused
