"""YAML text → plain data with the place of every value; YAML 1.2 meanings, bounded in every way.

It reads PyYAML's event stream and builds the data itself, because the loaders of PyYAML resolve
scalars after YAML 1.1 (`on` is true, `010` is 8), let duplicate keys pass, recurse in C on nested
brackets and expand aliases without bound. It knows nothing of workflows.

Keys that are not text are an error, since steps receive JSON.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NoReturn

import yaml

from protocol import limits
from protocol.problems import Problem, shortened, shown
from sidecar.engine import yaml_scalars, yaml_source, yaml_syntax
from sidecar.engine.yaml_places import Place, Position
from sidecar.engine.yaml_scalars import QUOTED_CHARACTERS

#: libyaml where the wheel has it; the pure parser reads the same language, only slower.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_STR_TAG: Final = "tag:yaml.org,2002:str"
_COLLECTION_TAGS: Final = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}

#: libyaml 0.2.6 stops at 1,000 levels by itself; older ones and the pure parser have no bound.
_LIBYAML_TOO_DEEP: Final = "maximum nesting depth"
#: Characters of a text that weigh as much as one value when an alias repeats it.
_CHARACTERS_PER_NODE: Final = 100


@dataclass(slots=True)
class ParsedYaml:
    """What came of a text: `data` (None when it could not be read), places and problems.

    `root` is None where there is no text.
    `unreadable` holds line and column of each value that a problem is about: whatever stands in
    `data` for it is a stand-in, and nothing more need be said of it.
    """

    data: Any
    root: Place | None
    problems: list[Problem]
    unreadable: set[Position]


@dataclass(frozen=True, slots=True)
class _Node:
    """A finished value: how many values it holds, itself included, and on how many levels."""

    value: Any
    nodes: int = 1
    levels: int = 0


@dataclass(slots=True)
class _Frame:
    """A collection that is being read.

    In a mapping, `has_key` says that the next node is a value: that of `key`, or of a merge key,
    or, with neither, one to be dropped since its key was no good.
    """

    value: Any
    place: Place
    anchor: str | None
    children: dict[str | int, Place] = field(default_factory=dict)
    keys: dict[str, Position] = field(default_factory=dict)
    nodes: int = 1
    levels: int = 1
    has_key: bool = False
    key: str | None = None
    merges: bool = False


class _Abort(Exception):
    """Reading cannot go on; the problem has been noted."""


def parse(source: bytes | str) -> ParsedYaml:
    """Read one YAML document of at most MAX_WORKFLOW_FILE_BYTES.

    Never raises for what the text holds: every problem is in the answer, with line and column.
    """
    return _Reader().read(source)


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.unreadable: set[Position] = set()
        self.anchors: dict[str, _Node] = {}
        self.aliased_nodes = 0
        self.stack: list[_Frame] = []
        self.result: tuple[Any, Place] | None = None

    def read(self, source: bytes | str) -> ParsedYaml:
        try:
            self._consume(yaml_source.text_of(source))
        except yaml_source.NoText as error:
            self._problem(error.line, error.column, error.message)
            self.result = None
        except _Abort:
            self.result = None
        else:
            if self.result is None:
                self._problem(1, 1, "the file is empty; expected a mapping with workflow and steps")
        data, root = self.result or (None, Place(1, 1))
        return ParsedYaml(data, root, self.problems, self.unreadable)

    # --- events to data --------------------------------------------------------------------

    def _consume(self, text: str) -> None:
        documents = 0
        for event in self._events(text):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fail(
                        *_mark(event),
                        'a second document begins here ("---"); a workflow file holds one',
                    )
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)

    def _events(self, text: str) -> Iterator[yaml.Event]:
        taken = 0
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                taken += 1
                yield event
        except yaml.MarkedYAMLError as error:
            if _LIBYAML_TOO_DEEP in (error.problem or "") and error.problem_mark is not None:
                # Met while scanning ahead: the text before it takes the events to our own limit.
                before = text[: error.problem_mark.index]
                yield from islice(self._events(before), taken, None)
            self._fail(*yaml_syntax.explain(error, text))
        except yaml.YAMLError as error:
            # What may not stand in a stream has been found before; nothing else has no mark.
            self._fail(1, 1, f"not YAML: {' '.join(str(error).split())}")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line, column = _mark(event)
        value: Any = event.value
        if event.tag is not None and event.tag not in ("!", _STR_TAG):
            self._reject_tag(event.tag, line, column)
        elif event.implicit[0] and event.tag is None:
            try:
                value = yaml_scalars.resolve(event.value)
            except ValueError as error:
                self._unreadable(line, column, str(error))
        elif not event.value.isascii() and yaml_source.SURROGATE.search(event.value):
            # Only the pure parser lets such an escape pass.
            self._unreadable(line, column, yaml_source.HALF_A_PAIR)
        node = _Node(value, 1 + len(event.value) // _CHARACTERS_PER_NODE)
        if event.anchor:
            self.anchors[event.anchor] = node
        self._put(node, Place(line, column))

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        line, column = _mark(event)
        if event.tag is not None and event.tag not in _COLLECTION_TAGS and event.tag != "!":
            self._reject_tag(event.tag, line, column)
        self._within_depth(1, line, column)
        self._no_key_is_a_collection(line, column)
        empty: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        frame = _Frame(empty, Place(line, column), event.anchor)
        frame.place.children, frame.place.keys = frame.children, frame.keys
        self.stack.append(frame)

    def _within_depth(self, levels: int, line: int, column: int) -> None:
        if len(self.stack) + levels > limits.MAX_YAML_DEPTH:
            self._fail(line, column, f"nested deeper than {limits.MAX_YAML_DEPTH} levels")

    def _no_key_is_a_collection(self, line: int, column: int) -> None:
        if self.stack and isinstance(self.stack[-1].value, dict) and not self.stack[-1].has_key:
            self._fail(line, column, "a key must be text, not a list or a mapping")

    def _close(self) -> None:
        frame = self.stack.pop()
        node = _Node(frame.value, frame.nodes, frame.levels)
        if frame.anchor:
            self.anchors[frame.anchor] = node
        self._put(node, frame.place)

    def _alias(self, event: yaml.AliasEvent) -> None:
        line, column = _mark(event)
        name = event.anchor
        if any(frame.anchor == name for frame in self.stack):
            self._fail(line, column, f'the alias "*{name}" stands inside what it names')
        if name not in self.anchors:
            self._unreadable(
                line,
                column,
                f'the alias "*{name}" names no anchor ("&{name}") above it; quote it if it is text',
            )
            self._put(_Node(None), Place(line, column))
            return
        node = self.anchors[name]
        if node.levels:
            self._no_key_is_a_collection(line, column)
        self._within_depth(node.levels, line, column)
        self.aliased_nodes += node.nodes
        if self.aliased_nodes > limits.MAX_YAML_ALIASED_NODES:
            self._fail(
                line,
                column,
                f"aliases add more than {limits.MAX_YAML_ALIASED_NODES:,} values; use fewer",
            )
        # The data is shared, not copied; its place is the alias, where the reader looks.
        self._put(node, Place(line, column))

    def _put(self, node: _Node, place: Place) -> None:
        """Hand a finished value to what is being read around it."""
        value = node.value
        if not self.stack:
            self.result = (value, place)
            return
        frame = self.stack[-1]
        frame.nodes += node.nodes
        frame.levels = max(frame.levels, node.levels + 1)
        if isinstance(frame.value, list):
            frame.children[len(frame.value)] = place
            frame.value.append(value)
        elif not frame.has_key:
            self._take_key(frame, value, place)
        else:
            self._put_member(frame, value, place)
            frame.has_key = False

    @staticmethod
    def _put_member(frame: _Frame, value: Any, place: Place) -> None:
        members = {frame.key: value} if frame.key is not None else {}
        if frame.merges and isinstance(value, dict):
            # Reported already; merged all the same, so that its keys are not reported as missing.
            members = {key: item for key, item in value.items() if key not in frame.value}
        for key, item in members.items():
            frame.value[key] = item
            frame.children[key] = place

    def _take_key(self, frame: _Frame, key: Any, place: Place) -> None:
        frame.has_key, frame.key, frame.merges = True, None, key == "<<"
        line, column = place.line, place.column
        if not isinstance(key, str):
            self._problem(line, column, f"a key must be text, not {shown(key)}; put it in quotes")
        elif frame.merges:
            self._problem(line, column, 'merge keys ("<<") are not YAML 1.2; write the keys out')
        elif key in frame.keys:
            shown_key, first = shortened(key, QUOTED_CHARACTERS), frame.keys[key][0]
            message = f'duplicate key "{shown_key}"; first given on line {first}'
            self._problem(line, column, message)
        else:
            frame.keys[key] = (line, column)
            frame.key = key

    # --- problems --------------------------------------------------------------------------

    def _reject_tag(self, tag: str, line: int, column: int) -> None:
        written = shortened(tag.replace("tag:yaml.org,2002:", "!!"), QUOTED_CHARACTERS)
        message = f'the tag "{written}" is not supported; delete it, or quote it if it is text'
        self._unreadable(line, column, message)

    def _unreadable(self, line: int, column: int, message: str) -> None:
        """Note a problem about the value that begins here, and that it has no meaning."""
        self._problem(line, column, message)
        self.unreadable.add((line, column))

    def _problem(self, line: int, column: int, message: str) -> None:
        self.problems.append(Problem(line=line, column=column, field="", message=message))

    def _fail(self, line: int, column: int, message: str) -> NoReturn:
        self._problem(line, column, message)
        raise _Abort


def _mark(event: yaml.Event) -> Position:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
