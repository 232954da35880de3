"""Streams as they may be at the start, and what they are told apart by."""

import os
import socket
import sys
from pathlib import Path

import pytest

from sidecar.errors import UsageError
from sidecar.rpc.descriptors import claim_stdio, is_pipe, write_line


@pytest.mark.parametrize("name", ["stdin", "stdout"])
def test_a_stream_that_is_closed_is_an_error_that_says_so(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(sys, name, None)
    with pytest.raises(UsageError, match=f"^{name} is closed; the sidecar speaks JSON-RPC"):
        claim_stdio()


def test_with_the_websocket_alone_only_stdout_must_be_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UsageError, match=r"^stdout is closed; the line with the WebSocket's URL"):
        claim_stdio(peer=False)


def test_somebody_is_at_the_other_end_of_a_pipe_or_socket_and_of_nothing_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open() as file, Path(os.devnull).open() as null:
        assert not is_pipe(file.fileno())
        assert not is_pipe(null.fileno())
    ours, theirs = os.pipe()
    assert is_pipe(ours)
    for fd in (ours, theirs):
        os.close(fd)
    with socket.socket() as one:
        assert is_pipe(one.fileno())


def test_a_line_is_written_whole_or_it_is_told_why_not() -> None:
    read_from, write_to = os.pipe()
    write_line(write_to, "{}")
    assert os.read(read_from, 10) == b"{}\n"
    os.close(read_from)
    with pytest.raises(UsageError, match="URL cannot be written: Broken pipe"):
        write_line(write_to, "{}")
    os.close(write_to)
