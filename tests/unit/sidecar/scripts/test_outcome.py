"""How the end of a script reads as a failure."""

import pytest

from sidecar.scripts.interface import ScriptFailure
from sidecar.scripts.outcome import failed_exit


@pytest.mark.parametrize(
    ("returncode", "last_line", "failure"),
    [
        (3, "", ScriptFailure("Script exited with code 3", "ScriptExit")),
        (1, "no such file", ScriptFailure("Script exited with code 1: no such file", "ScriptExit")),
        (2, "x" * 999, ScriptFailure(f"Script exited with code 2: {'x' * 300}…", "ScriptExit")),
        (-11, "x", ScriptFailure("Script was killed by signal SIGSEGV", "ScriptKilled")),
        (-9, "", ScriptFailure("Script was killed by signal SIGKILL", "ScriptKilled")),
        (-40, "", ScriptFailure("Script was killed by signal 40", "ScriptKilled")),
    ],
)
def test_exit_without_an_exception_is_told_by_its_status(
    returncode: int, last_line: str, failure: ScriptFailure
) -> None:
    assert failed_exit(returncode, b"", last_line) == failure


def test_exception_is_told_by_its_report() -> None:
    report = b"MyError\0ValueError,Exception,BaseException\0it broke\0Traceback\xff\0"
    assert failed_exit(1, report, "x") == ScriptFailure(
        "it broke", "MyError", ("ValueError", "Exception", "BaseException"), "Traceback\ufffd"
    )


def test_exception_without_a_message_is_told_by_its_name() -> None:
    assert failed_exit(1, b"StopIteration\0\0\0T\0", "") == ScriptFailure(
        "StopIteration", "StopIteration", (), "T"
    )


@pytest.mark.parametrize(
    "report", [b"x", b"\0" * 4, b"A\0B\0C\0", b"A\0B\0C\0D\0E\0", b"A\0B\0C\0D"]
)
def test_report_that_the_script_tampered_with_counts_for_nothing(report: bytes) -> None:
    assert failed_exit(1, report, "").error_type == "ScriptExit"
