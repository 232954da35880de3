"""Printing to whatever stdout and stderr are."""

import io
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from sidecar.cli import streams


class Broken(io.TextIOBase):
    """A stream on which every write fails."""

    def __init__(self, error: OSError) -> None:
        self.error = error
        self.buffer = self

    def write(self, _: Any) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error


def text_stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def written(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def test_a_character_that_the_terminal_lacks_is_printed_as_its_escape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stdout = text_stream("ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    streams.prepare()
    streams.say("né ✔ \udc80")
    assert written(stdout) == b"n\\xe9 \\u2714 \\udc80\n"


def test_streams_without_an_encoding_of_their_own_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    streams.prepare()
    streams.say_document(b"{}\n")
    assert stdout.getvalue() == "{}\n"


def test_json_is_utf8_on_any_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = text_stream("ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    streams.say("before")
    streams.say_json({"a": "é"})
    assert written(stdout) == 'before\n{\n  "a": "é"\n}\n'.encode()


def test_preparing_leaves_the_descriptors_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    # What this process has open besides is other tests' and may be closed meanwhile.
    opened: list[int] = []
    closed: list[int] = []
    really_open, really_close = os.open, os.close

    def note_open(*arguments: Any) -> int:
        opened.append(really_open(*arguments))
        return opened[-1]

    def note_close(descriptor: int) -> None:
        closed.append(descriptor)
        really_close(descriptor)

    monkeypatch.setattr(os, "open", note_open)
    monkeypatch.setattr(os, "close", note_close)
    streams.prepare()
    assert len(opened) == 1
    assert closed == opened


@pytest.mark.parametrize(
    "write",
    [
        lambda: streams.say("x"),
        lambda: streams.say_document(b"x"),
        streams.flush,
    ],
    ids=["say", "document", "flush"],
)
def test_a_stdout_that_fails_is_an_error_of_its_own(
    monkeypatch: pytest.MonkeyPatch, write: Any
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(OSError(28, "No space left on device")))
    with pytest.raises(streams.StdoutError, match="No space left"):
        write()
    monkeypatch.setattr(sys, "stdout", Broken(BrokenPipeError(32, "Broken pipe")))
    with pytest.raises(BrokenPipeError):
        write()


def test_a_document_that_cannot_be_written_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Broken(OSError(28, "No space left on device"))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=full, flush=lambda: None))
    with pytest.raises(streams.StdoutError, match="No space left"):
        streams.say_document(b"x")


def test_a_stdout_that_was_closed_from_the_start_takes_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    streams.say("x")
    streams.say_document(b"x")
    streams.flush()
    assert not streams.is_terminal(sys.stdout)


def test_an_abandoned_stdout_takes_what_is_left_in_its_buffer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        streams.say("x")
        with pytest.raises(BrokenPipeError):
            streams.flush()
        streams.abandon_stdout()
        streams.flush()


def test_a_stdout_without_a_descriptor_is_abandoned_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    streams.abandon_stdout()
    monkeypatch.setattr(sys, "stdout", Broken(OSError(28, "")))
    streams.abandon_stdout()


def test_nobody_fails_because_stderr_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Broken(OSError(28, "")))
    streams.tell("x")
    monkeypatch.setattr(sys, "stderr", None)
    streams.complain("x")


def test_a_complaint_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    streams.complain("two\nlines", "warning")
    assert capsys.readouterr().err == "workflow-sidecar: warning: two\\nlines\n"


def test_a_dumb_terminal_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    assert streams.is_terminal(Terminal())
    assert not streams.is_terminal(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not streams.is_terminal(Terminal())


def test_what_an_encoding_lacks_is_escaped_before_its_width_is_counted() -> None:
    assert streams.printable("é", text_stream("ascii")) == "\\xe9"
    assert streams.printable("é", text_stream("utf-8")) == "é"
    assert streams.printable("é", io.StringIO()) == "é"
