"""What a client can get wrong, and what it is told; the connection outlives all of it."""

import json
from typing import Any

import pytest

from tests.integration.conftest import ECHO, definition, over_every_transport, step
from tests.integration.driver import Driver

pytestmark = [over_every_transport, pytest.mark.usefixtures("endless")]

INFO = {"jsonrpc": "2.0", "method": "sidecar:info"}

#: Each of JSON-RPC 2.0, section 7, with its answer's code (None: not answered).
SECTION_7: list[tuple[str, Any]] = [
    ('{"jsonrpc": "2.0", "method": "foobar", "id": "1"}', (-32601, "1")),
    ('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', (-32700, None)),
    ('{"jsonrpc": "2.0", "method": 1, "params": "bar"}', (-32600, None)),
    (
        '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},'
        ' {"jsonrpc": "2.0", "method"]',
        (-32700, None),
    ),
    ("[]", (-32600, None)),
    ("[1]", [(-32600, None)]),
    ("[1,2,3]", [(-32600, None)] * 3),
    (
        '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},'
        ' {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},'
        ' {"jsonrpc": "2.0", "method": "sidecar:info", "id": "2"},'
        ' {"foo": "boo"},'
        ' {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},'
        ' {"jsonrpc": "2.0", "method": "sidecar:info", "id": "9"}]',
        [(-32601, "1"), ("result", "2"), (-32600, None), (-32601, "5"), ("result", "9")],
    ),
]

#: No requests, each with the reason: its answer is -32600 with the id that it shows.
NO_REQUESTS: list[tuple[Any, Any]] = [
    (1, None),
    ("text", None),
    (None, None),
    (True, None),
    ({}, None),
    ({"jsonrpc": "1.0", "method": "sidecar:info", "id": 1}, 1),
    ({"method": "sidecar:info", "id": 2}, 2),
    ({"jsonrpc": "2.0", "id": 3}, None),
    ({"jsonrpc": "2.0", "method": None, "id": 4}, 4),
    ({"jsonrpc": "2.0", "method": ["sidecar:info"], "id": 5}, 5),
    ({"jsonrpc": "2.0", "method": "sidecar:info", "id": [1]}, None),
    ({"jsonrpc": "2.0", "method": "sidecar:info", "id": {}}, None),
    ({"jsonrpc": "2.0", "method": "sidecar:info", "id": True}, None),
    ({"jsonrpc": "2.0", "method": "sidecar:info", "params": "text", "id": 6}, 6),
    ({"jsonrpc": "2.0", "method": "sidecar:info", "params": 7, "id": 7}, 7),
    ({"jsonrpc": "2.0", "result": 1, "id": 8}, None),
    ({"jsonrpc": "2.0", "error": {}, "id": 9}, None),
]


def code_and_id(answer: Any) -> Any:
    if isinstance(answer, list):
        return sorted(map(code_and_id, answer), key=str)
    assert answer["jsonrpc"] == "2.0"
    assert ("result" in answer) != ("error" in answer)
    if "result" in answer:
        return ("result", answer["id"])
    assert isinstance(answer["error"]["message"], str)
    assert isinstance(answer["error"]["data"]["type"], str)
    return (answer["error"]["code"], answer["id"])


def test_each_malformed_request_of_the_specification_has_its_answer(driver: Driver) -> None:
    for count, (text, expected) in enumerate(SECTION_7, 1):
        driver.send_bytes(text.encode())
        answer = code_and_id(driver.next_answer(count))
        wanted = sorted(expected, key=str) if isinstance(expected, list) else expected
        assert answer == wanted, text


def test_what_is_no_request_is_answered_with_the_id_it_shows(driver: Driver) -> None:
    for count, (message, shown_id) in enumerate(NO_REQUESTS, 1):
        driver.send(message)
        assert code_and_id(driver.next_answer(count)) == (-32600, shown_id), message


def test_notifications_are_never_answered(driver: Driver) -> None:
    notification = {"jsonrpc": "2.0", "method": "sidecar:info"}
    driver.send(
        notification,
        {"jsonrpc": "2.0", "method": "no:such:method"},
        {"jsonrpc": "2.0", "method": "workflow:load", "params": {"wrong": 1}},
        {"jsonrpc": "2.0", "method": "workflow:execution:get", "params": ["unknown"]},
        {"jsonrpc": "2.0", "method": "workflow:execution:event", "params": {}},
        [notification, notification],
        [{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}}],
    )
    # An execution that was notified runs all the same.
    driver.call("workflow:execution:subscribe")
    driver.notify("workflow:execute", [definition("w", step("a", "./echo.py"))])
    driver.wait_for_event("workflow_completed")
    driver.call("sidecar:info")
    assert [answer["id"] for answer in driver.answers] == [1, 2]


def test_ids_of_every_kind_come_back_as_they_were(driver: Driver) -> None:
    ids = [
        0,
        -1,
        1.5,
        2**53 + 1,
        2**63,
        2**64 - 1,
        -(2**63),
        "",
        "1",
        "\u00e9\U0001f600\u2028",
        None,
    ]
    ids += ["x" * 10_000, 1, 1]
    driver.send(*[{**INFO, "id": one} for one in ids])
    driver.wait_until(lambda: len(driver.answers) == len(ids))
    came = [json.dumps(answer["id"]) for answer in driver.answers]
    assert sorted(came) == sorted(json.dumps(one) for one in ids)


def test_a_batch_answers_each_of_its_requests(driver: Driver) -> None:
    driver.send([{**INFO, "id": n} for n in range(1000)])
    assert sorted(answer["id"] for answer in driver.next_answer(1)) == list(range(1000))
    driver.send([{**INFO, "id": n} for n in range(1001)])
    assert code_and_id(driver.next_answer(2)) == (-32600, None)
    driver.send([[{**INFO, "id": 1}], {**INFO, "id": 2}])
    assert code_and_id(driver.next_answer(3)) == [("result", 2), (-32600, None)]


def test_an_unknown_method_is_named_with_the_nearest_one(shared: Driver) -> None:
    error = shared.error("workflow:excute")
    assert (error["code"], error["data"]["type"]) == (-32601, "MethodNotFound")
    assert error["message"] == (
        'there is no method "workflow:excute"; did you mean "workflow:execute"?'
    )
    for name in ("__init__", "_dispatch", "table", "rpc.", "", "x" * 1_000_000, "\u0000"):
        error = shared.error(name)
        assert error["code"] == -32601
        assert len(error["message"]) < 200


@pytest.mark.parametrize(
    ("method", "params", "field", "message"),
    [
        ("workflow:execution:get", {}, "execution_id", 'the key "execution_id" is missing'),
        ("workflow:execution:get", [], "execution_id", 'the key "execution_id" is missing'),
        ("workflow:execution:get", None, "execution_id", 'the key "execution_id" is missing'),
        ("workflow:execution:get", [1], "execution_id", "expected text, got an integer (1)"),
        ("workflow:execution:get", [None], "execution_id", "expected text, got nothing (null)"),
        ("workflow:execution:history", {"workflow_id": "w", "limit": None}, "limit", "an integer"),
        ("workflow:execution:get", {"execution_id": None}, "execution_id", "expected text, got "),
        ("workflow:execution:get", ["a", "b"], "params", "at most 1 (execution_id), got 2"),
        ("sidecar:info", ["a"], "params", "expected none, got 1 by position"),
        ("sidecar:info", {"a": 1}, "a", 'unknown key "a"'),
        ("workflow:execution:history", ["w", -1], "limit", "expected at least 0, got -1"),
        ("workflow:execution:history", ["w", 1.5], "limit", "expected an integer"),
        ("workflow:execution:history", ["w", "5"], "limit", "expected an integer, got text"),
        ("workflow:execution:history", ["w", True], "limit", "expected an integer, got a boolean"),
        ("workflow:execute", {"workflow": 1}, "workflow", "expected a path or an object"),
        ("workflow:execute", [{}, []], "inputs", "expected a mapping, got a list"),
        ("workflow:execute", ["w", {}, {"deadline_ms": 0}], "options.deadline_ms", "at least 1"),
        ("workflow:execute", ["w", {}, {"x": 0}], "options.x", 'unknown key "x"'),
        ("workflow:execution:subscribe", {"include": ["step"]}, "include[0]", "expected "),
        ("workflow:execution:subscribe", [["w"]], "workflow_id", "expected text, got a list"),
    ],
)  # fmt: skip
def test_wrong_params_are_named_with_what_was_expected(
    shared: Driver, method: str, params: Any, field: str, message: str
) -> None:
    error = shared.error(method, params)
    assert (error["code"], error["data"]["type"]) == (-32602, "InvalidParams")
    (problem,) = error["data"]["errors"]
    assert problem["field"] == field
    assert message in problem["message"]
    assert message in error["message"]


def test_a_misspelt_param_is_told_the_right_one(shared: Driver) -> None:
    error = shared.error("workflow:execute", {"workflow": {}, "input": {}})
    (problem,) = error["data"]["errors"]
    assert (problem["field"], problem["suggestion"]) == ("input", "inputs")


def test_params_that_are_null_are_absent_ones(driver: Driver) -> None:
    driver.send({**INFO, "id": 1, "params": None})
    assert "result" in driver.answer(1)


def test_what_is_not_there_has_its_code(shared: Driver) -> None:
    for method in ("workflow:execution:get", "workflow:execution:cancel"):
        for unknown in ("00000000-0000-4000-8000-000000000000", "", "__proto__", "x" * 100_000):
            error = shared.error(method, [unknown])
            assert (error["code"], error["data"]["type"]) == (-32003, "ExecutionNotFound")
            assert len(error["message"]) < 200
    outside = shared.project.parent / "outside.yaml"
    outside.write_text(json.dumps(definition("w", step("a", "./echo.py"))))
    for path in ("nowhere.yaml", "../outside.yaml", str(outside), ".", "\u0000", "x" * 100_000):
        for method in ("workflow:execute", "workflow:execution:start", "workflow:load"):
            error = shared.error(method, [path])
            assert (error["code"], error["data"]["type"]) == (-32001, "WorkflowNotFound")
            assert len(error["message"]) < 400
    assert shared.call("workflow:execution:history", ["w"]) == []


def test_an_invalid_workflow_is_told_every_error(shared: Driver) -> None:
    (shared.project / "w.yaml").write_text(
        "workflow: {id: w, name: W}\nsteps:\n  - {id: a, type: python}\n  - {id: a, typ: x}\n"
    )
    error = shared.error("workflow:execute", ["w.yaml"])
    assert (error["code"], error["data"]["type"]) == (-32002, "WorkflowInvalid")
    assert error["data"]["errors"] == shared.call("workflow:validate", ["w.yaml"])["errors"]
    assert len(error["data"]["errors"]) >= 2
    assert all(problem["line"] in (3, 4) for problem in error["data"]["errors"])
    assert shared.error("workflow:execution:start", [{"steps": 1}])["code"] == -32002


def test_wrong_inputs_are_named(shared: Driver) -> None:
    inputs = [
        {"id": "folder", "type": "directory", "required": True},
        {"id": "n", "type": "number"},
    ]
    workflow = definition("w", step("a", "./echo.py"), inputs=inputs)
    for given, field in (
        ({}, "folder"),
        ({"folder": ".", "n": "many"}, "n"),
        ({"folder": ".", "other": 1}, "other"),
        ({"folder": "../out"}, "folder"),
        ({"folder": ".", "n": 2**80}, "n"),
    ):
        error = shared.error("workflow:execute", {"workflow": workflow, "inputs": given})
        assert (error["code"], error["data"]["type"]) == (-32004, "InvalidInputs")
        assert [problem["field"] for problem in error["data"]["errors"]] == [field]


def test_errors_show_no_secret_that_was_sent(shared: Driver) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    errors = [
        shared.error("workflow:execution:get", [[f"{secret}"]]),
        shared.error("workflow:execution:get", [secret]),
        shared.error("workflow:execution:history", ["w", secret]),
        shared.error(secret),
        shared.error("workflow:load", [f"{secret}.yaml"]),
        shared.error("sidecar:info", {secret: 1}),
    ]
    for error in errors:
        assert secret not in json.dumps(error)
    assert secret not in "".join(shared.log_lines)


def test_many_wrong_params_are_counted_and_not_told(shared: Driver) -> None:
    error = shared.error("sidecar:info", {f"key{n}": n for n in range(200_000)})
    assert error["code"] == -32602
    assert error["data"]["errors"][0]["message"] == "200000 problems"
    error = shared.error("sidecar:info", {"k" * 5_000_000: 1})
    assert len(json.dumps(error)) < 10_000


@pytest.mark.parametrize(
    "message",
    [
        b'{"jsonrpc":"2.0","id":"\\ud800","method":"sidecar:info"}',
        b"\xef\xbb\xbf{}",
        '{"jsonrpc":"2.0","id":1,"method":"sidecar:info"}'.encode("utf-16-be"),
        b'{"jsonrpc":"2.0","id":NaN,"method":"sidecar:info"}',
        b'{"jsonrpc":"2.0","id":Infinity,"method":"sidecar:info"}',
        b'{"jsonrpc":"2.0","id":1e400,"method":"sidecar:info"}',
        b'{"jsonrpc":"2.0","id":' + b"1" * 1_000_000 + b',"method":"sidecar:info"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"jsonrpc":"2.0","id":1,"method":"sidecar:info"',
        b"{} {}",
        b"\x00",
        b"'single'",
    ],
    ids=lambda message: repr(message[:24]),
)
def test_bytes_that_are_no_json_are_a_parse_error(shared: Driver, message: bytes) -> None:
    count = len(shared.answers)
    shared.send_bytes(message)
    assert code_and_id(shared.next_answer(count + 1)) == (-32700, None)


def test_deep_values_are_passed_on_or_refused_and_end_nothing(shared: Driver) -> None:
    (shared.project / "echo.py").write_text(ECHO)
    for depth in (200, 260, 500, 1000):
        deep = "@deep@"
        for method, params in (
            ("workflow:execute", {"workflow": {"steps": deep}}),
            ("workflow:execute", [definition("deep", step("a", "./echo.py", inputs={"x": deep}))]),
            ("workflow:execute", {"workflow": "w.yaml", "inputs": {"x": deep}}),
            ("workflow:validate", [{"workflow": deep}]),
            ("workflow:execution:get", [deep]),
            ("workflow:execution:subscribe", {"include": deep}),
        ):
            message = shared.message(method, params)
            text = json.dumps(message).replace(f'"{deep}"', "[" * depth + "]" * depth)
            shared.send_bytes(text.encode())
            answer = shared.answer(message["id"])
            assert answer.get("error", {}).get("code") != -32603, (method, depth)


def test_many_messages_in_one_write_are_all_answered(driver: Driver) -> None:
    driver.send(*[{**INFO, "id": n} for n in range(5_000)])
    driver.wait_until(lambda: len(driver.answers) == 5_000)
    assert {answer["id"] for answer in driver.answers} == set(range(5_000))


def test_a_client_that_sends_answers_and_events_disturbs_nothing(driver: Driver) -> None:
    driver.call("workflow:execution:subscribe")
    event = {"workflow_id": "w", "event_type": "workflow_completed", "data": {}}
    driver.notify("workflow:execution:event", event)
    driver.send({"jsonrpc": "2.0", "id": 1, "result": {}})
    assert code_and_id(driver.next_answer(2)) == (-32600, None)
    assert driver.call("workflow:execute", [definition("w", step("a", "./echo.py"))])["success"]
    assert len(driver.events) == 4
