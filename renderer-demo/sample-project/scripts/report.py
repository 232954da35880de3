"""Put together what the other steps found, as a page to read.

Reads    listing, languages, duplicates, marks: paths of what those steps have stored;
         format: "html" or "md"; largest: how many of the largest files to list.
Returns  report: path of the report; size: its size in bytes;
         summary: the main figures, in one line of text.
Raises   ValueError for a format or a number that it cannot use, FileNotFoundError when a list is
         not there.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

from _common import WORK_FOLDER, finish, load, read_inputs, say, write_whole
from _html import html_page
from _markdown import markdown_page
from _plain import human_size, named, number_of

WRITERS = {"html": html_page, "md": markdown_page}


def left_out(listing: dict[str, Any], *results: dict[str, Any]) -> list[str]:
    """What the figures do not cover, one sentence each. Nothing is left out in silence."""
    walk = listing["left_out"]
    said = []
    if walk["hidden_folders"]:
        said.append(f"{number_of(walk['hidden_folders'], 'hidden folder')} (.git and the like)")
    for name, times in sorted(walk["folders"].items()):
        said.append(f"{number_of(times, 'folder')} of dependencies, output or caches: {name}")
    if walk["links"]:
        said.append(f"{number_of(walk['links'], 'link')}, not followed")
    if walk["special"]:
        pipes = ("pipe, socket or device", "pipes, sockets or devices")
        said.append(number_of(walk["special"], *pipes))
    if listing["changing"]:
        files = number_of(len(listing["changing"]), "file")
        said.append(f"{files} changed while the report was made: {named(listing['changing'])}")
    unreadable = set(walk["unreadable"])
    for result in results:
        unreadable.update(result.get("unreadable", []))
    if unreadable:
        said.append(f"{len(unreadable):,} could not be read: {named(sorted(unreadable))}")
    return said


def notes(languages: dict[str, Any], marks: dict[str, Any]) -> list[str]:
    """How the figures were made, as far as a reader could wonder."""
    said = [
        "A line is a comment when it begins as one; docstrings are code.",
        "Lines of prose and data (Markdown, JSON and the like) are text, not code.",
        f"Marks were looked for in the comments of {number_of(marks['searched'], 'file')}.",
        "Empty files are not taken for duplicates of each other.",
    ]
    if languages["binary"]:
        verb = "is" if languages["binary"] == 1 else "are"
        said.append(
            f"{number_of(languages['binary'], 'file')} {verb} binary:"
            " counted by size and compared by content, without lines."
        )
    if languages["not_utf8"]:
        verb = "is" if languages["not_utf8"] == 1 else "are"
        said.append(
            f"{number_of(languages['not_utf8'], 'text file')} {verb} not UTF-8; the lines count"
            " all the same."
        )
    return said


def main() -> None:
    inputs = read_inputs("listing", "languages", "duplicates", "marks", "format", "largest")
    write = WRITERS.get(str(inputs["format"]))
    if write is None:
        raise ValueError(f'input "format" is {inputs["format"]!r}: it must be "html" or "md"')
    largest = inputs["largest"]
    if isinstance(largest, bool) or not isinstance(largest, (int, float)) or largest < 1:
        raise ValueError(f'input "largest" is {largest!r}: it must be a number, 1 or more')

    listing, languages = load(inputs["listing"]), load(inputs["languages"])
    duplicates, marks = load(inputs["duplicates"]), load(inputs["marks"])
    files = listing["files"]
    facts: dict[str, Any] = {
        "folder": listing["folder"],
        "project": Path.cwd().name,
        "made": time.strftime("%d %B %Y, %H:%M"),
        "files": len(files),
        "bytes": sum(file["size"] for file in files),
        "languages": languages["languages"],
        "code": sum(row["code"] for row in languages["languages"]),
        "in_code": [row["name"] for row in languages["languages"] if row["code"]],
        "largest": sorted(files, key=lambda f: (-f["size"], f["path"]))[: int(largest)],
        "groups": duplicates["groups"],
        "spare": sum(g["size"] * (len(g["paths"]) - 1) for g in duplicates["groups"]),
        "marks": marks["marks"],
        "by_kind": Counter(mark["kind"] for mark in marks["marks"]),
        "left_out": left_out(listing, languages, duplicates, marks),
        "notes": notes(languages, marks),
        "marks_file": inputs["marks"],
        "duplicates_file": inputs["duplicates"],
    }
    path = f"{WORK_FOLDER}/report.{inputs['format']}"
    write_whole(path, write(facts))
    say(f"report: {path} is written")
    finish(
        report=path,
        size=Path(path).stat().st_size,
        summary=", ".join(
            (
                f"{number_of(facts['files'], 'file')} ({human_size(facts['bytes'])})",
                number_of(facts["code"], "line of code", "lines of code"),
                number_of(len(facts["groups"]), "group of duplicates", "groups of duplicates"),
                number_of(len(facts["marks"]), "open mark"),
            )
        ),
    )


if __name__ == "__main__":
    main()
