"""Many WebSocket clients in one loop, as an outsider would write them."""

import asyncio
import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.integration.host import PATIENCE_S, TERMINAL, Message

SOAK = bool(os.environ.get("SOAK"))


class Client:
    """A client that reads all it is sent, with a pause after each message if it is a slow one:
    `events` holds the params of every event."""

    def __init__(self, url: str, pause_s: float = 0) -> None:
        self._pause_s = pause_s
        # Read ahead as little as there is.
        self._connecting = connect(
            url, max_size=None, compression=None, ping_interval=None, max_queue=1
        )
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._next_id = 0
        self._changed = asyncio.Condition()
        self.events: list[Message] = []
        self.close_code: int | None = None

    async def __aenter__(self) -> Self:
        self.connection: ClientConnection = await self._connecting.__aenter__()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.connection.close()
        with suppress(asyncio.CancelledError):
            await self._reading

    async def _read(self) -> None:
        try:
            while True:
                message = json.loads(await self.connection.recv(decode=False))
                if self._pause_s:
                    await asyncio.sleep(self._pause_s)
                if "method" in message:
                    self.events.append(message["params"])
                    async with self._changed:
                        self._changed.notify_all()
                else:
                    self._answers.pop(message["id"]).set_result(message)
        except ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd else 1006
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(closed)
                    # Whoever waits for it gets it; that nobody does is no fault worth a line.
                    answer.exception()

    async def stop_reading(self) -> int:
        """Read nothing any more, with as small a buffer as there is; the descriptor."""
        self._reading.cancel()
        transport = self.connection.transport
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        transport.pause_reading()
        fd: int = raw.fileno()
        return fd

    async def request(self, method: str, params: Any = None) -> "asyncio.Future[Message]":
        """Send a request; what is returned can be awaited for the answer."""
        self._next_id += 1
        message = {"jsonrpc": "2.0", "id": self._next_id, "method": method}
        answer = self._answers[self._next_id] = asyncio.get_running_loop().create_future()
        await self.connection.send(json.dumps({**message, "params": params}))
        return answer

    async def call(self, method: str, params: Any = None, timeout_s: float = PATIENCE_S) -> Any:
        """The result of a request; an error fails the test."""
        answer = await asyncio.wait_for(await self.request(method, params), timeout_s)
        assert "result" in answer, answer
        return answer["result"]

    async def wait_for_end(self, execution_id: str, timeout_s: float = PATIENCE_S) -> list[Message]:
        """All events of a run, once its last one is there."""

        def ended() -> bool:
            return any(
                event["execution_id"] == execution_id and event["event_type"] in TERMINAL
                for event in reversed(self.events)
            )

        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(ended)
        return [event for event in self.events if event["execution_id"] == execution_id]


def output_steps(name: str, count: int, message: str = "hi") -> dict[str, Any]:
    """A workflow of output steps."""
    steps = [{"id": f"s{n}", "type": "output", "message": message} for n in range(count)]
    return {"workflow": {"id": name, "name": name}, "steps": steps}


def large_run(name: str, count: int, characters: int) -> dict[str, Any]:
    """Params that execute a workflow of output steps, each with so many characters to tell."""
    workflow = output_steps(name, count, "${workflow.inputs.text}")
    workflow["inputs"] = [{"id": "text", "type": "string"}]
    return {"workflow": workflow, "inputs": {"text": "x" * characters}}


def assert_whole(events: list[Message], first_seq: int = 1) -> None:
    """From `first_seq` to the run's one terminal event, without a gap or a repeat."""
    assert [event["seq"] for event in events] == list(range(first_seq, first_seq + len(events)))
    assert [event["event_type"] in TERMINAL for event in events].count(True) == 1
    assert events[-1]["event_type"] in TERMINAL


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in use now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
