"""One past run in full."""

from typing import Any

from protocol.executions import ExecutionDetail
from sidecar.cli.run_report import report

TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nOddError: odd'


def detail(*attempts: dict[str, Any], **more: Any) -> ExecutionDetail:
    return ExecutionDetail.model_validate(
        {
            "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
            "workflow_id": "w",
            "workflow_name": "The W",
            "timestamp": 1_700_000_000_000,
            "duration_ms": 1234,
            "status": "failed",
            "inputs": {"folder": "src"},
            "error": "odd\nindeed",
            "steps_executed": 1,
            "steps_failed": 1,
            "steps": {
                "a": {"status": "error", "label": "First", "attempts": list(attempts)},
                "b": {"status": "skipped", "label": "b", "attempts": []},
            },
            **more,
        }
    )


def attempt(number: int, **more: Any) -> dict[str, Any]:
    return {"attempt": number, "timestamp": 1_700_000_000_000, "inputs": {}, **more}


def test_every_step_and_every_attempt_stands_there_with_its_error() -> None:
    failed = {"duration_ms": 464, "error": "odd\nindeed", "error_type": "OddError"}
    lines = report(
        detail(
            attempt(1, **failed, inputs={"n": 1}, stack_trace=TRACE, stderr="reading\n" + TRACE),
            attempt(2, **failed, stack_trace=TRACE, outputs={"x": 1}),
        )
    )
    assert lines[0] == "run       0f8fad5b-d9cb-469f-a165-70867728950e"
    assert lines[1] == "workflow  The W (w)"
    assert lines[3:] == [
        "status    failed after 1.2 s, 1 step executed",
        'inputs    {"folder":"src"}',
        "error     odd …",
        "",
        "a  error  First",
        "  attempt 1  464 ms",
        '    inputs   {"n":1}',
        "    error    OddError: odd",
        "             indeed",
        "    stderr",
        "      reading",
        *(f"      {line}" for line in TRACE.split("\n")),
        "  attempt 2  464 ms",
        '    outputs  {"x":1}',
        "    error    OddError: odd",
        "             indeed",
        *(f"    {line}" for line in TRACE.split("\n")),
        "",
        "b  skipped",
    ]


def test_what_scripts_wrote_cannot_write_to_the_terminal_and_large_values_are_cut() -> None:
    lines = report(detail(attempt(1, stderr="\x1b[31mred", outputs={"x": "y" * 1000})))
    assert "      \\x1b[31mred" in lines
    [outputs] = [line for line in lines if "outputs" in line]
    assert len(outputs) < 350
    assert outputs.endswith("… (all of it: --json)")


def test_a_run_that_goes_on_has_no_duration_yet() -> None:
    lines = report(detail(status="running", workflow_name="w", error=None, inputs={}))
    assert lines[1] == "workflow  w"
    assert lines[3:6] == ["status    running, 1 step executed", "", "a  error  First"]
