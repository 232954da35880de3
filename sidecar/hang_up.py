"""Whether whoever started us is gone already.

A start costs time, on a busy machine seconds, and a parent that died before or meanwhile leaves
nobody to serve. It knows descriptors and loads next to nothing, so that it can be asked before the
rest is loaded.
"""

import os
import select
import stat
from typing import Final

_STDIN: Final = 0
_STDOUT: Final = 1


def by_parent(stdin: int = _STDIN, stdout: int = _STDOUT) -> bool:
    """Whether the other ends of both are closed: nothing can be asked or answered any more.

    Whatever was asked before has not been acknowledged. A terminal, a file or a descriptor that is
    closed is no sign of anybody's end, and where there is no poll (Windows) nothing is.
    """
    return hasattr(select, "poll") and _is_hung_up(stdin) and _is_hung_up(stdout)


def _is_hung_up(fd: int) -> bool:
    """Of a pipe or socket (man 2 poll: no writer is left, or no reader)."""
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return False
    poller = select.poll()
    # POLLHUP and POLLERR are told without being asked for.
    poller.register(fd, 0)
    return any(told & (select.POLLHUP | select.POLLERR) for _, told in poller.poll(0))
