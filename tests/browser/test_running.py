"""Runs as they are watched: live, failing, cancelled, joined late, from two pages, by nobody."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from tests.browser.conftest import (
    Open,
    Watch,
    expect_status,
    node,
    run_button,
    wait_for,
    write_workflow,
)
from tests.browser.demo import Demo
from tests.integration.conftest import Project, step

Start = Callable[..., Demo]
SAMPLE = Path(__file__).parents[2] / "renderer-demo" / "sample-project"

#: Records each status that a node shows, by step id.
RECORD = """
globalThis.seen = [];
new MutationObserver(() => {
  for (const place of document.querySelectorAll("[data-step-id]")) {
    const text = `${place.dataset.stepId} ${place.querySelector(".node__status")?.textContent}`;
    if (!seen.includes(text)) seen.push(text);
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
#: Waits for a file with that name, and says so.
WAITS = """
import json, pathlib, sys, time
name = json.load(sys.stdin)["file"]
print("waiting for", name, file=sys.stderr, flush=True)
while not pathlib.Path(name).exists():
    time.sleep(0.01)
print("found", name, file=sys.stderr, flush=True)
print(json.dumps({"found": name}))
"""
FAILS = """
import sys
print("about to fail", file=sys.stderr, flush=True)
def deep():
    raise ConnectionError("no route to host")
deep()
"""


@pytest.fixture
def waiting(project: Project) -> Project:
    """A project with a workflow whose two steps wait for the files `one` and `two`."""
    project.script("waits.py", WAITS)
    write_workflow(
        project,
        "waiting",
        step("first", "./waits.py", label="Wait once", inputs={"file": "one"}),
        step("second", "./waits.py", inputs={"file": "two"}, depends_on=["first"]),
        {"id": "done", "type": "output", "message": "both: ${steps.second.outputs.found}"},
    )
    return project


def outlast_a_frame(script: Path) -> None:
    """Have a script of the sample run so long that the page draws it running: what begins and ends
    between two frames nobody could see."""
    text = script.read_text()
    begin = 'if __name__ == "__main__":\n'
    assert begin in text
    assert "import time\n" in text
    script.write_text(text.replace(begin, f"{begin}    time.sleep(0.2)\n"))


def test_the_sample_runs_to_its_end_and_every_change_is_seen_live(
    project: Project, start: Start, open_page: Open
) -> None:
    shutil.copytree(SAMPLE, project.path, dirs_exist_ok=True)
    for name in ("settle", "report"):
        outlast_a_frame(project.path / "scripts" / f"{name}.py")
    page = open_page(start())
    expect_status(page, "inventory", "pending")
    page.evaluate(RECORD)
    run_button(page).click()
    expect(node(page, "settle")).to_contain_text(re.compile(r"1 of 4, next in \d\.\d s"))
    for step_id in ("inventory", "settle", "languages", "duplicates", "marks", "report", "done"):
        expect_status(page, step_id, "success")
    expect(page.locator(".run__message")).to_contain_text("The report is in workflow-report")
    seen: list[str] = page.evaluate("seen")
    for word in ("running", "error", "success"):
        assert f"settle {word}" in seen
    assert seen.index("settle error") < seen.index("settle success")
    assert "report running" in seen


def test_a_run_that_fails_after_its_retries_shows_where_and_why(
    project: Project, start: Start, open_page: Open
) -> None:
    project.script("fails.py", FAILS)
    policy = {"max_attempts": 3, "initial_delay_ms": 400, "backoff_multiplier": 2}
    write_workflow(
        project,
        "failing",
        {"id": "before", "type": "output", "message": "hi"},
        step("broken", "./fails.py", label="Call home", retry_policy=policy, depends_on=["before"]),
        {"id": "after", "type": "output", "message": "no", "depends_on": ["broken"]},
    )
    page = open_page(start())
    run_button(page).click()
    expect(node(page, "broken")).to_contain_text(re.compile(r"error\s*1 of 3, next in \d\.\d s"))
    expect(node(page, "broken")).to_contain_text(re.compile(r"error\s*2 of 3, next in \d\.\d s"))
    expect(page.locator(".run > .run__facts > .status")).to_have_text("failed")
    expect_status(page, "before", "success")
    expect_status(page, "broken", "error")
    expect_status(page, "after", "skipped")
    expect(page.locator(".run__error")).to_have_text("no route to host")
    page.get_by_role("button", name="Jump to failure").click()
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_role("heading", name="Call home")).to_be_visible()
    expect(panel.locator("details")).to_have_count(3)
    newest = panel.locator("details").first
    expect(newest).to_contain_text("Attempt 3")
    expect(newest.locator(".attempt__type")).to_have_text("ConnectionError")
    expect(newest.get_by_label("Stack trace", exact=True).last).to_contain_text("in deep")
    expect(newest.get_by_label("stderr", exact=True)).to_contain_text("about to fail")


def test_a_step_that_is_chosen_before_the_list_has_come_stays_chosen(
    waiting: Project, start: Start, open_page: Open, context: BrowserContext
) -> None:
    demo = start()
    first = open_page(demo)
    run_button(first).click()
    expect_status(first, "first", "running")
    asked: set[int] = set()
    held: list[Callable[[], None]] = []

    def hold_the_list(page: WebSocketRoute) -> None:
        sidecar = page.connect_to_server()

        def ask(message: str | bytes) -> None:
            request = json.loads(message)
            if request["method"] == "workflow:list":
                asked.add(request["id"])
            sidecar.send(message)

        def answer(message: str | bytes) -> None:
            if json.loads(message).get("id") in asked:
                held.append(lambda: page.send(message))
            else:
                page.send(message)

        page.on_message(ask)
        sidecar.on_message(answer)

    context.route_web_socket(re.compile("^ws:"), hold_the_list)
    page = open_page(demo, first.evaluate("location.hash"))
    node(page, "first").click()
    log = page.get_by_role("log", name="stderr")
    expect(log).to_have_text("waiting for one")
    expect(page.get_by_role("link", name="Waiting")).to_have_count(0)
    held.pop()()
    expect(page.get_by_role("link", name="Waiting")).to_be_visible()
    expect(log).to_have_text("waiting for one")


def test_what_a_script_writes_comes_live_and_who_joins_late_sees_the_same(
    waiting: Project, start: Start, open_page: Open
) -> None:
    demo = start()
    first = open_page(demo)
    run_button(first).click()
    node(first, "first").click()
    log = first.get_by_role("log", name="stderr")
    expect(log).to_have_text("waiting for one")
    expect(node(first, "first")).to_contain_text(re.compile(r"running\s*\d+\.\d s"))
    second = open_page(demo, first.evaluate("location.hash"))
    node(second, "first").click()
    expect(second.get_by_role("log", name="stderr")).to_have_text("waiting for one")
    first.reload()
    expect_status(first, "first", "running")
    node(first, "first").click()
    expect(log).to_have_text("waiting for one")
    (waiting.path / "one").touch()
    for page in (first, second):
        expect_status(page, "first", "success")
        expect_status(page, "second", "running")
        expect(page.get_by_role("tabpanel")).to_contain_text("found one")
    (waiting.path / "two").touch()
    for page in (first, second):
        expect(page.locator(".run__message")).to_have_text("both: two")
    assert _canvas(first) == _canvas(second)
    first.reload()
    expect(first.locator(".run__message")).to_have_text("both: two")
    assert _canvas(first) == _canvas(second)


def _canvas(page: Page) -> Any:
    """All that the canvas and the run's line say."""
    return page.locator(".node, .run__facts .status, .run__message").all_inner_texts()


def test_cancelling_ends_the_run_and_run_again_takes_the_same_inputs(
    waiting: Project, start: Start, open_page: Open
) -> None:
    write_workflow(
        waiting,
        "waiting",
        step("first", "./waits.py", inputs={"file": "${workflow.inputs.file}"}),
        {"id": "done", "type": "output", "message": "${steps.first.outputs.found}"},
        inputs=[{"id": "file", "type": "string", "default": "one"}],
    )
    page = open_page(start())
    page.get_by_role("textbox", name="file").fill("other")
    run_button(page).click()
    expect_status(page, "first", "running")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".run > .run__facts > .status")).to_have_text("cancelled")
    expect_status(page, "done", "skipped")
    before = page.evaluate("location.hash")
    page.get_by_role("button", name="Back to the defaults").click()
    page.get_by_role("button", name="Run again").click()
    wait_for(page, "before => location.hash !== before", before)
    expect_status(page, "first", "running")
    (waiting.path / "other").touch()
    expect(page.locator(".run__message")).to_have_text("other")


def test_a_run_that_somebody_else_starts_comes_onto_the_canvas_by_itself(
    waiting: Project, start: Start, open_page: Open
) -> None:
    demo = start()
    watching, acting = open_page(demo), open_page(demo)
    run_button(acting).click()
    expect_status(watching, "first", "running")
    (waiting.path / "one").touch()
    (waiting.path / "two").touch()
    expect(watching.locator(".run__message")).to_have_text("both: two")


def test_a_sidecar_that_dies_is_shown_at_once_and_everything_heals_when_it_is_back(
    waiting: Project, start: Start, open_page: Open, watch: Watch
) -> None:
    demo = start()
    page = open_page(demo)
    run_button(page).click()
    expect_status(page, "first", "running")
    watch.without_demo = True
    demo.kill()
    band = page.get_by_role("alert")
    expect(band).to_contain_text("does not answer")
    expect(band).to_contain_text(re.compile(r"Trying again"))
    expect(run_button(page)).to_be_disabled()
    start(port=demo.port)
    expect(page.locator(".connection")).to_have_text("connected")
    watch.without_demo = False
    expect(band).to_have_count(0)
    expect(page.locator(".run > .run__facts > .status")).to_have_text("failed")
    expect(page.locator(".run__error")).to_contain_text("Interrupted")
    (waiting.path / "one").touch()
    (waiting.path / "two").touch()
    page.get_by_role("button", name="Run again").click()
    expect(page.locator(".run__message")).to_have_text("both: two")


def test_an_address_of_another_start_is_told_and_not_tried_for_ever(
    project: Project, start: Start, open_page: Open, watch: Watch
) -> None:
    demo = start()
    page = open_page(demo)
    watch.without_demo = True
    watch.on_console = lambda kind, text: None  # type: ignore[method-assign]
    page.goto(demo.url.replace("token=", "token=x"))
    expect(page.get_by_role("alert")).to_contain_text("no longer accepts this address")
    expect(page.locator(".connection")).to_have_text("not let in")


def test_how_long_a_run_will_take_is_told_from_earlier_ones(
    waiting: Project, start: Start, open_page: Open
) -> None:
    page = open_page(start())
    run_button(page).click()
    expect(page.locator(".run__estimate")).to_have_text("no earlier run to estimate by")
    # An earlier run of a second and more, so that there is something to tell.
    page.wait_for_timeout(1200)
    (waiting.path / "one").touch()
    (waiting.path / "two").touch()
    expect(page.locator(".run__message")).to_be_visible()
    (waiting.path / "one").unlink()
    run_button(page).click()
    expect(page.locator(".run__estimate")).to_have_text(re.compile(r"(about|less than) .* left"))
    expect(page.get_by_role("progressbar")).not_to_have_attribute("aria-valuenow", "0")
    (waiting.path / "one").touch()
    expect(page.locator(".run__message")).to_be_visible()


def test_two_hundred_steps_are_all_there_and_end_well(
    project: Project, start: Start, open_page: Open
) -> None:
    steps = [
        {
            "id": f"s{number}",
            "type": "output",
            "label": f"Step number {number}",
            "message": "x",
            "depends_on": [f"s{number - 1}"] if number else [],
        }
        for number in range(200)
    ]
    write_workflow(project, "long", *steps)
    page = open_page(start())
    expect(page.locator("[data-step-id]")).to_have_count(200)
    run_button(page).click()
    expect(page.locator(".node--success")).to_have_count(200)
    # Legible: at the size at which it opens, a name is no smaller than ten pixels.
    label = node(page, "s0").locator(".node__label")
    height = label.evaluate(
        "e => parseFloat(getComputedStyle(e).fontSize)"
        " * e.getBoundingClientRect().width / e.offsetWidth"
    )
    assert height >= 10
    expect(page.get_by_role("table")).to_have_attribute("aria-rowcount", "201")
    page.locator(".timeline__scroll").evaluate("e => e.scrollTo(0, e.scrollHeight)")
    expect(page.get_by_role("row", name=re.compile("success Step number 199"))).to_be_visible()
    page.get_by_role("button", name="Show all steps").click()
    box = page.locator(".canvas").bounding_box()
    last = node(page, "s199").bounding_box()
    assert box and last
    assert last["x"] + last["width"] <= box["x"] + box["width"]
    assert last["y"] + last["height"] <= box["y"] + box["height"]
