"""Secrets of every shape in the table, made from its patterns while the tests run.

None stands literally in this repository: scanners, ours among them, would find it. `samples` holds
what vendors' documentation shows; here the table itself says what it takes for a secret, every
branch of it, at its shortest and longer.
"""

import random
import string
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]  # the only parser of patterns
from typing import Any, Final

from sidecar.redaction.vendors import SHAPES, Shape

#: Characters beyond the least that a run without an end gets.
_LONGER: Final = 9
_ALPHABET: Final = [ord(char) for char in string.ascii_letters + string.digits]


def secrets_of(shape: Shape, seed: int = 0) -> list[tuple[str, str]]:
    """(what stands before it and stays, the secret), one for each branch of the pattern."""
    found = []
    for branches in _choices(_parser.parse(shape.pattern)):
        maker = _Maker(random.Random(f"{seed} {shape.name}"), branches)  # noqa: S311 - no secret
        text = maker.text(_parser.parse(shape.pattern))
        start, stop = maker.group or (0, len(text))
        found.append((text[:start], text[start:stop]))
    return found


def all_secrets(seed: int = 0) -> list[str]:
    """One whole text of every branch of every shape, such as a token or a URL that holds one."""
    return [before + secret for shape in SHAPES for before, secret in secrets_of(shape, seed)]


def _choices(parsed: Any) -> Iterator[int]:
    """Which branch to take where there are several; enough numbers to see each once."""
    return iter(range(max(_widths(parsed), default=1)))


def _widths(parsed: Any) -> Iterator[int]:
    for op, argument in parsed:
        if op is _constants.BRANCH:
            yield len(argument[1])
            for branch in argument[1]:
                yield from _widths(branch)
        elif op is _constants.SUBPATTERN:
            yield from _widths(argument[3])
        elif op is _constants.MAX_REPEAT:
            yield from _widths(argument[2])
        elif op is _constants.IN and len(argument) > 1 and argument[0][0] is _constants.LITERAL:
            yield len(argument)


class _Maker:
    def __init__(self, chance: random.Random, branch: int) -> None:
        self._chance = chance
        self._branch = branch
        self._made = 0
        #: Where the pattern's group stands in the text.
        self.group: tuple[int, int] | None = None

    def text(self, parsed: Any) -> str:
        return "".join(self._part(op, argument) for op, argument in parsed)

    def _part(self, op: Any, argument: Any) -> str:
        if op is _constants.LITERAL:
            self._made += 1
            return chr(argument)
        if op is _constants.IN:
            self._made += 1
            return chr(self._one_of(argument))
        if op is _constants.BRANCH:
            branches = argument[1]
            return self.text(branches[self._branch % len(branches)])
        if op is _constants.SUBPATTERN:
            start = self._made
            text = self.text(argument[3])
            if argument[0] == 1:
                self.group = start, self._made
            return text
        if op is _constants.MAX_REPEAT:
            least, most, inner = argument
            count = least + self._chance.randint(0, min(most - least, _LONGER))
            return "".join(self.text(inner) for _ in range(count))
        if op in (_constants.ASSERT_NOT, _constants.ASSERT, _constants.AT):
            return ""
        raise NotImplementedError(op)

    def _one_of(self, members: Any) -> int:
        codes: list[int] = []
        for op, argument in members:
            if op is _constants.RANGE:
                codes += range(argument[0], argument[1] + 1)
            else:
                codes.append(argument)
        if members[0][0] is _constants.LITERAL:
            # A choice between kinds, as in gh[pousr]_.
            return codes[self._branch % len(codes)]
        plain = [code for code in codes if code in _ALPHABET]
        return self._chance.choice(plain or codes)
