"""Lines that are drawn again and again, on a terminal that keeps what it is sent."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from sidecar.cli.region import Region


def console(width: int) -> Console:
    return Console(
        file=io.StringIO(), width=width, height=10, force_terminal=True, color_system=None
    )


def sent(terminal: Console) -> str:
    file = terminal.file
    assert isinstance(file, io.StringIO)
    text = file.getvalue()
    file.seek(0)
    file.truncate()
    return text


def test_lines_replace_those_before_and_others_stay_above_them() -> None:
    terminal = console(40)
    region = Region(terminal)
    region.draw([], [Text("one"), Text("two"), Text("three")])
    assert sent(terminal) == "\x1b[?25l\r\x1b[Jone\ntwo\nthree"
    region.draw([Text("said " * 20)], [Text("1")])
    assert sent(terminal) == f"\x1b[2A\r\x1b[J{'said ' * 20}\n1"
    region.close()
    assert sent(terminal) == "\n\x1b[?25h"
    region.close()
    assert sent(terminal) == ""


def test_a_terminal_made_narrower_has_folded_what_was_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = console(40)
    region = Region(terminal)
    region.draw([], [Text("x" * 40), Text("y" * 21), Text("")])
    sent(terminal)
    terminal.width = 20
    region.draw([], [Text("now")])
    # Two lines, two lines, and the one that the cursor is on.
    assert sent(terminal) == "\x1b[4A\r\x1b[Jnow"


def test_never_further_up_than_the_terminal_is_high() -> None:
    terminal = console(40)
    region = Region(terminal)
    region.draw([], [Text("x" * 40)] * 9)
    sent(terminal)
    terminal.width = 10
    region.draw([], [])
    assert sent(terminal) == "\x1b[9A\r\x1b[J"
