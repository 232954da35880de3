"""What a parser's complaint about a YAML text means to its author: where to look, what to do.

Both parsers of PyYAML (libyaml and the pure one) are understood; they put their marks at the same
places and differ in their words. It knows no workflows.
"""

import re
from dataclasses import dataclass
from typing import Final

import yaml

_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_CLOSING: Final = {"{": "}", "[": "]"}

#: Parts of a parser's words → what is wrong; True where the place is the parser's context, that
#: is where the thing began.
_MESSAGES: Final = (
    ("expected alphabetic or numeric", True, 'a plain text cannot begin with "*" or "&"; quote it'),
    ("could not find expected ':'", True, 'expected ":" after this key'),
    ("found unexpected end of stream", True, "this quote is never closed"),
    ("found unexpected document", True, "this quote is never closed"),
    ("found undefined tag handle", False, 'tags ("!") are not supported; quote the text'),
    ("found unknown directive", True, 'a line that begins with "%" is a directive; delete it'),
    ("found incompatible YAML", False, "only YAML 1.x is supported; delete the %YAML line"),
    ("sequence entries are not allowed", False, 'a list item ("- ") must begin on its own line'),
    (
        "<document start>",
        False,
        "the file's one mapping has ended above; is the indentation right?",
    ),
    ("expected node content", False, "expected a value here"),
    ("expected the node content", False, "expected a value here"),
)


def line_and_column(text: str, index: int) -> tuple[int, int]:
    """Line and column from 1, in characters, of the character at `index`."""
    line, start = 1, 0
    for line_break in _LINE_BREAK.finditer(text, 0, index):
        line, start = line + 1, line_break.end()
    return line, index - start + 1


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Line and column from 1, and a message, for what is wrong with `text`."""
    problem = error.problem or "not YAML"
    where = _place(error.problem_mark or error.context_mark, text)
    began = _place(error.context_mark or error.problem_mark, text)
    if where.character == "\t" and ("start any token" in problem or "tab character" in problem):
        return where.told("a tab cannot indent YAML; use spaces")
    if "start any token" in problem:
        return where.told(f'a plain text cannot begin with "{where.character}"; quote it')
    if "mapping values are not allowed" in problem:
        return _stray_colon(where)
    if "while parsing a flow" in (error.context or "") and "expected ','" in problem:
        return _unclosed(began, where)
    if "did not find expected key" in problem or "expected <block end>" in problem:
        return _out_of_place(where)
    if "block scalar" in (error.context or ""):
        return began.told(f'nothing may follow "{began.character}" in its line; quote the text')
    if "hexdecimal" in problem or "hexadecimal" in problem or "escape c" in problem:
        return _bad_escape(where)
    for part, at_context, message in _MESSAGES:
        if part in problem:
            return (began if at_context else where).told(message)
    return where.told(f"not YAML: {problem}")


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a text, with its line's text; `character` is empty at a line's end."""

    line: int
    column: int
    text: str

    @property
    def character(self) -> str:
        return self.text[self.column - 1 : self.column]

    @property
    def before(self) -> str:
        return self.text[: self.column - 1]

    def at(self, index: int) -> "_Place":
        """The place of the character `index` of the same line."""
        return _Place(self.line, index + 1, self.text)

    def told(self, message: str) -> tuple[int, int, str]:
        return self.line, self.column, message


def _place(mark: yaml.Mark | None, text: str) -> _Place:
    if mark is None:
        return _Place(1, 1, "")
    lines = _LINE_BREAK.split(text)
    line = lines[mark.line] if mark.line < len(lines) else ""
    return _Place(mark.line + 1, mark.column + 1, line)


def _stray_colon(where: _Place) -> tuple[int, int, str]:
    if re.search(r":\s", where.before):
        return where.told('a second ": " in one line; quote the text that holds it')
    indent = len(where.before) - len(where.before.lstrip(" -"))
    return where.at(indent).told(
        "this line continues the text of the line above, so it cannot be a key; is the "
        'indentation right, and does every key above have ": " with a space?'
    )


def _unclosed(began: _Place, where: _Place) -> tuple[int, int, str]:
    opening = began.character
    closing = _CLOSING.get(opening, "")
    if where.character in ("]", "}"):
        return where.told(
            f'"{where.character}" cannot close the "{opening}" of line {began.line}, '
            f"column {began.column}"
        )
    if where.character == "{" and where.before.endswith("$"):
        return where.at(len(where.before) - 1).told(
            f"within {opening} {closing} a value that holds a reference needs quotes, such as "
            '"${workflow.inputs.NAME}"'
        )
    if where.line > began.line:
        # What is missing may be missing anywhere in between, most likely at the first line's end.
        return began.told(f'this "{opening}" lacks its "{closing}", or a "," before a line\'s end')
    if where.character == ":":
        return where.told('a ":" too many; a "," is missing before it, or the text needs quotes')
    return where.told(f'expected "," or "{closing}" here')


def _out_of_place(where: _Place) -> tuple[int, int, str]:
    if where.character and where.character in "]}":
        return where.told(f'nothing is open that "{where.character}" could close')
    if where.before.rstrip().endswith(("'", '"')):
        return where.told("nothing may follow a closing quote; quote the text as a whole")
    return where.told("this line fits nothing above it; is the indentation right?")


def _bad_escape(where: _Place) -> tuple[int, int, str]:
    backslash = where.at(max(where.text.rfind("\\", 0, where.column), 0))
    shown = backslash.text[backslash.column - 1 : backslash.column + 1]
    return backslash.told(
        f'"{shown}" begins no character here; in double quotes write "\\\\" for a backslash, '
        "or use single quotes"
    )
