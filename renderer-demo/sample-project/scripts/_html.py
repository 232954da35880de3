"""The report as one HTML page: no script, no request to anywhere, style in the page."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from _common import shown
from _plain import COLUMNS, NAMES, cut, human_size, number_of, share, title_of

COLOURS = 8  # As many as the style sheet has; the languages after them share the last one.


def safe(text: object) -> str:
    """Text that stands for itself: nothing in a file name or a comment can become markup."""
    return html.escape(shown(str(text)))


def tile(figure: str, label: str, detail: str) -> str:
    return (
        f'<div class="tile"><dt>{label}</dt><dd class="figure">{figure}</dd>'
        f'<dd class="detail">{detail}</dd></div>'
    )


def section(title: str, body: str, empty: str) -> str:
    quiet = f'<p class="quiet">{empty}</p>'
    return f"<section><h2>{title}</h2>{body or quiet}</section>"


def path_cell(path: str) -> str:
    """The name stands out from the folder that it is in, and long paths may break at a slash."""
    folder, slash, name = path.rpartition("/")
    before = safe(folder + slash).replace("/", "/<wbr>")
    return f'<code class="path"><span>{before}</span>{safe(name)}</code>'


def languages(facts: dict[str, Any]) -> str:
    if not facts["languages"]:
        return ""
    parts, rows = [], []
    for place, row in enumerate(facts["languages"]):
        # Only what is in the strip has its colour.
        colour = f"c{min(place, COLOURS - 1)}" if row["code"] else "none"
        if row["code"]:
            parts.append(f'<span class="{colour}" style="flex-grow:{row["code"]}"></span>')
        figures = "".join(f"<td>{row[kind]:,}</td>" for kind in COLUMNS)
        rows.append(
            f'<tr><th scope="row"><i class="dot {colour}"></i>{safe(row["name"])}</th>'
            f"{figures}<td>{share(row['code'], facts['code'])}</td></tr>"
        )
    return (
        f'<div class="strip" aria-hidden="true">{"".join(parts)}</div>'
        '<div class="wide"><table class="figures"><thead><tr><th scope="col">Language</th>'
        '<th scope="col">Files</th><th scope="col">Code</th><th scope="col">Comment</th>'
        '<th scope="col">Text</th><th scope="col">Blank</th><th scope="col">Share</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def largest(facts: dict[str, Any]) -> str:
    top = max((file["size"] for file in facts["largest"]), default=0) or 1
    return "".join(
        f'<li>{path_cell(file["path"])}<span class="size">{human_size(file["size"])}</span>'
        f'<span class="bar" style="width:{100 * file["size"] / top:.1f}%"></span></li>'
        for file in facts["largest"]
    )


def duplicates(facts: dict[str, Any]) -> str:
    groups, more = cut(facts["groups"], facts["duplicates_file"])
    blocks = []
    for group in groups:
        paths, others = cut(group["paths"], facts["duplicates_file"], NAMES)
        items = "".join(f"<li>{path_cell(path)}</li>" for path in paths)
        items += "".join(f'<li class="quiet">{safe(line)}</li>' for line in others)
        blocks.append(
            f'<div class="group"><h3>{number_of(len(group["paths"]), "file")}'
            f" of {human_size(group['size'])} each</h3><ul>{items}</ul></div>"
        )
    return "".join(blocks) + "".join(f'<p class="quiet">{safe(line)}</p>' for line in more)


def marks(facts: dict[str, Any]) -> str:
    shown_marks, more = cut(facts["marks"], facts["marks_file"])
    items = "".join(
        f'<li><span class="kind {mark["kind"].lower()}">{safe(mark["kind"])}</span>'
        f'<div>{path_cell(mark["path"])}<span class="line">:{mark["line"]}</span>'
        f"<p>{safe(mark['text'])}</p></div></li>"
        for mark in shown_marks
    )
    rest = "".join(f'<p class="quiet">{safe(line)}</p>' for line in more)
    return f'<ul class="marks">{items}</ul>{rest}' if items else ""


def html_page(facts: dict[str, Any]) -> str:
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    kinds = ", ".join(f"{number}\u00a0{kind}" for kind, number in facts["by_kind"].most_common())
    spare = human_size(facts["spare"])
    in_code = facts["in_code"]
    first = f"{number_of(len(in_code), 'language')}, {in_code[0]} first" if in_code else "–"
    if len(in_code) == 1:
        first = f"all of it {in_code[0]}"
    tiles = (
        tile(f"{facts['files']:,}", "Files", human_size(facts["bytes"])),
        tile(f"{facts['code']:,}", "Lines of code", safe(first)),
        tile(f"{len(facts['groups']):,}", "Groups of duplicates", f"{spare} to spare"),
        tile(f"{len(facts['marks']):,}", "Open marks", kinds or "–"),
    )
    big = largest(facts)
    gaps = "".join(f"<li>{safe(line)}</li>" for line in facts["left_out"])
    hows = "".join(f"<li>{safe(line)}</li>" for line in facts["notes"])
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Report on {safe(title_of(facts))}</title>
<style>
{style}</style>
</head>
<body>
<main>
<header><p class="quiet">Report</p><h1>{safe(title_of(facts))}</h1>
<p class="quiet">{safe(facts["made"])}</p></header>
<dl class="tiles">{"".join(tiles)}</dl>
{section("Languages", languages(facts), "There is no text file here.")}
{section("Largest files", f'<ol class="largest">{big}</ol>' if big else "", "There is no file.")}
{section("Duplicate files", duplicates(facts), "No two files have the same content.")}
{section("Open marks", marks(facts), "Nothing is marked as still to do.")}
<footer>
{section("What the figures leave out", f"<ul>{gaps}</ul>" if gaps else "", "Nothing.")}
{section("How it was counted", f"<ul>{hows}</ul>", "")}
</footer>
</main>
</body>
</html>
"""
