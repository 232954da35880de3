"""A guide as its reader follows it: files are written down, commands typed, in the order they come.

In a guide every fenced block is one of three: with `file=NAME` behind its language it is a file of
the reader's project; `console` shows commands after `$ ` and what they print; `text` is a drawing.
In what is printed, `…` alone on a line stands for any lines, `…` within one for anything in it;
durations need not be the same. With `needs=landlock` it is that only where the kernel has it.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_DURATION = re.compile(r"\b\d[\d,]*(?:\.\d+)? (?:ms|s)\b")


@dataclass
class Block:
    """One fenced block: `kind` is its language, `name` the file that it is, `needs` what a machine
    must have for it to show what it shows."""

    kind: str
    name: str | None
    text: str
    needs: str | None = None


@dataclass
class Command:
    """What was typed, and what the guide says is printed."""

    line: str
    shown: list[str] = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page of Markdown."""
    found = []
    for indent, info, body in _FENCE.findall(text):
        kind, _, rest = info.strip().partition(" ")
        name = re.search(r"(?:^| )file=(\S+)", rest)
        needs = re.search(r"(?:^| )needs=(\S+)", rest)
        lines = [line.removeprefix(indent) for line in body.splitlines(keepends=True)]
        found.append(Block(kind, name and name[1], "".join(lines), needs and needs[1]))
    return found


def commands(block: Block) -> list[Command]:
    """The commands of a console block. Raises ValueError when it does not begin with one."""
    typed: list[Command] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            typed.append(Command(line[2:]))
        elif typed and not typed[-1].shown and typed[-1].line.endswith("\\"):
            typed[-1].line += "\n" + line
        elif typed:
            typed[-1].shown.append(line)
        else:
            raise ValueError(f"not a command: {line}")
    return typed


def matches(shown: list[str], printed: str) -> bool:
    """Whether what was printed is what the guide shows."""
    pattern = ""
    for line in shown:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*"
        else:
            pattern += ".*".join(re.escape(_level(part)) for part in line.split("…")) + r"[ ]*\n"
    return re.fullmatch(pattern, _level(printed.rstrip("\n") + "\n" if printed else "")) is not None


def _level(text: str) -> str:
    return _DURATION.sub("TIME", text)
