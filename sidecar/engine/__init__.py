"""Running workflows; usable as a library, without the daemon.

    async with Engine("path/to/project") as engine:
        engine.on_event(print)
        result = await engine.execute("workflow.yaml", {"folder": "."})

From a file to a result: `loader` (with `yaml_text`, `yaml_scalars`, `checks`, `inputs`,
`references`, `plan`) makes a checked workflow, `execution` runs it (with `step_execution`,
`steps`, `retry`, `clock`), `events` carries what happens, `engine` keeps the runs.

This floor knows neither JSON-RPC nor sockets nor terminals.
"""

import logging

from sidecar.engine.engine import Engine
from sidecar.engine.execution import Execution

__all__ = ["Engine", "Execution"]

# A library is silent unless its user says where logs go.
logging.getLogger("sidecar").addHandler(logging.NullHandler())
