"""How much of a value is shown."""

import json
import time
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.showing import json_safe, truncate

LIMIT = 256 * 1024


def test_value_that_fits_is_shown_as_it_is() -> None:
    value = {"a": [1, None, "x" * (LIMIT - 100)]}
    assert truncate(value, LIMIT) is value


def test_large_blob_costs_its_neighbours_nothing() -> None:
    shown = truncate({"blob": "x" * 300_000, "n": 1}, LIMIT)
    assert shown == {
        "blob": {"$truncated": True, "bytes": 300_002, "preview": "x" * 1024},
        "n": 1,
    }


def test_large_part_deep_inside_is_cut_alone() -> None:
    shown = truncate({"a": [{"b": "x" * 300_000}, "keep"], "c": "keep"}, LIMIT)
    assert shown["a"][0]["b"]["$truncated"] is True
    assert shown["a"][1] == shown["c"] == "keep"


def test_many_small_parts_are_cut_as_one_and_their_size_is_that_of_the_whole() -> None:
    value = {"list": [{"n": n} for n in range(50_000)], "blobs": ["x" * 300_000] * 2}
    shown = truncate(value, LIMIT)
    assert shown["list"] == {
        "$truncated": True,
        "bytes": len(orjson.dumps(value["list"])),
        "preview": orjson.dumps(value["list"])[:1024].decode(),
    }
    many = ["y" * 300_000] * 300
    assert truncate(["x", many], LIMIT)[1]["bytes"] == len(orjson.dumps(many))


def test_boundary_is_exact() -> None:
    assert truncate("x" * (LIMIT - 2), LIMIT) == "x" * (LIMIT - 2)
    assert truncate("x" * (LIMIT - 1), LIMIT)["bytes"] == LIMIT + 1


def test_result_always_fits() -> None:
    value = {str(n): "x" * 9_000 for n in range(500)}
    assert len(orjson.dumps(truncate(value, 10_000))) <= 10_000
    assert len(orjson.dumps(truncate([value, "\x01" * 20_000], 10_000))) <= 10_000


def test_truncation_takes_time_linear_in_the_size() -> None:
    def seconds(count: int) -> float:
        value: Any = "x" * 20_000
        for n in range(count):
            value = {"inner": value, "n": n, "blob": "y" * 20_000} if n < 150 else [value, "z"]
            if n % 150 == 149:
                value = [str(n), "x" * 20_000]
        wide = [{"n": n} for n in range(count * 10)]
        begin = time.process_time()
        truncate([value, wide], 10_000)
        return time.process_time() - begin

    small = min(seconds(1_000) for _ in range(3))
    assert min(seconds(8_000) for _ in range(3)) < max(small * 24, 0.05)


def test_values_that_json_cannot_hold_are_shown_as_far_as_they_can() -> None:
    value = {
        "big": 2**70,
        "bigger": 10**5_000,
        "most": 2**64 - 1,
        "nan": [float("nan"), float("-inf"), 1.5],
        "half": "a\ud83d\ude80\ud800",
        "other": (1, {2}, date(2024, 1, 1), True, None),
        3: "x",
    }
    assert json_safe(value) == {
        "big": 2.0**70,
        "bigger": None,
        "most": 2**64 - 1,
        "nan": [None, None, 1.5],
        "half": "a\U0001f680\ufffd",
        "other": [1, "<set>", "<date>", True, None],
        "3": "x",
    }
    assert truncate(value, LIMIT) == json_safe(value)


def test_value_nested_too_deeply_names_what_is_left_out() -> None:
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]
    assert json.dumps(truncate(deep, LIMIT)) == "[" * 200 + '"<list>"' + "]" * 200


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_sizes_are_those_of_the_json(value: Any) -> None:
    padded = [value, ["x" * 5_000] * 3]
    shown = truncate(padded, 10_000)
    assert shown[1]["bytes"] == 15_010 or shown == truncate(json_safe(padded), 10_000)


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", [], {}, [[]], {"": ""}])
def test_plain_values_stay(value: object) -> None:
    assert json_safe(value) == value
    assert truncate(value, LIMIT) == value
