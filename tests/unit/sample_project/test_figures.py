"""Lines by language, duplicates, and marks: what is counted, and what is not."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sample_project.steps import run_step, settled, stored


def result(project: Path, step: str, files: dict[str, str | bytes]) -> tuple[Any, dict[str, Any]]:
    """What a step stores and what it returns, for a project of these files."""
    for name, content in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(content.encode() if isinstance(content, str) else content)
    outputs = run_step(project, step, {"listing": settled(project)})
    return stored(project, outputs["result"]), outputs


def lines_of(project: Path, name: str, content: str | bytes) -> tuple[str, int, int, int]:
    """Language, lines of code (or text), of comment, and blank lines, of one file."""
    (row,) = result(project, "languages", {name: content})[0]["languages"]
    return row["name"], row["code"] + row["text"], row["comment"], row["blank"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.py", "# one\n\nx = 1  # two\n'''doc'''\n", ("Python", 2, 1, 1)),
        ("a.js", "/* one\n two\n\n*/\nf() // three\n//\n", ("JavaScript", 1, 4, 1)),
        ("a.c", "/* one */ int x;\n/* two */\nint y; /* three */\n", ("C", 2, 1, 0)),
        ("a.html", "<!-- one\ntwo -->\n<p>\n", ("HTML", 1, 2, 0)),
        ("a.css", "/* one */\np {}\n", ("CSS", 1, 1, 0)),
        ("a.sql", "-- one\nSELECT 1;\n", ("SQL", 1, 1, 0)),
        ("a.sh", "#!/bin/sh\r\n\r\necho\r\n", ("Shell", 1, 1, 1)),
        ("Makefile", "all:\n\t# one\n\ttrue", ("Make", 2, 1, 0)),
        ("a.glob.js", "const all = 'src/*';\nf();\n", ("JavaScript", 2, 0, 0)),
        ("a.json", "{}\n", ("JSON", 1, 0, 0)),
        ("py", "x\n", ("Other text", 1, 0, 0)),
        ("a.unheard-of", "x\n", ("Other text", 1, 0, 0)),
        ("a.txt", "\ufeffone\n".encode("utf-16"), ("Plain text", 1, 0, 0)),
    ],
)
def test_lines_are_told_apart_by_the_rules_of_the_language(
    tmp_path: Path, name: str, content: str | bytes, expected: tuple[str, int, int, int]
) -> None:
    assert lines_of(tmp_path, name, content) == expected


def test_languages_are_ordered_by_their_code_and_prose_has_none(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a.md": "long\n" * 99, "b.py": "x = 1\n", "c.go": "a\nb\n"}

    figures, outputs = result(tmp_path, "languages", files)

    assert [row["name"] for row in figures["languages"]] == ["Go", "Python", "Markdown"]
    assert outputs["code"] == 3
    assert outputs["languages"] == 2
    assert outputs["main_language"] == "Go"


def test_binary_files_have_no_lines_and_are_counted(tmp_path: Path) -> None:
    figures, outputs = result(tmp_path, "languages", {"a.png": b"\x89PNG\0\n\n", "b.py": b"\0\n"})

    assert figures["binary"] == 2
    assert outputs["code"] == 0
    assert outputs["main_language"] == "none"


def test_text_that_is_no_utf8_is_counted_like_any_other_and_noted(tmp_path: Path) -> None:
    figures, outputs = result(tmp_path, "languages", {"a.py": b"name = 'caf\xe9'\nx = 1\n"})

    assert outputs["code"] == 2
    assert figures["not_utf8"] == 1


def test_a_line_without_end_is_one_line(tmp_path: Path) -> None:
    assert lines_of(tmp_path, "a.js", "x" * 300_000 + "\ny\n") == ("JavaScript", 2, 0, 0)


@pytest.mark.parametrize("step", ["languages", "duplicates", "marks"])
def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_done(
    tmp_path: Path, step: str
) -> None:
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text("x = 1  # TODO: y\n", encoding="utf-8")
    listing = settled(tmp_path)
    (tmp_path / "b.py").unlink()

    outputs = run_step(tmp_path, step, {"listing": listing})

    assert stored(tmp_path, outputs["result"])["unreadable"] == ["b.py"]
    assert outputs.get("code", 2) == outputs.get("total", 2) == 2
    assert outputs.get("groups", 1) == 1


def test_duplicates_are_found_by_content_not_by_name(tmp_path: Path) -> None:
    figures, outputs = result(
        tmp_path,
        "duplicates",
        {"a.txt": "same!", "x/b.bin": "same!", "y/a.txt": "other", "z.txt": "same!", "c": "longer"},
    )

    assert figures["groups"] == [
        {
            "sha256": hashlib.sha256(b"same!").hexdigest(),
            "size": 5,
            "paths": ["a.txt", "x/b.bin", "z.txt"],
        }
    ]
    assert (outputs["groups"], outputs["spare_bytes"]) == (1, 10)


def test_the_duplicates_that_waste_most_come_first(tmp_path: Path) -> None:
    figures, _ = result(
        tmp_path, "duplicates", {"a": "ab", "b": "ab", "c": "abcdef", "d": "abcdef"}
    )

    assert [group["paths"] for group in figures["groups"]] == [["c", "d"], ["a", "b"]]


def test_empty_files_are_no_duplicates_of_each_other(tmp_path: Path) -> None:
    _, outputs = result(tmp_path, "duplicates", {"a.py": "", "b.py": ""})

    assert (outputs["groups"], outputs["spare_bytes"]) == (0, 0)


@pytest.mark.parametrize(
    ("name", "line", "kind", "text"),
    [
        ("a.py", "# TODO: mend it", "TODO", "mend it"),
        ("a.py", "    #TODO mend   it", "TODO", "mend it"),
        ("a.py", "x = 'a'  # FIXME(ann): mend it", "FIXME", "(ann): mend it"),
        ("a.py", "# Good enough. TODO: mend it", "TODO", "mend it"),
        ("a.js", "f(); // XXX mend it", "XXX", "mend it"),
        ("a.css", "p {} /* HACK: mend it */", "HACK", "mend it"),
        ("a.md", "<!-- TODO: mend it -->", "TODO", "mend it"),
        ("a.py", "# TODO", "TODO", ""),
        ("a.py", "# TODO: caf\u00e9 \u202e", "TODO", "caf\u00e9 \u202e"),
    ],
)
def test_a_mark_is_found_with_its_file_line_and_text(
    tmp_path: Path, name: str, line: str, kind: str, text: str
) -> None:
    figures, outputs = result(tmp_path, "marks", {name: f"\n\n{line}\n"})

    assert figures["marks"] == [{"kind": kind, "path": name, "line": 3, "text": text}]
    assert outputs["total"] == 1
    assert outputs["by_kind"] == {kind: 1}


def test_a_mark_inside_a_block_comment_is_found(tmp_path: Path) -> None:
    figures, _ = result(tmp_path, "marks", {"a.c": "/*\n * About this.\n * FIXME: leaks\n */\n"})

    assert [(mark["line"], mark["text"]) for mark in figures["marks"]] == [(3, "leaks")]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.py", "TODO = 1"),
        ("a.py", "print('# TODO: this is a string')"),
        ("a.py", "# a todo, and TODOS, and what TODO means"),
        ("a.py", "# XXXL is a size"),
        ("a.json", '"# TODO: a format without comments"'),
        ("a.md", "TODO: prose"),
        ("a.png", "\0 # TODO: binary"),
    ],
)
def test_what_only_looks_like_a_mark_is_none(tmp_path: Path, name: str, line: str) -> None:
    assert result(tmp_path, "marks", {name: f"{line}\n"})[1]["total"] == 0


def test_the_text_of_a_mark_is_cut_when_it_is_long(tmp_path: Path) -> None:
    figures, _ = result(tmp_path, "marks", {"a.py": "# TODO: " + "x" * 1000 + "\n"})

    assert figures["marks"][0]["text"] == "x" * 200 + " …"
