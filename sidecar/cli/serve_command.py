"""`serve`: the daemon."""

import argparse
from pathlib import Path

from sidecar import hang_up


def run(options: argparse.Namespace) -> int:
    """Serve until the end, which may have come before the start; the exit status."""
    if hang_up.by_parent():
        return 0
    from sidecar.cli.folders import history_file, project_folder
    from sidecar.cli.isolation import isolation_options
    from sidecar.daemon import DaemonOptions, serve
    from sidecar.errors import UsageError
    from sidecar.logs import set_up_logging
    from sidecar.rpc.websocket import WebSocketOptions

    project = project_folder(options)
    websocket = None
    if options.ws is not None:
        host, port = options.ws
        websocket = WebSocketOptions(host, port, frozenset(options.allow_origin))
    elif options.allow_origin:
        raise UsageError("--allow-origin is about --ws, which is not given")
    log = Path(options.log_file) if options.log_file else None
    isolation = isolation_options(options)
    set_up_logging(options.log_level, project=project, file=log)
    return serve(
        DaemonOptions(
            project=project,
            history=history_file(options, project),
            python=options.python,
            allow_env=frozenset(options.allow_env),
            max_parallel=options.max_parallel,
            parent_pid=options.parent_pid,
            preload=tuple(options.preload),
            isolation=isolation,
            log=log,
            stdio=options.stdio or websocket is None,
            websocket=websocket,
        )
    )
