"""What preloading would save: the modules that scripts import, and how long that takes each time.

It knows scripts as text and asks the interpreter; it runs no script.
"""

import ast
import subprocess
from collections.abc import Iterable
from typing import Final

from sidecar.scripts.environment import passed_environment
from sidecar.scripts.interpreter import Interpreter

_PROBE: Final = (
    "import sys, time; start = time.perf_counter(); __import__(sys.argv[1]); "
    "print(time.perf_counter() - start)"
)
_PROBE_SECONDS: Final = 20.0
_ROUNDS: Final = 3


def imported_modules(sources: Iterable[bytes]) -> list[str]:
    """The top-level packages that any of the scripts imports, in the order of their names.

    A source that is no Python imports nothing.
    """
    names: set[str] = set()
    for source in sources:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return sorted(names)


def import_ms(interpreter: Interpreter, module: str) -> float | None:
    """Milliseconds that importing takes a fresh interpreter; None if it cannot. Blocks.

    The least of three: the first one has the files to read.
    """
    times = []
    for _ in range(_ROUNDS):
        try:
            done = subprocess.run(
                [interpreter.path, "-c", _PROBE, module],
                capture_output=True,
                timeout=_PROBE_SECONDS,
                check=False,
                cwd="/",
                env=passed_environment(),
            )
            times.append(float(done.stdout.split()[-1]) * 1000)
        except (OSError, ValueError, IndexError, subprocess.SubprocessError):
            return None
    return min(times)
