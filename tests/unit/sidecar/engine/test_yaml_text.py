"""YAML as plain data with the place of every value."""

import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.engine import yaml_text
from sidecar.engine.yaml_text import ParsedYaml, parse

TEXT = """\
workflow:
  name: W
steps:
  - id: a
    inputs: {x: [1, {deep: here}]}
  - "id": b
"""


def data_of(text: str | bytes) -> Any:
    found = parse(text)
    assert found.problems == []
    return found.data


def place(text: str, *path: str | int, key: bool = False) -> tuple[int, int]:
    root = parse(text).root
    assert root is not None
    return root.of(path, key=key)


def test_mappings_lists_and_scalars_become_plain_data() -> None:
    assert data_of(TEXT) == {
        "workflow": {"name": "W"},
        "steps": [{"id": "a", "inputs": {"x": [1, {"deep": "here"}]}}, {"id": "b"}],
    }


def test_quoted_scalars_and_blocks_stay_text() -> None:
    assert data_of('["1", \'~\', "\\x1b"]') == ["1", "~", "\x1b"]
    assert data_of("a: |\n  1\nb: >-\n  true\n") == {"a": "1\n", "b": "true"}


def test_keys_keep_the_order_of_the_file() -> None:
    assert list(data_of("{z: 1, a: 2, m: 3}")) == ["z", "a", "m"]


def test_a_value_has_the_place_where_it_begins() -> None:
    assert place(TEXT, "workflow", "name") == (2, 9)
    assert place(TEXT, "steps", 0, "inputs", "x", 1, "deep") == (5, 28)
    assert place(TEXT, "steps", 1, "id") == (6, 11)


def test_a_key_has_a_place_of_its_own() -> None:
    assert place(TEXT, "workflow", "name", key=True) == (2, 3)
    assert place(TEXT, "steps", 1, "id", key=True) == (6, 5)


def test_what_is_missing_has_the_place_of_what_is_around_it() -> None:
    assert place(TEXT, "steps", 1, "script") == (6, 5)
    assert place(TEXT, "steps", 7, "script") == (4, 3)
    assert place(TEXT, "workflow", "name", "deeper") == (2, 9)
    assert place(TEXT) == (1, 1)
    assert place(TEXT, "steps", 0, key=True) == (4, 5)


def test_columns_count_characters_not_bytes() -> None:
    assert place("{ä🎉: x}", "ä🎉") == (1, 6)


def test_an_alias_stands_where_it_is_written() -> None:
    text = "a: &x {b: 1}\nc: *x\n"

    assert data_of(text) == {"a": {"b": 1}, "c": {"b": 1}}
    assert place(text, "c", "b") == (2, 4)


def test_a_later_anchor_of_the_same_name_counts_from_there_on() -> None:
    assert data_of("[&x 1, *x , &x 2, *x ]") == [1, 1, 2, 2]


def test_an_anchor_with_no_alias_costs_nothing() -> None:
    many = ", ".join(f"&a{i} x" for i in range(20_000))

    assert len(data_of(f"[{many}]")) == 20_000


@pytest.mark.parametrize(("aliases", "problems"), [(1_000, 0), (1_001, 1)])
def test_aliases_add_up_to_ten_thousand_values(aliases: int, problems: int) -> None:
    ten_values = "&a [1, 2, 3, 4, 5, 6, 7, 8, 9]"

    assert len(parse(f"[{ten_values}{', *a' * aliases}]").problems) == problems


def test_a_long_text_weighs_more_than_a_short_one() -> None:
    short, long = "x", "x" * 10_000

    assert parse(f"[&a {short}{', *a' * 200}]").problems == []
    assert len(parse(f"[&a {long}{', *a' * 200}]").problems) == 1


def test_a_value_that_cannot_be_read_is_marked() -> None:
    found = parse("{a: .nan, b: !x 1, c: *no }")

    assert found.unreadable == {(1, 5), (1, 14), (1, 23)}
    assert [(p.line, p.column) for p in found.problems] == [(1, 5), (1, 14), (1, 23)]


def test_a_key_that_is_no_text_drops_its_value_and_no_other() -> None:
    found = parse("{1: [x], a: y, a: z, <<: {b: c, a: d}}")

    assert found.data == {"a": "y", "b": "c"}
    assert len(found.problems) == 3


def test_a_merge_of_something_else_is_told_once() -> None:
    found = parse("{<<: [1], a: y}")

    assert found.data == {"a": "y"}
    assert len(found.problems) == 1


def test_the_pure_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = parse(TEXT)
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)

    assert parse(TEXT) == expected


def test_a_parser_error_without_a_place_is_told_at_the_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise yaml.YAMLError("odd\nthing")

    monkeypatch.setattr("sidecar.engine.yaml_text.yaml.parse", fail)

    assert [p.text() for p in parse("a").problems] == ["not YAML: odd thing"]


def checked(found: ParsedYaml) -> None:
    """Either data that JSON can hold, or problems, each with a place."""
    if not found.problems:
        json.dumps(found.data, allow_nan=False).encode()
    for problem in found.problems:
        assert problem.line is not None
        assert problem.line >= 1
        assert problem.column is not None
        assert problem.column >= 1
        assert problem.message


@settings(max_examples=500)
@given(st.binary(max_size=300))
def test_any_bytes_are_data_or_problems_in_no_time(source: bytes) -> None:
    started_s = time.process_time()
    checked(parse(source))

    assert time.process_time() - started_s < 2


#: Characters that mean something in YAML, so that chance finds more than plain text.
YAML_ISH = st.text(st.sampled_from("ab1.-:,[]{}#&*!|>'\"%@`~<?\\ \t\n\r\ufeff\x85\u2028é\ud800\0"))


@settings(max_examples=1_000)
@given(YAML_ISH)
def test_any_text_is_data_or_problems_in_no_time(source: str) -> None:
    started_s = time.process_time()
    checked(parse(source))

    assert time.process_time() - started_s < 2


@pytest.mark.parametrize("piece", ["[", "{a: ", "- ", "? ", "&a ", "'", "a: |\n ", "*a ", "!x "])
def test_a_megabyte_of_anything_takes_seconds(piece: str) -> None:
    started_s = time.process_time()
    checked(parse(piece * (1_000_000 // len(piece))))

    assert time.process_time() - started_s < 20
