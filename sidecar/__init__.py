"""workflow-sidecar: a headless engine for YAML workflows of Python scripts.

The floors, from the top: `cli`, `daemon`, `rpc`, `engine`, then `scripts` beside `history` and
`logs`, then `redaction` and `errors`, and below them the package `protocol`. Imports go down only;
`pyproject.toml` has every room.

For use as a library see `sidecar.engine`; nothing is imported here, so that
`workflow-sidecar --version` costs what Python costs.
"""

__version__ = "0.1.0"
