"""Everything we send becomes bytes here."""

import functools
import json
from typing import Any

import orjson
from pydantic import BaseModel

from sidecar.rpc.json_text import ExactNumber
from sidecar.showing import json_safe


@functools.cache
def _required(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, field in model.model_fields.items() if field.is_required())


def _plain(value: Any) -> Any:
    """What orjson cannot dump itself: a model, whose fields that are null and need not be are left
    out; a number as it was sent."""
    if isinstance(value, BaseModel):
        # Not by iterating the model: an answer may hold 20,000 of them.
        required = _required(type(value))
        return {
            name: item for name, item in vars(value).items() if item is not None or name in required
        }
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.text)
    raise TypeError(f"cannot send a {type(value).__name__}")


def encode(message: Any) -> bytes:
    """A message as UTF-8 JSON in one line.

    What JSON cannot hold stands as `json_safe` has it: U+FFFD for half a surrogate pair, the name
    of its type for what is nested too deeply. Raises TypeError for what is neither JSON nor a
    model.
    """
    try:
        return orjson.dumps(message, default=_plain)
    except orjson.JSONEncodeError:
        # The C encoder of json takes everything that json_safe leaves, and models too.
        plain = json.loads(json.dumps(message, default=_plain))
        return orjson.dumps(json_safe(plain))
