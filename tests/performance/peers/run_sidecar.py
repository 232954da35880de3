"""workflow-sidecar: a daemon over stdio. A line on stdin is one run."""

import json
import sys
import time
from pathlib import Path

import sidecar
from tests.performance.daemons import ask, serving

python, script, steps = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
workflow = {
    "workflow": {"id": "light", "name": "light"},
    "steps": [
        {
            "id": f"s{n}",
            "type": "python",
            "script": script.name,
            "inputs": {"before": f"${{steps.s{n - 1}.outputs.fib}}" if n else 0},
        }
        for n in range(steps)
    ],
}

with serving(script.parent, "--python", python) as daemon:
    print(json.dumps({"version": sidecar.__version__}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        result = ask(daemon, "workflow:execute", {"workflow": workflow})
        took_ms = (time.perf_counter() - start) * 1000
        output = result["outputs"][f"s{steps - 1}"]
        print(json.dumps({"took_ms": took_ms, "output": output}), flush=True)
