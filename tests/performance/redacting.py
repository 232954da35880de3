"""What redaction costs: for each megabyte of ordinary and of hostile text, and for an event."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sidecar.redaction import Redactor
from tests.performance.figures import Figure, Row, interleaved

MEGABYTE: Final = 1_000_000
ROUNDS: Final = 5

#: Lines such as programs print, source, and JSON: what redaction reads all day.
ORDINARY: Final = (
    "2024-11-24T03:27:00Z INFO worker[12] GET /api/v1/users?page=2 took 12 ms status=200 "
    "id=550e8400-e29b-41d4-a716-446655440000\n"
    "    def total(self, rows: list[int]) -> int: return sum(row for row in rows if row > 0)\n"
    '{"id": 7, "name": "count", "sha": "3f786850e387550fdab836ed7e6dc881de23001b", "ok": true}\n'
    "The quick brown fox jumps over the lazy dog; the token is missing, the author is not.\n"
)
#: What costs most of what the tests of linear time try; each would be worse if it were not linear.
HOSTILE: Final = ("a=", "password=", "%41", "key: ", "auth=[", "sk-", "A" * 19, "M" * 24 + ".")


def _text(piece: str, size: int) -> str:
    return (piece * (size // len(piece) + 1))[:size]


def _redactor() -> Redactor:
    redactor = Redactor(project=Path("/srv/project"))
    redactor.add_secret("a-secret-of-this-run/1", "api_key")
    return redactor


def one_megabyte(_: Path) -> Iterator[Row]:
    """A megabyte of each kind of text, and twice as much, against ordinary text and half."""
    redactor = _redactor()
    texts = {"ordinary text": ORDINARY} | {f"{piece[:10]!r} repeated": piece for piece in HOSTILE}
    ordinary: Figure | None = None
    for name, piece in texts.items():
        once, twice = _text(piece, MEGABYTE), _text(piece, 2 * MEGABYTE)
        figures = interleaved(
            ROUNDS,
            once=lambda text=once: redactor.text(text),  # type: ignore[misc]
            twice=lambda text=twice: redactor.text(text),  # type: ignore[misc]
        )
        figure = Figure(f"redact 1 MB: {name}", figures["once"].times_ms)
        yield figure.row(ordinary)
        yield Figure("  twice as much", figures["twice"].times_ms).row(figure)
        ordinary = ordinary or figure


def one_event(_: Path) -> Iterator[Row]:
    """What an ordinary step's inputs and outputs cost, against writing them as JSON."""
    redactor = _redactor()
    value: dict[str, Any] = {
        "folder": "src",
        "format": "md",
        "total": 12,
        "files": [{"path": f"src/module_{n}.py", "lines": n * 10} for n in range(20)],
    }
    figures = interleaved(
        2_000, redact=lambda: redactor.value(value), write=lambda: json.dumps(value)
    )
    baseline = Figure("json.dumps of the same", figures["write"].times_ms)
    yield Figure("redact an event's inputs or outputs", figures["redact"].times_ms).row(baseline)


BENCHMARKS = (one_megabyte, one_event)
