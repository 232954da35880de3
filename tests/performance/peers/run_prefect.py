"""Prefect: a flow of tasks, each of which runs the script. A line on stdin is one run."""

import json
import subprocess
import sys
import time

import prefect
from prefect.cache_policies import NO_CACHE

python, script, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])


@prefect.task(cache_policy=NO_CACHE)
def step(before: str) -> str:
    command = [python, script]
    done = subprocess.run(command, input=before, capture_output=True, text=True, check=True)
    return done.stdout


@prefect.flow
def light() -> str:
    output = "{}"
    for _ in range(steps):
        output = step(output)
    return output


print(json.dumps({"version": prefect.__version__}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    output = light()
    took_ms = (time.perf_counter() - start) * 1000
    print(json.dumps({"took_ms": took_ms, "output": json.loads(output)}), flush=True)
