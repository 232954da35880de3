"""This process's memory and environment, kept from other processes of the same user."""

import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def forbid_dumps() -> None:
    """Close this process's files in /proc to all but root, and its memory to debuggers; no cores.

    prctl(2), PR_SET_DUMPABLE. A script runs as the same user and could read our environment and
    memory even where the kernel has no Landlock. What we start and execute is not affected. Does
    nothing where there is no such thing.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
