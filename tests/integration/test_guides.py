"""The guides can be followed: each file is written, each command run, and prints what is shown."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.guides import CHECKOUT, Block, blocks, commands, matches

#: Every page that people read, but the reference of the wire, whose examples other tests send.
PAGES = sorted(
    page
    for page in [
        *CHECKOUT.glob("*.md"),
        *(CHECKOUT / "protocol" / "docs").glob("*.md"),
        CHECKOUT / "renderer-demo" / "README.md",
    ]
)
GUIDES = [page for page in PAGES if page.name != "README.md"]
#: What a guide needs beside what the tests install.
TOOLS = ("jq", "node")


def _id(page: Path) -> str:
    return page.relative_to(CHECKOUT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_block_of_a_page_is_run_or_a_drawing(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        assert block.name or block.kind in ("console", "text"), block.text
        if block.kind == "console":
            assert commands(block)


@pytest.mark.parametrize("page", GUIDES, ids=_id)
def test_what_a_guide_shows_is_what_happens(page: Path, tmp_path: Path) -> None:
    found = blocks(page.read_text(encoding="utf-8"))
    _require_tools(found)
    _require_what_the_kernel_has(found, tmp_path)
    for name in {"sidecar-host.js"} & set(re.findall(r"[\w-]+\.js", page.read_text("utf-8"))):
        shutil.copy(CHECKOUT / "renderer-demo" / "electron" / name, tmp_path)
    for block in found:
        if block.name:
            file = tmp_path / block.name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.kind == "console":
            for command in commands(block):
                printed = _typed(command.line, tmp_path)
                assert matches(command.shown, printed), f"$ {command.line}\n{printed}"


def _require_tools(found: list[Block]) -> None:
    words = " ".join(block.text for block in found if block.kind == "console").split()
    missing = [tool for tool in TOOLS if tool in words and shutil.which(tool) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"{', '.join(missing)} is missing")
    if missing:
        pytest.skip(f"{', '.join(missing)} is missing: the guide was not followed")


def _require_what_the_kernel_has(found: list[Block], folder: Path) -> None:
    for need in {block.needs for block in found if block.needs}:
        if f"filesystem: {need}" not in _typed("workflow-sidecar doctor", folder):
            pytest.skip(f"this system has no {need}: the guide was not followed")


def _typed(line: str, folder: Path) -> str:
    """What a terminal would show of it."""
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env={**os.environ, "PATH": beside, "WORKFLOW_SIDECAR_PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("page", [*PAGES, CHECKOUT / "protocol" / "README.md"], ids=_id)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, target


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_file_of_ours_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(
        r"`((?:sidecar|protocol|tests|renderer-demo)/[\w./-]*)`", page.read_text(encoding="utf-8")
    )
    assert [name for name in named if not (CHECKOUT / name).exists()] == []


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["a", "b"], "a\nb\n", True),
        (["a"], "a\nb\n", False),
        (["a", "…"], "a\nb\nc\n", True),
        (["took 25 ms"], "took 1.3 s\n", True),
        (["pid … ends"], "pid 77 ends\n", True),
        (["pid … ends"], "pid 77\nends\n", False),
        ([], "", True),
        ([], "something\n", False),
    ],
)
def test_what_is_printed_is_compared_line_by_line(
    shown: list[str], printed: str, same: bool
) -> None:
    assert matches(shown, printed) is same
