"""A real Chromium, a real demo, and a page that must not complain.

Whatever a test does, at its end there must have been no error on the page's console, no exception,
no violation of its content security policy, and no request to anywhere but the demo.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.chromium import FLAGS, chromium_or_skip
from tests.browser.demo import Demo
from tests.integration.conftest import Project
from tests.integration.driver import poll

#: What a page may wait for; more than anything here takes on a busy machine.
PATIENCE_MS = 20_000
VIOLATIONS = """
globalThis.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here; each has a context of its own.

    Not for the session: as long as Playwright runs, this thread counts as inside an event loop, and
    no asynchronous test of another package could have one.
    """
    path = chromium_or_skip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    path = tmp_path / "project"
    path.mkdir()
    return Project(path)


@pytest.fixture
def start(project: Project, tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Start a demo on the project; it ends with the test, and leaves nothing running."""
    data = tmp_path / "data"
    with ExitStack() as demos:
        yield lambda **options: demos.enter_context(Demo(project.path, data, **options))


class Watch:
    """What pages did that they must not."""

    def __init__(self) -> None:
        self.origin = ""
        self.pages: list[Page] = []
        self.faults: list[str] = []
        #: Set while the demo is gone: a browser complains about that by itself.
        self.without_demo = False

    def on_console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not (self.without_demo and "ERR_CONNECTION" in text):
            self.faults.append(f"console {kind}: {text}")

    def on_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self.origin:
            self.faults.append(f"request to {url}")

    def add(self, page: Page) -> Page:
        """Watch a page from now on."""
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(VIOLATIONS)
        page.on("console", lambda message: self.on_console(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        page.on("request", lambda request: self.on_request(request.url))
        page.on("websocket", lambda socket: self.on_request(socket.url))
        self.pages.append(page)
        return page

    def check(self) -> None:
        """Fail if there was anything."""
        for page in self.pages:
            if not page.is_closed():
                violations: list[str] = page.evaluate("globalThis.violations ?? []")
                self.faults += [f"content security policy: {text}" for text in violations]
        assert self.faults == []


@pytest.fixture
def watch() -> Watch:
    """What this test's pages do."""
    return Watch()


@pytest.fixture
def context(browser: Browser, watch: Watch) -> Iterator[BrowserContext]:
    """A browser without a past, of the size of a laptop's."""
    context = browser.new_context(viewport={"width": 1366, "height": 860})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    try:
        watch.check()
    finally:
        context.close()


Open = Callable[..., Page]


@pytest.fixture
def open_page(context: BrowserContext, watch: Watch) -> Open:
    """Open the page of a demo, at a place if one is given, and wait until it is connected."""

    def open_page(demo: Demo, hash: str = "") -> Page:  # noqa: A002 - the URL's part of that name
        watch.origin = urlsplit(demo.url).netloc
        page = watch.add(context.new_page())
        page.goto(demo.url + hash)
        expect(page.locator(".connection")).to_have_text("connected")
        return page

    return open_page


def write_workflow(project: Project, name: str, *steps: dict[str, Any], **more: Any) -> str:
    """Write a workflow of that name; its path."""
    head = {"workflow": {"id": name, "name": name.replace("-", " ").capitalize()}}
    (project.path / f"{name}.yaml").write_text(json.dumps({**head, **more, "steps": list(steps)}))
    return f"{name}.yaml"


def node(page: Page, step_id: str) -> Any:
    """A step on the canvas."""
    return page.locator(f'[data-step-id="{step_id}"]')


def expect_status(page: Page, step_id: str, status: str) -> None:
    """Wait until a node shows the word."""
    expect(node(page, step_id).locator(".node__status")).to_have_text(status)


def wait_for(page: Page, expression: str, arg: Any = None) -> None:
    """Wait until it holds, asked from outside: within the page its policy forbids to evaluate."""
    poll(lambda: page.evaluate(expression, arg), bool, PATIENCE_MS / 1000)


def run_button(page: Page) -> Any:
    """The button named Run, and no other."""
    return page.get_by_role("button", name="Run", exact=True)
