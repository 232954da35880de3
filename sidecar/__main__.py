"""`python -m sidecar` is the same program as `workflow-sidecar`."""

import os
import sys

# `python -m` puts the working directory first on the path, and that is often the user's project:
# a `json.py` or `yaml.py` there must not become part of us. Not when we lie there ourselves.
if not sys.flags.safe_path and os.path.realpath(sys.path[0]) != os.path.realpath(
    os.path.join(os.path.dirname(__file__), os.pardir)  # noqa: PTH118, PTH120 - pathlib is not loaded yet
):
    del sys.path[0]

from sidecar.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
