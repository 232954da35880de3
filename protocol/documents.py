"""The generated documents as they come along with the package: read, never made anew."""

from functools import cache
from importlib import resources
from typing import Any, Final

import orjson

#: Name of each document and its file in `generated/`.
FILES: Final = {
    "workflow": "workflow.schema.json",
    "openrpc": "openrpc.json",
    "typescript": "protocol.d.ts",
}


def read(name: str) -> bytes:
    """One document, UTF-8. Raises KeyError for a name that is not in FILES."""
    return (resources.files("protocol") / "generated" / FILES[name]).read_bytes()


@cache
def openrpc() -> dict[str, Any]:
    """What `rpc.discover` answers; read once."""
    document: dict[str, Any] = orjson.loads(read("openrpc"))
    return document
