"""Malformed workflow files and what is said about each: the table of `test_malformed_workflows`."""

from typing import NamedTuple

from sidecar.engine.access import MachineAccess

#: `${env.HOME}` may be read, `${env.UNSET_NAME}` may be but is not set.
ACCESS = MachineAccess(frozenset({"HOME", "UNSET_NAME"}), {"HOME": "/home/me"})

#: Line 1 of most files.
HEAD = "workflow: {name: W}\n"
#: Two lines: one correct step.
STEPS = "steps:\n  - {id: a, type: python, script: a.py}\n"


class Row(NamedTuple):
    """One file and every line that is printed about it."""

    name: str
    source: str | bytes
    lines: tuple[str, ...]


def step(more: str) -> str:
    """A file whose one step has `more` from line 6 on, indented by four."""
    return f"{HEAD}steps:\n  - id: a\n    type: python\n    script: a.py\n{more}"


def value(text: str) -> str:
    """A file with one value of a step's inputs, at line 6, column 17."""
    return step(f"    inputs: {{x: {text}}}\n")


def retry(fields: str) -> str:
    """A file with the fields of a retry policy, from line 6, column 20 on."""
    return step(f"    retry_policy: {{{fields}}}\n")


def declaration(fields: str) -> str:
    """A file with more fields of an input, from line 3, column 13 on."""
    return f"{HEAD}inputs:\n  - {{id: i, {fields}}}\n{STEPS}"


def reference(text: str) -> str:
    """A file with a reference at line 8, column 56, in the step `last`."""
    return f"""{HEAD}inputs:
  - {{id: folder, type: string, required: true}}
steps:
  - {{id: count, type: python, script: a.py, outputs: [total, files]}}
  - {{id: free, type: python, script: a.py}}
  - {{id: say, type: output, message: hi}}
  - {{id: last, type: python, script: b.py, inputs: {{x: '{text}'}}}}
"""


def circle(ids: str) -> str:
    """The lines of output steps that each need the next, the last one the first."""
    return "".join(
        f"  - {{id: {a}, type: output, message: m, depends_on: [{b}]}}\n"
        for a, b in zip(ids, ids[1:] + ids[0], strict=True)
    )
