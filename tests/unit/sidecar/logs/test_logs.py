"""One JSON object a line, whatever is logged and whoever reads."""

import asyncio
import contextlib
import gc
import io
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar import logs
from sidecar.errors import UsageError
from sidecar.logs import JsonFormatter, floods, formatting, set_up_logging, writers
from sidecar.redaction import MARK, Redactor

SECRET = "AKIA" + "IOSFODNN7" + "EXAMPLE"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Logging is the whole process's; leave pytest's as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    with warnings.catch_warnings():
        yield
    root.handlers[:], root.level = handlers, level
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def logged(*arguments: Any, **options: Any) -> dict[str, Any]:
    """The one line of a record."""
    stream = io.StringIO()
    set_up_logging("debug", stream=stream)
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


def test_what_stands_under_a_secret_name_is_hidden_whatever_it_looks_like() -> None:
    line = logged("tried", extra={"fields": {"inputs": {"api_key": "plain", "n": 1}}})
    assert line["inputs"] == {"api_key": MARK, "n": 1}


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


def test_a_field_of_a_record_cannot_pose_as_its_level_or_event() -> None:
    line = logged("real", extra={"fields": {"level": "info", "event": "forged", "time": 0}})
    assert (line["level"], line["event"]) == ("error", "real")
    assert line["time"] != 0


def test_of_a_long_stderr_the_end_is_shown() -> None:
    line = logged("failed", extra={"fields": {"stderr": "x" * 20_000 + "the end", "other": "y"}})
    assert line["stderr"].endswith("the end")
    assert len(line["stderr"]) == formatting.MAX_TEXT_CHARACTERS + 1


def test_a_line_that_would_be_too_long_still_says_what_it_is_about() -> None:
    many = {str(number): "x" * 1_000 for number in range(1_000)}
    line = logged("failed", extra={"fields": {"inputs": many, "step_id": "a", "attempt": 2}})
    assert line["left_out_bytes"] > formatting.MAX_LINE_BYTES
    assert (line["event"], line["step_id"], line["attempt"]) == ("failed", "a", 2)
    assert len(json.dumps(line)) < 1_000


def test_no_folder_outside_the_project_stands_in_a_record(tmp_path: Path) -> None:
    stream = io.StringIO()
    set_up_logging("info", project=tmp_path, stream=stream)
    logger = logging.getLogger("library")
    logger.warning("cannot open %s/a/b.txt", tmp_path, extra={"fields": {"at": ["/etc/x/y.pem"]}})
    warnings.warn_explicit("old", UserWarning, "/usr/lib/python3/some/module.py", 3)
    (opened, warned) = lines(stream)
    assert (opened["event"], opened["at"]) == ("cannot open a/b.txt", ["y.pem"])
    assert warned["event"].startswith("module.py:3: UserWarning: old")


def test_what_a_run_knows_as_secret_is_hidden_whoever_logs_it() -> None:
    run = Redactor()
    run.add_secret("learned-in-a-run-1", "key_of_it")
    run.add_secret("abc", "mode_of_it")
    line = logged("library saw learned-in-a-run-1 with mode_of_it=abc")
    assert line["event"] == f"library saw {MARK} with mode_of_it={MARK}"


def test_complaints_of_asyncio_are_lines_of_log_without_secrets() -> None:
    stream = io.StringIO()
    set_up_logging("info", stream=stream)

    async def nobody_asks() -> None:
        async def fail() -> None:
            raise ValueError(SECRET)

        task = asyncio.create_task(fail())
        await asyncio.wait({task})
        del task

    asyncio.run(nobody_asks())
    gc.collect()
    (line,) = lines(stream)
    assert line["logger"] == "asyncio"
    assert line["event"].startswith("Task exception was never retrieved")
    assert SECRET not in stream.getvalue()


def test_an_exception_that_ends_a_thread_of_control_is_a_line_of_log() -> None:
    stream = io.StringIO()
    set_up_logging("info", stream=stream)
    sys.excepthook(KeyError, KeyError(SECRET), None)
    (line,) = lines(stream)
    assert line["error_type"] == "KeyError"
    assert SECRET not in stream.getvalue()


def test_a_flood_is_thinned_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floods, "PER_SECOND", 0)
    stream = io.StringIO()
    set_up_logging("info", stream=stream)
    logger = logging.getLogger("some.where")
    for number in range(1_000):
        logger.error("failed %d", number)
        logger.info("went on")
    logger.error("something else")
    logging.getLogger().handlers[0].flush()
    found = lines(stream)
    failed = [line for line in found if line["event"].startswith("failed")]
    assert len(failed) == floods.BURST
    assert failed[0]["event"] == "failed 0"
    assert sum(line["event"] == "went on" for line in found) == 1_000
    assert found[-2]["event"] == "something else"
    assert (
        found[-1].items()
        >= {
            "level": "error",
            "records": 1_000 - floods.BURST,
            "kind": "failed %d",
        }.items()
    )


def test_what_was_left_out_is_told_although_nothing_more_is_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(floods, "PER_SECOND", 0)
    monkeypatch.setattr(floods, "SUMMARY_EVERY_S", 0.01)
    told = threading.Event()

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            if '"records":1,' in text:
                told.set()
            return super().write(text)

    set_up_logging("info", stream=Stream())
    for _ in range(floods.BURST + 1):
        logging.getLogger("a").error("failed")
    assert told.wait(20)


def test_a_log_file_gets_what_stderr_gets(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_up_on(pipe[1], monkeypatch, tmp_path / "log")
    logging.getLogger("a").info("to both")
    logging.getLogger().handlers[0].close()
    assert (tmp_path / "log").read_bytes() == os.read(pipe[0], 1 << 16)
    assert json.loads((tmp_path / "log").read_bytes())["event"] == "to both"


@pytest.mark.parametrize("name", ["", "missing/log", "x\0y"])
def test_a_log_file_that_cannot_be_opened_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--log-file"):
        set_up_logging("info", file=tmp_path / name)


def test_only_the_level_asked_for_is_logged() -> None:
    stream = io.StringIO()
    set_up_logging("warning", stream=stream)
    logging.getLogger("a").info("quiet")
    logging.getLogger("a").warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_warnings_and_exceptions_that_nobody_can_catch_are_logged() -> None:
    stream = io.StringIO()
    set_up_logging("info", stream=stream)
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
    logs.log_unhandled(SystemError, None, None)
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


def set_up_on(fd: int, monkeypatch: pytest.MonkeyPatch, file: Path | None = None) -> None:
    """Log to a descriptor as if it were stderr."""

    class Stderr:
        def fileno(self) -> int:
            return fd

    monkeypatch.setattr(sys, "stderr", Stderr())
    set_up_logging("info", file=file)


def test_a_stderr_that_nobody_reads_stops_nobody(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "MAX_WAITING_BYTES", 200_000)
    monkeypatch.setattr(writers, "_LAST_LINES_S", 0.01)
    os.set_blocking(pipe[1], False)
    set_up_on(pipe[1], monkeypatch)
    logger = logging.getLogger("a")
    for number in range(100):
        logger.info("%d %s", number, "x" * 10_000)
    handler = logging.getLogger().handlers[0]
    handler.flush()  # gives up
    # Somebody reads after all: whole lines, in order, and how many are missing.
    monkeypatch.setattr(writers, "_LAST_LINES_S", 20)
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
