"""Which launcher this machine gets: the one place that decides."""

import logging
import os
import sys
from collections.abc import Sequence

from sidecar.scripts.launchers import Launcher
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.zygote import ZygoteLauncher

logger = logging.getLogger(__name__)


def best_launcher(preload: Sequence[str] = ()) -> Launcher:
    """The zygote where a fork is to be had and safe, else plain spawn, with the reason logged.

    `preload` names modules that are loaded once for all scripts; of no use to plain spawn.
    """
    reason = why_no_zygote()
    if reason is None:
        return ZygoteLauncher(preload)
    fields = {"reason": reason, "preload_ignored": list(preload)}
    logger.info("no zygote: scripts are spawned", extra={"fields": fields})
    return SpawnLauncher()


def why_no_zygote(platform: str = sys.platform) -> str | None:
    """Why scripts cannot be forked here, or None."""
    if platform == "darwin":
        # fork(2) of macOS, CAVEATS; CPython bpo-33725 made multiprocessing spawn for it.
        return "on macOS a process that goes on after a fork cannot use the system's frameworks"
    if platform != "linux" or not hasattr(os, "fork"):
        return "there is no fork that leaves a supervisor behind on this system"
    return None
