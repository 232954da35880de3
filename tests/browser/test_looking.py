"""The page for everyone: both colour schemes, by keyboard, by screen reader, narrow and still."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    Open,
    expect_status,
    node,
    run_button,
    wait_for,
    write_workflow,
)
from tests.browser.demo import Demo
from tests.integration.conftest import Project, step
from tests.node.packages import NodePackages, node_packages

__all__ = ["node_packages"]

Start = Callable[..., Demo]

FAILS = "import sys\nprint('trying', file=sys.stderr)\nraise ValueError('it is broken')\n"
HANG = "import sys, time\nprint('here', file=sys.stderr, flush=True)\nwhile True: time.sleep(1)\n"
INPUTS = [
    {
        "id": "who",
        "type": "string",
        "label": "Who",
        "required": True,
        "min": 2,
        "pattern": "^[A-Z]",
    },
    {"id": "often", "type": "number", "default": 3, "min": 1, "max": 9},
    {"id": "loud", "type": "boolean", "label": "Loudly"},
    {"id": "style", "type": "select", "options": ["plain", "fancy"], "default": "plain"},
    {"id": "key", "type": "string", "label": "Key", "secret": True},
]


@pytest.fixture
def full(project: Project) -> Project:
    """A project with a workflow that fails, one that hangs, and a broken file."""
    project.script("fails.py", FAILS)
    project.script("hang.py", HANG)
    policy = {"max_attempts": 2, "initial_delay_ms": 50}
    write_workflow(
        project,
        "failing",
        {"id": "say", "type": "output", "label": "Say hello", "message": "hi"},
        step("broken", "./fails.py", label="Break", retry_policy=policy, depends_on=["say"]),
        {"id": "after", "type": "output", "message": "never", "depends_on": ["broken"]},
        inputs=INPUTS,
    )
    write_workflow(project, "hanging", step("hang", "./hang.py"))
    (project.path / "wrong.yaml").write_text(
        "workflow: {id: wrong}\nsteps:\n  - {id: a, type: python, scirpt: ./a.py}\n"
    )
    return project


def serious(page: Page, packages: NodePackages) -> list[str]:
    """What axe finds that is serious or worse, WCAG 2.2 AA and its own best practices."""
    source = packages.folder / "node_modules" / "axe-core" / "axe.min.js"
    page.evaluate(source.read_text("utf-8"))
    found: list[Any] = page.evaluate("axe.run(document).then((result) => result.violations)")
    return [
        f"{violation['id']}: {place['target']} {place['failureSummary']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for place in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_state(
    full: Project, start: Start, open_page: Open, node_packages: NodePackages, scheme: Any
) -> None:
    page = open_page(start(), "#/workflow/failing")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) < 300) == (scheme == "dark")
    expect_status(page, "broken", "pending")
    assert serious(page, node_packages) == []
    run_button(page).click()
    expect(page.locator(".field__error")).to_have_text("A value is needed.")
    assert serious(page, node_packages) == []
    page.get_by_label("Who").fill("Ada")
    run_button(page).click()
    expect(page.locator(".run--failed")).to_be_visible()
    assert serious(page, node_packages) == []
    page.get_by_role("button", name="Jump to failure").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("Stack trace")
    assert serious(page, node_packages) == []
    page.get_by_role("tab", name="History").click()
    page.get_by_text("Inputs and outputs").click()
    assert serious(page, node_packages) == []
    page.get_by_role("link", name="wrong.yaml").click()
    expect(page.get_by_role("heading", name="in wrong.yaml")).to_be_visible()
    assert serious(page, node_packages) == []
    page.get_by_role("link", name="Hanging").click()
    run_button(page).click()
    expect_status(page, "hang", "running")
    node(page, "hang").click()
    expect(page.get_by_role("log", name="stderr")).to_have_text("here")
    assert serious(page, node_packages) == []
    page.set_viewport_size({"width": 360, "height": 780})
    assert serious(page, node_packages) == []


def test_everything_can_be_done_by_keyboard(full: Project, start: Start, open_page: Open) -> None:
    page = open_page(start(), "#/workflow/failing")
    expect_status(page, "broken", "pending")

    def tab_to(holds: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(f"(() => {{ const e = document.activeElement; return {holds}; }})()"):
                return
        raise AssertionError(f"Tab never comes to {holds}")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the workflow")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    tab_to("e.textContent.trim() === 'Run'")
    page.keyboard.press("Enter")
    # Refused: the focus is where something must be done about it.
    expect(page.get_by_label("Who")).to_be_focused()
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    expect(page.locator(".run--failed")).to_be_visible()
    page.locator(".skip").focus()
    tab_to("e.getAttribute('role') === 'option'")
    page.keyboard.press("Home")
    expect(node(page, "say")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(node(page, "broken")).to_be_focused()
    # A focus that can be seen.
    assert node(page, "broken").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(node(page, "broken")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel")).to_contain_text("it is broken")
    before = page.locator(".canvas__world").get_attribute("style")
    page.keyboard.press("+")
    expect(page.locator(".canvas__world")).not_to_have_attribute("style", before or "")
    page.keyboard.press("End")
    expect(node(page, "after")).to_be_focused()
    tab_to("e.getAttribute('role') === 'tab'")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="History")).to_be_focused()
    expect(page.get_by_role("heading", name="Past runs")).to_be_visible()
    tab_to("e.classList.contains('entry__link')")
    page.keyboard.press("Enter")
    assert "/run/" in page.evaluate("location.hash")


def test_a_screen_reader_is_told_each_step_and_how_the_run_goes(
    full: Project, start: Start, open_page: Open
) -> None:
    page = open_page(start(), "#/workflow/failing")
    steps = page.get_by_role("listbox", name="Steps").get_by_role("option")
    expect(steps).to_have_count(3)
    expect(page.get_by_role("option", name="Say hello pending")).to_be_visible()
    page.get_by_label("Who").fill("Ada")
    run_button(page).click()
    told = page.locator('[role="status"]').last
    expect(told).to_have_text("Run: failed, step Break: error")
    expect(page.get_by_role("option", name=re.compile("^Break error"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("skipped after"))).to_be_visible()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()


def test_no_width_cuts_anything_off(full: Project, start: Start, open_page: Open) -> None:
    page = open_page(start(), "#/workflow/failing")
    page.get_by_label("Who").fill("Ada")
    run_button(page).click()
    expect(page.locator(".run--failed")).to_be_visible()
    page.get_by_role("button", name="Jump to failure").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("Stack trace")
    for width in (360, 480, 760, 1024, 1160, 2560):
        page.set_viewport_size({"width": width, "height": 800})
        _expect_nothing_cut_off(page)


def _expect_nothing_cut_off(page: Page) -> None:
    overflow = page.evaluate(
        "[...document.querySelectorAll('.top, .heading, .run, .panel, .workflows, .canvas, html')]"
        ".filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className || e.tagName)"
    )
    assert overflow == []
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, .control')]"
        ".map((e) => [e.textContent.trim(), e.getBoundingClientRect()])"
        ".filter(([, r]) => r.width > 0 && (r.width < 24 || r.height < 24)).map(([t]) => t)"
    )
    assert small == [], "a target is at least 24 pixels wide and high (WCAG 2.2, 2.5.8)"


def test_nothing_moves_for_who_wants_it_still(full: Project, start: Start, open_page: Open) -> None:
    page = open_page(start(), "#/workflow/hanging")
    run_button(page).click()
    expect_status(page, "hang", "running")
    animations = "document.getAnimations().filter((a) => a.playState === 'running').length"
    wait_for(page, f"{animations} > 0")
    page.emulate_media(reduced_motion="reduce")
    wait_for(page, f"{animations} === 0")
    expect(node(page, "hang")).to_contain_text(re.compile(r"running\s*\d+\.\d s"))


def test_the_canvas_is_panned_zoomed_and_fitted_by_pointer(
    full: Project, start: Start, open_page: Open
) -> None:
    page = open_page(start(), "#/workflow/failing")
    expect_status(page, "say", "pending")
    world = page.locator(".canvas__world")
    canvas = page.locator(".canvas").bounding_box()
    assert canvas

    def camera() -> str:
        return str(world.evaluate("e => e.style.transform"))

    fitted = camera()
    x, y = canvas["x"] + 30, canvas["y"] + canvas["height"] - 30
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y - 60, steps=5)
    page.mouse.up()
    panned = camera()
    assert panned != fitted
    page.mouse.wheel(0, 120)
    wait_for(page, "c => document.querySelector('.canvas__world').style.transform !== c", panned)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -240)
    page.keyboard.up("Control")
    scale = (
        "parseFloat(document.querySelector('.canvas__world').style.transform.split('scale(')[1])"
    )
    before = float(fitted.split("scale(")[1].rstrip(")"))
    wait_for(page, f"before => {scale} > before", before)
    page.get_by_role("button", name="Show all steps").click()
    wait_for(page, "c => document.querySelector('.canvas__world').style.transform === c", fitted)
    # A drag is no choice of the step that it began on.
    box = node(page, "say").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 50, steps=5)
    page.mouse.up()
    expect(node(page, "say")).to_have_attribute("aria-selected", "false")


#: Facts of nodes, in words, of which some is cut off.
CUT_FACTS = """
[...document.querySelectorAll(".node__line")].flatMap((line) => {
  const node = line.closest(".node").getBoundingClientRect();
  const room = line.getBoundingClientRect();
  return [...line.children].filter((fact) => {
    const { right, bottom } = fact.getBoundingClientRect();
    return right > room.right + 1 || bottom > Math.min(room.bottom, node.bottom) + 1;
  }).map((fact) => fact.textContent);
})"""


@pytest.mark.parametrize(
    ("script", "policy", "facts"),
    [
        ("fails.py", {"initial_delay_ms": 3_600_000, "max_delay_ms": 3_600_000}, "1 of 12, next"),
        ("hang.py", {}, "1 of 12"),
        ("fails.py", {"max_attempts": 2, "initial_delay_ms": 0}, "2 of 2"),
    ],
    ids=["waiting", "running", "failed"],
)
def test_attempts_can_be_read_whole_however_small_a_node_is(
    full: Project, start: Start, open_page: Open, script: str, policy: Any, facts: str
) -> None:
    again = {"max_attempts": 12, **policy}
    label = "Fetch what is new from the archive"
    write_workflow(full, "again", step("a", f"./{script}", label=label, retry_policy=again))
    page = open_page(start(), "#/workflow/again")
    run_button(page).click()
    expect(node(page, "a")).to_contain_text(facts)
    view, world, sizes = page.locator(".canvas__view"), page.locator(".canvas__world"), set()
    for _ in range(12):
        size = view.get_attribute("class") or ""
        if "--far" in size:
            break
        sizes.add(size)
        assert page.evaluate(CUT_FACTS) == []
        before = world.evaluate("e => e.style.transform")
        page.get_by_role("button", name="Zoom out").click()
        moved = "c => document.querySelector('.canvas__world').style.transform !== c"
        wait_for(page, moved, before)
    assert len(sizes) == 3
