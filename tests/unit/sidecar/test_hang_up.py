"""Descriptors whose other end may be gone."""

import os
import select
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar import hang_up

Ends = tuple[int, int]


def pipes() -> tuple[Ends, Ends]:
    """Ours and the parent's, each (stdin, stdout)."""
    (stdin, parents_out), (parents_in, stdout) = os.pipe(), os.pipe()
    return (stdin, stdout), (parents_in, parents_out)


def sockets() -> tuple[Ends, Ends]:
    (stdin, parents_out), (stdout, parents_in) = socket.socketpair(), socket.socketpair()
    return (stdin.detach(), stdout.detach()), (parents_in.detach(), parents_out.detach())


@pytest.fixture(params=[pipes, sockets])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[Ends, Ends]]:
    make: Callable[[], tuple[Ends, Ends]] = request.param
    ours, parents = make()
    yield ours, parents
    for fd in (*ours, *parents):
        try:
            os.close(fd)
        except OSError:
            continue


def test_a_parent_that_holds_both_ends_is_there(ends: tuple[Ends, Ends]) -> None:
    ours, _ = ends
    assert not hang_up.by_parent(*ours)


@pytest.mark.parametrize("which", [0, 1])
def test_one_that_holds_one_end_may_still_ask_or_hear(ends: tuple[Ends, Ends], which: int) -> None:
    ours, parents = ends
    os.close(parents[which])
    assert not hang_up.by_parent(*ours)


def test_one_that_holds_neither_is_gone_whatever_it_said(ends: tuple[Ends, Ends]) -> None:
    ours, parents = ends
    os.write(parents[1], b"{}\n")
    for fd in parents:
        os.close(fd)
    assert hang_up.by_parent(*ours)


def test_files_and_descriptors_that_are_closed_are_no_sign(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    assert not hang_up.by_parent(fd, fd)
    os.close(fd)
    assert not hang_up.by_parent(fd, fd)


def test_where_nothing_can_be_polled_nothing_is_a_sign(
    ends: tuple[Ends, Ends], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, parents = ends
    for fd in parents:
        os.close(fd)
    monkeypatch.delattr(select, "poll")
    assert not hang_up.by_parent(*ours)
