"""Every bound of the product in one table; `sidecar:info` reports it whole.

A value here is a promise to hosts and script authors. It knows no code that keeps it.
"""

from types import MappingProxyType
from typing import Final

MIB: Final = 1024 * 1024

#: FR-9.2.2: a script's timeout unless its step says otherwise.
DEFAULT_TIMEOUT_MS: Final = 30_000
#: A day. Beyond this a number is more likely a mistake of unit than a wish.
MAX_TIMEOUT_MS: Final = 86_400_000
#: From SIGTERM to SIGKILL.
KILL_GRACE_MS: Final = 2_000

#: FR-9.2.6: the plan's default retry policy.
DEFAULT_MAX_ATTEMPTS: Final = 3
DEFAULT_INITIAL_DELAY_MS: Final = 1_000
DEFAULT_BACKOFF_MULTIPLIER: Final = 2.0
DEFAULT_MAX_DELAY_MS: Final = 30_000
MAX_ATTEMPTS: Final = 100
#: An hour: a longer pause between two attempts belongs to a scheduler.
MAX_RETRY_DELAY_MS: Final = 3_600_000

MAX_STEPS: Final = 20_000
#: 20,000 steps of 400 bytes each.
MAX_WORKFLOW_FILE_BYTES: Final = 8 * MIB
#: Deep enough for any real step input, shallow enough that no recursion is at risk.
MAX_YAML_DEPTH: Final = 64
#: What aliases may add to a file, in nodes: a bomb needs millions, a sane file dozens.
MAX_YAML_ALIASED_NODES: Final = 10_000
MAX_ID_CHARACTERS: Final = 128
MAX_NAME_CHARACTERS: Final = 256

#: One JSON-RPC message in.
MAX_MESSAGE_BYTES: Final = 64 * MIB
#: Of one connection: beyond it, nothing more is read until one is answered.
MAX_REQUESTS_IN_FLIGHT: Final = 10_000
#: WebSocket connections at once; fewer where the system allows fewer open files.
MAX_CONNECTIONS: Final = 2_000
#: From a TCP connection to a complete request.
HANDSHAKE_MS: Final = 10_000
#: What may wait for a subscriber that stops reading before it is cut off.
MAX_OUTBOX_BYTES: Final = 16 * MIB

MAX_STDOUT_BYTES: Final = 16 * MIB
#: A script's files, its open files, its memory: far above honest use, below what a machine
#: cannot take. Defaults; whoever starts the sidecar may set others.
MAX_SCRIPT_FILE_BYTES: Final = 8 * 1024 * MIB
MAX_SCRIPT_OPEN_FILES: Final = 4096
MAX_SCRIPT_ADDRESS_SPACE_BYTES: Final = 16 * 1024 * MIB
#: What references may put into one step's inputs or message: several whole outputs.
MAX_RESOLVED_BYTES: Final = 128 * MIB
#: Kept of a script's stderr: half as its head, half as its tail.
MAX_STDERR_BYTES: Final = 64 * 1024
#: A value larger than this as JSON is cut to a preview in events and history.
MAX_SHOWN_VALUE_BYTES: Final = 256 * 1024

#: Executions that run or wait at once; a host that starts more is told to come again.
MAX_ACTIVE_EXECUTIONS: Final = 2_000
#: Steps of all these together: what they cost in memory, and to be cancelled at the end in time.
MAX_ACTIVE_STEPS: Final = 100_000

#: FR-9.2.4: runs kept per workflow.
HISTORY_PER_WORKFLOW: Final = 5

#: From end of stdin to the daemon's exit.
SHUTDOWN_MS: Final = 5_000

#: A log file and the older ones beside it, together.
MAX_LOG_BYTES: Final = 20 * MIB

#: What `sidecar:info` shows as `limits`.
LIMITS: Final = MappingProxyType(
    {
        "default_timeout_ms": DEFAULT_TIMEOUT_MS,
        "max_timeout_ms": MAX_TIMEOUT_MS,
        "kill_grace_ms": KILL_GRACE_MS,
        "max_attempts": MAX_ATTEMPTS,
        "max_retry_delay_ms": MAX_RETRY_DELAY_MS,
        "max_steps": MAX_STEPS,
        "max_workflow_file_bytes": MAX_WORKFLOW_FILE_BYTES,
        "max_yaml_depth": MAX_YAML_DEPTH,
        "max_yaml_aliased_nodes": MAX_YAML_ALIASED_NODES,
        "max_message_bytes": MAX_MESSAGE_BYTES,
        "max_requests_in_flight": MAX_REQUESTS_IN_FLIGHT,
        "max_connections": MAX_CONNECTIONS,
        "handshake_ms": HANDSHAKE_MS,
        "max_outbox_bytes": MAX_OUTBOX_BYTES,
        "max_stdout_bytes": MAX_STDOUT_BYTES,
        "script_file_bytes": MAX_SCRIPT_FILE_BYTES,
        "script_open_files": MAX_SCRIPT_OPEN_FILES,
        "script_address_space_bytes": MAX_SCRIPT_ADDRESS_SPACE_BYTES,
        "max_resolved_bytes": MAX_RESOLVED_BYTES,
        "max_stderr_bytes": MAX_STDERR_BYTES,
        "max_shown_value_bytes": MAX_SHOWN_VALUE_BYTES,
        "max_active_executions": MAX_ACTIVE_EXECUTIONS,
        "max_active_steps": MAX_ACTIVE_STEPS,
        "history_per_workflow": HISTORY_PER_WORKFLOW,
        "shutdown_ms": SHUTDOWN_MS,
        "max_log_bytes": MAX_LOG_BYTES,
    }
)
