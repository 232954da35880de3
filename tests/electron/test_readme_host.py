"""The host that the guide shows, in a real Electron, with the one file that it copies."""

import re
import shutil
from pathlib import Path
from typing import Final

from tests.electron import unpack
from tests.electron.conftest import Start

GUIDE: Final = (unpack.ROOT / "protocol" / "docs" / "hosts.md").read_text("utf-8")
FILES: Final = dict(re.findall(r"```\w+ file=(\S+)\n(.*?)```", GUIDE, re.DOTALL))
MOST_LINES: Final = 15


def test_the_host_of_the_guide_runs_a_workflow_in_a_window(start: Start, tmp_path: Path) -> None:
    for name in ("main.js", "greet.yaml", "hello.py"):
        (tmp_path / name).write_text(FILES[name], "utf-8")
    for name in ("sidecar-host.js", "preload.js"):
        shutil.copy(unpack.APP / name, tmp_path)
    (tmp_path / "index.html").write_text("<!doctype html><title>Mine</title>")
    (tmp_path / "package.json").write_text('{"main": "main.js"}')
    window = start(app=tmp_path).window()
    window.run(
        "window.heard = []; sidecar.onEvent(({event_type}) => heard.push(event_type));"
        "sidecar.request('workflow:execution:subscribe')"
    )
    script = "sidecar.request('workflow:execute', {workflow: 'greet.yaml', inputs: {who: 'Ada'}})"
    result = window.run(script)["result"]
    assert result["outputs"]["done"]["message"] == "Hello, Ada!"
    window.wait_for("heard.at(-1) === 'workflow_completed'")


def test_the_host_of_the_guide_is_short() -> None:
    lines = [line for line in FILES["main.js"].splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES
