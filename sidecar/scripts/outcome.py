"""What the end of a script means: exit status, exception report and stdout as a result.

It knows no processes and no pipes, only what they left behind.
"""

import signal
from typing import Final

from sidecar.scripts.interface import SCRIPT_EXIT, SCRIPT_KILLED, ScriptFailure

_HELP_CHARACTERS: Final = 300
_NAME_CHARACTERS: Final = 200
_FIELDS: Final = 4


def failed_exit(returncode: int, report: bytes, last_line: str) -> ScriptFailure:
    """The failure behind a non-zero exit status.

    `returncode` is the exit code or minus a signal's number; `report` what `child/report.py`
    wrote, perhaps nothing; `last_line` the last words on stderr.
    """
    described = _exception(report)
    if described is not None:
        return described
    if returncode < 0:
        return ScriptFailure(f"Script was killed by signal {_name(-returncode)}", SCRIPT_KILLED)
    cut = "…" if len(last_line) > _HELP_CHARACTERS else ""
    help_ = f": {last_line[:_HELP_CHARACTERS]}{cut}" if last_line else ""
    return ScriptFailure(f"Script exited with code {returncode}{help_}", SCRIPT_EXIT)


def _exception(report: bytes) -> ScriptFailure | None:
    """A report as a failure; None without one, or with bytes that a script put there itself."""
    fields = [field.decode(errors="replace") for field in report.split(b"\0")]
    if len(fields) != _FIELDS + 1 or not fields[0]:
        return None
    name, bases, message, trace, _ = fields
    return ScriptFailure(
        error=message or name,
        error_type=name[:_NAME_CHARACTERS],
        error_bases=tuple(base for base in bases.split(",") if base),
        stack_trace=trace,
    )


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return str(number)
