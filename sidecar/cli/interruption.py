"""Ctrl-C, SIGTERM and SIGHUP while a run goes on.

The first ends the run in order, its script with the usual grace. The second kills the script
without it, and sees to it that the process ends within a second. The third ends at once.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final, Self

from sidecar.cli.exit_status import SIGNALLED
from sidecar.signals import end_signals

#: After a second signal, for recording the run.
_LAST_S: Final = 1.0


class Interruption:
    """While entered, signals call `cancel`, then `kill`, instead of ending the process.

    One that a terminal sends to others, such as SIGHUP under nohup, stays ignored.
    """

    def __init__(
        self,
        cancel: Callable[[], None],
        kill: Callable[[], None],
        end_process: Callable[[int], Any] = os._exit,
    ) -> None:
        """`cancel` and `kill` are called in the event loop."""
        #: The first signal that came.
        self.number: int | None = None
        self._cancel = cancel
        self._kill = kill
        self._end_process = end_process
        self._count = 0
        self._timer: threading.Timer | None = None
        self._handlers: dict[int, Any] = {}

    @property
    def status(self) -> int:
        """The exit status that the first signal asks for."""
        return SIGNALLED + (self.number or signal.SIGINT)

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()

        def handler(number: int, _: FrameType | None) -> None:
            # Here between any two bytecodes; what is to be done belongs to the loop, which may be
            # what hangs.
            self._count += 1
            if self._count == 1:
                self.number = number
                loop.call_soon_threadsafe(self._cancel)
            elif self._count == 2:
                self._start_timer()
                loop.call_soon_threadsafe(self._kill)
            else:
                self._end_process(self.status)

        for number in end_signals():
            self._handlers[number] = signal.signal(number, handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
        if self._timer is not None:
            self._timer.cancel()

    def _start_timer(self) -> None:
        self._timer = threading.Timer(_LAST_S, self._end_process, [self.status])
        self._timer.daemon = True
        self._timer.start()
