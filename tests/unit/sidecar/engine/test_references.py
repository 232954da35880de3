"""References: how they are written, and what stands in their place."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import limits
from sidecar.engine import references
from sidecar.engine.references import BadReference, Reference, member_of, parse, resolve, strings_in


def table(values: dict[str, Any]) -> Callable[[Reference], Any]:
    """A lookup by the reference's text."""
    return lambda reference: values[reference.text]


def nothing(reference: Reference) -> Any:
    raise AssertionError(reference.text)


A = "${steps.a.outputs.v}"


def test_the_three_kinds_are_told_apart() -> None:
    assert parse("${workflow.inputs.my-folder_1}") == (
        Reference("${workflow.inputs.my-folder_1}", "input", "my-folder_1"),
    )
    assert parse("${env.HOME}") == (Reference("${env.HOME}", "env", "HOME"),)
    assert parse("${steps.a.outputs}") == (Reference("${steps.a.outputs}", "step", "a"),)


def test_members_are_names_and_indices_in_order() -> None:
    (reference,) = parse("${steps.a.outputs.b.0[12][3].größe-x}")

    assert isinstance(reference, Reference)
    assert reference.members == ("b", "0", 12, 3, "größe-x")


def test_text_around_references_is_kept() -> None:
    parts = parse(f"a {A}, {A}!")

    assert [part if isinstance(part, str) else part.text for part in parts] == [
        *("a ", A, ", ", A, "!")
    ]


@pytest.mark.parametrize("text", ["", "plain", "$", "$$", "{}", "}", "$ {x}", "$x", "\\{"])
def test_a_text_without_references_is_one_literal(text: str) -> None:
    assert parse(text) == (text,)


def test_a_doubled_dollar_is_a_literal() -> None:
    assert parse("$${a} $$${b}") == ("${a} $${b}",)


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "x",
        "env",
        "env.",
        "env.1A",
        "env.A.B",
        "workflow.inputs",
        "workflow.inputs.a.b",
        "steps.a",
        "steps.a.outputs.",
        "steps.a.outputs[x]",
        "steps.a.outputs[-1]",
        "steps.a.b",
        "steps.a.outputs[1234567890]",
        "steps.a.outputs.b c",
        "steps.-a.outputs",
        "constructor",
        "steps.a.outputs[0",
        "1+1",
        "steps.a.outputs.b\n",
    ],
)
def test_whatever_else_stands_in_braces_is_refused(body: str) -> None:
    with pytest.raises(BadReference, match="is no reference; write "):
        parse(f"${{{body}}}")


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ("inputs.x", "workflow.inputs.x"),
        ("workflow.x", "workflow.inputs.x"),
        ("workflows.inputs.x", "workflow.inputs.x"),
        ("step.a.outputs.b", "steps.a.outputs.b"),
        ("steps.a.output.b[0].c", "steps.a.outputs.b[0].c"),
        ("steps.a.b", "steps.a.outputs.b"),
        ("steps.a", "steps.a.outputs"),
        (" env.HOME ", "env.HOME"),
        ("environ.HOME", "env.HOME"),
        ("HOME", "env.HOME"),
        ("home", None),
        ("env", None),
        ("steps.a.outputs[-1]", None),
        ("github.sha", None),
    ],
)
def test_what_was_probably_meant_is_suggested(body: str, meant: str | None) -> None:
    with pytest.raises(BadReference) as raised:
        parse(f"${{{body}}}")

    assert raised.value.suggestion == (meant and f"${{{meant}}}")


def test_an_unclosed_reference_is_refused_and_cut_short() -> None:
    with pytest.raises(BadReference, match=r"^.{1,140}$") as raised:
        parse("${" + "x" * 10_000)

    assert "no closing }" in raised.value.message


def test_references_do_not_nest() -> None:
    with pytest.raises(BadReference, match="cannot be nested"):
        parse("${steps.${workflow.inputs.x}.outputs}")


def test_a_long_text_is_read_as_a_short_one_and_not_kept() -> None:
    before = references._parse_short.cache_info().currsize

    assert parse("x" * 5_000 + A)[1] == parse(A)[0]
    assert references._parse_short.cache_info().currsize <= before + 1


def test_strings_are_found_in_order_with_their_paths() -> None:
    value = {"a": ["x", {"b": "y"}, 1, None], "c": "z", "d": {}}

    assert list(strings_in(value)) == [(("a", 0), "x"), (("a", 1, "b"), "y"), (("c",), "z")]
    assert list(strings_in("x")) == [((), "x")]


@pytest.mark.parametrize("value", [1, 1.5, True, None, [1, {"a": None}], {}, "text", ""])
def test_a_whole_reference_keeps_its_type(value: Any) -> None:
    found = resolve({"x": [A]}, table({A: value}))

    assert found == {"x": [value]}
    assert type(found["x"][0]) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "null"),
        ("a b", "a b"),
        ([1, "x"], '[1,"x"]'),
        ({"ä": None}, '{"ä":null}'),
    ],
)
def test_inside_text_a_value_is_rendered(value: Any, text: str) -> None:
    assert resolve(f"<{A}>", table({A: value})) == f"<{text}>"


@pytest.mark.parametrize("value", [A, "${env.HOME}", "$${x}", "$&", "\\1", "${", "%s {0}"])
def test_a_value_is_never_read_again(value: str) -> None:
    assert resolve(A, table({A: value})) == value
    assert resolve(f"a{A}b", table({A: value})) == f"a{value}b"


def test_keys_are_left_as_they_are() -> None:
    assert resolve({A: 1}, nothing) == {A: 1}


def test_what_holds_no_reference_is_copied() -> None:
    value = {"a": [1, {"b": "$5"}]}
    found = resolve(value, nothing)

    assert found == value
    assert found["a"] is not value["a"]


def test_what_a_lookup_raises_comes_through() -> None:
    with pytest.raises(BadReference, match="gone"):
        resolve([A], lambda _: (_ for _ in ()).throw(BadReference("gone")))


def test_an_own_key_is_found_whatever_its_name() -> None:
    outputs = {"__proto__": {"constructor": [{"length": 1}]}}
    (reference,) = parse("${steps.a.outputs.__proto__.constructor[0].length}")

    assert isinstance(reference, Reference)
    assert member_of(outputs, reference) == 1


def looked_up(outputs: Any, way: str) -> Any:
    (reference,) = parse(f"${{steps.a.outputs{way}}}")
    assert isinstance(reference, Reference)
    return member_of(outputs, reference)


def test_no_members_are_the_whole() -> None:
    assert looked_up({"a": 1}, "") == {"a": 1}


@pytest.mark.parametrize("way", [".v[0]", ".v[2]", ".v[1].x"])
def test_members_lead_deep(way: str) -> None:
    assert looked_up({"v": [1, {"x": 1}, 1]}, way) == 1


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        (".nope", 'there is no "nope", only v, t'),
        (".__class__", 'there is no "__class__", only v, t'),
        (".items", 'there is no "items", only v, t'),
        (".v.length", "the list has 2 entries"),
        (".v[2]", "the list has 2 entries"),
        (".v[0].x", '"x" cannot be looked up in a value that is no mapping or list'),
        (".t.upper", '"upper" cannot be looked up in a value that is no mapping or list'),
        (".t[0]", '"0" cannot be looked up in a value that is no mapping or list'),
        ("[0]", 'there is no "0", only v, t'),
    ],
)
def test_only_what_is_there_is_found(way: str, reason: str) -> None:
    with pytest.raises(BadReference) as raised:
        looked_up({"v": [1, 2], "t": "text"}, way)

    assert raised.value.message == f"${{steps.a.outputs{way}}} names nothing: {reason}"


def test_many_keys_are_cut_short_in_the_message() -> None:
    with pytest.raises(BadReference, match=r"^.{1,300}$"):
        looked_up({f"key_{i}": i for i in range(10_000)}, ".nope")


def test_a_text_that_doubles_from_step_to_step_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_RESOLVED_BYTES", 1_000)
    value = "x" * 400

    assert len(resolve(f"{A}{A}", table({A: value}))) == 800
    with pytest.raises(BadReference, match="put in more than 1,000 bytes"):
        resolve(f"{A}{A}{A}", table({A: value}))


@pytest.mark.parametrize("value", ["x" * 400, ["x" * 400], {"x": "x" * 400}, [1] * 200])
def test_whole_values_are_counted_too(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_RESOLVED_BYTES", 1_000)

    assert resolve([A, A], table({A: value})) == [value, value]
    with pytest.raises(BadReference, match="put in more than 1,000 bytes"):
        resolve([A, [A], {"a": A}], table({A: value}))


def test_a_value_that_would_nest_too_deep_for_json_is_refused() -> None:
    deep: Any = 1
    for _ in range(240):
        deep = [deep]

    assert resolve([[A]], table({A: deep})) == [[deep]]
    value: Any = A
    for _ in range(60):
        value = [value]
    with pytest.raises(BadReference, match="nests too deep"):
        resolve(value, table({A: deep}))


@given(st.text() | st.text(st.sampled_from("${}a.")))
def test_escaped_text_resolves_to_the_literal(text: str) -> None:
    assert resolve(text.replace("${", "$${"), nothing) == text


@given(st.text(), st.text().filter(lambda text: "$" not in text))
def test_any_value_stands_unchanged_between_any_text(value: str, around: str) -> None:
    assert resolve(f"{around}{A}{around}", table({A: value})) == f"{around}{value}{around}"
