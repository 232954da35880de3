"""What must hold whatever a script has done, checked from outside the daemon.

The daemon answers within a second; its stdout held nothing but frames; each run has one terminal
event and one history entry; no process of a run is left; nothing outside the project changed; no
secret and no absolute path stands in an event, error, log or history byte; descriptors, threads and
memory are back where they were.
"""

import json
from pathlib import Path

from tests.integration.driver import Driver
from tests.integration.host import assert_nothing_left

MIB = 1024 * 1024
#: What the daemon may hold more than before: its allocator keeps some of what it had.
SPARE_BYTES = 48 * MIB


class Invariants:
    """The state before; `check` compares. Take it when the daemon has already run something."""

    def __init__(self, driver: Driver, secret: str) -> None:
        self._driver = driver
        self._secret = secret
        self._figures = driver.figures()
        self._resident_bytes = _resident_bytes(driver.pid)
        self._outside = self._look_outside()

    def check(self) -> None:
        """Raise AssertionError when one of them does not hold."""
        assert_nothing_left(self._driver, self._figures)
        assert self._look_outside() == self._outside, "something outside the project changed"
        assert _resident_bytes(self._driver.pid) - self._resident_bytes < SPARE_BYTES
        for what, text in self._shown().items():
            assert self._secret not in text, f"the secret stands in {what}"
            assert str(self._driver.project) not in text, f"an absolute path stands in {what}"

    def _look_outside(self) -> dict[str, bytes]:
        """Everything beside the project, and what it holds."""
        files = self._driver.project.parent.rglob("*")
        project = self._driver.project
        return {
            str(file): file.read_bytes() if file.is_file() and not file.is_symlink() else b""
            for file in files
            if not file.is_relative_to(project)
        }

    def _shown(self) -> dict[str, str]:
        project = self._driver.project
        history = b"".join(
            file.read_bytes() for file in (project / ".workflow-sidecar").glob("history.db*")
        )
        return {
            "the events": json.dumps(self._driver.events),
            "the log": "".join(self._driver.log_lines),
            "the history": history.decode(errors="replace"),
        }


def _resident_bytes(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * 4096
