"""Collect the marks that people leave in comments for later.

Reads    listing: path of the list of files.
Returns  result: path of a JSON file with each mark's kind, file, line and text;
         total: how many there are; by_kind: the number of each kind.
Raises   FileNotFoundError when the list is not there.

The kinds are those in WORDS. A mark counts when it begins a comment, or has a colon after it inside
one, as most people write it: a sentence that only speaks of such marks is none.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from _common import Progress, beside, finish, load, read_inputs, say, store
from _text import Language, kinds, language_of, text_encoding, text_lines

WORDS = ("FIXME", "TODO", "HACK", "XXX")
_ANY = "|".join(WORDS)
HAS_WORD = re.compile(_ANY)
MARK = re.compile(rf"(?:^\W*({_ANY})\b(?![/,]|\s+and\b)|\b({_ANY})(?:\([^)]*\))?:)")
LONGEST_TEXT = 200


def comment_in(kind: str, text: str, language: Language) -> str:
    """The comment of a line: all of it, what stands after the code, or ""."""
    if kind == "comment":
        return text
    starts = [mark for mark in (*language.line_marks, language.block_open) if mark]
    for found in re.finditer("|".join(map(re.escape, starts)), text) if starts else ():
        before = text[: found.start()]
        # An odd number of quotes before it: it stands inside a string and begins no comment.
        if all(before.count(quote) % 2 == 0 for quote in "\"'`"):
            return text[found.start() :]
    return ""


def marks_in(path: str, encoding: str, language: Language) -> list[dict[str, Any]]:
    marks = []
    for number, (kind, text) in enumerate(kinds(text_lines(path, encoding), language), 1):
        if not HAS_WORD.search(text):
            continue
        comment = comment_in(kind, text, language)
        found = MARK.search(comment)
        if found:
            # The kind stands for itself; an owner in brackets, TODO(ann), belongs to the text.
            rest = comment[found.end(found.lastindex or 0) :].lstrip(" :-")
            if language.block_close:
                rest = rest.partition(language.block_close)[0]
            rest = " ".join(rest.split())
            if len(rest) > LONGEST_TEXT:
                rest = rest[:LONGEST_TEXT] + " …"
            word = found[found.lastindex or 0]
            marks.append({"kind": word, "path": path, "line": number, "text": rest})
    return marks


def main() -> None:
    path = read_inputs("listing")["listing"]
    files = [file["path"] for file in load(path)["files"]]
    progress = Progress("marks", len(files))
    marks: list[dict[str, Any]] = []
    unreadable: list[str] = []
    searched = 0
    for name in files:
        progress.tick()
        language = language_of(name)
        if not language.line_marks and not language.block_open:
            continue  # A format without comments has no place for marks.
        try:
            encoding = text_encoding(name)
            if encoding is not None:
                marks += marks_in(name, encoding, language)
                searched += 1
        except OSError as error:
            say(f"marks: cannot read {name!r}: {error.strerror}")
            unreadable.append(name)
    by_kind = Counter(mark["kind"] for mark in marks)
    say(f"marks: {len(marks):,} in the comments of {searched:,} files")
    finish(
        result=store(
            beside(path, "marks.json"),
            {"marks": marks, "searched": searched, "unreadable": unreadable},
        ),
        total=len(marks),
        by_kind={word: by_kind[word] for word in WORDS if by_kind[word]},
    )


if __name__ == "__main__":
    main()
