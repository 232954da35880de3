"""The page: whole, escaped, and honest about what is not in it."""

from __future__ import annotations

import json
import os
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sample_project.steps import attempt, run_step, settled, stored


def inputs_for(project: Path, **more: Any) -> dict[str, Any]:
    """The report step's inputs: every step before it has run on the whole project."""
    listing = settled(project)
    results = {
        step: run_step(project, step, {"listing": listing})["result"]
        for step in ("languages", "duplicates", "marks")
    }
    return {"listing": listing, **results, "format": "html", "largest": 10, **more}


def report(project: Path, **more: Any) -> str:
    path: str = run_step(project, "report", inputs_for(project, **more))["report"]
    return (project / path).read_text(encoding="utf-8")


class Page(HTMLParser):
    """Every tag with its attributes, and all text between the tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_bytes(b"# TODO: <b>bold</b> & more\nx = 1\n")
    (tmp_path / "copy.py").write_bytes(b"# TODO: <b>bold</b> & more\nx = 1\n")
    (tmp_path / "notes.md").write_bytes(b"a\n" * 50)
    return tmp_path


def test_the_page_shows_the_figures(project: Path) -> None:
    outputs = run_step(project, "report", inputs_for(project))
    text = Page((project / outputs["report"]).read_text(encoding="utf-8")).text

    assert outputs["report"] == "workflow-report/report.html"
    assert outputs["size"] == (project / outputs["report"]).stat().st_size
    assert outputs["summary"] == (
        "3 files (166 bytes), 2 lines of code, 1 group of duplicates, 2 open marks"
    )
    assert "2 files of 33 bytes each" in text
    assert "main.py:1" in text
    assert "all of it Python" in text


def test_the_page_is_well_formed_and_asks_for_nothing_from_anywhere(project: Path) -> None:
    page = Page(report(project))

    assert page.open == []
    assert not {"script", "link", "img", "iframe", "a"} & {tag for tag, _ in page.tags}
    assert not [tag for tag, attrs in page.tags if {"src", "href"} & set(attrs)]
    assert "url(" not in page.text
    assert "@import" not in page.text
    assert "prefers-color-scheme: dark" in page.text


def test_text_from_files_never_becomes_markup(project: Path) -> None:
    page = report(project)

    assert "<b>" not in page
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; more" in page


@pytest.mark.skipif(sys.platform == "win32", reason="such names are not allowed there")
@pytest.mark.parametrize("kind", ["html", "md"])
def test_a_hostile_file_name_is_shown_and_does_no_harm(tmp_path: Path, kind: str) -> None:
    name = "<img src=x onerror=alert(1)>|`*\n\u202etxt.py"
    (tmp_path / name).write_text("x = 1\n", encoding="utf-8")

    page = report(tmp_path, format=kind)

    assert "<img" not in page
    assert "\u202e" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    shown = "|`*\\n\\u202etxt.py" if kind == "html" else "\\|\\`\\*\\\\n\\\\u202etxt.py"
    assert shown in page


@pytest.mark.skipif(sys.platform != "linux", reason="names there are always Unicode")
def test_a_name_that_is_no_utf8_is_shown_with_its_bytes(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.py")).write_text("x = 1\n", encoding="utf-8")

    assert "caf\\xe9.py" in report(tmp_path)


@pytest.mark.parametrize("kind", ["html", "md"])
def test_an_empty_folder_has_a_report_too(tmp_path: Path, kind: str) -> None:
    page = report(tmp_path, format=kind)

    assert "There is no text file here." in page
    assert "No two files have the same content." in page
    assert "Nothing is marked as still to do." in page


def test_markdown_has_the_same_sections_and_figures(project: Path) -> None:
    page = report(project, format="md")

    assert page.startswith(f"# Report on {project.name.replace('_', chr(92) + '_')}\n")
    assert "| Python | 2 | 2 | 2 | 0 | 0 | 100 % |" in page
    assert "| notes.md | 100 bytes |" in page
    assert "- 2 files, 33 bytes each\n  - copy.py\n  - main.py\n" in page
    assert "- **TODO** main.py:1 &lt;b&gt;bold&lt;/b&gt; &amp; more" in page


@pytest.mark.parametrize("kind", ["html", "md"])
def test_everything_left_out_is_said(project: Path, kind: str) -> None:
    (project / ".git").mkdir()
    (project / "node_modules").mkdir()
    (project / "logo.png").write_bytes(b"\0")
    (project / "latin.py").write_bytes(b"# \xe9\n")
    inputs = inputs_for(project, format=kind)
    listing = stored(project, inputs["listing"])
    listing["changing"] = ["growing.log"]
    listing["left_out"].update(links=3, special=1, unreadable=["locked/"])
    (project / inputs["listing"]).write_text(json.dumps(listing), encoding="utf-8")
    marks = stored(project, inputs["marks"])
    marks["unreadable"] = ["gone.py"]
    (project / inputs["marks"]).write_text(json.dumps(marks), encoding="utf-8")

    page = (project / run_step(project, "report", inputs)["report"]).read_text(encoding="utf-8")

    for sentence in (
        "1 hidden folder (.git and the like)",
        "1 folder of dependencies, output or caches: node",
        "3 links, not followed",
        "1 pipe, socket or device",
        "1 file changed while the report was made: growing.log",
        "2 could not be read: gone.py, locked/",
        "1 file is binary",
        "1 text file is not UTF-8",
    ):
        assert sentence in page, sentence


@pytest.mark.parametrize("kind", ["html", "md"])
def test_a_list_too_long_for_the_page_says_where_the_rest_is(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.py").write_text("# TODO: x\n" * 250, encoding="utf-8")

    assert "and 50 more, see workflow-report/run-" in report(tmp_path, format=kind)


def test_a_large_group_of_duplicates_is_cut_and_says_where_the_rest_is(tmp_path: Path) -> None:
    for number in range(15):
        (tmp_path / f"{number}.txt").write_bytes(b"same")

    page = report(tmp_path)

    assert "15 files of 4 bytes each" in page
    assert "and 5 more, see workflow-report/run-" in page


def test_as_many_of_the_largest_files_are_listed_as_asked_for(project: Path) -> None:
    page = report(project, largest=1, format="md")

    section = page.partition("## Largest files")[2].partition("##")[0]
    assert "notes.md" in section
    assert ".py" not in section


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("format", "pdf", 'ValueError: input "format" is \'pdf\': it must be "html" or "md"'),
        ("largest", 0, 'ValueError: input "largest" is 0: it must be a number, 1 or more'),
        ("largest", "ten", "ValueError: input \"largest\" is 'ten'"),
        ("largest", True, 'ValueError: input "largest" is True'),
    ],
)
def test_inputs_that_cannot_be_used_are_errors_that_say_what_can(
    project: Path, name: str, value: object, error: str
) -> None:
    done = attempt(project, "report", inputs_for(project, **{name: value}))

    assert done.error.startswith(error)
    assert not (project / "workflow-report" / "report.pdf").exists()
