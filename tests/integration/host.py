"""What a host does, whatever carries its messages: it asks, and waits for answers and events.

It imports nothing of the product. Whoever carries the messages hands in each one that came; a test
waits for what it wants to see, with a deadline, and never for time to pass.
"""

import json
import os
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from tests.rounds import assert_once_below, seconds

#: More than anything here takes; a test that waits so long has failed.
PATIENCE_S = 20.0
TERMINAL = ("workflow_completed", "workflow_failed")
#: Scripts get every LC_* of the daemon's environment, so this finds all that it started.
MARKER = "LC_SIDECAR_TEST"

Message = dict[str, Any]
T = TypeVar("T")


class Host:
    """One end of a connection to the sidecar.

    `events` holds the params of every event, `arrivals` their arrival as epoch milliseconds;
    `answers` all else, `events_before` how many events came before each; `log_lines` what the
    sidecar logged, `stray` whatever came that was no JSON-RPC message.
    """

    def __init__(self, project: Path) -> None:
        self.project = project
        self.marker = uuid.uuid4().hex
        self.events: list[Message] = []
        self.arrivals: list[float] = []
        self.answers: list[Any] = []
        self.events_before: list[int] = []
        self.stray: list[bytes] = []
        self.log_lines: list[str] = []
        self._next_id = 0
        self._changed = threading.Condition()
        self._ended = False

    # --- what carries it ---------------------------------------------------------------------

    def send_bytes(self, *messages: bytes) -> None:
        """Messages as bytes, each in a frame of its own, all in one go."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """The process that the sidecar runs in."""
        raise NotImplementedError

    def close_stdin(self) -> None:
        """Tell the sidecar that its parent is gone."""
        raise NotImplementedError

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """The exit status, when all that the sidecar said has been taken."""
        raise NotImplementedError

    # --- out ---------------------------------------------------------------------------------

    def send(self, *messages: Any) -> None:
        """Messages, all in one go."""
        self.send_bytes(*(json.dumps(message).encode() for message in messages))

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

    # --- in ----------------------------------------------------------------------------------

    def answer(self, request_id: Any, timeout: float = PATIENCE_S) -> Message:
        """The answer to a request, when it is there."""
        self.wait_until(lambda: self._answer(request_id) is not None, timeout)
        answer = self._answer(request_id)
        assert answer is not None
        return answer

    def assert_responsive(self) -> None:
        """It answers within a second."""

        def ask() -> None:
            assert self.call("sidecar:info")["pid"] == self.pid

        assert_once_below(1, lambda: seconds(ask))

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
            if not self._changed.wait_for(lambda: holds() or self._ended, timeout):
                raise AssertionError(f"waited {timeout} s in vain; {self._state()}")
            assert holds(), f"the connection ended; {self._state()}"

    def _state(self) -> str:
        return f"answers {self.answers[-3:]}, events {self.events[-3:]}, log {self.log_lines[-5:]}"

    @property
    def log(self) -> list[Message]:
        """The lines of the log; each must be one JSON object."""
        return [json.loads(line) for line in list(self.log_lines)]

    def logged(self, event: str) -> list[Message]:
        return [line for line in self.log if line["event"] == event]

    def take(self, frame: bytes) -> None:
        """Hand in a message that came."""
        now_ms = time.time() * 1000
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

    def take_log(self, line: str) -> None:
        """Hand in a line of the log."""
        with self._changed:
            self.log_lines.append(line)
            self._changed.notify_all()

    def take_end(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    # --- what is left ------------------------------------------------------------------------

    def assert_clean(self) -> None:
        """Kill what is left of the scripts, and fail if something was."""
        # Who lost the daemon may need a moment to notice.
        deadline = time.monotonic() + 3
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.005)
        for pid in left:
            os.kill(pid, 9)
        assert left == [], "processes of the run are left"
        assert self.stray == [], "something else than messages came"

    def processes(self) -> list[int]:
        """What lives of all that the daemon's runs started, their supervisors included."""
        return [
            pid
            for pid in marked(self.marker)
            # Nobody reaps it but its parent.
            if pid != self.pid
            and _state_of(pid) not in "ZX"
            and not self._is_zygote(pid)
            and not self._is_spare(pid)
        ]

    def scripts(self) -> list[int]:
        """Those of them that are no supervisors."""
        return [pid for pid in self.processes() if not _is_supervisor(pid)]

    def wait_for_processes(self, count: int, timeout: float = PATIENCE_S) -> list[int]:
        """Exactly so many processes of scripts; with 0, no supervisor either."""
        look = self.scripts if count else self.processes
        return poll(look, lambda found: len(found) == count, timeout)

    def _is_zygote(self, pid: int) -> bool:
        """The one process that belongs to no run: it lives as long as the daemon."""
        try:
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return int(parent) == self.pid and b"zygote.py" in command

    def wait_for_zygote(self) -> None:
        """Until what the daemon starts while it is idle has been started."""
        poll(lambda: self.call("sidecar:info")["isolation"]["launcher"], lambda n: n == "zygote")

    def _is_spare(self, pid: int) -> bool:
        """A supervisor for one script after another, or what waits beneath it: of no run yet."""
        parent = _parent_of_spare(pid)
        return self._serves(pid) or (parent is not None and self._serves(parent))

    def _serves(self, pid: int) -> bool:
        """A supervisor that the zygote has forked for one script after another."""
        parent = _parent_of_spare(pid)
        return parent is not None and self._is_zygote(parent)

    def figures(self) -> tuple[int, int]:
        """Descriptors and threads of the daemon, but for the two descriptors of each spare, which
        come and go; its descriptors can be counted by root alone, for all others there are none,
        before and after."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        threads = next(line for line in status.splitlines() if line.startswith("Threads:"))
        descriptors = 0
        with suppress(PermissionError):
            descriptors = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
            descriptors -= 2 * sum(1 for pid in marked(self.marker) if self._serves(pid))
        return descriptors, int(threads.split()[1])

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


def _parent_of_spare(pid: int) -> int | None:
    """The parent of a process that bears a spare's name."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None
    return parent if name == "sidecar-spare" else None


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _is_supervisor(pid: int) -> bool:
    """What runs our code and, unlike a script, stays in no folder but the root."""
    try:
        at_root = str(Path(f"/proc/{pid}/cwd").readlink()) == "/"
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return at_root and (b"bootstrap.py" in command or b"zygote.py" in command)


def poll(look: Callable[[], T], holds: Callable[[T], bool], timeout: float = PATIENCE_S) -> T:
    """What `look` sees once it `holds`: for what nobody tells us of."""
    deadline = time.monotonic() + timeout
    while not holds(seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain; last seen: {seen}")
        time.sleep(0.005)
    return seen


def assert_nothing_left(driver: Host, before: tuple[int, int]) -> None:
    """What must hold whatever has happened, as far as one can see from outside.

    `before` are the daemon's figures from before it, taken when it had already run something.
    """
    driver.assert_responsive()
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
