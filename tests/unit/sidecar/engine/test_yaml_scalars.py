"""What a plain scalar means."""

from typing import Any

import pytest

from sidecar.engine.yaml_scalars import resolve


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_null(text: str) -> None:
    assert resolve(text) is None


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("FALSE", False)],
)
def test_only_true_and_false_are_booleans(text: str, meaning: bool) -> None:
    assert resolve(text) is meaning


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "yes",
        "no",
        "off",
        "y",
        "n",
        "tRUE",
        "1:30",
        "2020-13-45",
        "2001-01-01",
        "0o8",
        "0b1",
        "1_000",
        "+",
        "-",
        ".",
        "..",
        "0x",
        "1e",
        "=",
        "<<",
        "nan",
        "inf",
        "-.nan",
        "1.2.3",
        "٣",
    ],
)
def test_everything_else_is_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("010", 10),
        ("-7", -7),
        ("+7", 7),
        ("0o17", 15),
        ("0xfF", 255),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("0" * 20 + "5", 5),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-1E-2", -0.01),
    ],
)
def test_numbers_are_decimal_unless_marked(text: str, number: float) -> None:
    found: Any = resolve(text)

    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize("text", ["18446744073709551616", "-9223372036854775809", "9" * 5000])
def test_an_integer_beyond_64_bits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not fit into 64 bits; put it in quotes"):
        resolve(text)


def test_a_long_number_is_shortened_in_the_message() -> None:
    with pytest.raises(ValueError, match=r"^.{1,100}$"):
        resolve("9" * 5000)


def test_a_float_beyond_64_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="the number 1e400 is too large"):
        resolve("1e400")


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.Inf", "+.INF"])
def test_what_is_no_number_in_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no number that JSON can hold"):
        resolve(text)
