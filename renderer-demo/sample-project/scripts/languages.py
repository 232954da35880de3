"""Count the lines of every text file, by language.

Reads    listing: path of the list of files.
Returns  result: path of a JSON file with the figures of each language; code: lines of code in all;
         languages: how many have code; main_language: the one with most of it ("none" if none).
Raises   FileNotFoundError when the list is not there.

Binary files are counted as such; files that cannot be read are named. Text that is not UTF-8 is
counted like any other, and the report says how many such files there are. Prose and data
(Markdown, JSON ...) have lines of text, no lines of code.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from _common import Progress, beside, finish, load, read_inputs, say, store
from _text import NO_CODE, Language, kinds, language_of, text_encoding, text_lines

KINDS = ("code", "comment", "text", "blank")


def count(path: str, encoding: str, language: Language) -> tuple[Counter[str], bool]:
    """Lines by kind, and whether the text was proper Unicode."""
    lines: Counter[str] = Counter()
    proper = True
    for kind, text in kinds(text_lines(path, encoding), language):
        lines[kind] += 1
        if proper and not text.isascii():
            try:
                text.encode("utf-8")
            except UnicodeEncodeError:
                proper = False
    return lines, proper


def main() -> None:
    path = read_inputs("listing")["listing"]
    files = load(path)["files"]
    progress = Progress("languages", len(files))
    totals: dict[str, dict[str, Any]] = {}
    unreadable: list[str] = []
    binary = not_utf8 = 0
    for file in files:
        progress.tick()
        language = language_of(file["path"])
        try:
            encoding = text_encoding(file["path"])
            if encoding is None:
                binary += 1
                continue
            lines, proper = count(file["path"], encoding, language)
        except OSError as error:
            say(f"languages: cannot read {file['path']!r}: {error.strerror}")
            unreadable.append(file["path"])
            continue
        not_utf8 += not proper
        if language.name in NO_CODE:
            lines["text"] = lines.pop("code", 0)
        row = totals.setdefault(
            language.name, {"name": language.name, "files": 0, **dict.fromkeys(KINDS, 0)}
        )
        row["files"] += 1
        for kind in KINDS:
            row[kind] += lines[kind]
    rows = sorted(totals.values(), key=lambda row: (-row["code"], -row["text"], row["name"]))
    in_code = [row["name"] for row in rows if row["code"]]
    code = sum(row["code"] for row in rows)
    say(f"languages: {code:,} lines of code in {len(in_code)} languages")
    finish(
        result=store(
            beside(path, "languages.json"),
            {"languages": rows, "binary": binary, "not_utf8": not_utf8, "unreadable": unreadable},
        ),
        code=code,
        languages=len(in_code),
        main_language=in_code[0] if in_code else "none",
    )


if __name__ == "__main__":
    main()
