"""The three pipes of an attempt, from the moment they are made to the moment each has its owner."""

import os
from types import TracebackType
from typing import Self


class Pipes:
    """Six descriptors. As a context manager it closes the script's three, and ours too unless
    `keep` was called."""

    def __init__(self) -> None:
        """Raises OSError when there are no descriptors left; leaks none."""
        self._open: list[int] = []
        try:
            self.script_stdin, self.stdin = self._pipe()
            self.stdout, self.script_stdout = self._pipe()
            self.stderr, self.script_stderr = self._pipe()
        except OSError:
            self._close(self._open)
            raise
        self._ours = [self.stdin, self.stdout, self.stderr]

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._open += ends
        return ends

    def keep(self) -> None:
        """Our ends have an owner now; from here on they do not block (POSIX)."""
        if os.name != "nt":
            for fd in self._ours:
                os.set_blocking(fd, False)
        self._open = [fd for fd in self._open if fd not in self._ours]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close(self._open)

    @staticmethod
    def _close(fds: list[int]) -> None:
        for fd in fds:
            os.close(fd)
