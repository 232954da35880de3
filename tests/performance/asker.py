"""Another client, in a process of its own: asks one thing over and over, and how long it takes.

    python -m tests.performance.asker URL METHOD PAUSE_S

Prints a line when it is connected, asks until its stdin ends, at least twice, then prints the
milliseconds of every answer as a JSON array. In a process of its own, since a host that takes in
thousands of events would measure how busy it is itself.
"""

import json
import select
import sys
import time

from websockets.sync.client import connect


def main(url: str, method: str, pause: str) -> None:
    """See the module's docstring."""
    times_ms: list[float] = []
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method})
    with connect(url, compression=None) as connection:
        connection.send(message)
        connection.recv()
        print("connected", flush=True)
        while len(times_ms) < 2 or not select.select([sys.stdin], [], [], float(pause))[0]:
            start = time.perf_counter()
            connection.send(message)
            answer = json.loads(connection.recv())
            times_ms.append((time.perf_counter() - start) * 1000)
            if "error" in answer:
                raise RuntimeError(answer["error"])
    print(json.dumps(times_ms))


if __name__ == "__main__":
    main(*sys.argv[1:])
