"""The last lines of a terminal, drawn again and again, with other lines scrolling by above them.

rich's own `Live` counts the lines that it drew and not what has become of them: a terminal that is
made narrower folds them, and their remains pile up. It knows terminals, and nothing of what is
drawn.
"""

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

# Control sequences of ECMA-48 and DEC.
_HIDE_CURSOR: Final = "\x1b[?25l"
_SHOW_CURSOR: Final = "\x1b[?25h"
_UP: Final = "\x1b[{}A"
_ERASE_BELOW: Final = "\r\x1b[J"


class Region:
    """Where lines are redrawn. Every method raises OSError when the terminal is gone."""

    def __init__(self, console: Console) -> None:
        self._console = console
        #: Columns of each line as it was drawn; the cursor stands behind the last.
        self._drawn: list[int] = []
        self._is_open = False

    def draw(self, above: Sequence[Text], lines: Sequence[Text]) -> None:
        """Replace what was drawn by `lines`, none wider than the terminal, and put `above` before
        it for good."""
        with self._console.capture() as capture:
            for text in above:
                # Folded by the terminal, so that it can be copied as one line.
                self._console.print(text, soft_wrap=True)
            for line in lines:
                self._console.print(line, no_wrap=True, overflow="ignore", crop=False)
        start = "" if self._is_open else _HIDE_CURSOR
        self._is_open = True
        # In one write, so that nothing is seen half drawn.
        self._write(start + self._erasure() + capture.get().removesuffix("\n"))
        self._drawn = [cell_len(line.plain) for line in lines]

    def close(self) -> None:
        """Leave what was drawn where it is, and give the cursor back."""
        if self._is_open:
            self._is_open = False
            self._write(f"\n{_SHOW_CURSOR}" if self._drawn else _SHOW_CURSOR)
            self._drawn = []

    def _erasure(self) -> str:
        """What goes to the region's first line and erases from there."""
        columns, height = self._console.size
        # A line wider than the terminal is by now has been folded into several.
        rows = sum(max(1, -(-drawn // columns)) for drawn in self._drawn)
        up = min(rows, height) - 1
        return (_UP.format(up) if up > 0 else "") + _ERASE_BELOW

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()
