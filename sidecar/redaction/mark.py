"""What stands in a secret's place."""

from typing import Final

MARK: Final = "[REDACTED]"
