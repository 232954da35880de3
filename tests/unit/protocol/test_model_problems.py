"""How what a model refuses is put into words."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocol.model_problems import problems_of


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    size: int = Field(default=1, gt=0)
    share: float = Field(default=1.0, allow_inf_nan=False)
    names: list[str] = Field(default=[], max_length=2)
    numbers: list[int] | None = None
    delay_ms: int = 0
    flag: bool = False


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    inner: Inner
    table: dict[str, list[Inner]] = {}
    free: Any = None


def problems(data: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate(data)
    return [(p.field, p.text()) for _, _, p in problems_of(raised.value, Outer)]


def inner_problem(**fields: Any) -> str:
    ((_, text),) = problems({"inner": fields})
    return text


def test_the_whole_has_no_name() -> None:
    assert problems([]) == [("", "expected a mapping, got a list ([])")]


def test_what_is_missing_is_named() -> None:
    assert problems({}) == [("inner", 'the key "inner" is missing')]


def test_a_misspelt_key_is_one_mistake() -> None:
    assert problems({"iner": {}}) == [("iner", 'unknown key "iner"; did you mean "inner"?')]


def test_another_unknown_key_leaves_the_missing_one_missing() -> None:
    assert [field for field, _ in problems({"zzz": {}})] == ["inner", "zzz"]


def test_an_unknown_key_far_from_all_is_told_with_those_that_are_legal() -> None:
    assert inner_problem(zzz=1) == (
        'unknown key "zzz" in inner; the keys are size, share, names, numbers, delay_ms, flag'
    )


def test_a_key_cannot_forge_a_line() -> None:
    assert "\n" not in inner_problem(**{"a\nb": 1})


def test_paths_lead_through_lists_and_tables() -> None:
    assert problems({"inner": {}, "table": {"a": [{}, {"sise": 1}]}}) == [
        ("table.a[1].sise", 'unknown key "sise" in table.a[1]; did you mean "size"?')
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"size": "x"}, 'expected an integer, got text ("x")'),
        ({"size": "5"}, 'expected an integer, got text ("5"); delete the quotes; did you mean 5?'),
        ({"size": 2.0}, "expected an integer, got a number (2.0); did you mean 2?"),
        ({"size": 2.5}, "expected an integer, got a number (2.5)"),
        ({"size": None}, "expected an integer, got nothing (null)"),
        ({"size": 0}, "expected more than 0, got 0"),
        ({"size": "5 km"}, 'expected an integer, got text ("5 km")'),
        (
            {"delay_ms": "5 s"},
            'expected an integer (milliseconds), got text ("5 s"); did you mean 5000?',
        ),
        ({"share": float("inf")}, "expected a finite number, got inf"),
        (
            {"share": "-1.5"},
            'expected a number, got text ("-1.5"); delete the quotes; did you mean -1.5?',
        ),
        ({"names": ["a", "b", "c"]}, "expected at most 2 entries, got 3"),
        ({"names": "a"}, 'expected a list, got text ("a"); did you mean [a]?'),
        ({"names": "a b"}, 'expected a list, got text ("a b")'),
        ({"numbers": "a"}, 'expected a list, got text ("a")'),
        (
            {"names": {"-a": 1}},
            'expected a list, got a mapping ({"-a":1}); a list item needs a space after its "-"',
        ),
        ({"flag": "no"}, 'expected true or false, got text ("no"); did you mean false?'),
        ({"flag": "flase"}, 'expected true or false, got text ("flase"); did you mean false?'),
        ({"flag": "maybe"}, 'expected true or false, got text ("maybe")'),
    ],
)
def test_a_wrong_value_is_told_with_what_to_write(fields: dict[str, Any], text: str) -> None:
    assert inner_problem(**fields) == text


def test_text_with_a_colon_where_a_mapping_should_be_lacks_a_space() -> None:
    assert problems({"inner": "size:1"}) == [
        ("inner", 'expected a mapping, got text ("size:1"); a key needs a space after its colon')
    ]


def test_an_error_nobody_has_words_for_is_passed_on() -> None:
    class Odd(BaseModel):
        value: bytes = Field(strict=True)

    with pytest.raises(ValidationError) as raised:
        Odd.model_validate({"value": 5})
    ((path, is_key, problem),) = problems_of(raised.value, Odd)

    assert (path, is_key) == (("value",), False)
    assert problem.message == "Input should be a valid bytes"
