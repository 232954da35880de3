"""Scripts that do not want to end, and a look at what is left of them."""

from pathlib import Path
from typing import Final

from tests.integration.driver import marked

#: Each says on stderr when it runs; none ends by itself, nor by SIGTERM.
SCRIPTS: Final = {
    "ignores SIGTERM": """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here", file=sys.stderr, flush=True)
while True: time.sleep(1)
""",
    "has children that ignore it too": """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(3): os.fork()
print("here", file=sys.stderr, flush=True)
while True: time.sleep(1)
""",
    "leaves its session": """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: time.sleep(1)
    os._exit(0)
print("here", file=sys.stderr, flush=True)
while True: time.sleep(1)
""",
    "begins again from a clean environment": """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    os.execve(sys.executable, [sys.executable, "-c", "import time\\nwhile True: time.sleep(1)"], {})
print("here", file=sys.stderr, flush=True)
while True: time.sleep(1)
""",
    "burns time": """
import sys
print("here", file=sys.stderr, flush=True)
while True: pass
""",
}


def left(marker: str, folder: Path) -> list[int]:
    """What lives of a daemon and its scripts: by the marker in the environment, or by the project
    that it stays in, should it have thrown its environment away."""
    found = set(marked(marker))
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == folder:
                    found.add(int(entry.name))
            except OSError:
                continue
    return sorted(pid for pid in found if _lives(pid))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
