"""The error codes of the wire."""

from protocol.errors import WIRE_ERRORS

CODES = {
    "ParseError": -32700,
    "InvalidRequest": -32600,
    "MethodNotFound": -32601,
    "InvalidParams": -32602,
    "InternalError": -32603,
    "WorkflowNotFound": -32001,
    "WorkflowInvalid": -32002,
    "ExecutionNotFound": -32003,
    "InvalidInputs": -32004,
    "ShuttingDown": -32005,
    "HistoryUnavailable": -32006,
    "Overloaded": -32007,
    "RequestCancelled": -32800,
}


def test_each_error_has_its_code() -> None:
    assert {error.type: error.code for error in WIRE_ERRORS} == CODES


def test_no_two_errors_share_a_code_or_a_name() -> None:
    assert len({error.code for error in WIRE_ERRORS}) == len(WIRE_ERRORS)
    assert len({error.type for error in WIRE_ERRORS}) == len(WIRE_ERRORS)


def test_each_error_says_what_it_means() -> None:
    assert all(error.meaning for error in WIRE_ERRORS)


def test_our_own_codes_lie_where_json_rpc_leaves_room() -> None:
    own = [code for code in CODES.values() if code > -32100]

    assert all(-32099 <= code <= -32000 for code in own)
