"""Which signals ask for an end: all of them, but those that a terminal sends to others."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sidecar import signals
from sidecar.signals import end_signals, unblock

ALL = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


@contextmanager
def ignored(*numbers: int) -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("terminal", [True, False])
def test_all_three_ask_for_an_end(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    monkeypatch.setattr(signals, "_has_terminal", lambda: terminal)
    assert end_signals() == ALL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_one_that_is_ignored_stays_so_where_a_terminal_sends_it(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    with ignored(number):
        monkeypatch.setattr(signals, "_has_terminal", lambda: True)
        assert end_signals() == [other for other in ALL if other != number]
        monkeypatch.setattr(signals, "_has_terminal", lambda: False)
        assert end_signals() == ALL


def test_no_terminal_sends_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_has_terminal", lambda: True)
    with ignored(signal.SIGTERM):
        assert end_signals() == ALL


def test_a_system_without_one_of_them_has_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGHUP")
    assert end_signals() == [signal.SIGTERM, signal.SIGINT]


def test_what_was_blocked_is_let_through() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
    try:
        unblock()
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
