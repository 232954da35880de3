"""What all models of the protocol have in common."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A closed, strict, immutable shape: unknown fields and silent conversions are errors.

    The text below a field describes it; `generate` puts it into the schemas. (pydantic could read
    it itself, by parsing our source at every start.)
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        # A model's validator is built when it is first used: a quarter of the daemon's start.
        defer_build=True,
    )
