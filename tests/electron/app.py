"""The Electron app as its user has it, and its windows as the DevTools protocol shows them.

https://chromedevtools.github.io/devtools-protocol/: what is done in a window is JavaScript in its
page, and what is seen is what that returns. A test waits for what it wants to see, with a deadline.
"""

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from websockets.sync.client import connect

from tests.integration.driver import MARKER, marked

PATIENCE_S: Final = 30.0
_LOOK_S: Final = 0.05


class Window:
    """One window's page."""

    def __init__(self, target: dict[str, Any]) -> None:
        self.target_id: str = target["id"]
        self._open = ExitStack()
        url = target["webSocketDebuggerUrl"]
        self._socket = self._open.enter_context(connect(url, max_size=None, max_queue=None))
        self._last_id = 0
        #: Errors on its console, exceptions that nobody caught.
        self.complaints: list[str] = []
        self._call("Runtime.enable")
        self._call("Log.enable")

    def close(self) -> None:
        self._open.close()

    def run(self, script: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        options = {"expression": script, "awaitPromise": True, "returnByValue": True}
        result = self._call("Runtime.evaluate", **options, userGesture=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            text = details.get("exception", {}).get("description") or details["text"]
            raise AssertionError(f"{script}: {text}")
        return result["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """The first true value of an expression."""
        deadline = time.monotonic() + PATIENCE_S
        while not (value := self.run(script)):
            shown = self.run("document.body?.innerText")
            assert time.monotonic() < deadline, f"waited in vain for {script}; shown: {shown}"
            time.sleep(_LOOK_S)
        return value

    def wait_for_page(self) -> None:
        """Wait until the page is there; a new window is blank at first."""
        loaded = "document.readyState === 'complete'"
        self.wait_for(f"location.href !== 'about:blank' && {loaded} && typeof sidecar === 'object'")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._last_id += 1
        self._socket.send(json.dumps({"id": self._last_id, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(PATIENCE_S))
            self._note(message)
            if message.get("id") == self._last_id:
                assert "error" not in message, message["error"]
                result: dict[str, Any] = message["result"]
                return result

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning"):
                self.complaints.append(json.dumps(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(params["entry"]["text"])


class App:
    """A running app; as a context manager it leaves nothing running."""

    def __init__(
        self, program: Path, folder: Path, *arguments: str, env: Mapping[str, str]
    ) -> None:
        self.marker = uuid.uuid4().hex
        self._lines: list[str] = []
        self._changed = threading.Condition()
        # The renderer's own sandbox needs rights that a container's root has not; what the page
        # may do is another matter, and is as it is.
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        self.process = subprocess.Popen(
            [str(program), *flags, "--remote-debugging-port=0", str(folder), *arguments],
            env={**os.environ, MARKER: self.marker, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._windows: dict[str, Window] = {}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE_S)
        left = self.left()
        names = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ") for pid in left]
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        for window in self._windows.values():
            window.close()
        self._thread.join(PATIENCE_S)
        assert self.process.stderr is not None
        self.process.stderr.close()
        if kind is None:
            assert left == [], f"processes of the app are left: {names}"

    @property
    def log(self) -> list[str]:
        """The lines on stderr, the sidecar's log among them."""
        return list(self._lines)

    def windows(self, count: int) -> list[Window]:
        """The windows, the oldest first, when there are so many."""
        port = self._port()
        self.until(lambda: len(self._targets(port)) == count, f"{count} windows")
        targets = {target["id"]: target for target in self._targets(port)}
        for gone in self._windows.keys() - targets.keys():
            self._windows.pop(gone).close()
        for target_id in sorted(targets.keys() - self._windows.keys()):
            self._windows[target_id] = Window(targets[target_id])
        return list(self._windows.values())

    def window(self) -> Window:
        """The only window, when it can be used."""
        [window] = self.windows(1)
        window.wait_for_page()
        return window

    def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.log[-20:]}"
            time.sleep(_LOOK_S)

    def left(self) -> list[int]:
        """Processes of the app that are there when it should be gone, after some patience."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := marked(self.marker)) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        return found

    def _targets(self, port: int) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            return [target for target in json.load(answer) if target["type"] == "page"]

    def _port(self) -> int:
        pattern = re.compile(r"DevTools listening on ws://127\.0\.0\.1:(\d+)/")
        with self._changed:
            self._changed.wait_for(lambda: any(map(pattern.match, self._lines)), PATIENCE_S)
        found = next(filter(None, map(pattern.match, self._lines)), None)
        assert found, f"the app did not start: {self.log}"
        return int(found[1])

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self._lines.append(line.rstrip())
                self._changed.notify_all()
