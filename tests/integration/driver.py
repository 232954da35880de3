"""A host as an outsider would write one: starts the daemon, speaks JSON-RPC to it over pipes.

It imports nothing of the product. Threads read what the daemon writes; a test waits for what it
wants to see, with a deadline, and never for time to pass.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

#: More than anything here takes; a test that waits so long has failed.
PATIENCE_S = 20.0
TERMINAL = ("workflow_completed", "workflow_failed")
#: Scripts get every LC_* of the daemon's environment, so this finds all that it started.
MARKER = "LC_SIDECAR_TEST"

Message = dict[str, Any]
T = TypeVar("T")


class Framing(Protocol):
    """How messages stand in a stream of bytes."""

    def frame(self, message: bytes) -> bytes:
        """A message as it goes out."""
        ...

    def cut(self, received: bytearray) -> Iterator[bytes]:
        """Take the whole frames off the front of what was received."""
        ...


class Lines:
    """One message a line."""

    def frame(self, message: bytes) -> bytes:
        return message + b"\n"

    def cut(self, received: bytearray) -> Iterator[bytes]:
        while (end := received.find(b"\n")) >= 0:
            line = bytes(received[:end])
            del received[: end + 1]
            yield line


class Driver:
    """One daemon, from its start to its death; as a context manager it leaves nothing running.

    `events` holds the params of every event, `arrivals` their arrival as epoch milliseconds;
    `answers` all else, `events_before` how many events came before each; `log` the lines on
    stderr, `stray` whatever on stdout was no JSON-RPC message.
    """

    def __init__(
        self,
        project: Path,
        *flags: str,
        framing: Framing | None = None,
        env: dict[str, str] | None = None,
        reads: bool = True,
        **popen: Any,
    ) -> None:
        self.project = project
        self.marker = uuid.uuid4().hex
        self.events: list[Message] = []
        self.arrivals: list[float] = []
        self.answers: list[Any] = []
        self.events_before: list[int] = []
        self.stray: list[bytes] = []
        self.log_lines: list[str] = []
        self._framing: Framing = framing or Lines()
        self._next_id = 0
        self._changed = threading.Condition()
        self._stdout_ended = False
        command = [sys.executable, "-m", "sidecar", "serve", "--project", str(project)]
        options: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        options["env"] = {**os.environ, MARKER: self.marker, **(env or {})}
        options |= popen
        arguments = [*command, "--python", sys.executable, *flags]
        self.process: subprocess.Popen[bytes] = subprocess.Popen(arguments, **options)
        self._threads = [threading.Thread(target=self._read_stderr, daemon=True)]
        if reads and self.process.stdout is not None:
            self._threads.append(threading.Thread(target=self._read_stdout, daemon=True))
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        left = self.processes()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        if kind is None:
            assert left == [], "processes of the run are left"
            assert self.stray == [], "something else than frames on stdout"

    # --- out ---------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        return self.process.pid

    def write(self, data: bytes) -> None:
        """Raw bytes to stdin; a daemon that is gone is for the test to notice by other means."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            return

    def flood(self, data: bytes, at_most_bytes: int, quiet_s: float = 1.0) -> int:
        """Write `data` over and over until the daemon takes no more for a while; how many bytes."""
        assert self.process.stdin is not None
        fd = self.process.stdin.fileno()
        os.set_blocking(fd, False)
        written = 0
        rest = b""
        while written < at_most_bytes and select.select([], [fd], [], quiet_s)[1]:
            rest = rest or data
            with suppress(BlockingIOError):
                count = os.write(fd, rest)
                written += count
                rest = rest[count:]
        os.set_blocking(fd, True)
        return written

    def send(self, *messages: Any) -> None:
        """Messages, all in one write."""
        self.write(b"".join(self._framing.frame(json.dumps(m).encode()) for m in messages))

    def new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def request(self, method: str, params: Any = None) -> int:
        """Send a request and return its id without waiting."""
        message = self.message(method, params)
        self.send(message)
        number: int = message["id"]
        return number

    def message(self, method: str, params: Any = None) -> Message:
        """A request that is not sent yet."""
        message = {"jsonrpc": "2.0", "id": self.new_id(), "method": method}
        return message if params is None else {**message, "params": params}

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def close_stdin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    # --- in ----------------------------------------------------------------------------------

    def answer(self, request_id: Any, timeout: float = PATIENCE_S) -> Message:
        """The answer to a request, when it is there."""
        self.wait_until(lambda: self._answer(request_id) is not None, timeout)
        answer = self._answer(request_id)
        assert answer is not None
        return answer

    def is_answered(self, request_id: Any) -> bool:
        return self._answer(request_id) is not None

    def _answer(self, request_id: Any) -> Message | None:
        for answer in self.answers:
            if isinstance(answer, dict) and answer["id"] == request_id:
                return answer
        return None

    def call(self, method: str, params: Any = None, timeout: float = PATIENCE_S) -> Any:
        """The result of a request; an error fails the test."""
        answer = self.answer(self.request(method, params), timeout)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def error(self, method: str, params: Any = None, timeout: float = PATIENCE_S) -> Message:
        """The error of a request; a result fails the test."""
        answer = self.answer(self.request(method, params), timeout)
        assert "result" not in answer, answer["result"]
        error: Message = answer["error"]
        return error

    def next_answer(self, count: int, timeout: float = PATIENCE_S) -> Any:
        """The `count`-th thing that was no event, batches and null ids included, from 1."""
        self.wait_until(lambda: len(self.answers) >= count, timeout)
        return self.answers[count - 1]

    def wait_for_event(
        self, event_type: str, timeout: float = PATIENCE_S, **fields: Any
    ) -> Message:
        """The first event of that type with those fields."""
        self.wait_until(lambda: bool(self.events_of(event_type, **fields)), timeout)
        return self.events_of(event_type, **fields)[0]

    def events_of(self, event_type: str, **fields: Any) -> list[Message]:
        return [
            event
            for event in self.events
            if event["event_type"] == event_type
            and all(event.get(name) == value for name, value in fields.items())
        ]

    def wait_until(self, holds: Callable[[], bool], timeout: float = PATIENCE_S) -> None:
        """Wait for something that the daemon says to make `holds` true."""
        with self._changed:
            if not self._changed.wait_for(lambda: holds() or self._stdout_ended, timeout):
                raise AssertionError(f"waited {timeout} s in vain; {self._state()}")
            assert holds(), f"the daemon's stdout ended; {self._state()}"

    def _state(self) -> str:
        return f"answers {self.answers[-3:]}, events {self.events[-3:]}, log {self.log_lines[-5:]}"

    @property
    def log(self) -> list[Message]:
        """The lines on stderr; each must be one JSON object."""
        return [json.loads(line) for line in list(self.log_lines)]

    def logged(self, event: str) -> list[Message]:
        return [line for line in self.log if line["event"] == event]

    def _read_stdout(self) -> None:
        received = bytearray()
        assert self.process.stdout is not None
        while data := os.read(self.process.stdout.fileno(), 1 << 20):
            now_ms = time.time() * 1000
            received += data
            for frame in self._framing.cut(received):
                self._take(frame, now_ms)
        with self._changed:
            if received:
                self.stray.append(bytes(received))
            self._stdout_ended = True
            self._changed.notify_all()

    def _take(self, frame: bytes, now_ms: float) -> None:
        with self._changed:
            try:
                message = json.loads(frame)
                first = message[0] if isinstance(message, list) else message
                assert first["jsonrpc"] == "2.0"
            except (ValueError, TypeError, KeyError, IndexError, AssertionError):
                self.stray.append(frame)
                return
            if "method" in first:
                self.events.append(message["params"])
                self.arrivals.append(now_ms)
            else:
                self.answers.append(message)
                self.events_before.append(len(self.events))
            self._changed.notify_all()

    def _read_stderr(self) -> None:
        if self.process.stderr is None:
            return
        for line in self.process.stderr:
            with self._changed:
                self.log_lines.append(line.decode())
                self._changed.notify_all()

    # --- the end -----------------------------------------------------------------------------

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """The exit status, when all that the daemon wrote has been read."""
        status = self.process.wait(timeout)
        for thread in self._threads:
            thread.join(timeout)
        return status

    def kill(self) -> None:
        """End the daemon as a host does, then by force; frees every descriptor."""
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def processes(self) -> list[int]:
        """What lives of all that the daemon started, itself not counted."""
        return [
            pid
            for pid in marked(self.marker)
            # Nobody reaps it but its parent.
            if pid != self.pid and _state_of(pid) not in "ZX"
        ]

    def wait_for_processes(self, count: int, timeout: float = PATIENCE_S) -> list[int]:
        """Exactly so many processes of scripts."""
        return poll(lambda: self.processes(), lambda found: len(found) == count, timeout)

    def figures(self) -> tuple[int, int]:
        """Descriptors and threads of the daemon."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        threads = next(line for line in status.splitlines() if line.startswith("Threads:"))
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir())), int(threads.split()[1])

    def peak_bytes(self) -> int:
        """The most memory the daemon has had so far."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024


def marked(marker: str) -> list[int]:
    """Processes with the marker in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environ = (entry / "environ").read_bytes()
            except OSError:
                continue
            if f"{MARKER}={marker}".encode() in environ.split(b"\0"):
                found.append(int(entry.name))
    return found


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def poll(look: Callable[[], T], holds: Callable[[T], bool], timeout: float = PATIENCE_S) -> T:
    """What `look` sees once it `holds`: for what nobody tells us of."""
    deadline = time.monotonic() + timeout
    while not holds(seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain; last seen: {seen}")
        time.sleep(0.005)
    return seen


def assert_nothing_left(driver: Driver, before: tuple[int, int]) -> None:
    """What must hold whatever has happened, as far as one can see from outside.

    `before` are the daemon's figures from before it, taken when it had already run something.
    """
    driver.call("sidecar:info", timeout=1)
    assert driver.stray == []
    started = {event["execution_id"]: event["workflow_id"] for event in driver.events}
    for execution_id, workflow_id in started.items():
        events = [event for event in driver.events if event["execution_id"] == execution_id]
        assert sum(event["event_type"] in TERMINAL for event in events) == 1
        assert events[-1]["event_type"] in TERMINAL
        assert_no_gaps(events)
        kept = driver.call("workflow:execution:history", [workflow_id])
        newer = sum(other == workflow_id for other in started.values())
        assert [entry["id"] for entry in kept].count(execution_id) == 1 or newer > len(kept)
    assert driver.wait_for_processes(0) == []
    descriptors, _ = poll(driver.figures, lambda figures: figures[0] <= before[0], 3)
    assert descriptors <= before[0]
    # Threads of a pool come as they are needed and stay: os.cpu_count() + 4 of them.
    assert driver.figures()[1] <= before[1] + (os.cpu_count() or 1) + 4


def assert_no_gaps(events: list[Message]) -> None:
    """`seq` counts from 1; optional events repeat the one before them."""
    last = 0
    for event in events:
        optional = event["event_type"] in ("step_output", "step_skipped")
        assert event["seq"] == last + (not optional), events
        last = event["seq"]
