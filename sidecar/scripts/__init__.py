"""One script in one process: paths, environment, interpreter, launchers and outcomes.

This floor turns a `ScriptRequest` into a `ScriptOutcome` (see `interface.py`). It does not know
workflows, steps, retries, events or history; it imports `sidecar.errors` and `protocol` only.
"""
