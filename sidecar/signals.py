"""Which signals ask this process to end.

The command line and the daemon both end in order when asked; what they do then is their own.
"""

import os
import signal
from typing import Final

_NAMES: Final = ("SIGTERM", "SIGINT", "SIGHUP")
#: What a terminal sends to all that was started in it: at Ctrl-C, and when its window is closed.
_FROM_TERMINALS: Final = ("SIGINT", "SIGHUP")


def end_signals() -> list[signal.Signals]:
    """SIGTERM, SIGINT and SIGHUP, as far as the system has them and they mean this process.

    A shell starts background jobs with SIGINT ignored, and nohup its program with SIGHUP: what
    their terminal sends is for others, so while there is one such a signal stays ignored. Without
    a terminal only somebody's kill(2) sends it, on purpose, and whoever started this process need
    not even know that its own parent ignored a signal.
    """
    found = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    ignored = [
        number
        for number in found
        if number.name in _FROM_TERMINALS and signal.getsignal(number) is signal.SIG_IGN
    ]
    if not ignored or not _has_terminal():
        return found
    return [number for number in found if number not in ignored]


def unblock() -> None:
    """Let through the signals that whoever started this process had blocked.

    Else none of them could end it, and what it starts would inherit the same (signal(7)).
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _has_terminal() -> bool:
    """Whether this process has a controlling terminal (tty(4)), whatever its streams are."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True
