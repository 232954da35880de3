"""`serve`: the daemon."""

import argparse

from sidecar.cli.folders import history_file, project_folder


def run(options: argparse.Namespace) -> int:
    """Serve until the end; the exit status."""
    from sidecar.daemon import DaemonOptions, serve
    from sidecar.logs import set_up_logging

    project = project_folder(options)
    set_up_logging(options.log_level)
    return serve(
        DaemonOptions(
            project=project,
            history=history_file(options, project),
            python=options.python,
            allow_env=frozenset(options.allow_env),
            max_parallel=options.max_parallel,
        )
    )
