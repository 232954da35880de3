"""`${…}` references: reading them, listing them, putting values in their place.

    ${workflow.inputs.NAME}   ${steps.ID.outputs.NAME.member[0]}   ${steps.ID.outputs}   ${env.NAME}

A value that is one whole reference keeps its JSON type; inside text it is rendered as text; `$${`
is a literal `${`. Values are inserted once and never read again, so a value that holds `${…}`
stays what it is. It knows the grammar, not which names exist: the loader checks those.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import orjson

from protocol import limits
from protocol.problems import closest, shortened
from sidecar.errors import SidecarError

_TOKEN: Final = re.compile(r"\$\$\{|\$\{")
_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_INPUT: Final = re.compile(rf"workflow\.inputs\.({_NAME})")
_ENV: Final = re.compile(r"env\.([A-Za-z_][A-Za-z0-9_]*)")
_STEP: Final = re.compile(rf"steps\.({_NAME})\.outputs((?:\.[^.\[\]\s{{}}$]+|\[[0-9]{{1,9}}\])*)")
_MEMBER: Final = re.compile(r"\.([^.\[\]]+)|\[([0-9]+)\]")

FORMS: Final = "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}"
_CACHED_CHARACTERS: Final = 1_000


class BadReference(SidecarError):
    """A reference that cannot be read, or that names nothing; `suggestion` replaces it."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference: what it names and, for a step's outputs, the way into them."""

    text: str
    kind: Literal["input", "step", "env"]
    name: str
    members: tuple[str | int, ...] = ()


Template = tuple[str | Reference, ...]


def parse(text: str) -> Template:
    """Split a text into literal parts and references. Raises BadReference."""
    # Long texts are rare, and would be kept in memory for nothing.
    return _parse_short(text) if len(text) <= _CACHED_CHARACTERS else _parse(text)


def _parse(text: str) -> Template:
    parts: list[str | Reference] = []
    literal = ""
    position = 0
    while match := _TOKEN.search(text, position):
        literal += text[position : match.start()]
        if match.group() == "$${":
            literal += "${"
            position = match.end()
            continue
        end = text.find("}", match.end())
        if end < 0:
            begun = shortened(text[match.start() :])
            raise BadReference(f'"{begun}" has no closing }}; write $${{ for a literal ${{')
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(_reference(text[match.start() : end + 1]))
        position = end + 1
    literal += text[position:]
    if literal or not parts:
        parts.append(literal)
    return tuple(parts)


_parse_short: Final = lru_cache(maxsize=4096)(_parse)


def _reference(text: str) -> Reference:
    body = text[2:-1]
    if "${" in body:
        raise BadReference(f'references cannot be nested: "{shortened(text)}"')
    reference = _read(text, body)
    if reference is None:
        raise BadReference(f'"{shortened(text)}" is no reference; write {FORMS}', _meant(body))
    return reference


def _read(text: str, body: str) -> Reference | None:
    if match := _INPUT.fullmatch(body):
        return Reference(text, "input", match.group(1))
    if match := _ENV.fullmatch(body):
        return Reference(text, "env", match.group(1))
    if match := _STEP.fullmatch(body):
        members = tuple(
            name if name else int(index) for name, index in _MEMBER.findall(match.group(2))
        )
        return Reference(text, "step", match.group(1), members)
    return None


def _meant(body: str) -> str | None:
    """The reference that a body which is none was probably meant to be."""
    words = "".join(body.split()).split(".")
    first, rest = words[0], words[1:]
    namespace = closest(first, ("workflow", "steps", "env"))
    if first in ("input", "inputs"):
        words = ["workflow", "inputs", *rest]
    elif namespace == "workflow" and rest:
        words = ["workflow", "inputs", rest[-1]]
    elif namespace == "steps" and rest:
        names = rest[1:]
        if names and "[" not in names[0] and closest(names[0], ("outputs",)):
            names = names[1:]
        words = ["steps", rest[0], "outputs", *names]
    elif namespace == "env" and rest:
        words = ["env", *rest]
    elif not rest and first.isupper():
        words = ["env", first]
    meant = ".".join(words)
    return f"${{{meant}}}" if _read("", meant) else None


def strings_in(value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every string in a JSON value with its path, keys left out, in order."""
    stack: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, str):
            yield path, item
        elif isinstance(item, dict):
            stack.extend((((*path, key), member) for key, member in reversed(item.items())))
        elif isinstance(item, list):
            stack.extend(((*path, i), item[i]) for i in range(len(item) - 1, -1, -1))


def resolve(value: Any, lookup: Callable[[Reference], Any]) -> Any:
    """A copy of a JSON value with every reference replaced by what `lookup` says.

    Raises whatever `lookup` raises, and BadReference when the values put in come to more than
    MAX_RESOLVED_BYTES or nest too deep for JSON. Recurses as deep as `value`, which the loader
    has bounded.
    """
    return _Resolution(lookup).of(value, 0)


class _Resolution:
    """One value's references. Repeating them multiplies, so what they put in is counted."""

    def __init__(self, lookup: Callable[[Reference], Any]) -> None:
        self.lookup = lookup
        self.bytes_left = limits.MAX_RESOLVED_BYTES

    def of(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._of_text(value, depth)
        if isinstance(value, dict):
            return {key: self.of(member, depth + 1) for key, member in value.items()}
        if isinstance(value, list):
            return [self.of(member, depth + 1) for member in value]
        return value

    def _of_text(self, text: str, depth: int) -> Any:
        if "${" not in text:
            return text
        parts = parse(text)
        if len(parts) == 1 and isinstance(parts[0], Reference):
            value = self.lookup(parts[0])
            self._count(parts[0], _size_bytes(parts[0], value, depth))
            return value
        return "".join(part if isinstance(part, str) else self._as_text(part) for part in parts)

    def _as_text(self, reference: Reference) -> str:
        text = as_text(self.lookup(reference))
        self._count(reference, len(text))
        return text

    def _count(self, reference: Reference, size_bytes: int) -> None:
        self.bytes_left -= size_bytes
        if self.bytes_left < 0:
            raise BadReference(
                f"{reference.text}: with this one, references put in more than "
                f"{limits.MAX_RESOLVED_BYTES:,} bytes"
            )


def _size_bytes(reference: Reference, value: Any, depth: int) -> int:
    """The size of a value as JSON, at least roughly. Raises BadReference when it nests too deep."""
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, (dict, list)):
        return 8
    for _ in range(depth):
        value = [value]
    try:
        return len(orjson.dumps(value))
    except TypeError:
        raise BadReference(f"{reference.text}: the value nests too deep for this place") from None


def as_text(value: Any) -> str:
    """A value inside text: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def member_of(outputs: Any, reference: Reference) -> Any:
    """Follow a reference's members into a step's outputs. Raises BadReference."""
    value = outputs
    for member in reference.members:
        if isinstance(member, int):
            found = isinstance(value, list) and member < len(value)
        else:
            # Own keys only: nothing of the container's type can be reached.
            found = isinstance(value, dict) and member in value
        if not found:
            raise BadReference(f"{reference.text} names nothing: {_lacks(value, member)}")
        value = value[member]
    return value


def _lacks(value: Any, member: str | int) -> str:
    if isinstance(value, dict):
        names = ", ".join(shortened(name) for name in list(value)[:10]) or "nothing"
        return f'there is no "{member}", only {names}'
    if isinstance(value, list):
        return f"the list has {len(value)} entries"
    return f'"{member}" cannot be looked up in a value that is no mapping or list'
