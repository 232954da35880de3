"""The exit statuses of all commands, as a shell sees them."""

from typing import Final

SUCCESS: Final = 0
#: A workflow that failed or is invalid, something to mend, an output that cannot be written.
FAILED: Final = 1
#: Unusable arguments, or a workflow that cannot be run.
UNUSABLE: Final = 2
#: A bug of ours (EX_SOFTWARE of sysexits.h).
INTERNAL: Final = 70
#: What a shell adds to the number of the signal that ended a program.
SIGNALLED: Final = 128
