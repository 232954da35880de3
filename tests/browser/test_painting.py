"""The feature plan's 50 ms, asserted because it asks for it; the figures are benchmarks."""

import statistics
from collections.abc import Callable

from playwright.sync_api import BrowserContext

from tests.browser.conftest import expect_status, run_button, write_workflow
from tests.browser.demo import Demo
from tests.browser.painting import SCRIPT, frames, observe, painted
from tests.integration.conftest import Project, step
from tests.rounds import assert_once_below

#: Enough that one hiccup of the machine is not the figure.
STEPS = 25


def test_a_change_of_status_is_painted_within_fifty_milliseconds(
    project: Project, start: Callable[..., Demo], context: BrowserContext
) -> None:
    # As long as an ordinary script: of many that end within a frame, none is shown alone.
    project.script("quick.py", f"import time\ntime.sleep(0.04)\n{SCRIPT}")
    write_workflow(project, "quick", *(step(f"s{n}", "./quick.py") for n in range(STEPS)))
    page = context.new_page()
    observe(page)
    page.goto(start().url)
    expect_status(page, "s0", "pending")

    def median_ms() -> float:
        taken = painted(page, STEPS, lambda: run_button(page).click())
        assert len(taken.since_told_ms) == 2 * STEPS
        assert len(taken.since_done_ms) == STEPS
        return statistics.median(taken.since_told_ms)

    assert_once_below(50, median_ms)


def test_the_page_shows_what_it_is_told_of_two_hundred_nodes(
    project: Project, start: Callable[..., Demo], context: BrowserContext
) -> None:
    project.script("quick.py", SCRIPT)
    write_workflow(project, "many", *(step(f"s{n}", "./quick.py") for n in range(200)))
    page = context.new_page()
    observe(page)
    page.goto(start().url)
    expect_status(page, "s0", "pending")
    intervals = frames(page, "many", 200, per_second=100, seconds=1)
    expect_status(page, "s49", "success")
    assert len(intervals) > 1
