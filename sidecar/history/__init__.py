"""The memory of past runs: five newest per workflow, in one SQLite file.

`storage` is a key-value store with localStorage's interface and knows no runs; `executions` keeps
runs in it and knows no SQL; `owner` tells whether the process that began a run still lives. None
of them knows how a run is made, or what may be shown of it: callers hand in what is redacted.
"""
