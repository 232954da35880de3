"""The map between what was asked for and the tests that show it, read both ways.

`python -m tests.requirements [WORD...]` prints it from the tests' side: what each of them shows.
The table itself is `requirements.toml`.
"""

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Requirement:
    """One thing that was asked for. `tests` are node ids relative to this folder."""

    id: str
    says: str
    tests: tuple[str, ...]


def read(text: str) -> dict[str, Requirement]:
    """The table by id. Raises TypeError when an entry lacks a field or has another."""
    return {
        name: Requirement(name, **{**entry, "tests": tuple(entry["tests"])})
        for name, entry in tomllib.loads(text).items()
    }


def by_test(requirements: dict[str, Requirement]) -> dict[str, list[Requirement]]:
    """What each test shows."""
    shown: dict[str, list[Requirement]] = {}
    for requirement in requirements.values():
        for test in requirement.tests:
            shown.setdefault(test, []).append(requirement)
    return dict(sorted(shown.items()))


def main(words: list[str]) -> int:
    """Print what the tests show whose name has one of the words; without words, all."""
    for test, shown in by_test(read(TABLE.read_text(encoding="utf-8"))).items():
        if not words or any(word in test for word in words):
            print(test)
            for requirement in shown:
                print(f"    {requirement.id}  {requirement.says}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
