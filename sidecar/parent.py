"""Watching the process that the daemon is to end with, where a host names one.

A pipe tells of its end to everybody but those whose parent has handed the pipe on to others. It
knows processes, not what becomes of the daemon.
"""

import asyncio
import os
from typing import Final

from sidecar.history import owner

#: How often it is looked where nothing tells us.
_LOOK_S: Final = 0.5


async def ended(pid: int) -> None:
    """Return when the process has ended; at once if there is none of that id.

    Linux tells by a pidfd (man 2 pidfd_open), which means this process for ever. Elsewhere, and on
    a kernel before 5.3, it is looked for twice a second by id and start time together, so that one
    that got the same id later is not taken for it.
    """
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        await _looked_for(pid)
        return
    loop = asyncio.get_running_loop()
    exited = asyncio.Event()
    loop.add_reader(pidfd, exited.set)
    try:
        await exited.wait()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)


async def _looked_for(pid: int) -> None:
    parent = await asyncio.to_thread(owner.describe, pid)
    while await asyncio.to_thread(owner.is_alive, parent):  # noqa: ASYNC110 - nobody tells us
        await asyncio.sleep(_LOOK_S)
