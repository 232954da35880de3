"""The command line: arguments in, exit status out.

One module a command; each imports what it needs when it runs, so that `--version` and `--help`
cost what Python costs. No Python traceback is ever shown to a user.
"""

import sys
from typing import Final

from sidecar.cli import streams
from sidecar.cli.arguments import parse
from sidecar.signals import unblock

EXIT_FAILED: Final = 1
#: Unusable arguments or an invalid workflow.
EXIT_UNUSABLE: Final = 2
#: A bug of ours (EX_SOFTWARE of sysexits.h).
EXIT_INTERNAL: Final = 70
#: A shell's status for a program that SIGINT ended.
EXIT_INTERRUPTED: Final = 130


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
        return EXIT_FAILED
    except streams.StdoutError as error:
        streams.abandon_stdout()
        streams.complain(f"stdout cannot be written: {error}")
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        return _explained(error)
    return status


def _command(arguments: list[str]) -> int:
    try:
        options = parse(arguments)
        status: int = options.command(options)
    except SystemExit as end:
        # argparse: 0 after --help and --version, 2 after a complaint.
        return end.code if isinstance(end.code, int) else EXIT_UNUSABLE
    return status


def _explained(error: Exception) -> int:
    """Tell what went wrong, in one line; the exit status."""
    from sidecar.errors import SidecarError  # costs a tenth of a second, and --version has none

    if isinstance(error, SidecarError):
        streams.complain(error.message)
        return EXIT_UNUSABLE
    from pathlib import Path
    from traceback import extract_tb

    frame = extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    streams.complain(f"{type(error).__name__}: {error} ({place}); this is a bug", "internal error")
    return EXIT_INTERNAL
