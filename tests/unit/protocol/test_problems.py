"""How problems are put into words."""

import time
from typing import Any

import pytest

from protocol.problems import (
    Problem,
    closest,
    field_name,
    kind,
    number_text,
    shown,
    some,
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((), ""),
        (("steps",), "steps"),
        (("steps", 0, "script"), "steps[0].script"),
        ((0, 1), "[0][1]"),
    ],
)
def test_a_path_is_named_as_authors_write_it(path: tuple[str | int, ...], name: str) -> None:
    assert field_name(path) == name


@pytest.mark.parametrize(
    ("suggestion", "text"),
    [
        (None, "wrong"),
        ("steps", 'wrong; did you mean "steps"?'),
        ('"5"', 'wrong; did you mean "5"?'),
        ("30000", "wrong; did you mean 30000?"),
        ("true", "wrong; did you mean true?"),
        ("[a]", "wrong; did you mean [a]?"),
    ],
)
def test_a_suggestion_is_shown_as_it_is_to_be_written(suggestion: str | None, text: str) -> None:
    assert Problem(field="", message="wrong", suggestion=suggestion).text() == text


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("scrpt", "script"),
        ("SCRIPT", "script"),
        ("Timeout", "timeout"),
        ("dependsOn", "depends_on"),
        ("retry", "retry_policy"),
        ("xyz", None),
        ("", None),
        ("re", None),
    ],
)
def test_the_closest_word_is_the_one_that_was_meant(word: str, meant: str | None) -> None:
    assert closest(word, ["script", "timeout", "depends_on", "retry_policy", "Label"]) == meant


def test_the_word_is_given_as_the_candidate_spells_it() -> None:
    assert closest("label", ["Label"]) == "Label"


def test_a_beginning_of_two_words_is_neither() -> None:
    assert closest("dep", ["depends_on_a_b_c", "deposit_of_some"]) is None


def test_looking_among_20_000_words_is_quick() -> None:
    words = [f"step_{i}" for i in range(20_000)]
    started_s = time.process_time()

    assert closest("step_1999x", words) is not None
    assert closest("x" * 1_000_000, [*words, "x" * 256]) == "x" * 256
    assert time.process_time() - started_s < 5


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), (True, "true"), ([1, "a"], '[1,"a"]'), ("ä", '"ä"')],
)
def test_a_value_is_shown_as_json(value: Any, text: str) -> None:
    assert shown(value) == text


def test_a_long_value_is_cut() -> None:
    assert shown("x" * 100) == '"' + "x" * 58 + "…"
    assert len(shown(list(range(1_000)), 20)) == 20


def test_what_json_cannot_hold_is_shown_by_its_type() -> None:
    assert shown({1}) == '"set"'
    assert shown(2**70) == '"int"'


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (True, "a boolean"),
        (1, "an integer"),
        (1.0, "a number"),
        ("", "text"),
        ([], "a list"),
        ({}, "a mapping"),
        (None, "null"),
    ],
)
def test_a_type_has_its_name_in_json(value: Any, name: str) -> None:
    assert kind(value) == name


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (86_400_000, "86,400,000"),
        (5.0, "5"),
        (0.5, "0.5"),
        (-1, "-1"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_a_number_is_written_for_people(number: float, text: str) -> None:
    assert number_text(number) == text


def test_a_few_names_stand_for_many() -> None:
    assert some([]) == "none"
    assert some(["a", "b"]) == "a, b"
    assert some([str(i) for i in range(1_012)], 2) == "0, 1 and 1,010 more"
