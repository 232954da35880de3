"""What the page costs: from a change to its pixels, and how many frames it draws while it hears of
many. In a Chromium without a screen or a graphics card, as the browser tests have it."""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import FLAGS, find_chromium
from tests.browser.conftest import expect_status, run_button, write_workflow
from tests.browser.demo import Demo
from tests.browser.painting import SCRIPT, frames, observe, painted
from tests.integration.conftest import Project, step
from tests.performance.figures import Row

#: Two changes each.
STEPS = 250
NODES = 200
EVENTS_PER_SECOND = 100


@contextmanager
def _page(folder: Path, steps: int) -> Iterator[Page]:
    """The demo's page on a workflow of so many scripts."""
    project = Project(folder / "project")
    project.path.mkdir()
    project.script("quick.py", SCRIPT)
    write_workflow(project, "quick", *(step(f"s{n}", "./quick.py") for n in range(steps)))
    with sync_playwright() as playwright, Demo(project.path, folder / "data") as demo:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1366, "height": 860})
        observe(page)
        page.goto(demo.url)
        expect_status(page, "s0", "pending")
        yield page
        browser.close()


def change_to_pixel(folder: Path) -> Iterator[Row]:
    """From a change of a step to its pixels, over 500 changes."""
    with _page(folder, STEPS) as page:
        at_rest = frames(page, "quick", STEPS, per_second=0, seconds=2)
        taken = painted(page, STEPS, lambda: run_button(page).click())
    frame_ms = statistics.median(at_rest)
    yield _times("a step's change to its pixels", taken.since_told_ms, frame_ms)
    yield _times("a script's last line to its pixels", taken.since_done_ms, frame_ms)


def _times(name: str, times_ms: list[float], frame_ms: float) -> Row:
    ordered = sorted(times_ms)
    return Row(
        f"{name} ({len(ordered)} changes)",
        statistics.median(ordered),
        ordered[int(len(ordered) * 0.99)],
        baseline="one frame",
        baseline_p50=frame_ms,
        limit=50,
    )


def frames_per_second(folder: Path) -> Iterator[Row]:
    """Frames a second with 200 nodes and 100 events a second, and at rest."""
    with _page(folder, NODES) as page:
        at_rest = frames(page, "quick", NODES, per_second=0, seconds=2)
        busy = frames(page, "quick", NODES, per_second=EVENTS_PER_SECOND, seconds=4)
    yield Row(
        f"frames a second, {NODES} nodes, {EVENTS_PER_SECOND} events/s",
        1000 / statistics.mean(busy),
        1000 / sorted(busy)[int(len(busy) * 0.99)],
        unit="1/s",
        baseline="the same page at rest",
        baseline_p50=1000 / statistics.mean(at_rest),
        limit=50,
    )


BENCHMARKS = (change_to_pixel, frames_per_second)
