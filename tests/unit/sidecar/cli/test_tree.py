"""The drawing of steps, whatever their number and the terminal's size."""

import time

import pytest
from rich.cells import cell_len

from sidecar.cli.estimates import Advance
from sidecar.cli.tree import ASCII, UNICODE, FailedAttempt, Row, Signs, Tree, ticking


def lines(
    rows: list[Row], columns: int = 80, most: int = 20, current: int = 0, signs: Signs = UNICODE
) -> list[str]:
    tree = Tree(signs, max(len(row.step_id) for row in rows))
    return [line.plain for line in tree.lines(rows, current, columns, most)]


def retried(step_id: str, *errors: str) -> Row:
    """A step that waits for its next attempt."""
    row = Row(step_id, "A label", 5, "error", len(errors))
    row.failed = [FailedAttempt(number, 120, error) for number, error in enumerate(errors, 1)]
    row.next_s = time.monotonic() + 3620
    row.took_ms = 4_000
    return row


def test_attempts_hang_below_their_step_until_it_is_through() -> None:
    row = retried("a", "E: one", "E: two")
    assert lines([row, Row("b", "", 1)]) == [
        "├─ ✘ a       error         4.0 s  attempt 3 of 5, next in 1 h 0 min  A label",
        "│  ├─ attempt 1           120 ms  E: one",
        "│  └─ attempt 2           120 ms  E: two",
        "└─ · b       pending",
    ]
    row.status, row.next_s, row.attempt = "success", None, 3
    assert lines([row]) == ["└─ ✔ a       success       4.0 s  2 retries  A label"]


def test_a_step_that_failed_at_once_says_why_in_its_row() -> None:
    row = retried("a", "E: no")
    row.next_s = None
    assert lines([row]) == ["└─ ✘ a       error         4.0 s  E: no  A label"]


def test_of_many_attempts_the_latest_are_drawn() -> None:
    drawn = lines([retried("a", *(f"E: {n}" for n in range(9)))])
    assert [line.split()[2:4] for line in drawn[1:]] == [["7", "120"], ["8", "120"], ["9", "120"]]


@pytest.mark.parametrize(
    ("columns", "fact"),
    [
        (90, "attempt 2 of 5, next in 1 h 0 min  A label"),
        (67, "attempt 2 of 5, next in 1 h 0 min"),
        (66, "2 of 5, next in 1 h 0 min"),
        (58, "next in 1 h 0 min"),
        (46, "in 1 h 0 min"),
    ],
)
def test_a_narrow_terminal_gets_the_short_form_of_what_matters(columns: int, fact: str) -> None:
    row = retried("a", "E: no")
    [first, second] = lines([row], columns=columns)
    assert first == f"└─ ✘ a       error         4.0 s  {fact}"
    assert second.startswith("   └─ attempt 1")


@pytest.mark.parametrize("signs", [UNICODE, ASCII])
@pytest.mark.parametrize("columns", [8, 20, 37, 80, 300])
def test_no_line_is_wider_than_the_terminal(signs: Signs, columns: int) -> None:
    rows = [Row("漢字" * 20, "報告" * 60, 1), retried("x" * 60, "E: " + "é" * 200)]
    tree = Tree(signs, 24)
    drawn = [line.plain for line in tree.lines(rows, 1, columns, 20)]
    drawn += [tree.bar(Advance(1, 20_000, at, 5e6), 3e6, columns).plain for at in (0, 0.5, 0.99)]
    assert max(map(cell_len, drawn)) <= columns
    assert all(drawn)


@pytest.mark.parametrize("most", [3, 4, 5, 10, 30])
@pytest.mark.parametrize("current", [0, 1, 7, 98, 99])
def test_what_does_not_fit_is_counted_and_the_current_step_is_there(
    most: int, current: int
) -> None:
    rows = [Row(f"s{number}", "", 1) for number in range(100)]
    for row in rows[:current]:
        row.status, row.attempt, row.took_ms = "success", 1, 5
    rows[current] = Row(f"s{current}", "", 1, "running", 1)
    drawn = lines(rows, most=most, current=current)
    assert len(drawn) <= most
    assert any(f" s{current} " in line for line in drawn)
    left_out = [line for line in drawn if "more step" in line]
    shown = len(drawn) - len(left_out)
    assert shown + sum(int(line.split()[2]) for line in left_out) == 100
    if current >= 98:
        assert left_out[0].endswith(", done")
    if current == 0:
        assert left_out[-1].endswith(", to come")


def test_a_bar_fills_and_gives_way_to_the_figures() -> None:
    tree = Tree(UNICODE, 10)
    at = Advance(1, 4, 0.5, 6_000)
    text = "1 of 4 steps  4.8 s  about 6 s left"
    assert tree.bar(at, 4_800, 80).plain == f"{'━' * 15}{'─' * 15}  {text}"
    assert tree.bar(at, 4_800, 47).plain == f"{'━' * 5}{'─' * 5}  {text}"
    assert tree.bar(at, 4_800, 46).plain == text
    assert tree.bar(at, 4_800, 35).plain == text
    assert tree.bar(at, 4_800, 30).plain == "1 of 4 steps  4.8 s"
    assert tree.bar(at, 4_800, 12).plain == "1 of 4 steps"
    assert tree.bar(Advance(0, 1, 0, None), 0, 80).plain.endswith("  0 of 1 step  0.0 s")


def test_a_timer_does_not_flicker() -> None:
    assert [ticking(ms) for ms in (0, 40, 999, 59_940, 61_000)] == [
        "0.0 s",
        "0.0 s",
        "1.0 s",
        "59.9 s",
        "1 min 1 s",
    ]
