"""What may be shown of a value: secrets become `[REDACTED]`, control characters visible."""

from sidecar.redaction.control import escape_control
from sidecar.redaction.lines import LineRedactor
from sidecar.redaction.mark import MARK
from sidecar.redaction.names import is_secret_name
from sidecar.redaction.redactor import Redactor

__all__ = ["MARK", "LineRedactor", "Redactor", "escape_control", "is_secret_name"]
