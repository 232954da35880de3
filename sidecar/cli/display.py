"""Which display a run gets: the one place that knows both. It knows no events."""

import sys
from pathlib import Path

from sidecar.cli import streams
from sidecar.cli.progress import Progress
from sidecar.engine.loader import LoadedWorkflow


def make_progress(loaded: LoadedWorkflow, project: Path, *, as_json: bool) -> Progress:
    """Live on a terminal, plain elsewhere.

    With `as_json` stdout is for the result alone: live on stderr if that is a terminal, so that
    whoever redirects the result sees the run, else nothing.
    """
    stream = sys.stderr if as_json else sys.stdout
    if streams.is_terminal(stream):
        from sidecar.cli.live import LiveProgress  # rich costs more than a script's start

        live = LiveProgress(loaded, project, stream)
        if live.is_possible:
            return live
    return Progress(loaded, project, None if as_json else stream)
