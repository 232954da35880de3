"""Where each value of a YAML text stands. It knows neither the text nor the values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

#: Line and column, both from 1.
Position = tuple[int, int]

_NONE: Final[Mapping[Any, Any]] = MappingProxyType({})


@dataclass(slots=True)
class Place:
    """Where a value stands: line and column from 1, and the places of what it holds.

    `children` has the places of a mapping's values by key, or of a list's items by index; `keys`
    has, for a mapping, where each key stands.
    """

    line: int
    column: int
    # One empty mapping for all: a large file has a hundred thousand scalars.
    children: Mapping[str | int, "Place"] = field(default_factory=lambda: _NONE)
    keys: Mapping[str, Position] = field(default_factory=lambda: _NONE)

    def of(self, path: Iterable[str | int], *, key: bool = False) -> Position:
        """Line and column of the value at `path`, or of the nearest thing around it.

        With `key`, of the key that the path ends with instead of its value.
        """
        place = self
        parent, last = self, None
        for part in path:
            parent, last = place, part
            child = place.children.get(part)
            if child is None:
                return place.line, place.column
            place = child
        if key and isinstance(last, str):
            return parent.keys.get(last, (place.line, place.column))
        return place.line, place.column
