"""Third-party JSON-RPC clients of Python as they come from their registry, each in one session."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonrpcclient
from pylsp_jsonrpc.endpoint import Endpoint
from pylsp_jsonrpc.exceptions import JsonRpcException
from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter
from websockets.sync.client import connect

from tests.integration.host import PATIENCE_S
from tests.sessions import EXPECTED, project_of_sessions


@contextmanager
def daemon(project: Path, *flags: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A daemon as a host starts it, gone at the end."""
    project_of_sessions(project)
    command = [sys.executable, "-m", "sidecar", "serve", "--project", str(project), *flags]
    command += ["--python", sys.executable]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process: subprocess.Popen[bytes] = subprocess.Popen(command, **pipes)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()
        process.wait(PATIENCE_S)


def hold(
    call: Callable[[str, Any], Any],
    code_of: Callable[[str], int],
    events: list[dict[str, Any]],
    end: Callable[[], int],
) -> dict[str, Any]:
    """What a client saw in the session; `code_of` calls a method and gives its error's code."""
    subscribed = call("workflow:execution:subscribe", {"workflow_id": "numbers"})
    result = call("workflow:execute", {"workflow": "numbers.yaml", "inputs": {"n": 4}})
    told = [[event["seq"], event["event_type"], event.get("step_id")] for event in events]
    history = call("workflow:execution:history", ["numbers", 1])
    unsubscribed = call("workflow:execution:unsubscribe", {"workflow_id": "numbers"})
    again = call("workflow:execute", {"workflow": "numbers.yaml", "inputs": {"n": 5}})
    told_after = len(events) - len(told)
    return {
        "subscribed": subscribed,
        "outputs": [result["outputs"], again["outputs"]],
        "same_run": [entry["id"] for entry in history] == [result["execution_id"]],
        "told": told,
        "told_after": told_after,
        "unsubscribed": unsubscribed,
        "code": code_of("workflow:nothing"),
        "status": end(),
    }


def test_python_lsp_jsonrpc_over_content_length(tmp_path: Path) -> None:
    with daemon(tmp_path) as process:
        events: list[dict[str, Any]] = []
        handlers = {"workflow:execution:event": events.append}
        endpoint = Endpoint(handlers, JsonRpcStreamWriter(process.stdin).write)
        reader = JsonRpcStreamReader(process.stdout)
        listening = threading.Thread(target=reader.listen, args=(endpoint.consume,), daemon=True)
        listening.start()

        def call(method: str, params: Any) -> Any:
            return endpoint.request(method, params).result(PATIENCE_S)

        def code_of(method: str) -> int:
            try:
                call(method, None)
            except JsonRpcException as error:
                return int(error.code)
            raise AssertionError("no error")

        def end() -> int:
            call("sidecar:shutdown", {})
            return process.wait(PATIENCE_S)

        assert hold(call, code_of, events, end) == EXPECTED
        listening.join(PATIENCE_S)
        endpoint.shutdown()


class JsonRpcClient:
    """What a user of jsonrpcclient writes around it: it makes requests and reads responses."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self.events: list[dict[str, Any]] = []
        self._responses: queue.Queue[Any] = queue.Queue()

    def take(self, text: str) -> None:
        message = json.loads(text)
        if "method" in message:
            self.events.append(message["params"])
        else:
            self._responses.put(jsonrpcclient.parse(message))

    def ask(self, method: str, params: Any) -> Any:
        given = tuple(params) if isinstance(params, list) else params
        self._send(jsonrpcclient.request_json(method, params=given))
        return self._responses.get(timeout=PATIENCE_S)

    def call(self, method: str, params: Any) -> Any:
        response = self.ask(method, params)
        assert isinstance(response, jsonrpcclient.Ok), response
        return response.result

    def code_of(self, method: str) -> int:
        response = self.ask(method, None)
        assert isinstance(response, jsonrpcclient.Error)
        return response.code


def test_jsonrpcclient_over_lines(tmp_path: Path) -> None:
    with daemon(tmp_path) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def send(text: str) -> None:
            stdin.write(text.encode() + b"\n")
            stdin.flush()

        client = JsonRpcClient(send)

        def read() -> None:
            for line in stdout:
                client.take(line.decode())

        reading = threading.Thread(target=read, daemon=True)
        reading.start()

        def end() -> int:
            stdin.close()
            return process.wait(PATIENCE_S)

        assert hold(client.call, client.code_of, client.events, end) == EXPECTED
        reading.join(PATIENCE_S)


def test_jsonrpcclient_over_websocket(tmp_path: Path) -> None:
    with daemon(tmp_path, "--ws", "0") as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None
        url = json.loads(stdout.readline())["url"]
        with connect(url) as socket:
            client = JsonRpcClient(socket.send)

            def read() -> None:
                for message in socket:
                    client.take(str(message))

            reading = threading.Thread(target=read, daemon=True)
            reading.start()

            def end() -> int:
                stdin.close()
                return process.wait(PATIENCE_S)

            assert hold(client.call, client.code_of, client.events, end) == EXPECTED
            reading.join(PATIENCE_S)
