"""`demo` as its user starts it, seen without a browser: what it prints, serves, refuses, leaves."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.browser.demo import Demo
from tests.integration.conftest import Project
from tests.integration.driver import PATIENCE_S


def _get(url: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - http
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def test_the_page_is_served_at_the_url_and_nothing_beside_it(
    project: Project, tmp_path: Path
) -> None:
    (project.path / "secret.txt").write_text("secret")
    with Demo(project.path, tmp_path / "data") as demo:
        status, headers, body = _get(demo.url)
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert b'<script type="module" src="app.js">' in body
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        origin = demo.url.partition("/?")[0]
        for path in (
            *("/sample-project/workflow.yaml", "/electron/main.js", "/package.json", "/secret.txt"),
            *(
                "/../pyproject.toml",
                "/%2e%2e/pyproject.toml",
                "/components/",
                "/vendor/LICENSE.htm",
            ),
        ):
            assert _get(origin + path)[0] == 404, path


def test_only_the_token_and_the_pages_own_origin_let_in(project: Project, tmp_path: Path) -> None:
    with Demo(project.path, tmp_path / "data") as demo:
        url = demo.url.replace("http://", "ws://")
        own = demo.url.partition("/?")[0]
        with connect(url, origin=Origin(own)) as socket:
            socket.send('{"jsonrpc": "2.0", "id": 1, "method": "sidecar:info"}')
            assert str(project.path) in str(socket.recv(PATIENCE_S))
        for wrong, origin, status in ((url, "http://evil.example", 403), (f"{url}x", own, 401)):
            with pytest.raises(InvalidStatus) as refused:
                connect(wrong, origin=Origin(origin))
            assert refused.value.response.status_code == status


def test_the_sample_comes_in_a_copy_and_ctrl_c_ends_it_with_status_0(tmp_path: Path) -> None:
    data = tmp_path / "data"
    process = subprocess.Popen(
        [sys.executable, "-m", "sidecar", "demo", "--no-browser"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_DATA_HOME": str(data)},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    copy = data / "workflow-sidecar" / "sample-project"
    assert (copy / "workflow.yaml").is_file()
    process.send_signal(signal.SIGINT)
    rest, told = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, rest) == (0, "")
    assert f"serving {copy}" in told
