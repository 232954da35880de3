"""What the floors below log, kept for the end of a run."""

import logging

import pytest

from sidecar.cli.complaints import Complaints

logger = logging.getLogger("sidecar.anything")


def test_each_cause_is_told_once_and_in_the_words_of_a_run() -> None:
    with Complaints() as complaints:
        fields = {"fields": {"error": "The disk is full"}}
        logger.warning("history is not being kept", extra=fields)
        logger.warning("history is not being kept", extra=fields)
    assert complaints.lines == ["this run is not kept in the history: The disk is full"]
    assert not complaints.history_is_kept


def test_an_exception_is_named_without_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with Complaints() as complaints:
        try:
            int("k")
        except ValueError:
            logger.exception("an event listener failed")
    (line,) = complaints.lines
    assert line.startswith("an event listener failed: ValueError: invalid literal")
    assert capsys.readouterr() == ("", "")


def test_what_the_progress_shows_and_what_is_no_warning_is_left_out() -> None:
    with Complaints() as complaints:
        logger.error("step failed", extra={"fields": {"error": "x"}})
        logger.info("serving")
        logger.warning("odd")
    assert complaints.lines == ["odd"]


def test_the_history_speaks_for_itself() -> None:
    with Complaints() as complaints:
        logger.warning("history", extra={"fields": {"notice": "A new one was started."}})
    assert complaints.lines == ["A new one was started."]
    assert complaints.history_is_kept


def test_nothing_is_kept_afterwards() -> None:
    with Complaints() as complaints:
        pass
    logger.warning("later")
    assert complaints.lines == []
    assert complaints not in logging.getLogger().handlers
