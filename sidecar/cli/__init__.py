"""The command line: arguments in, exit status out.

One module a command; each imports what it needs when it runs, so that `--version` and `--help`
cost what Python costs. No Python traceback is ever shown to a user.
"""

import signal
import sys

from sidecar.cli import exit_status, streams
from sidecar.cli.arguments import parse
from sidecar.signals import unblock


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status. Raises nothing."""
    streams.prepare()
    unblock()
    try:
        status = _command(sys.argv[1:] if arguments is None else arguments)
        streams.flush()
    except BrokenPipeError:
        # The reader (`head`) has seen enough.
        streams.abandon_stdout()
        return exit_status.FAILED
    except streams.StdoutError as error:
        streams.abandon_stdout()
        streams.complain(f"stdout cannot be written: {error}")
        return exit_status.FAILED
    except KeyboardInterrupt:
        return exit_status.SIGNALLED + signal.SIGINT
    except Exception as error:
        return _explained(error)
    return status


def _command(arguments: list[str]) -> int:
    try:
        options = parse(arguments)
        status: int = options.command(options)
    except SystemExit as end:
        # argparse: 0 after --help and --version, 2 after a complaint.
        return end.code if isinstance(end.code, int) else exit_status.UNUSABLE
    return status


def _explained(error: Exception) -> int:
    """Tell what went wrong, in one line; the exit status."""
    from sidecar.errors import SidecarError  # costs a tenth of a second, and --version has none

    if isinstance(error, SidecarError):
        streams.complain(error.message)
        return exit_status.UNUSABLE
    from pathlib import Path
    from traceback import extract_tb

    frame = extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    streams.complain(f"{type(error).__name__}: {error} ({place}); this is a bug", "internal error")
    return exit_status.INTERNAL
