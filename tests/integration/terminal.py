"""A terminal that a command runs in, as a person has one: keys go in, what is drawn comes out.

It imports nothing of the product. A thread reads what is drawn; a test waits for what it wants to
see, with a deadline.
"""

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_S = 20.0
COMMAND = Path(sys.executable).with_name("workflow-sidecar")
#: The child makes the terminal its own, so that Ctrl-C is the terminal's doing. No `preexec_fn`:
#: this process has threads.
_LOGIN = """
import os, signal, sys
os.login_tty(0)
for fd, path in zip((1, 2), sys.argv[1:3]):
    if path:
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), fd)
if sys.argv[3] == "background":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
os.execv(sys.argv[4], sys.argv[4:])
"""


class Terminal:
    """One `workflow-sidecar` in a terminal; as a context manager it leaves nothing running."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        columns: int = 80,
        lines: int = 24,
        stdout: str = "",
        stderr: str = "",
        env: Mapping[str, str] | None = None,
        background: bool = False,
    ) -> None:
        """`stdout` and `stderr` are files to write instead of the terminal.

        In the `background` SIGINT is ignored, as a shell without job control does it.
        """
        self._text = ""
        self._changed = threading.Condition()
        self._ended = False
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "WORKFLOW_SIDECAR_PYTHON": sys.executable,
            **(env or {}),
        }
        ground = "background" if background else "foreground"
        self.process = subprocess.Popen(
            [sys.executable, "-c", _LOGIN, stdout, stderr, ground, str(COMMAND), *arguments],
            cwd=folder,
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
        self.hang_up()

    @property
    def raw(self) -> str:
        """All that was drawn, escape sequences included."""
        return self._text

    @property
    def text(self) -> str:
        """All that was drawn, one drawing below the other, without escape sequences."""
        drawings = self._text.replace("\x1b[J", "\n")
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawings).replace("\r", "")

    def press_ctrl_c(self) -> None:
        os.write(self._master, b"\x03")

    def resize(self, columns: int, lines: int = 24) -> None:
        """Drag the window's corner."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def hang_up(self) -> None:
        """Close the window."""
        if self._master >= 0:
            master, self._master = self._master, -1
            os.close(master)

    def shows(self, pattern: str) -> None:
        """Wait until something is drawn."""
        self._wait_for(pattern, lambda: self.text)

    def shows_raw(self, pattern: str) -> None:
        """The same with the escape sequences."""
        self._wait_for(pattern, lambda: self.raw)

    def _wait_for(self, pattern: str, drawn: Callable[[], str]) -> None:
        with self._changed:
            found = self._changed.wait_for(
                lambda: re.search(pattern, drawn()) or self._ended, PATIENCE_S
            )
            assert found, f"waited in vain for {pattern}:\n{drawn()}"
            assert re.search(pattern, drawn()), f"ended without {pattern}:\n{drawn()}"

    def wait(self) -> int:
        """The exit status, when all that was drawn has been read."""
        status = self.process.wait(PATIENCE_S)
        self._thread.join(PATIENCE_S)
        return status

    def _read(self) -> None:
        data = b""
        while True:
            try:
                # The last process that has the terminal being gone is EIO.
                data += os.read(self._master, 65536)
            except OSError:
                break
            text = data.decode(errors="ignore")
            with self._changed:
                self._text = text
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
