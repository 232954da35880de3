"""The demo in a real Electron: what is safe, what windows share, and how it all ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.electron.app import App, Window
from tests.electron.conftest import Start
from tests.integration.conftest import HANG, Project
from tests.integration.driver import marked

SAY = {
    "workflow": {"id": "say", "name": "Say"},
    "steps": [{"id": "hi", "type": "output", "message": "hi"}],
}
HANG_WORKFLOW = {
    "workflow": {"id": "hang", "name": "Hang"},
    "steps": [{"id": "hang", "type": "python", "script": "./hang.py"}],
}
ALL_OF_SAY = ["workflow_started", "step_started", "step_completed", "workflow_completed"]
#: A listener of the page's own, beside those of the demo.
LISTEN = """
(async () => {
  window.heard = [];
  sidecar.onEvent((event) => heard.push(event));
  return (await sidecar.request("workflow:execution:subscribe", {subscriber: "test"})).result;
})()
"""


@pytest.fixture(scope="module")
def project_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a script that never ends."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "hang.py").write_text(HANG)
    Project(folder).workflow("say", *SAY["steps"])  # type: ignore[arg-type]
    return folder


@pytest.fixture
def app(start: Start, project_folder: Path) -> App:
    """The demo on the project."""
    return start(f"--project={project_folder}")


def request(method: str, **params: object) -> str:
    """A request of the page's as an expression."""
    return f"sidecar.request({json.dumps(method)}, {json.dumps(params)})"


def heard(window: Window, workflow_id: str) -> list[str]:
    """The types of the events that a listening window had of a workflow."""
    script = f"heard.filter((event) => event.workflow_id === {json.dumps(workflow_id)})"
    types: list[str] = window.run(f"{script}.map(({{event_type}}) => event_type)")
    return types


def test_a_page_has_the_bridge_and_nothing_of_node_or_electron(app: App) -> None:
    window = app.window()
    names = ["require", "process", "module", "Buffer", "global", "electron"]
    kinds = window.run(f"[{', '.join(f'typeof {name}' for name in names)}]")
    assert kinds == ["undefined"] * len(names)
    assert window.run("Object.keys(sidecar).sort()") == [
        "onEvent",
        "onStateChange",
        "request",
        "retry",
    ]
    window.run("sidecar.request = () => 'mine'")
    info = window.run(request("sidecar:info"))["result"]
    assert info["pid"] > 0

    # A wire error keeps code and data; what is no channel is no channel.
    missing = window.run(request("workflow:load", path="no.yaml"))["error"]
    assert (missing["code"], missing["data"]["type"]) == (-32001, "WorkflowNotFound")
    assert window.run(request("constructor"))["error"]["code"] == -32601
    assert window.run(request("workflow:load", file="say.yaml"))["error"]["code"] == -32602


def test_a_page_reaches_nothing_but_its_own_files(app: App) -> None:
    window = app.window()
    # No connection at all, so not even its own files by fetch.
    for url in ("https://example.com/", "http://127.0.0.1:1/", "file:///etc/passwd", "/index.html"):
        reached = f"fetch({json.dumps(url)}).then(() => 'reached', () => 'refused')"
        assert window.run(reached) == "refused", url
    for path in ("/electron/main.js", "/..%2f..%2fREADME.md", "/sample-project/workflow.yaml"):
        loaded = window.run(
            "new Promise((done) => { const script = document.createElement('script');"
            f"script.src = {json.dumps(path)}; script.onload = () => done('loaded');"
            "script.onerror = () => done('refused'); document.head.append(script); })"
        )
        assert loaded == "refused", path
    # No inline script runs, and nothing leads away.
    window.run(
        "const script = document.createElement('script'); script.textContent = 'window.ran = 1';"
        "document.head.append(script);"
    )
    assert window.run("typeof window.ran") == "undefined"
    window.run("location.href = 'https://example.com/'")
    window.run("window.open('https://example.com/')")
    assert window.run("location.protocol") == "workflow-demo:"
    assert len(app.windows(1)) == 1


def test_of_two_windows_one_closes_and_the_other_goes_on(app: App) -> None:
    first = app.window()
    assert first.run(LISTEN)["subscribed"] is True
    first.run("window.open(location.href)")
    first, second = app.windows(2)
    second.wait_for_page()
    second.run(LISTEN)
    second.run(request("workflow:execute", workflow=SAY))
    second.wait_for("heard.length >= 4")
    first.wait_for("heard.length >= 4")
    assert heard(first, "say") == heard(second, "say") == ALL_OF_SAY

    # In the middle of a run that both watch.
    started = second.run(request("workflow:execution:start", workflow=HANG_WORKFLOW))["result"]
    first.wait_for("heard.some(({step_id}) => step_id === 'hang')")
    first.run("setTimeout(() => window.close(), 0)")
    [second] = app.windows(1)
    second.run(request("workflow:execution:cancel", execution_id=started["execution_id"]))
    second.wait_for("heard.some(({event_type}) => event_type === 'workflow_failed')")
    assert heard(second, "hang") == [
        "workflow_started",
        "step_started",
        "step_failed",
        "workflow_failed",
    ]
    second.run(request("workflow:execute", workflow=SAY))
    second.wait_for(
        "heard.filter(({event_type}) => event_type === 'workflow_completed').length === 2"
    )


def test_a_reloaded_page_starts_without_listeners(app: App) -> None:
    window = app.window()
    window.run(LISTEN)
    window.run("window.before = true; setTimeout(() => location.reload(), 0)")
    window.wait_for("window.before === undefined && document.readyState === 'complete'")
    window.run("window.heard = []; sidecar.onEvent((event) => heard.push(event)); 0")
    removed = window.run(request("workflow:execution:unsubscribe", subscriber="test"))
    assert removed == {"result": {"unsubscribed": False}}


def test_a_sidecar_that_is_killed_is_back_with_the_subscriptions(app: App) -> None:
    window = app.window()
    window.run(LISTEN)
    window.run("window.states = []; sidecar.onStateChange((state) => states.push(state)); 0")
    window.wait_for("states.at(-1)?.status === 'connected'")
    pid = window.run(request("sidecar:info"))["result"]["pid"]
    run = f"{request('workflow:execute', workflow=HANG_WORKFLOW)}.catch((error) => error.message)"
    window.run(f"window.run = {run}; 0")
    window.wait_for("heard.some(({step_id}) => step_id === 'hang')")
    os.kill(pid, signal.SIGKILL)
    assert "workflow:execute: no answer: the sidecar was ended by SIGKILL" in window.run("run")
    window.wait_for("states.at(-1).status === 'connected' && states.length > 2")
    statuses = window.run("states.map(({status}) => status)")
    assert statuses[-3:] == ["reconnecting", "reconnecting", "connected"]
    retry_at = window.run("states.at(-3).retryAt - Date.now()")
    assert abs(retry_at) < 60_000
    window.run("heard.length = 0")
    window.run(request("workflow:execute", workflow=SAY))
    window.wait_for("heard.length >= 4")
    assert heard(window, "say") == ALL_OF_SAY


def test_a_sidecar_that_cannot_start_is_told_in_the_window(
    start: Start, project_folder: Path
) -> None:
    app = start(f"--project={project_folder}", WORKFLOW_SIDECAR="/no/such/sidecar")
    window = app.window()
    window.run("window.states = []; sidecar.onStateChange((state) => states.push(state)); 0")
    window.wait_for("states.length > 0")
    state = window.run("states.at(-1)")
    assert state["status"] == "refused"
    assert "/no/such/sidecar: it was not found; install it" in state["reason"]


def test_without_a_project_it_works_on_a_copy_of_the_sample(start: Start) -> None:
    window = start().window()
    info = window.run(request("sidecar:info"))["result"]
    assert Path(info["project"]).name == "sample-project"
    assert "renderer-demo" not in info["project"]
    listed = window.run(request("workflow:list"))["result"]
    assert [entry["workflow_id"] for entry in listed] == ["folder-report"]


def test_an_app_that_quits_ends_its_runs_in_order(app: App, project_folder: Path) -> None:
    window = app.window()
    window.run(LISTEN)
    window.run(request("workflow:execution:start", workflow=HANG_WORKFLOW))
    window.wait_for("heard.some(({step_id}) => step_id === 'hang')")
    window.run("setTimeout(() => window.close(), 0)")
    assert app.process.wait(30) == 0
    assert app.left() == []
    assert any('"reason":"end of stdin"' in line for line in app.log)
    command = [sys.executable, "-m", "sidecar", "history", "hang", "--limit", "1", "--json"]
    printed = subprocess.check_output([*command, "--project", project_folder])
    assert [entry["status"] for entry in json.loads(printed)] == ["cancelled"]


def test_an_app_that_is_killed_leaves_no_process(app: App) -> None:
    window = app.window()
    window.run(LISTEN)
    window.run(request("workflow:execution:start", workflow=HANG_WORKFLOW))
    window.wait_for("heard.some(({step_id}) => step_id === 'hang')")
    pids = marked(app.marker)
    assert window.run(request("sidecar:info"))["result"]["pid"] in pids
    app.process.kill()
    app.process.wait(30)
    assert app.left() == []


def test_the_window_shows_a_finished_run(start: Start) -> None:
    window = start().window()
    nodes = "[...document.querySelectorAll('[role=option]')]"
    buttons = "[...document.querySelectorAll('button')]"
    window.wait_for(f"{nodes}.length === 7")
    window.run(f"{buttons}.find((button) => button.innerText.trim() === 'Run').click()")
    window.wait_for(f"{nodes}.every((node) => node.innerText.includes('success'))")
    window.wait_for("document.body.innerText.includes('The report is in ')")
    assert window.complaints == []
