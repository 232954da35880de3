"""Reading a parser's complaints; what is said to each is in the table of malformed workflows."""

import pytest
import yaml

from sidecar.engine.yaml_syntax import explain, line_and_column


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x", (1, 1)),
        ("a\nx", (2, 1)),
        ("a\r\nbx", (2, 2)),
        ("a\rx", (2, 1)),
        ("a\u2028b\u2029x", (3, 1)),
        ("a\x85x", (2, 1)),
        ("\n\nüx", (3, 2)),
        ("a\x0bx", (1, 3)),
    ],
)
def test_lines_end_where_yaml_ends_them(text: str, place: tuple[int, int]) -> None:
    assert line_and_column(text, text.index("x")) == place


def test_a_complaint_nobody_knows_is_passed_on_with_its_place() -> None:
    mark = yaml.Mark("x", 0, 3, 4, None, 0)

    assert explain(yaml.MarkedYAMLError(None, None, "odd", mark), "a\nb\n") == (
        4,
        5,
        "not YAML: odd",
    )


def test_a_complaint_without_place_or_words_is_told_at_the_beginning() -> None:
    assert explain(yaml.MarkedYAMLError(), "") == (1, 1, "not YAML: not YAML")
