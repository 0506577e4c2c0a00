"""A YAML file as its author wrote it: every scalar is the text that the file shows, and knows its line.

YAML turns `0755` into 493, `on` into True and `1.10` into 1.1. Nothing here is turned into anything;
a null is None. `((name))` is replaced after parsing, so that a value can never become syntax.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from .errors import InvalidInput

MOST_NODES = 100_000  # a few lines of nested aliases are worth billions of nodes
DEEPEST = 50
_VARIABLE = re.compile(r"(?<!\$)\(\(([-.\w]+)\)\)")
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"


class Map(dict[str, Any]):
    """A map that knows the line of each of its keys."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, int] = {}


class List(list[Any]):
    """A list that knows the line of each of its entries."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, int] = {}


class Absent(str):
    """A text with a variable that has no value: reported once, and not again by what the text should be."""


@dataclass
class Document:
    """What is in a file (`data`: text, None, Map or List), what is wrong with it, and which top keys are anchors."""

    data: Any = None
    problems: list[tuple[int, str]] = field(default_factory=list)
    anchored: set[str] = field(default_factory=set)


def kind(value: Any) -> str:
    """The predicate of a complaint: `is a map`, `is '5'` …"""
    if value is None:
        return "has no value"
    return "is a map" if isinstance(value, dict) else "is a list" if isinstance(value, list) else f"is {value!r}"


def read(text: str, file: str, variables: Mapping[str, Any]) -> Document:
    """The document in `text`; raises InvalidInput if it is no YAML at all."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        said = f"{error.problem or 'is no YAML'}{f' ({error.context})' if error.context else ''}"
        raise InvalidInput(f"{file} is no YAML: line {line}: {said}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InvalidInput(f"{file} is no YAML: line {line}: a control character is not allowed") from None
    except RecursionError:
        raise InvalidInput(f"{file} cannot be read: it is nested too deeply") from None
    reader = _Reader(file, variables)
    reader.document.data = None if root is None else reader.data(root)
    return reader.document


class _Loader(yaml.SafeLoader):
    """Marks what has an anchor: at the top level it is there to be referred to."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        anchored = self.anchor_ahead()
        node = super().compose_node(parent, index)
        if node is not None:
            node.__dict__["anchored"] = anchored
        return node

    def anchor_ahead(self) -> bool:
        peek: Any = self.peek_event
        return getattr(peek(), "anchor", None) is not None


class _Reader:
    def __init__(self, file: str, variables: Mapping[str, Any]) -> None:
        self.document = Document()
        self._file = file
        self._variables = variables
        self._nodes = 0

    def data(self, node: yaml.Node, depth: int = 0) -> Any:
        """A node as text, map or list; every scalar is the text that the file shows."""
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > DEEPEST:
            raise InvalidInput(f"{self._file}: line {_line(node)}: too many or too deeply nested aliases")
        if isinstance(node, yaml.ScalarNode):
            return None if node.tag == _NULL else self._insert(node)
        if isinstance(node, yaml.SequenceNode):
            items = List()
            for nth, item in enumerate(node.value):
                items.append(self.data(item, depth + 1))
                items.lines[nth] = _line(item)
            return items
        found, merged = Map(), Map()
        for key, value in node.value:
            if key.tag == _MERGE:
                self._merge(merged, value, depth)
                continue
            if not isinstance(key, yaml.ScalarNode):
                self._problem(key, "a key is a map or a list: write a text as key")
                continue
            name = str(key.value)
            if name in found:
                self._problem(key, f"key {name!r} is given twice, first in line {found.lines[name]}: keep one")
                continue
            found[name] = self.data(value, depth + 1)
            found.lines[name] = _line(key)
            if depth == 0 and getattr(value, "anchored", False):
                self.document.anchored.add(name)
        for name in [name for name in merged if name not in found]:
            found[name], found.lines[name] = merged[name], merged.lines[name]
        return found

    def _merge(self, merged: Map, node: yaml.Node, depth: int) -> None:
        """YAML's `<<`: shallow, and of several maps the first wins."""
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            data = self.data(source, depth + 1)
            if not isinstance(data, Map):
                self._problem(source, f"'<<' {kind(data)}: it can only insert maps")
                continue
            for name in [name for name in data if name not in merged]:
                merged[name], merged.lines[name] = data[name], data.lines[name]

    def _insert(self, node: yaml.ScalarNode) -> Any:
        """A text with the values of its `((variables))`; one that is nothing but a variable gets its value as it is."""
        text = str(node.value)
        names = _VARIABLE.findall(text)
        missing = [name for name in names if name not in self._variables]
        for name in missing:
            self._problem(node, f"variable (({name})) has no value: set it in the configuration kf:vars")
        if missing:
            return Absent(text)
        if names and text == f"(({names[0]}))":
            return _inserted(self._variables[names[0]], _line(node))
        for name in names:
            if isinstance(self._variables[name], (dict, list)):
                self._problem(node, f"variable (({name})) {kind(self._variables[name])}: it cannot stand within a text")
        return _VARIABLE.sub(lambda found: _written(self._variables[found[1]]), text)

    def _problem(self, node: yaml.Node, said: str) -> None:
        self.document.problems.append((_line(node), said))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _inserted(value: Any, line: int) -> Any:
    if isinstance(value, (dict, list)):
        found: Any = Map() if isinstance(value, dict) else List()
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            found.lines[key] = line
            if isinstance(value, dict):
                found[str(key)] = _inserted(item, line)
            else:
                found.append(_inserted(item, line))
        return found
    return None if value is None else _written(value)
