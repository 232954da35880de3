"""Luigi: a chain of external programs, each with its target. A line on stdin is one run."""

import importlib.metadata
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import luigi

python, script, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])


class Step(luigi.Task):
    number = luigi.IntParameter()
    folder = luigi.Parameter()

    def requires(self):  # noqa: ANN201
        return Step(self.number - 1, self.folder) if self.number else []

    def output(self):  # noqa: ANN201
        return luigi.LocalTarget(str(pathlib.Path(self.folder, str(self.number))))

    def run(self) -> None:
        before = self.input().open().read() if self.number else "{}"
        command = [python, script]
        done = subprocess.run(command, input=before, capture_output=True, text=True, check=True)
        with self.output().open("w") as target:
            target.write(done.stdout)


print(json.dumps({"version": importlib.metadata.version("luigi")}), flush=True)
for _ in sys.stdin:
    with tempfile.TemporaryDirectory() as folder:
        last = Step(steps - 1, folder)
        start = time.perf_counter()
        if not luigi.build([last], local_scheduler=True, log_level="ERROR"):
            raise SystemExit("luigi failed")
        took_ms = (time.perf_counter() - start) * 1000
        output = json.loads(last.output().open().read())
    print(json.dumps({"took_ms": took_ms, "output": output}), flush=True)
