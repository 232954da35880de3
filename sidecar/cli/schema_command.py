"""`schema`: the machine-readable descriptions that come along."""

import argparse

from protocol import documents
from sidecar.cli import streams


def run(options: argparse.Namespace) -> int:
    """Print one document; the exit status."""
    streams.say_document(documents.read(options.document))
    return 0
