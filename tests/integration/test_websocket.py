"""`serve --ws` from outside: who is let in, where the token shows, how it ends."""

import contextlib
import http.client
import json
import os
import pty
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.integration.conftest import Project, Start, definition, step
from tests.integration.driver import Driver
from tests.integration.host import PATIENCE_S, poll
from tests.integration.test_errors import INFO, code_and_id
from tests.rounds import assert_once_below, seconds

COMMAND = [sys.executable, "-m", "sidecar", "serve", "--ws", "0", "--python", sys.executable]
MIB = 1024 * 1024
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def transport() -> str:
    return "websocket"


def port_of(driver: Driver) -> int:
    port = urlsplit(driver.ready["url"]).port
    assert port is not None
    return port


def token_of(driver: Driver) -> str:
    return parse_qs(urlsplit(driver.ready["url"]).query)["token"][0]


def refused(url: str, **more: Any) -> tuple[int, str]:
    """Status and body of the refusal of a WebSocket."""
    with pytest.raises(InvalidStatus) as caught, connect(url, **more):
        pass
    response = caught.value.response
    return response.status_code, bytes(response.body).decode()


def plain(
    driver: Driver, path: str = "/", method: str = "GET", **headers: str
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(driver), timeout=PATIENCE_S)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


@contextlib.contextmanager
def started(project: Project, *flags: str, **popen: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A daemon with streams of the test's choice."""
    options: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [*COMMAND, "--project", str(project.path), *flags]
    with subprocess.Popen(command, **(options | popen)) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(stream: Any) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(stream.readline())
    return line


# --- the ready line --------------------------------------------------------------------------


def test_the_first_line_on_stdout_tells_where_and_nothing_follows(driver: Driver) -> None:
    info = driver.call("sidecar:info")
    assert driver.ready == {
        "ready": True,
        "url": driver.ready["url"],
        "pid": driver.pid,
        "version": info["version"],
    }
    parts = urlsplit(driver.ready["url"])
    assert (parts.scheme, parts.hostname, parts.path) == ("ws", "127.0.0.1", "/")
    assert list(parse_qs(parts.query)) == ["token"]
    assert len(token_of(driver)) >= 32
    driver.call("workflow:execute", [definition("w", step("a", "./echo.py"))])
    driver.close_stdin()
    assert driver.wait() == 0
    assert driver.stray == []


def test_each_daemon_has_a_token_and_a_port_of_its_own(start: Start) -> None:
    one, other = start(), start()
    assert token_of(one) != token_of(other)
    assert port_of(one) != port_of(other)
    swapped = one.ready["url"].replace(token_of(one), token_of(other))
    assert refused(swapped)[0] == 401


@pytest.mark.parametrize("level", ["debug", "error"])
def test_beside_stdio_it_is_the_first_line_on_stderr(project: Project, level: str) -> None:
    with started(project, "--stdio", "--log-level", level) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ready = first_line(process.stderr)
        assert ready["pid"] == process.pid
        subscribe = {**INFO, "id": 1, "method": "workflow:execution:subscribe"}
        with connect(ready["url"]) as socket:
            # Either transport runs what the other hears of.
            socket.send(json.dumps(subscribe))
            socket.recv()
            process.stdin.write(json.dumps(subscribe).encode() + b"\n")
            process.stdin.flush()
            assert first_line(process.stdout)["id"] == 1
            workflow = definition("w", step("a", "./echo.py"))
            run = {**INFO, "id": 2, "method": "workflow:execute", "params": [workflow]}
            socket.send(json.dumps(run))
            over_stdio = [first_line(process.stdout) for _ in range(4)]
            over_websocket = [json.loads(socket.recv()) for _ in range(5)]
            assert over_stdio == over_websocket[:4]
            assert over_websocket[4]["result"]["success"] is True
            process.stdin.close()
            with pytest.raises(ConnectionClosed, match="1001"):
                socket.recv()
        assert process.wait(PATIENCE_S) == 0


def test_the_token_stands_nowhere_but_in_the_ready_line(start: Start, project: Project) -> None:
    driver = start("--log-level", "debug")
    token = token_of(driver)
    url = driver.ready["url"]
    refused(url.replace("token=", "token=x"))
    refused(url, additional_headers={"Host": "evil.example"})
    refused(url, origin="http://evil.example")
    plain(driver, f"/?token={token}")
    plain(driver, f"/other?token={token}", "POST")
    reveal = project.script(
        "reveal.py",
        "import json, os, subprocess\n"
        "ps = subprocess.run(['ps', 'axeww'], capture_output=True, text=True).stdout\n"
        "proc = []\n"
        "for name in ('cmdline', 'environ'):\n"
        "    try: proc.append(open(f'/proc/{os.getppid()}/{name}').read())\n"
        "    except OSError: pass\n"
        "print(json.dumps({'seen': [ps, proc, dict(os.environ)]}))\n",
    )
    driver.call("workflow:execution:subscribe", {"include": ["step_output"]})
    result = driver.call("workflow:execute", [definition("w", step("a", reveal))])
    assert result["success"], result
    said = json.dumps([result, driver.events, driver.call("workflow:execution:history", ["w"])])
    assert token not in said
    for pid in (driver.pid, *driver.processes()):
        for name in ("cmdline", "environ"):
            assert token.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
    driver.close_stdin()
    assert driver.wait() == 0
    assert token not in "".join(driver.log_lines)
    assert poll(lambda: driver.logged("connection refused"), bool)
    for file in project.path.rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes(), file


# --- who is let in ---------------------------------------------------------------------------


def test_the_token_is_taken_from_the_url_or_as_a_bearer(driver: Driver) -> None:
    bare = f"ws://127.0.0.1:{port_of(driver)}/"
    with connect(bare, additional_headers={"Authorization": f"Bearer {token_of(driver)}"}) as one:
        one.send(json.dumps({**INFO, "id": 1}))
        assert json.loads(one.recv())["id"] == 1
    status, body = refused(bare)
    assert status == 401
    assert "token" in body
    assert refused(bare, additional_headers={"Authorization": "Bearer x"})[0] == 401
    assert refused(f"{bare}?token=")[0] == 401
    logged = poll(lambda: driver.logged("connection refused"), lambda lines: len(lines) == 3)
    assert {line["level"] for line in logged} == {"warning"}


def test_no_origin_is_allowed_but_the_named_ones(start: Start) -> None:
    driver = start("--allow-origin", "http://localhost:5173", "--allow-origin", "app://ui")
    url, port = driver.ready["url"], port_of(driver)
    for origin in ("http://localhost:5173", "app://ui"):
        with connect(url, origin=Origin(origin)) as socket:
            socket.send(json.dumps({**INFO, "id": 1}))
            assert json.loads(socket.recv())["id"] == 1
    for origin in (
        "null",
        "file://",
        f"http://127.0.0.1:{port}",
        "http://localhost:51730",
        "http://localhost:5173.evil.example",
        "https://localhost:5173",
    ):
        status, body = refused(url, origin=origin)
        assert status == 403
        assert "Origin" in body
        assert plain(driver, Origin=origin).status == 403


def test_no_host_is_answered_but_loopback(driver: Driver) -> None:
    path = f"/?token={token_of(driver)}"
    for host in ("127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:2"):
        assert plain(driver, path, Host=host, **UPGRADE).status == 101
        assert plain(driver, Host=host).status == 426
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.", "0.0.0.0", ""):  # noqa: S104
        assert plain(driver, path, Host=host, **UPGRADE).status == 403
        assert plain(driver, Host=host).status == 403
    # Two, one of them good.
    assert refused(driver.ready["url"], additional_headers={"Host": "localhost"})[0] == 403


def test_plain_http_has_no_effect_and_no_cors_header(driver: Driver) -> None:
    driver.call("workflow:execution:subscribe")
    for path, method, status in (
        ("/", "GET", 426),
        (f"/?token={token_of(driver)}", "GET", 426),
        ("/anything", "GET", 404),
        ("/", "POST", 405),
        ("/", "HEAD", 405),
        ("/", "OPTIONS", 405),
    ):
        response = plain(driver, path, method)
        assert response.status == status
        assert not [name for name in response.headers if name.lower().startswith("access-control")]
    assert driver.events == []
    assert plain(driver).headers["Upgrade"] == "websocket"


def test_nothing_is_compressed(driver: Driver) -> None:
    with connect(driver.ready["url"], compression="deflate") as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


def test_where_open_files_are_few_clients_beyond_the_cap_are_told_so(start: Start) -> None:
    driver = start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (260, 260)))
    assert driver.call("sidecar:info")["limits"]["max_connections"] == 10
    with contextlib.ExitStack() as clients:
        for _ in range(9):
            clients.enter_context(connect(driver.ready["url"]))
        for _ in range(20):
            status, body = refused(driver.ready["url"])
            assert status == 503
            assert "10 connections" in body
    poll(lambda: _can_connect(driver.ready["url"]), bool)
    driver.call("sidecar:info")


def _can_connect(url: str) -> bool:
    try:
        with connect(url):
            return True
    except InvalidStatus:
        return False


@pytest.fixture(scope="module", autouse=True)
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Future[float]"]:
    """How many seconds fifty handshakes that never end are waited for: they begin before the tests
    of this module, so that the time passes while these run."""
    folder = tmp_path_factory.mktemp("unfinished")
    with (
        ThreadPoolExecutor(1) as pool,
        contextlib.ExitStack() as clients,
        Driver(folder, transport="websocket") as driver,
    ):
        silent = [
            clients.enter_context(socket.create_connection(("127.0.0.1", port_of(driver))))
            for _ in range(50)
        ]
        began_s = time.monotonic()
        for number, client in enumerate(silent):
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n"[: number + 1])
            client.settimeout(PATIENCE_S)
        driver.call("sidecar:info")

        def seconds_to_the_last() -> float:
            for client in silent:
                with contextlib.suppress(ConnectionResetError):
                    assert client.recv(1) == b""
            return time.monotonic() - began_s

        yield pool.submit(seconds_to_the_last)


# --- messages --------------------------------------------------------------------------------


def test_a_binary_message_and_invalid_utf8_close_that_connection_alone(driver: Driver) -> None:
    for data, text, code in ((b"{}", False, 1003), (b"\xff", True, 1007)):
        with connect(driver.ready["url"]) as client, connect(driver.ready["url"]) as other:
            client.send(data, text=text)
            with pytest.raises(ConnectionClosed) as closed:
                client.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code
            other.send(json.dumps({**INFO, "id": 1}))
            assert json.loads(other.recv())["id"] == 1


def test_a_message_over_64_mib_is_closed_with_1009_in_bounded_memory(driver: Driver) -> None:
    driver.call("sidecar:info")
    before_bytes = driver.peak_bytes()
    with connect(driver.ready["url"]) as client:
        pieces = ("x" * MIB for _ in range(200))
        with pytest.raises(ConnectionClosed) as closed:
            client.send(pieces)
            client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    with connect(driver.ready["url"]) as client:
        # Told by its header alone.
        client.socket.sendall(b"\x81\xff" + (64 * MIB + 1).to_bytes(8, "big") + b"mask")
        with pytest.raises(ConnectionClosed, match="1009"):
            client.recv()
    driver.call("sidecar:info")
    assert driver.peak_bytes() - before_bytes < 128 * MIB


def test_a_message_of_just_64_mib_is_taken(driver: Driver) -> None:
    head, tail = b'{"jsonrpc":"2.0","id":1,"method":"sidecar:info","x":"', b'"}'
    driver.send_bytes(head + b"x" * (64 * MIB - len(head) - len(tail)) + tail)
    assert "result" in driver.answer(1)


def test_a_burst_of_empty_frames_costs_little_and_delays_nobody(driver: Driver) -> None:
    with connect(driver.ready["url"]) as client:
        driver.call("sidecar:info")
        before_bytes = driver.peak_bytes()
        empty = Frame(Opcode.TEXT, b"").serialize(mask=True)

        def seconds_for_another() -> float:
            client.socket.sendall(empty * 20_000)
            took_s = seconds(lambda: driver.call("sidecar:info"))
            for _ in range(20_000):
                assert code_and_id(json.loads(client.recv())) == (-32700, None)
            return took_s

        assert_once_below(1, seconds_for_another)
        assert driver.peak_bytes() - before_bytes < 20 * MIB


def test_pongs_to_a_client_that_does_not_read_fill_no_memory(driver: Driver) -> None:
    driver.call("sidecar:info")
    before_bytes = driver.peak_bytes()
    ping = Frame(Opcode.PING, b"x" * 125).serialize(mask=True)
    url = urlsplit(driver.ready["url"])
    with socket.create_connection(("127.0.0.1", port_of(driver))) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.sendall(
            f"GET /?{url.query} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert raw.recv(4096).startswith(b"HTTP/1.1 101 ")
        raw.settimeout(1)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 300 * MIB:
                sent += raw.send(ping * 500)
        # It was held back long before.
        assert sent < 100 * MIB
        driver.assert_responsive()
        assert driver.peak_bytes() - before_bytes < 40 * MIB


# --- the end ---------------------------------------------------------------------------------


def test_with_the_websocket_alone_the_end_of_a_pipe_is_the_parents(
    driver: Driver, project: Project
) -> None:
    driver.call("workflow:execution:subscribe", {"include": ["step_output"]})
    running = driver.request("workflow:execute", [definition("w", step("a", "./hang.py"))])
    driver.wait_for_event("step_output")
    # What is said on it means nothing.
    driver.write(b'{"jsonrpc":"2.0","id":1,"method":"sidecar:shutdown"}\nContent-Length: x\r\n\r\n')
    driver.call("sidecar:info")
    began = time.monotonic()
    driver.close_stdin()
    assert driver.wait() == 0
    assert time.monotonic() - began < 5
    assert driver.answer(running)["result"]["status"] == "cancelled"
    assert driver.processes() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_order(driver: Driver, number: int) -> None:
    driver.call("workflow:execution:subscribe", {"include": ["step_output"]})
    running = driver.request("workflow:execute", [definition("w", step("a", "./hang.py"))])
    driver.wait_for_event("step_output")
    driver.signal(number)
    assert driver.wait() == 0
    assert driver.answer(running)["result"]["status"] == "cancelled"


def test_shutdown_is_answered_before_the_connection_is_closed(driver: Driver) -> None:
    with connect(driver.ready["url"]) as other:
        assert driver.call("sidecar:shutdown") == {}
        with pytest.raises(ConnectionClosed, match="1001"):
            other.recv()
    assert driver.wait() == 0


@pytest.mark.parametrize("stdin", ["/dev/null", "a terminal", "a file", "closed"])
def test_any_other_stdin_means_nothing(project: Project, stdin: str) -> None:
    with contextlib.ExitStack() as stack:
        given: Any = subprocess.DEVNULL
        if stdin == "a terminal":
            given, terminal = map(stack.enter_context, map(_descriptor, pty.openpty()))
            given, terminal = terminal, given
        elif stdin == "a file":
            file = project.path / "empty"
            file.touch()
            given = stack.enter_context(file.open())
        close = (lambda: os.close(0)) if stdin == "closed" else None
        process = stack.enter_context(started(project, stdin=given, preexec_fn=close))
        ready = first_line(process.stdout)
        with connect(ready["url"]) as client:
            client.send(json.dumps({**INFO, "id": 1}))
            assert json.loads(client.recv())["id"] == 1
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed, match="1001"):
                client.recv()
        assert process.wait(PATIENCE_S) == 0


@contextlib.contextmanager
def _descriptor(fd: int) -> Iterator[int]:
    yield fd
    with contextlib.suppress(OSError):
        os.close(fd)


def test_a_socket_as_stdin_is_the_parents_like_a_pipe(project: Project) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, started(project, stdin=theirs.fileno()) as process:
        theirs.close()
        first_line(process.stdout)
        ours.close()
        assert process.wait(PATIENCE_S) == 0


def test_clients_that_do_not_read_do_not_hold_up_the_end(start: Start) -> None:
    driver = start(reads=False)
    for _ in range(300):
        driver.request("rpc.discover")
    began = time.monotonic()
    driver.close_stdin()
    assert driver.process.wait(PATIENCE_S) == 0
    assert time.monotonic() - began < 5


# --- what cannot be served -------------------------------------------------------------------


def _failed(project: Project, *flags: str, **popen: Any) -> str:
    """The complaint of a daemon that does not start, in one line, with status 2."""
    command = [*COMMAND[:-4], "--project", str(project.path), *flags]
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE} | popen
    done = subprocess.run(
        command, stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False, text=True, **options
    )
    assert done.returncode == 2, done
    assert not done.stdout
    return str(done.stderr)


def test_a_port_that_is_taken_is_told(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = _failed(project, "--ws", str(port))
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in told
    assert "0 for a free port" in told


def test_a_stdout_that_cannot_be_written_is_told(project: Project) -> None:
    with Path("/dev/full").open("wb") as full:
        told = _failed(project, "--ws", "0", stdout=full)
    assert "the line with the WebSocket's URL cannot be written: No space left on device" in told
    told = _failed(project, "--ws", "0", preexec_fn=lambda: os.close(1), stdout=None)
    assert "stdout is closed" in told


# --- what began before all of these ------------------------------------------------------------


@pytest.mark.slow
def test_a_handshake_that_never_ends_is_closed_within_ten_seconds(
    unfinished: "Future[float]",
) -> None:
    # The limit is 10 s; a busy machine may notice a little later.
    assert 9 < unfinished.result(PATIENCE_S) < 12
