"""Durations, counts and cut messages as people read them."""

import pytest

from sidecar.cli.wording import counted, duration, first_line


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-1, "0 ms"),
        (0, "0 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (3_140, "3.1 s"),
        (59_949, "59.9 s"),
        (59_960, "1 min 0 s"),
        (60_000, "1 min 0 s"),
        (125_900, "2 min 5 s"),
        (3_600_000, "1 h 0 min"),
        (3_725_000, "1 h 2 min"),
    ],
)
def test_durations_are_for_people(milliseconds: float, text: str) -> None:
    assert duration(milliseconds) == text


def test_counts_have_their_plural() -> None:
    assert counted(1, "step") == "1 step"
    assert counted(0, "step") == "0 steps"
    assert counted(2, "retry") == "2 retries"


def test_a_message_of_several_lines_is_marked_where_it_is_cut() -> None:
    assert first_line("a\nb") == "a …"
    assert first_line("\na\n") == "a"
