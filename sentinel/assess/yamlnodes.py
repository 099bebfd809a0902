"""YAML bytes in, plain values with their lines out; what is hostile or ambiguous is refused with its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from sentinel.errors import Mistake

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 1 << 20
MAX_DEPTH = 16
MAX_NODES = 50_000

Plain = str | int | float | bool | date | datetime | list["Plain"] | dict[str, "Plain"] | None


@dataclass(frozen=True, slots=True)
class Node:
    """One YAML value.

    Attributes:
        line: line in the file, from 1.
        value: the whole value as plain Python.
        entries: (key, node) of a mapping in file order, or ("", node) of a list; empty for scalars.
    """

    line: int
    value: Plain
    entries: tuple[tuple[str, Node], ...] = ()

    def child(self, key: str) -> Node | None:
        """Give the value of a key, None when this is no mapping or lacks it."""
        return next((node for name, node in self.entries if name == key), None) if self.is_mapping else None

    @property
    def is_mapping(self) -> bool:
        """True for a mapping."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """True for a list."""
        return isinstance(self.value, list)

    @property
    def items(self) -> tuple[Node, ...]:
        """The nodes of a list; the node itself, alone, for anything else."""
        return tuple(node for _, node in self.entries) if self.is_list else (self,)


@dataclass(slots=True)
class Complaints:
    """Mistakes of one file as they are found.

    Attributes:
        file: path as given.
        rule: readable id of the rule, once it could be read.
        found: the mistakes.
    """

    file: str
    rule: str = ""
    found: list[Mistake] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        """Note a mistake; its message becomes one line of at most 300 characters."""
        self.found.append(Mistake(self.file, line, " ".join(message.split())[:300], self.rule))


def read_yaml(data: bytes, complaints: Complaints) -> Node | None:
    """Read one document; None when it is refused, with the reason in `complaints`.

    Refused are files over 1 MiB, bytes that are not UTF-8, broken syntax, several documents, anchors and aliases,
    more than 16 levels, keys that are no text, and keys given twice.
    """
    import yaml  # 8 ms, needed only when rules are loaded

    if len(data) > MAX_BYTES:
        complaints.add(0, f"file has {len(data)} bytes; the limit is {MAX_BYTES}")
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        complaints.add(
            data.count(b"\n", 0, error.start) + 1, f"not UTF-8 at byte {error.start}; save the file as UTF-8"
        )
        return None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if not _is_harmless(yaml.parse(text, Loader=loader), complaints):
            return None
        root = yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        complaints.add(*_syntax_mistake(error, data))
        return None
    if root is None:
        complaints.add(1, "the file is empty")
        return None
    before = len(complaints.found)
    node = _convert(root, yaml.constructor.SafeConstructor(), complaints)
    return node if len(complaints.found) == before else None


def _is_harmless(events: Iterator[yaml.Event], complaints: Complaints) -> bool:
    """Walk the events without building anything, so that a bomb is seen before it grows."""
    import yaml

    depth = documents = nodes = 0
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            complaints.add(line, "anchors and aliases (& and *) are not allowed; quote the text if it is meant as such")
            return False
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                complaints.add(line, "one document for each file; move what follows `---` to a file of its own")
                return False
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
            if nodes > MAX_NODES:
                complaints.add(line, f"more than {MAX_NODES} values in one file")
                return False
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                complaints.add(line, f"nested deeper than {MAX_DEPTH} levels")
                return False
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return True


def _syntax_mistake(error: yaml.YAMLError, data: bytes) -> tuple[int, str]:
    import yaml

    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return error.problem_mark.line + 1, f"broken YAML: {error.problem}"
    position = getattr(error, "position", None)
    line = data.count(b"\n", 0, position) + 1 if isinstance(position, int) else 0
    return line, f"broken YAML: {getattr(error, 'reason', error)}"


def _convert(node: yaml.Node, constructor: yaml.constructor.SafeConstructor, complaints: Complaints) -> Node:
    import yaml

    line = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        items = [_convert(item, constructor, complaints) for item in node.value]
        return Node(line, [item.value for item in items], tuple(("", item) for item in items))
    if isinstance(node, yaml.MappingNode):
        return _convert_mapping(node, constructor, complaints)
    try:
        return Node(line, constructor.construct_object(node))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        complaints.add(line, f"unreadable value {str(node.value)[:60]!r}: {getattr(error, 'problem', None) or error}")
        return Node(line, None)


def _convert_mapping(
    node: yaml.MappingNode, constructor: yaml.constructor.SafeConstructor, complaints: Complaints
) -> Node:
    entries: dict[str, Node] = {}
    for key_node, value_node in node.value:
        key = _convert(key_node, constructor, complaints)
        value = _convert(value_node, constructor, complaints)
        if not isinstance(key.value, str):
            complaints.add(key.line, f"key {str(key.value)[:60]!r} is no text; put it in quotes")
        elif key.value in entries:
            complaints.add(key.line, f"key {key.value!r} occurs twice; first in line {entries[key.value].line}")
        else:
            entries[key.value] = value
    plain: dict[str, Plain] = {name: value.value for name, value in entries.items()}
    return Node(node.start_mark.line + 1, plain, tuple(entries.items()))
