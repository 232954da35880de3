"""What people do on the page: give inputs, look at past runs, mend what is broken."""

import json
import re
from collections.abc import Callable
from pathlib import Path
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
from tests.integration.conftest import ECHO, Project, step

Start = Callable[..., Demo]

INPUTS: list[dict[str, Any]] = [
    {
        "id": "who",
        "type": "string",
        "label": "Who",
        "required": True,
        "min": 2,
        "pattern": "^[A-Z]",
    },
    {"id": "often", "type": "number", "label": "How often", "default": 3, "min": 1, "max": 9},
    {"id": "loud", "type": "boolean", "label": "Loudly"},
    {"id": "style", "type": "select", "label": "Style", "options": ["plain", "fancy"]},
    {
        "id": "tone",
        "type": "string",
        "label": "Tone",
        "options": ["warm", "cool"],
        "default": "cool",
    },
    {"id": "folder", "type": "directory", "label": "Folder", "default": "."},
    {"id": "file", "type": "file", "label": "Which file"},
    {"id": "pass", "type": "string", "label": "Pass phrase", "secret": True},
]


@pytest.fixture
def echoing(project: Project) -> Project:
    """A project with a workflow that takes every type of input and hands it on."""
    project.script("echo.py", ECHO)
    inputs = {item["id"]: f"${{workflow.inputs.{item['id']}}}" for item in INPUTS}
    given = {key: value for key, value in inputs.items() if key not in ("style", "file", "pass")}
    write_workflow(project, "echo", step("echo", "./echo.py", inputs=given), inputs=INPUTS)
    return project


def outputs(page: Page) -> Any:
    """The outputs of the step that was chosen."""
    return json.loads(page.get_by_role("region", name="Outputs").last.inner_text())


def test_every_type_of_input_has_its_field_and_reaches_the_script(
    echoing: Project, start: Start, open_page: Open
) -> None:
    page = open_page(start())
    expect(page.get_by_label("Tone")).to_have_value("cool")
    expect(page.get_by_label("How often")).to_have_value("3")
    expect(page.get_by_label("Pass phrase")).to_have_attribute("type", "password")
    page.get_by_label("Who").fill("Ada")
    page.get_by_label("How often").fill("5")
    page.get_by_label("Loudly").check()
    page.get_by_label("Style").select_option("fancy")
    page.get_by_label("Tone").select_option("warm")
    run_button(page).click()
    expect_status(page, "echo", "success")
    node(page, "echo").click()
    expected = {"who": "Ada", "often": 5, "loud": True, "tone": "warm", "folder": "."}
    assert outputs(page) == expected


def test_what_is_wrong_with_an_input_stands_beside_its_field(
    echoing: Project, start: Start, open_page: Open
) -> None:
    page = open_page(start())
    run_button(page).click()
    who = page.get_by_label("Who")
    expect(who).to_be_focused()
    expect(who).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#input-who-error")).to_have_text("A value is needed.")
    who.fill("A")
    page.get_by_label("How often").fill("11")
    run_button(page).click()
    expect(page.locator("#input-who-error")).to_have_text("At least 2 characters.")
    expect(page.locator("#input-often-error")).to_have_text("At most 9.")
    who.fill("ada")
    page.get_by_label("How often").fill("many")
    run_button(page).click()
    expect(page.locator("#input-who-error")).to_contain_text("does not match the pattern")
    expect(page.locator("#input-often-error")).to_have_text("This is not a number.")
    who.fill("Ada")
    page.get_by_label("How often").fill("2")
    # What only the sidecar can tell.
    page.get_by_label("Which file").fill("../outside.txt")
    run_button(page).click()
    expect(page.locator("#input-file-error")).to_contain_text("outside")
    expect(page.get_by_label("Which file")).to_be_focused()


def test_a_secret_is_masked_shown_nowhere_and_asked_for_again(
    echoing: Project, start: Start, open_page: Open
) -> None:
    page = open_page(start())
    page.get_by_label("Who").fill("Ada")
    page.get_by_label("Pass phrase").fill("correct-horse-battery")
    run_button(page).click()
    expect_status(page, "echo", "success")
    page.get_by_role("tab", name="History").click()
    page.get_by_text("Inputs and outputs").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("[REDACTED]")
    assert "correct-horse" not in page.content()
    page.reload()
    expect_status(page, "echo", "success")
    page.get_by_role("button", name="Run again").click()
    phrase = page.get_by_label("Pass phrase")
    expect(phrase).to_be_focused()
    expect(phrase).to_have_value("")
    expect(page.locator("#input-pass-error")).to_contain_text("give it again")
    expect(page.get_by_label("Who")).to_have_value("Ada")


def test_the_history_is_live_holds_five_and_opens_a_run_as_it_ended(
    project: Project, start: Start, open_page: Open, tmp_path: Path
) -> None:
    project.script(
        "echo.py",
        "import json, sys\nn = json.load(sys.stdin)['n']\n"
        "assert n != 2, 'two'\nprint(json.dumps({'n': n}))\n",
    )
    inputs = [{"id": "n", "type": "number", "default": 1}]
    echo = step("echo", "./echo.py", inputs={"n": "${workflow.inputs.n}"}, label="Echo")
    done = {"id": "done", "type": "output", "message": "n is ${steps.echo.outputs.n}"}
    write_workflow(project, "numbers", echo, done, inputs=inputs)
    page = open_page(start())
    field = page.get_by_label("n", exact=True)
    for number in range(1, 7):
        before = page.evaluate("location.hash")
        page.get_by_role("tab", name="Inputs").click()
        field.fill(str(number))
        run_button(page).click()
        wait_for(page, "before => location.hash !== before", before)
        expect(page.locator(".run--failed, .run--success")).to_have_count(1)
        expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("tab", name="History").click()
    entries = page.locator(".entry")
    expect(entries).to_have_count(5)
    expect(entries.locator(".entry__link .status")).to_have_text(["success"] * 4 + ["failed"])
    expect(entries.nth(4)).to_contain_text("two")
    failed = entries.nth(4).locator(".entry__link")
    failed.click()
    expect_status(page, "echo", "error")
    expect_status(page, "done", "skipped")
    expect(page.locator(".run__error")).to_have_text("two")
    assert page.evaluate("location.hash") == failed.get_attribute("href")
    # A deep link, to a past run, in a page that has never seen it.
    page.reload()
    expect_status(page, "done", "skipped")
    page.get_by_role("tab", name="History").click()
    first = entries.nth(0)
    first.get_by_text("Inputs and outputs").click()
    first.get_by_role("button", name="Copy as JSON").click()
    expect(first.get_by_role("button", name="Copied")).to_be_visible()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied["inputs"] == {"n": 6}
    assert copied["steps"]["echo"]["attempts"][0]["outputs"] == {"n": 6}
    with page.expect_download() as download:
        first.get_by_role("button", name="Download JSON").click()
    assert json.loads(Path(download.value.path()).read_text()) == copied
    assert download.value.suggested_filename == f"run-{copied['id']}.json"
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Keep").click()
    expect(entries).to_have_count(5)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Forget all 5").click()
    expect(entries).to_have_count(0)
    page.reload()
    expect(page.locator(".note")).to_contain_text("not known here any more")


def test_a_past_run_keeps_its_steps_when_the_file_has_changed(
    project: Project, start: Start, open_page: Open
) -> None:
    write_workflow(project, "changing", {"id": "old", "type": "output", "message": "x"})
    page = open_page(start())
    run_button(page).click()
    expect_status(page, "old", "success")
    write_workflow(project, "changing", {"id": "new", "type": "output", "message": "y"})
    page.reload()
    expect_status(page, "old", "success")
    expect(page.locator(".note")).to_contain_text("has changed since this run")
    page.get_by_role("link", name="Changing").click()
    expect_status(page, "new", "pending")


def test_a_broken_file_shows_its_errors_at_their_lines_until_it_is_mended(
    project: Project, start: Start, open_page: Open
) -> None:
    (project.path / "wrong.yaml").write_text(
        "workflow: {id: wrong, name: W}\nsteps:\n"
        "  - {id: a, type: output, mesage: hi}\n"
        "  - {id: b, type: output, message: '${steps.c.outputs.x}'}\n"
    )
    page = open_page(start())
    page.get_by_role("link", name="wrong.yaml").click()
    problems = page.locator(".problem")
    expect(problems.first.locator(".problem__place")).to_contain_text("line 3")
    expect(problems.first).to_contain_text('unknown key "mesage"')
    expect(problems.first.locator(".problem__suggestion")).to_have_text("Write: message")
    expect(page.locator(".problem", has_text="line 4")).to_contain_text('no step "c"')
    expect(run_button(page)).to_be_disabled()
    write_workflow(project, "wrong", {"id": "a", "type": "output", "message": "hi"})
    page.get_by_role("button", name="Look for workflow files again").click()
    expect_status(page, "a", "pending")
    run_button(page).click()
    expect_status(page, "a", "success")


def test_two_files_with_one_id_are_both_to_be_had(
    project: Project, start: Start, open_page: Open
) -> None:
    for name, step_id in (("a", "one"), ("b", "two")):
        output = {"id": step_id, "type": "output", "message": "x"}
        write_workflow(project, name, output, workflow={"id": "same", "name": f"File {name}"})
    page = open_page(start())
    page.get_by_role("link", name="File b").click()
    expect_status(page, "two", "pending")
    page.get_by_role("link", name="File a").click()
    expect_status(page, "one", "pending")


def test_a_project_without_workflows_says_what_one_is(
    project: Project, start: Start, open_page: Open
) -> None:
    page = open_page(start())
    expect(page.get_by_role("navigation")).to_contain_text("No workflow file was found")


#: What the history shows of a run goes through here.
THROWS_IN_HISTORY = """() => {
  Date.kept = Date.prototype.toISOString;
  Date.prototype.toISOString = function () {
    if (!new Error().stack.includes("ExecutionHistoryPanel")) return Date.kept.call(this);
    throw new RangeError("<b>no time</b>");
  };
}"""


def test_a_part_that_throws_shows_it_and_the_rest_goes_on(
    project: Project, start: Start, open_page: Open
) -> None:
    write_workflow(project, "fine", {"id": "a", "type": "output", "message": "hi"})
    page = open_page(start())
    run_button(page).click()
    expect_status(page, "a", "success")
    page.evaluate(THROWS_IN_HISTORY)
    page.get_by_role("tab", name="History").click()
    broken = page.get_by_role("alert", name="The history does not work")
    expect(broken).to_contain_text("RangeError: <b>no time</b>")
    broken.get_by_role("button", name="Copy the details").click()
    expect(broken.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("The history\nRangeError: <b>no time</b>\n")
    assert "ExecutionHistoryPanel" in copied
    expect_status(page, "a", "success")
    broken.get_by_role("button", name="Try again").click()
    expect(broken).to_be_visible()
    page.evaluate("() => { Date.prototype.toISOString = Date.kept; }")
    broken.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Past runs")).to_be_visible()
    page.get_by_role("tab", name="Step").click()
    node(page, "a").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("hi")


HOSTILE = "<img src=x onerror=\"fetch('//evil.example')\"><script>alert(1)</script>"
RAINS = """
import json, sys
print("\\x1b[2J\\x1b[31mred\\x07 <script>alert(1)</script>", file=sys.stderr, flush=True)
print(json.dumps({
    "__proto__": {"polluted": True},
    "html": "<img src=x onerror=alert(1)>",
    "link": "javascript:alert(1)",
    "turned": "\\u202egnp.exe",
    "large": "x" * 1_000_000,
}))
"""


def test_hostile_names_and_outputs_are_text_and_nothing_else(
    project: Project, start: Start, open_page: Open
) -> None:
    project.script("rains.py", RAINS)
    write_workflow(
        project,
        "hostile",
        step("__proto__", "./rains.py", label=HOSTILE, description=HOSTILE),
        {
            "id": "constructor",
            "type": "output",
            "label": "javascript:alert(1)",
            "message": HOSTILE + "${steps.__proto__.outputs.turned}",
        },
        workflow={"id": "<b>hostile</b>/../#?", "name": HOSTILE, "description": HOSTILE},
        inputs=[{"id": "toString", "type": "string", "label": HOSTILE, "default": HOSTILE}],
    )
    page = open_page(start())
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    run_button(page).click()
    expect_status(page, "constructor", "success")
    expect(node(page, "__proto__").locator(".node__label")).to_have_text(HOSTILE)
    expect(page.locator(".run__message")).to_contain_text("<U+202E>gnp.exe")
    node(page, "__proto__").click()
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_label("stderr", exact=True).last).to_contain_text("␛[2J␛[31mred␇ <script>")
    expect(panel).to_contain_text("beginning of")
    page.get_by_role("tab", name="History").click()
    page.get_by_text("Inputs and outputs").click()
    page.reload()
    expect_status(page, "constructor", "success")
    found = page.evaluate(
        "[document.querySelectorAll('img, #app script, iframe').length,"
        " document.querySelectorAll('a[href^=\"javascript\" i]').length,"
        " ({}).polluted ?? null]"
    )
    assert found == [0, 0, None]


def test_leaving_and_coming_back_by_the_browsers_buttons_works(
    project: Project, start: Start, open_page: Open
) -> None:
    for name in ("one", "two"):
        write_workflow(project, name, {"id": name, "type": "output", "message": name})
    page = open_page(start(), "#/workflow/one")
    expect_status(page, "one", "pending")
    page.get_by_role("link", name="Two").click()
    expect_status(page, "two", "pending")
    run_button(page).click()
    expect(page.locator(".run__message")).to_have_text("two")
    page.go_back()
    page.go_back()
    expect_status(page, "one", "pending")
    page.go_forward()
    page.go_forward()
    expect(page.locator(".run__message")).to_have_text("two")
    assert re.search(r"#/workflow/two/run/[0-9a-f-]{36}$", page.url)
