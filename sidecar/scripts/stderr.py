"""A script's stderr: shown live, line by line, and kept as head and tail.

Both are bounded whatever the script writes, gigabytes included. Live, a line is at most
LINE_BYTES long, and lines pass a token bucket: BURST_LINES at once, then LINES_PER_SECOND; what
does not pass is counted, and the next line that does is preceded by one that says how many were
left out. A carriage return ends a line as well, so that a progress bar is seen moving.
"""

import re
import time
from collections.abc import Callable
from typing import Final

from protocol.limits import MAX_STDERR_BYTES

LINE_BYTES: Final = 4096
BURST_LINES: Final = 1000
LINES_PER_SECOND: Final = 500
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class Stderr:
    """Takes bytes as they come; tells lines; ends as one text."""

    def __init__(
        self, on_line: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` gives seconds and never goes back."""
        self._kept = HeadAndTail(MAX_STDERR_BYTES)
        self._live = _LiveLines(on_line, clock)

    def feed(self, data: bytes) -> None:
        """Take the next bytes, split anywhere."""
        self._kept.feed(data)
        self._live.feed(data)

    def finish(self) -> None:
        """Tell what was left without a line end."""
        self._live.finish()

    def text(self) -> str:
        """Head and tail of everything."""
        return self._kept.text()

    def last_line(self) -> str:
        """The last line that is not blank, unprintable characters as spaces; "" if none."""
        for line in reversed(self.text().splitlines()):
            shown = "".join(c if c.isprintable() else " " for c in line).strip()
            if shown:
                return shown
        return ""


class HeadAndTail:
    """The first and the last bytes of a stream, `limit` together."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head = b""
        self._tail = bytearray()
        self._total = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._total += len(data)
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data[-self._half :]
        # Cut now and then, not at every piece.
        if len(self._tail) > 4 * self._half:
            del self._tail[: -self._half]

    def text(self) -> str:
        """All of it, or head and tail around a line that says how many bytes were left out."""
        if self._total <= 2 * self._half:
            return (self._head + bytes(self._tail)).decode(errors="replace")
        head = _whole_characters(self._head)
        tail = bytes(self._tail[-self._half :])
        start = next((i for i in range(4) if tail[i] & 0xC0 != 0x80), 0)
        left_out = self._total - len(head) - len(tail) + start
        note = f"\n[… {left_out} bytes left out …]\n"
        return head.decode(errors="replace") + note + tail[start:].decode(errors="replace")


class _LiveLines:
    def __init__(self, on_line: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._on_line = on_line
        self._clock = clock
        self._line = bytearray()
        self._cut = 0
        self._after_return = False
        self._left_out = 0
        self._tokens = float(BURST_LINES)
        self._refilled = clock()

    def feed(self, data: bytes) -> None:
        if self._after_return and data.startswith(b"\n"):
            data = data[1:]
        self._after_return = data.endswith(b"\r")
        start = 0
        for end in _LINE_END.finditer(data):
            if not self._passes():
                # Over the rate: the rest is counted, not looked at.
                start = self._skip(data, start)
                break
            self._append(data[start : end.start()])
            self._tell()
            start = end.end()
        self._append(data[start:])

    def finish(self) -> None:
        if self._line:
            self._tell()
        elif self._left_out:
            self._tell_left_out()

    def _passes(self) -> bool:
        now = self._clock()
        self._tokens = min(BURST_LINES, self._tokens + (now - self._refilled) * LINES_PER_SECOND)
        self._refilled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _skip(self, data: bytes, start: int) -> int:
        """Count the lines that end in `data` from `start` on; where the last of them ends."""
        returns = data.count(b"\r", start) - data.count(b"\r\n", start)
        self._left_out += data.count(b"\n", start) + returns
        self._line.clear()
        self._cut = 0
        return max(data.rfind(b"\n"), data.rfind(b"\r")) + 1

    def _append(self, piece: bytes) -> None:
        taken = piece[: LINE_BYTES - len(self._line)]
        self._line += taken
        self._cut += len(piece) - len(taken)

    def _tell(self) -> None:
        if self._left_out:
            self._tell_left_out()
        line = bytes(self._line)
        note = ""
        if self._cut:
            whole = _whole_characters(line)
            note = f" [… {self._cut + len(line) - len(whole)} bytes left out]"
            line = whole
        self._line.clear()
        self._cut = 0
        self._on_line(line.decode(errors="replace") + note)

    def _tell_left_out(self) -> None:
        count, self._left_out = self._left_out, 0
        self._on_line(f"[… {count} lines left out …]")


def _whole_characters(data: bytes) -> bytes:
    """`data` without the beginning of a UTF-8 character at its end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return data[:-back] if needed > back else data
    return data
