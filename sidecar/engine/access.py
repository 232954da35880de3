"""What a workflow may have of the machine, as whoever starts the engine has agreed to.

It knows names, values and folders, and no workflow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar.scripts.permissions import Agreement


@dataclass(frozen=True, slots=True)
class MachineAccess:
    """Variables by `${env.NAME}`, folders and the network by a step's permissions.

    `allowed` names variables; it is None where the flags of the later run are not known: then a
    reference is a warning. `values` holds what is set. `agreement` says which folders, and whether
    the network, steps may ask for; None again where that is not known.
    """

    allowed: frozenset[str] | None = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    agreement: Agreement | None = None
