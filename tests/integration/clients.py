"""Many WebSocket clients in one loop, as an outsider would write them."""

import asyncio
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.integration.host import PATIENCE_S, TERMINAL, Message

SOAK = bool(os.environ.get("SOAK"))


class Client:
    """A client that reads all it is sent: `events` holds the params of every event."""

    def __init__(self, url: str) -> None:
        self._connecting = connect(url, max_size=None, compression=None, ping_interval=None)
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
        await self._reading

    async def _read(self) -> None:
        try:
            while True:
                message = json.loads(await self.connection.recv(decode=False))
                if "method" in message:
                    self.events.append(message["params"])
                    async with self._changed:
                        self._changed.notify_all()
                else:
                    self._answers.pop(message["id"]).set_result(message)
        except ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd else 1006

    async def request(self, method: str, params: Any = None) -> "asyncio.Future[Message]":
        """Send a request; what is returned can be awaited for the answer."""
        self._next_id += 1
        message = {"jsonrpc": "2.0", "id": self._next_id, "method": method}
        answer = self._answers[self._next_id] = asyncio.get_running_loop().create_future()
        await self.connection.send(json.dumps({**message, "params": params}))
        return answer

    async def call(self, method: str, params: Any = None) -> Any:
        """The result of a request; an error fails the test."""
        answer = await asyncio.wait_for(await self.request(method, params), PATIENCE_S)
        assert "result" in answer, answer
        return answer["result"]

    async def wait_for_end(self, execution_id: str) -> list[Message]:
        """All events of a run, once its last one is there."""

        def ended() -> bool:
            return any(
                event["execution_id"] == execution_id and event["event_type"] in TERMINAL
                for event in reversed(self.events)
            )

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(ended)
        return [event for event in self.events if event["execution_id"] == execution_id]


def output_steps(name: str, count: int, characters: int = 2) -> dict[str, Any]:
    """A workflow of output steps, with a message of so many characters each."""
    steps = [{"id": f"s{n}", "type": "output", "message": "x" * characters} for n in range(count)]
    return {"workflow": {"id": name, "name": name}, "steps": steps}


def assert_whole(events: list[Message], first_seq: int = 1) -> None:
    """From `first_seq` to the run's one terminal event, without a gap or a repeat."""
    assert [event["seq"] for event in events] == list(range(first_seq, first_seq + len(events)))
    assert [event["event_type"] in TERMINAL for event in events].count(True) == 1
    assert events[-1]["event_type"] in TERMINAL


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in use now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
