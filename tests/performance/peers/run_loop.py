"""No engine at all: a loop that starts a Python per step. A line on stdin is one run."""

import json
import platform
import subprocess
import sys
import time

python, script, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])

print(json.dumps({"version": platform.python_version()}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    output = "{}"
    for _ in range(steps):
        command = [python, script]
        done = subprocess.run(command, input=output, capture_output=True, text=True, check=True)
        output = done.stdout
    took_ms = (time.perf_counter() - start) * 1000
    print(json.dumps({"took_ms": took_ms, "output": json.loads(output)}), flush=True)
