"""A log file: whole lines, a cap, and a disk that is full."""

import errno
import json
import logging
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.logs import writers
from sidecar.logs.files import KEPT, FileWriter


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests wait for the last line, however busy the machine."""
    monkeypatch.setattr(writers, "_LAST_LINES_S", 20)


def left_out(count: int) -> bytes:
    raise AssertionError(count)


def line(number: int, size: int = 100) -> bytes:
    return json.dumps({"n": number}).encode().ljust(size - 1) + b"\n"


def parts(file: Path) -> list[Path]:
    """The file and the older ones, newest first."""
    older = [Path(f"{file}.{number}") for number in range(1, 100)]
    return [part for part in (file, *older) if part.exists()]


def numbers(file: Path) -> list[int]:
    """What stands in all of them, oldest first; every line must be whole."""
    data = b"".join(part.read_bytes() for part in reversed(parts(file)))
    return [json.loads(text)["n"] for text in data.splitlines()]


def test_lines_are_appended_in_order_for_the_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(line(0))
    for start in (1, 11):
        writer = FileWriter(file)
        for number in range(start, start + 10):
            writer.write(line(number), left_out)
        writer.flush()
    assert numbers(file) == list(range(21))
    (tmp_path / "other").unlink(missing_ok=True)
    FileWriter(tmp_path / "other")
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o600


def test_file_and_older_ones_together_stay_under_the_cap(tmp_path: Path) -> None:
    file = tmp_path / "log"
    writer = FileWriter(file, max_bytes=4_000)
    for number in range(1_000):
        writer.write(line(number), left_out)
        if number % 50 == 0:
            writer.flush()
            assert sum(part.stat().st_size for part in parts(file)) <= 4_000
    writer.flush()
    assert len(parts(file)) == KEPT + 1
    found = numbers(file)
    assert found == list(range(1_000 - len(found), 1_000))
    assert len(found) > 30


def test_a_line_larger_than_a_file_is_written_whole(tmp_path: Path) -> None:
    writer = FileWriter(tmp_path / "log", max_bytes=4_000)
    for number in range(3):
        writer.write(line(number, size=5_000), left_out)
    writer.flush()
    assert numbers(tmp_path / "log") == [0, 1, 2]


def test_the_cap_holds_where_files_cannot_be_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Path:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", fail)
    writer = FileWriter(tmp_path / "log", max_bytes=4_000)
    for number in range(100):
        writer.write(line(number), left_out)
    writer.flush()
    assert (tmp_path / "log").stat().st_size <= 1_000
    assert numbers(tmp_path / "log")[-1] == 99


@pytest.fixture
def full_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """[bytes that still fit]: writes are cut there, then fail."""
    room = [10**9]
    write = os.write

    def limited(fd: int, data: bytes) -> int:
        if threading.current_thread().name != "log file":
            return write(fd, data)
        if room[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(fd, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", limited)
    yield room


def test_on_a_full_disk_lines_are_lost_whole_and_it_is_told_once(
    tmp_path: Path, full_after: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    full_after[0] = 250
    writer = FileWriter(tmp_path / "log")
    for number in range(10):
        writer.write(line(number), left_out)
    writer.flush()
    assert numbers(tmp_path / "log") == [0, 1], "the third did not fit and left nothing behind"
    full_after[0] = 10**9
    with caplog.at_level(logging.WARNING):
        writer.write(line(10), left_out)
        writer.flush()
        writer.write(line(11), left_out)
        writer.flush()
    assert numbers(tmp_path / "log") == [0, 1, 10, 11]
    told = [(record.message, getattr(record, "fields", None)) for record in caplog.records]
    assert told == [
        ("the log file cannot be written", {"error": os.strerror(errno.ENOSPC)}),
        ("the log file is written again", {"lost": 8}),
    ]


@pytest.mark.skipif(os.name != "posix", reason="needs FIFOs")
def test_a_fifo_or_a_device_is_no_log_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path(os.devnull)):
        with pytest.raises(OSError, match=r"regular file|No such device|directory"):
            FileWriter(path)
