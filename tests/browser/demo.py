"""The demo as its user starts it: a process that prints the page's URL, on a project of a test's.

It is ended by Ctrl-C, as its user would, and must leave nothing behind.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.integration.driver import MARKER, PATIENCE_S, marked, poll


class Demo:
    """One demo; as a context manager it ends when it is left. `url` is the page's."""

    def __init__(self, project: Path, data: Path, port: int = 0) -> None:
        """`data` is the user's data folder."""
        self.project = project
        self.marker = f"demo-{id(self)}-{os.getpid()}"
        command = [sys.executable, "-m", "sidecar", "demo", "--no-browser"]
        command += ["--project", str(project), "--port", str(port)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                MARKER: self.marker,
                "XDG_DATA_HOME": str(data),
                "WORKFLOW_SIDECAR_PYTHON": sys.executable,
            },
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.process.communicate()
        self.log: list[str] = []
        threading.Thread(target=self._read_stderr, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.url.split("/")[2].partition(":")[2])

    def kill(self) -> None:
        """As a crash would end it."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        was_running = self.process.poll() is None
        if was_running:
            self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()
        if kind is None:
            assert not was_running or status == 0
            assert poll(lambda: marked(self.marker), lambda left: left == []) == []

    def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        try:
            for line in self.process.stderr:
                self.log.append(line)
        except ValueError:
            return  # closed while we read
