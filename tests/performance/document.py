"""`python -m tests.performance.document`: the last figures become a page of the documentation.

`make bench` and `make peers` leave theirs in `build/`; they are copied beside the page as JSON, and
the page and the README's table are written from that alone, so that no figure stands in them that
was not measured.
"""

import json
import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.performance.figures import number

CHECKOUT = Path(__file__).parents[2]
DOCS = CHECKOUT / "protocol" / "docs"
PAGE = DOCS / "figures.md"
DATA = DOCS / "figures"
README = CHECKOUT / "README.md"
#: What stands between these in the README is written here.
BEGIN, END = "<!-- figures: make figures -->\n", "<!-- end of figures -->\n"
#: The rows that the README shows, and what they are called there.
CHOSEN = {
    "script by the zygote": "a script, from request to parsed output",
    "light40: 40 steps of fib(10)": "40 light scripts, one after the other",
    "event over stdio, timestamp to client": "an event, until the host has it",
    "a step's change to its pixels (500 changes)": "a step's change, until it is painted",
    "a step of a chain, 10,000 of them": "a step beside its script, in a chain of 10,000",
    "history query at 10,000 workflows": "the newest runs, with 10,000 workflows kept",
    "daemon's memory, idle": "the daemon's memory, idle",
}
#: What was measured, and where it is found.
SOURCES = {
    "figures.json": CHECKOUT / "build" / "bench",
    "cost.svg": CHECKOUT / "build" / "bench",
    "peers.json": CHECKOUT / "build" / "peers",
}
_ABOUT = (
    "# Figures\n\n"
    "Measured by `make bench` on one machine on one day; yours will differ, the ratios less so. "
    "Each baseline was measured in the same run, in turn with what is compared to it. Of fewer "
    "than 100 rounds p99 is the greatest. Limits are those of the plan, and the only times that a "
    "test asserts.\n"
)


def page() -> str:
    """The page, from what lies beside it."""
    bench = json.loads((DATA / "figures.json").read_text(encoding="utf-8"))
    peers = json.loads((DATA / "peers.json").read_text(encoding="utf-8"))
    return "\n".join(
        [_ABOUT, f"{_machine(bench)}\n", *_bench(bench["figures"]), *_curves(), *_peers(peers)]
    )


def _machine(table: dict[str, Any]) -> str:
    return ", ".join(table["machine"].values()) + "."


def _bench(figures: list[dict[str, Any]]) -> Iterator[str]:
    for part, rows in groupby(figures, key=lambda row: row["part"]):
        yield f"## {' '.join(part.split()).rstrip('.')}\n"
        yield "| | p50 | p99 | unit | limit | ratio | to | its p50 |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
        for row in rows:
            cells = [
                row["name"].strip(),
                number(row["p50"]),
                "" if row["p99"] is None else number(row["p99"]),
                row["unit"],
                "" if row["limit"] is None else f"{row['limit']:g}",
                "" if row["ratio"] is None else f"{row['ratio']:.2f} x",
                row["baseline"] or "",
                "" if row["baseline_p50"] is None else number(row["baseline_p50"]),
            ]
            yield f"| {' | '.join(cells)} |"
        yield ""


def _curves() -> Iterator[str]:
    yield "## The price of one as there are more of them\n"
    yield "A level line means: no dearer however many.\n"
    yield "![Cost of one against how many there are](figures/cost.svg)\n"


def _peers(table: dict[str, Any]) -> Iterator[str]:
    yield "## Beside other engines\n"
    yield (
        "`make peers`: 40 steps, one after the other, each a script that computes fib(10) in a "
        "process of its own, on the same Python. Each engine was measured in turn with a plain "
        "loop that starts a Python per step. They do much beside it that the sidecar does not: "
        "schedules, clusters, web interfaces.\n"
    )
    yield f"{_machine(table)}\n"
    yield "| | ms a step | of the loop beside it | ratio |"
    yield "| --- | --- | --- | --- |"
    for row in table["peers"]:
        yield f"| {row['name']} | {row['ms']:.1f} | {row['loop_ms']:.1f} | {row['ratio']:.2f} x |"
    yield ""


def summary() -> str:
    """The README's table."""
    bench = json.loads((DATA / "figures.json").read_text(encoding="utf-8"))
    # Of rows with several baselines the first.
    rows = {row["name"]: row for row in reversed(bench["figures"])}
    lines = [
        f"Measured with {_machine(bench)} "
        "[All figures](protocol/docs/figures.md), also beside other engines.",
        "",
        "| | p50 | p99 | beside it |",
        "| --- | --- | --- | --- |",
    ]
    for name, title in CHOSEN.items():
        row = rows[name]
        p99 = "" if row["p99"] is None else f"{number(row['p99'])} {row['unit']}"
        beside = ""
        if row["baseline"]:
            beside = f"{row['baseline']}: {number(row['baseline_p50'])} {row['unit']}"
        lines.append(f"| {title} | {number(row['p50'])} {row['unit']} | {p99} | {beside} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Take over the last figures and write the page and the table; the exit status."""
    DATA.mkdir(parents=True, exist_ok=True)
    for name, folder in SOURCES.items():
        shutil.copy(folder / name, DATA / name)
    PAGE.write_text(page(), encoding="utf-8")
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}{summary()}{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
