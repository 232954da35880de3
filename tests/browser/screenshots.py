"""`python -m tests.browser.screenshots [FOLDER]`: pictures of the page in each of its states.

They are for looking at: light and dark, each state of the canvas, the history, an error, narrow,
and two hundred steps. The two that stand in the README are kept in `renderer-demo/screenshots`.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.chromium import FLAGS, find_chromium
from tests.browser.conftest import expect_status, node, run_button, write_workflow
from tests.browser.demo import Demo
from tests.integration.conftest import Project, step
from tests.integration.driver import poll

SAMPLE = Path(__file__).parents[2] / "renderer-demo" / "sample-project"
LAPTOP: ViewportSize = {"width": 1360, "height": 850}
PHONE: ViewportSize = {"width": 360, "height": 780}

FAILS = """
import sys, time
print("connecting to the archive ...", file=sys.stderr, flush=True)
time.sleep(0.3)
def fetch(name):
    raise ConnectionError(f"no route to the archive while fetching {name}")
fetch("sightings-2026.csv")
"""
SLOW = """
import json, sys, time
for part in range(1, 60):
    print(f"read part {part} of 59", file=sys.stderr, flush=True)
    time.sleep(0.05)
print(json.dumps({"parts": 59}))
"""


def main() -> int:
    """Take all pictures; the exit status."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        project = _project(Path(scratch))
        with Demo(project.path, Path(scratch) / "data") as demo:
            for name, page in _pictures(browser, demo):
                page.screenshot(path=folder / f"{name}.png")
                print(folder / f"{name}.png")
        browser.close()
    return 0


def _project(scratch: Path) -> Project:
    project = Project(scratch / "field-notes")
    shutil.copytree(SAMPLE, project.path)
    project.script("scripts/fetch.py", FAILS)
    project.script("scripts/slow.py", SLOW)
    policy = {"max_attempts": 3, "initial_delay_ms": 900}
    write_workflow(
        project,
        "nightly-import",
        step("read", "scripts/slow.py", label="Read the feeds"),
        step(
            "fetch",
            "scripts/fetch.py",
            label="Fetch from the archive",
            retry_policy=policy,
            depends_on=["read"],
        ),
        {
            "id": "clean",
            "type": "output",
            "label": "Clean up",
            "message": "x",
            "depends_on": ["fetch"],
        },
        {
            "id": "tell",
            "type": "output",
            "label": "Tell everyone",
            "message": "x",
            "depends_on": ["clean"],
        },
        inputs=[{"id": "since", "type": "string", "label": "Since", "default": "2026-01-01"}],
        workflow={
            "id": "nightly-import",
            "name": "Nightly import",
            "description": "Brings the day’s sightings together with what the archive has.",
        },
    )
    chain = [
        {"id": f"s{n}", "type": "output", "label": f"Check station {n + 1}", "message": "x",
         "depends_on": [f"s{n - 1}"] if n else []}
        for n in range(200)
    ]  # fmt: skip
    write_workflow(project, "all-stations", *chain)
    (project.path / "draft.yaml").write_text(
        "workflow: {id: draft, name: Draft}\nsteps:\n"
        "  - {id: count, type: python, scirpt: ./count.py}\n"
        "  - {id: tell, type: output, message: '${steps.cuont.outputs.n}'}\n"
    )
    return project


@contextmanager
def _page(
    browser: Browser, demo: Demo, place: str, *, dark: bool = False, phone: bool = False
) -> Iterator[Page]:
    context = browser.new_context(
        viewport=PHONE if phone else LAPTOP,
        color_scheme="dark" if dark else "light",
        device_scale_factor=1,
    )
    page = context.new_page()
    page.goto(demo.url + place)
    expect(page.locator(".connection")).to_have_text("connected")
    poll(lambda: page.evaluate("document.fonts.status"), lambda status: status == "loaded")
    yield page
    context.close()


def _pictures(browser: Browser, demo: Demo) -> Iterator[tuple[str, Page]]:
    report, imports = "#/workflow/folder-report", "#/workflow/nightly-import"
    with _page(browser, demo, report) as page:
        expect_status(page, "inventory", "pending")
        yield "pending-light", page
        # Twice, so that there is something to estimate by.
        run_button(page).click()
        expect(page.locator(".run--success")).to_be_visible()
        run_button(page).click()
        expect(page.locator(".run--running")).to_be_visible()
        expect(page.locator(".node--waiting")).to_be_visible()
        node(page, "settle").click()
        yield "retrying-light", page
        expect(page.locator(".run--success")).to_be_visible()
        yield "success-light", page
        page.get_by_role("tab", name="History").click()
        yield "history-light", page
    with _page(browser, demo, imports, dark=True) as page:
        run_button(page).click()
        expect_status(page, "read", "running")
        node(page, "read").click()
        expect(page.get_by_role("log")).to_contain_text("part 20 of 59")
        yield "running-dark", page
        expect(page.locator(".run--failed")).to_be_visible()
        page.get_by_role("button", name="Jump to failure").click()
        yield "failed-dark", page
    with _page(browser, demo, imports) as page:
        page.get_by_role("tab", name="History").click()
        expect(page.locator(".entry")).to_have_count(1)
        page.locator(".entry__link").click()
        expect_status(page, "clean", "skipped")
        yield "past-run-light", page
        page.set_viewport_size(PHONE)
        page.get_by_role("tab", name="Inputs").click()
        yield "past-run-narrow", page
        run_button(page).click()
        expect_status(page, "read", "running")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".run--cancelled")).to_be_visible()
        page.set_viewport_size(LAPTOP)
        yield "cancelled-light", page
    with _page(browser, demo, "#/file/draft.yaml") as page:
        expect(page.locator(".problem").first).to_be_visible()
        yield "problems-light", page
    with _page(browser, demo, "#/workflow/all-stations", dark=True) as page:
        run_button(page).click()
        expect(page.locator(".run--success")).to_be_visible()
        yield "two-hundred-dark", page
        page.get_by_role("button", name="Show all steps").click()
        yield "two-hundred-far-dark", page
    with _page(browser, demo, report, phone=True, dark=True) as page:
        run_button(page).click()
        expect(page.locator(".node--waiting")).to_be_visible()
        page.locator(".run").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('.run').scrollIntoView()")
        yield "running-narrow-dark", page
        expect(page.locator(".run--success")).to_be_visible()


if __name__ == "__main__":
    raise SystemExit(main())
