"""Our own descriptors 0 to 2: taken for us before anything else can write to them.

It knows nothing of what is spoken over them.
"""

import os
import stat
import sys
from typing import Final

from sidecar.errors import UsageError

STDOUT: Final = 1
STDERR: Final = 2


def claim_stdio(peer: bool = True) -> tuple[int, int]:
    """Take stdin and stdout for ourselves: (descriptor to read, descriptor to write).

    From now on descriptor 1 is stderr, so that no stray print can break a frame, and descriptor 0
    is empty. Raises UsageError when one of them was closed from the start; without a `peer` on
    them, stdin may be.
    """
    # Python sets these to None when the descriptor was closed from the start.
    if peer and None in (sys.stdin, sys.stdout):
        name = "stdin" if sys.stdin is None else "stdout"
        raise UsageError(
            f"{name} is closed; the sidecar speaks JSON-RPC over stdin and stdout, "
            "so start it with both connected to pipes"
        )
    if sys.stdout is None:
        raise UsageError("stdout is closed; the line with the WebSocket's URL is to stand there")
    null = os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None and null != STDERR:
        # Else the next file to be opened, such as the history, would be stderr to every library.
        os.dup2(null, STDERR, inheritable=False)
    claimed = os.dup(0), os.dup(STDOUT)
    os.dup2(null, 0)
    os.dup2(STDERR, STDOUT)
    if null != STDERR:
        os.close(null)
    return claimed


def is_pipe(fd: int) -> bool:
    """Whether somebody is at the other end; at that of a terminal or /dev/null nobody is."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def write_line(fd: int, line: str) -> None:
    """Write one line whole. Raises UsageError."""
    rest = memoryview(line.encode() + b"\n")
    try:
        while rest:
            rest = rest[os.write(fd, rest) :]
    except OSError as error:
        raise UsageError(
            f"the line with the WebSocket's URL cannot be written: {error.strerror}"
        ) from None
