"""The report as Markdown."""

from __future__ import annotations

import re
from typing import Any

from _common import shown
from _plain import COLUMNS, NAMES, cut, human_size, number_of, share, title_of


def safe(text: str) -> str:
    """Text that stands for itself, whatever Markdown would make of its characters."""
    text = shown(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]#|~])", r"\\\1", text)


def table(heads: list[str], rows: list[list[str]]) -> list[str]:
    """Heads that begin with ">" are columns of figures and stand to the right."""
    lines = ["| " + " | ".join(head.lstrip(">") for head in heads) + " |"]
    lines.append("|" + "|".join(" ---: " if head[0] == ">" else " --- " for head in heads) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return [*lines, ""]


def bullets(items: list[str], empty: str) -> list[str]:
    """A list; an item that is indented already belongs to the one above it."""
    return [item if item.startswith("  ") else f"- {item}" for item in items or [empty]] + [""]


def markdown_page(facts: dict[str, Any]) -> str:
    kinds = ", ".join(f"{number} {kind}" for kind, number in facts["by_kind"].most_common())
    lines = [
        f"# Report on {safe(title_of(facts))}", "",
        f"{facts['made']}", "",
        f"- **{number_of(facts['files'], 'file')}**, {human_size(facts['bytes'])}",
        f"- **{number_of(facts['code'], 'line of code', 'lines of code')}**"
        f" in {number_of(len(facts['in_code']), 'language')}",
        f"- **{number_of(len(facts['groups']), 'group of duplicates', 'groups of duplicates')}**,"
        f" {human_size(facts['spare'])} to spare",
        f"- **{number_of(len(facts['marks']), 'open mark')}**" + (f": {kinds}" if kinds else ""),
        "",
    ]  # fmt: skip

    lines += ["## Languages", ""]
    rows = [
        [
            row["name"],
            *(f"{row[kind]:,}" for kind in COLUMNS),
            share(row["code"], facts["code"]),
        ]
        for row in facts["languages"]
    ]
    heads = ["Language", *(f">{kind.capitalize()}" for kind in COLUMNS), ">Share of code"]
    lines += table(heads, rows) if rows else ["There is no text file here.", ""]

    lines += ["## Largest files", ""]
    rows = [[safe(file["path"]), human_size(file["size"])] for file in facts["largest"]]
    lines += table(["File", ">Size"], rows) if rows else ["There is no file here.", ""]

    lines += ["## Duplicate files", ""]
    groups, more = cut(facts["groups"], facts["duplicates_file"])
    items = []
    for group in groups:
        items.append(f"{number_of(len(group['paths']), 'file')}, {human_size(group['size'])} each")
        paths, others = cut(group["paths"], facts["duplicates_file"], NAMES)
        items += [f"  - {safe(path)}" for path in (*paths, *others)]
    lines += bullets([*items, *map(safe, more)], "No two files have the same content.")

    lines += ["## Open marks", ""]
    marks, more = cut(facts["marks"], facts["marks_file"])
    items = [
        f"**{mark['kind']}** {safe(mark['path'])}:{mark['line']} {safe(mark['text'])}"
        for mark in marks
    ]
    lines += bullets([*items, *map(safe, more)], "Nothing is marked as still to do.")

    lines += ["## What the figures leave out", ""]
    lines += bullets([safe(line) for line in facts["left_out"]], "Nothing.")
    lines += ["## How it was counted", ""]
    lines += bullets([safe(line) for line in facts["notes"]], "")
    return "\n".join(lines)
