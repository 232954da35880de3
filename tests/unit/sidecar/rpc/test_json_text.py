"""Bytes that parsers disagree on, and numbers that most cannot hold."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rpc.encoding import encode
from sidecar.rpc.json_text import (
    ExactNumber,
    NotJson,
    parsed,
    with_exact_ids,
    with_exact_integers,
)

TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from(':"\\,'), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_what_has_no_key_twice_is_read_as_it_is(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    message = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert parsed(message) == value
    assert parsed(message.replace(b":", b" : ").replace(b" : ", b":")) == value


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4), VALUES, st.data())
def test_a_key_that_stands_twice_is_found_anywhere_and_in_any_spelling(
    value: dict[str, Any], other: Any, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    escaped = "".join(f"\\u{ord(c):04x}" for c in key) if key.isascii() else json.dumps(key)[1:-1]
    twice = json.dumps(value)[:-1] + f', "{escaped}": {json.dumps(other)}}}'
    wrapped = data.draw(st.sampled_from(["%s", "[%s]", '{"x": %s}', '[":", {"y": [%s]}]']))
    with pytest.raises(NotJson, match="stands twice in one object"):
        parsed((wrapped % twice).encode())


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (b'{"a":1,"a":1}', 'the key "a" stands twice in one object'),
        (b'{"id":1,"i\\u0064":2}', 'the key "id" stands twice in one object'),
        # One colon too few and one too many.
        (b'{"a":"\\u003a","a":1}', 'the key "a" stands twice in one object'),
        (b'{"a":"\\u003A","b":{"c":1,"c":2}}', 'the key "c" stands twice in one object'),
        (b"[" * 900 + b'{"a":1,"a":2}' + b"]" * 900, "stands twice in one object"),
        (b'{"a":1,"a":"' + b"x" * 2_000_000 + b'"}', "a key stands twice in one object"),
    ],
)
def test_a_key_that_stands_twice_is_named(message: bytes, told: str) -> None:
    with pytest.raises(NotJson, match=told):
        parsed(message)


@pytest.mark.parametrize(
    "message",
    [
        b'{"a":"\\u003a:","b":"\\\\u003a"}',
        b"[" * 900 + b'{"a":1,"b":":"}' + b"]" * 900,
        b'{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
    ],
)
def test_colons_in_texts_and_keys_in_other_objects_are_no_duplicates(message: bytes) -> None:
    assert parsed(message) == json.loads(message)


def test_where_naming_it_would_take_too_deep_a_look_it_is_only_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_deep(*arguments: Any, **more: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(json, "loads", too_deep)
    with pytest.raises(NotJson, match=r"^a key stands twice"):
        parsed(b'{"a":1,"a":2}')
    assert with_exact_ids(b'{"id":1.5}', {"id": 1.5}) == {"id": 1.5}


def echoed(message: bytes) -> list[bytes]:
    """The id of each entry as it goes out again."""
    value = with_exact_ids(message, parsed(message))
    entries = value if isinstance(value, list) else [value]
    return [encode(entry.get("id") if isinstance(entry, dict) else None) for entry in entries]


@pytest.mark.parametrize(
    "number",
    [
        b"1.5",
        b"1.50",
        b"1e3",
        b"-0.0",
        b"18446744073709551616",
        b"12345678901234567890123",
        b"-9223372036854775809",
        b"0.1000000000000000055511151231257827",
        b"1E+2",
    ],
)
def test_an_id_goes_out_as_it_came(number: bytes) -> None:
    assert echoed(b'{"id":' + number + b"}") == [number]
    batch = b'[{"id":7},{"id": ' + number + b' },3,{"id":"x"},{"id":null},{}]'
    assert echoed(batch) == [b"7", number, b"null", b'"x"', b"null", b"null"]


def test_in_a_large_message_it_goes_out_as_the_nearest_float() -> None:
    message = b'{"id":1.50,"x":"' + b"x" * 2_000_000 + b'"}'
    assert echoed(message) == [b"1.5"]


def test_only_ids_are_kept_exact() -> None:
    message = b'{"id":1.50,"params":[1.50]}'
    value = with_exact_ids(message, parsed(message))
    assert isinstance(value["id"], ExactNumber)
    assert type(value["params"][0]) is float


def read(message: bytes) -> Any:
    return with_exact_integers(message, parsed(message))


@pytest.mark.parametrize("number", [2**63, 2**64, 10**29, -(10**29)])
def test_an_integer_beyond_64_bits_reaches_whoever_refuses_it_as_it_was_sent(number: int) -> None:
    message = b'{"id":1,"params":[{"n":%d}]}' % number
    assert read(message)["params"] == [{"n": number}]
    batch = b'[1,{"params":{"n":%d}},{"id":2}]' % number
    assert read(batch) == [1, {"params": {"n": number}}, {"id": 2}]


@pytest.mark.parametrize(
    "message", [b'{"params":["12345678901234567890123"]}', b'{"params":[1.5,9007199254740993]}']
)
def test_other_params_are_left_as_they_were_read(message: bytes) -> None:
    value = parsed(message)
    assert with_exact_integers(message, value) is value
    assert value == json.loads(message)


@pytest.mark.parametrize(
    "message",
    [
        b'{"params":["' + b"x" * 2_000_000 + b'",12345678901234567890123]}',
        b'{"params":' + b"[" * 1_000 + b"9" * 30 + b"]" * 1_000 + b"}",
    ],
)
def test_a_number_too_long_to_be_read_again_is_refused(message: bytes) -> None:
    with pytest.raises(NotJson, match="send it as text"):
        read(message)
