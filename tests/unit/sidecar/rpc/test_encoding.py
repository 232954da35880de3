"""What we send is always JSON that every reader takes."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.problems import Problem
from protocol.results import PythonInfo
from sidecar.rpc.encoding import encode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters() | st.sampled_from("\ud800\udfff")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_any_value_becomes_one_line_of_strict_json(value: Any) -> None:
    sent = encode({"value": value})
    assert b"\n" not in sent
    orjson.loads(sent)


@given(st.recursive(st.none() | st.text(st.characters(codec="utf-8")), st.lists))
def test_what_json_can_hold_arrives_as_it_was(value: Any) -> None:
    assert json.loads(encode(value)) == value


def test_a_field_that_is_null_and_need_not_be_is_left_out() -> None:
    sent = json.loads(encode({"problem": Problem(field="f", message="m", line=3)}))
    assert sent == {"problem": {"field": "f", "message": "m", "line": 3, "severity": "error"}}
    info = PythonInfo(path=None, version=None, supported=False)
    assert json.loads(encode([info])) == [{"path": None, "version": None, "supported": False}]


def test_a_null_in_a_value_stays() -> None:
    assert json.loads(encode({"outputs": {"a": None, "b": [None]}})) == {
        "outputs": {"a": None, "b": [None]}
    }


def test_what_json_cannot_hold_stands_as_something_it_can() -> None:
    problem = Problem(field="\udfff", message="")
    odd = {"half": "\ud800x", "nan": float("nan"), "large": 2**70, "problem": problem}
    assert json.loads(encode(odd)) == {
        "half": "\ufffdx",
        "nan": None,
        "large": float(2**70),
        "problem": {"field": "\ufffd", "message": "", "severity": "error"},
    }


def test_what_is_nested_too_deeply_is_named_by_its_type() -> None:
    deep: Any = "leaf"
    for _ in range(300):
        deep = [deep]
    assert b"<list>" in encode({"deep": deep})


def test_a_value_of_no_json_type_is_a_bug_of_ours() -> None:
    with pytest.raises(TypeError, match="cannot send a object"):
        encode({"value": object()})
