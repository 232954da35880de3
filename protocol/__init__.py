"""The wire and the workflow file as pydantic models: the single source of both.

The lowest floor: everything may import it, it imports nothing of ours but itself. It knows
shapes, names, units, bounds and codes; it does not know how anything is run, stored or sent.
`generate.py` writes `generated/` from it, and a test fails when the two drift apart.
"""

#: Version of the wire (methods, events, error codes), raised by semantic versioning.
PROTOCOL_VERSION = "1.0.0"
