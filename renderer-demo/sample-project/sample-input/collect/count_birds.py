"""Add up the sightings by species and print them as JSON, the most frequent first."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from pathlib import Path


def count(path: Path) -> Counter[str]:
    totals: Counter[str] = Counter()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            # FIXME: the same bird coming back within the hour is counted twice
            totals[row["species"]] += int(row["count"])
    return totals


if __name__ == "__main__":
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("sightings.csv")
    print(json.dumps(dict(count(source).most_common()), indent=2))
