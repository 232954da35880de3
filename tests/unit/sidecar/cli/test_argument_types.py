"""What a single argument may be; what is refused, `test_arguments` types."""

import argparse

import pytest

from sidecar.cli.argument_types import at_least, one_of


def test_a_word_of_the_list_is_taken_as_it_is() -> None:
    assert one_of("a", "b")("b") == "b"
    with pytest.raises(argparse.ArgumentTypeError):
        one_of("a", "b")("c")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("20", 20), ("999999999", 999_999_999)])
def test_whole_numbers_are_numbers(text: str, number: int) -> None:
    assert at_least(0)(text) == number
