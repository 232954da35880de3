"""`python -m tests.integration.screenshots [FOLDER]`: pictures of the commands on a terminal.

They are for looking at: a run that is retried, that succeeded, that failed, with two hundred steps,
with hostile text, in a narrow window that was a wide one; the table of past runs and one of them in
full; dark and light. The terminal is tmux, whose screen rich makes a picture of; a Chromium, where
there is one, makes it a PNG too.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from playwright.sync_api import sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI, TerminalTheme
from rich.text import Text

from tests.browser.chromium import FLAGS, find_chromium
from tests.integration.conftest import Project, step

PATIENCE_S: Final = 60.0
_LOOK_S: Final = 0.02
COMMAND: Final = Path(sys.executable).with_name("workflow-sidecar")
#: The colours of a light terminal, as Tango has them.
LIGHT: Final = TerminalTheme(
    (255, 255, 255),
    (46, 52, 54),
    [(46, 52, 54), (204, 0, 0), (78, 154, 6), (173, 127, 0), (52, 101, 164), (117, 80, 123),
     (6, 130, 140), (211, 215, 207)],
)  # fmt: skip
THEMES: Final = {"dark": DIMMED_MONOKAI, "light": LIGHT}
#: Without the fonts from elsewhere.
_FORMAT: Final = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", "DejaVu Sans Mono, Menlo, Consolas, monospace"
)

WORK = """
import json, sys, time
asked = json.load(sys.stdin)
for number in range(asked.get("lines", 0)):
    print(f"read sightings-{number + 1}.csv", file=sys.stderr, flush=True)
    time.sleep(0.15)
time.sleep(asked.get("seconds", 0))
print("{}")
"""
FLAKY = """
import pathlib, time
tries = pathlib.Path("tries")
tries.open("a").write(".")
time.sleep(0.3)
if tries.stat().st_size % 3:
    raise ConnectionError("no route to archive.example")
print("{}")
"""
BROKEN = """
def parse(line):
    raise ValueError(f"line 3 has no date: {line!r}")

parse("two robins, one wren")
"""
HOSTILE = """
import sys
print("\\x1b[2J\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07\\u202egnp.exe <b>bold</b>", file=sys.stderr)
print("漢字 " * 40, file=sys.stderr)
raise RuntimeError("\\x1b[31mall your base\\x1b[0m " + "x" * 300)
"""


class Screen:
    """A window of tmux's, from a server of its own, that ends with it."""

    def __init__(self, folder: Path, columns: int, lines: int) -> None:
        self._name = f"screenshots-{uuid.uuid4().hex}"
        self.columns = columns
        shell = ["env", "PS1=$ ", f"PATH={COMMAND.parent}:{os.environ['PATH']}"]
        shell += [f"WORKFLOW_SIDECAR_PYTHON={sys.executable}", "sh"]
        size = ["-x", str(columns), "-y", str(lines)]
        self._tmux("-f", os.devnull, "new-session", "-d", *size, "-c", str(folder), *shell)
        self.wait_for(r"^\$")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")

    def type(self, command: str) -> None:
        """Have a command run on an empty screen."""
        ended = f"tmux -L {self._name} wait-for -S ended"
        self._tmux("send-keys", f"clear; {command}; {ended}", "Enter")

    def resize(self, columns: int, lines: int) -> None:
        self.columns = columns
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def wait_for(self, pattern: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not re.search(pattern, self._tmux("capture-pane", "-p"), re.MULTILINE):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{pattern}:\n{self._tmux('capture-pane', '-p')}")
            time.sleep(_LOOK_S)

    def wait_for_end(self) -> None:
        """Wait until the command has ended and the prompt is back."""
        self._tmux("wait-for", "ended")
        self.wait_for(r"^\$ *\n*\Z")

    def text(self) -> Text:
        return Text.from_ansi(self._tmux("capture-pane", "-p", "-e").rstrip())

    def _tmux(self, *arguments: str) -> str:
        return subprocess.check_output(["tmux", "-L", self._name, *arguments], text=True)


def main() -> int:
    """Take all pictures; the exit status."""
    if shutil.which("tmux") is None:
        print("tmux is missing (Debian, Ubuntu: sudo apt install tmux)", file=sys.stderr)
        return 1
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, screen in _pictures(_project(Path(scratch))):
            for theme, colours in THEMES.items():
                console = Console(record=True, width=screen.columns, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
                console.print(screen.text(), soft_wrap=True)
                file = folder / f"terminal-{name}-{theme}.svg"
                svg = console.export_svg(title=name, theme=colours, code_format=_FORMAT)
                file.write_text(svg, "utf-8")
                console.file.close()
                made.append(file)
    _as_png(made)
    print(*made, sep="\n")
    return 0


def _project(scratch: Path) -> Project:
    project = Project(scratch)
    scripts = {"work": WORK, "flaky": FLAKY, "broken": BROKEN, "hostile": HOSTILE}
    for name, text in scripts.items():
        project.script(f"{name}.py", text)

    def work(step_id: str, label: str, *after: str, **inputs: float) -> dict[str, object]:
        more = {"label": label, "inputs": inputs, "depends_on": list(after)}
        return step(step_id, "./work.py", **more)

    policy = {"max_attempts": 3, "initial_delay_ms": 1200}
    read = work("read", "Read the feeds", lines=3)
    fetch = step(
        "fetch", "./flaky.py", label="Ask the archive", depends_on=["read"], retry_policy=policy
    )
    project.workflow(
        "import",
        read,
        fetch,
        work("join", "Join the two", "fetch", seconds=0.6),
        work("check", "Look for gaps", "join", seconds=0.4),
        {"id": "done", "type": "output", "message": "412 sightings", "depends_on": ["check"]},
    )
    broken = step("parse", "./broken.py", label="Parse them", depends_on=["read"])
    project.workflow("broken", read, broken, work("join", "Join the two", "parse"))
    hostile = step("hostile", "./hostile.py", label="\x1b[31m漢字 " + "long " * 30)
    project.workflow("hostile", hostile, work("b" * 60, "after it", "hostile"))
    many = [work(f"station-{n:03}", f"Station {n}", seconds=0.02) for n in range(200)]
    project.workflow("stations", *many)
    return project


def _pictures(project: Project) -> Iterator[tuple[str, Screen]]:
    with Screen(project.path, 80, 24) as screen:
        screen.type("workflow-sidecar run import.yaml")
        screen.wait_for("attempt 3 of 3, next in 1")
        yield "retrying", screen
        screen.wait_for_end()
        screen.type("workflow-sidecar run import.yaml")
        screen.wait_for("join +running")
        yield "running-with-estimate", screen
        screen.wait_for_end()
        yield "success", screen
        screen.type("workflow-sidecar run broken.yaml")
        screen.wait_for_end()
        yield "failed", screen
        screen.type("workflow-sidecar run hostile.yaml")
        screen.wait_for_end()
        yield "hostile", screen
        screen.type("workflow-sidecar history")
        screen.wait_for_end()
        yield "history", screen
        screen.type(
            "workflow-sidecar history $(workflow-sidecar history broken | tail -1 | cut -c1-8)"
        )
        screen.wait_for_end()
        yield "one-run", screen
        screen.type("workflow-sidecar run stations.yaml")
        screen.wait_for(r"station-0[89]\d +running")
        yield "two-hundred", screen
        screen.wait_for_end()
        screen.type("workflow-sidecar doctor; workflow-sidecar validate import.yaml no.yaml")
        screen.wait_for_end()
        yield "doctor", screen
    with Screen(project.path, 110, 20) as screen:
        screen.type("workflow-sidecar run import.yaml")
        screen.wait_for("attempt 2 of 3, next in")
        screen.resize(44, 20)
        screen.wait_for("attempt 1")
        screen.wait_for("3 of 3")
        yield "made-narrow", screen
        screen.wait_for_end()
    with Screen(project.path, 44, 16) as screen:
        screen.type("workflow-sidecar history")
        screen.wait_for_end()
        yield "history-narrow", screen


def _as_png(files: list[Path]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_page()
        for file in files:
            page.goto(file.absolute().as_uri())
            page.locator("svg").screenshot(path=file.with_suffix(".png"))
        browser.close()


if __name__ == "__main__":
    raise SystemExit(main())
