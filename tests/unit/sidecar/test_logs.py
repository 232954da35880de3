"""One JSON object a line, whatever is logged and whoever reads."""

import contextlib
import io
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar import logs
from sidecar.logs import JsonFormatter, set_up_logging

SECRET = "AKIA" + "IOSFODNN7" + "EXAMPLE"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Logging is the whole process's; leave pytest's as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.unraisablehook, threading.excepthook
    with warnings.catch_warnings():
        yield
    root.handlers[:], root.level = handlers, level
    sys.unraisablehook, threading.excepthook = hooks
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def logged(*arguments: Any, **options: Any) -> dict[str, Any]:
    """The one line of a record."""
    stream = io.StringIO()
    set_up_logging("debug", stream)
    logging.getLogger("some.where").error(*arguments, **options)
    (line,) = lines(stream)
    return line


def test_a_record_is_one_line_with_time_level_event_and_fields() -> None:
    line = logged("found %d", 3, extra={"fields": {"n": 1, "name": "x"}})
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "error",
        "logger": "some.where",
        "event": "found 3",
        "n": 1,
        "name": "x",
    }


def test_secrets_are_hidden_in_texts_fields_and_exceptions() -> None:
    try:
        int(f"{SECRET}")
    except ValueError:
        line = logged("with %s", SECRET, exc_info=True, extra={"fields": {"a": {"b": [SECRET]}}})
    assert SECRET not in json.dumps(line)
    assert "ValueError: invalid literal" in line["exception"]
    assert line["a"] == {"b": ["[REDACTED]"]}


def test_control_characters_cannot_forge_a_line_or_reach_a_terminal() -> None:
    line = logged('a\n{"level":"info"}\x1b[31m', extra={"fields": {"deep": ["\x1b[2J\u202e"]}})
    assert line["event"] == 'a\n{"level":"info"}\\x1b[31m'
    assert line["deep"] == ["\\x1b[2J\\u202e"]


@pytest.mark.parametrize(
    "value",
    ["\ud800", 2**200, float("nan"), object(), {1: {"\udfff": 1}}, b"bytes"],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_hold_is_shown_somehow(value: Any) -> None:
    assert logged("odd", extra={"fields": {"value": value}})["event"] == "odd"


def test_deep_and_long_values_are_shown_in_part() -> None:
    deep: Any = "leaf"
    for _ in range(500):
        deep = [deep]
    line = logged("x" * 1_000_000, extra={"fields": {"deep": deep, "texts": ["y" * 1_000_000]}})
    assert len(json.dumps(line)) < 50_000


def test_a_record_that_cannot_be_shown_loses_its_text_and_not_its_place() -> None:
    line = logged("%d is not %s", "one argument too few")
    assert line["event"] == "a record that cannot be shown (TypeError)"
    assert "too few" not in json.dumps(line)


def test_only_the_level_asked_for_is_logged() -> None:
    stream = io.StringIO()
    set_up_logging("warning", stream)
    logging.getLogger("a").info("quiet")
    logging.getLogger("a").warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_warnings_and_exceptions_that_nobody_can_catch_are_logged() -> None:
    stream = io.StringIO()
    set_up_logging("info", stream)
    warnings.warn(f"with {SECRET}", UserWarning, stacklevel=1)

    class Bad:
        def __del__(self) -> None:
            raise ValueError(SECRET)

    bad = Bad()
    del bad

    def fail() -> None:
        raise KeyError(SECRET)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    logs._log_exception(SystemError, None, None)
    found = lines(stream)
    assert [line.get("error_type") for line in found] == [
        None, "ValueError", "KeyError", "SystemError",
    ]  # fmt: skip
    assert SECRET not in stream.getvalue()
    assert "in fail" in found[2]["exception"]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """(the end to read, the end to write); closed unless the test has done that."""
    ends = os.pipe()
    yield ends
    for fd in ends:
        with contextlib.suppress(OSError):
            os.close(fd)


def set_up_on(fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log to a descriptor as if it were stderr."""

    class Stderr:
        def fileno(self) -> int:
            return fd

    monkeypatch.setattr(sys, "stderr", Stderr())
    set_up_logging("info")


def test_a_stderr_that_nobody_reads_stops_nobody(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MAX_WAITING_BYTES", 200_000)
    monkeypatch.setattr(logs, "_LAST_LINES_S", 0.01)
    os.set_blocking(pipe[1], False)
    set_up_on(pipe[1], monkeypatch)
    logger = logging.getLogger("a")
    for number in range(100):
        logger.info("%d %s", number, "x" * 10_000)
    handler = logging.getLogger().handlers[0]
    handler.flush()  # gives up
    # Somebody reads after all: whole lines, in order, and how many are missing.
    monkeypatch.setattr(logs, "_LAST_LINES_S", 20)
    data = bytearray()

    def read() -> None:
        while b'"100 the last"' not in data:
            data.extend(os.read(pipe[0], 1 << 20))

    thread = threading.Thread(target=read)
    thread.start()
    handler.flush()
    logger.info("100 the last")
    thread.join(20)
    found = [json.loads(line) for line in data.splitlines()]
    told = [line for line in found if "records" in line]
    *whole, last = [int(line["event"].split()[0]) for line in found if "records" not in line]
    assert whole == sorted(whole)
    # Each is there or counted; how many, depends on how soon the pipe took some.
    assert sum(line["records"] for line in told) == 100 - len(whole) > 0
    assert {line["level"] for line in told} == {"warning"}
    assert last == 100


def test_a_stderr_that_was_closed_is_no_failure(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_on(pipe[1], monkeypatch)
    os.close(pipe[0])
    logging.getLogger("a").info("to nobody")
    logging.getLogger().handlers[0].flush()


def test_without_a_stderr_nothing_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    set_up_logging("info")
    logging.getLogger("a").error("to nobody")
    assert isinstance(logging.getLogger().handlers[0], logging.NullHandler)


def test_the_formatter_alone_raises_nothing() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "%s", (object(),), None)
    record.fields = "no mapping"
    assert json.loads(JsonFormatter().format(record))["level"] == "info"
