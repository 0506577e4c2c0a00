"""A YAML file as its author wrote it: scalars as text, aliases and `<<` followed, `((variables))` inserted.

Variables are inserted here, between YAML's structure and everything that looks at it, because a key may be one
and `<<` has to know whether a map already has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, List, Optional, Set, Tuple

import yaml

from ..errors import InvalidInput
from .findings import Finding, Path
from .nodes import Absent, Entries, Items, Text, kind
from .substitution import Substitution

MOST_NODES = 100_000  # a few lines of nested aliases are worth billions of nodes
DEEPEST = 50
_YAML = "tag:yaml.org,2002:"
_HALF = re.compile("[\ud800-\udfff]")

_CONSTRUCT = yaml.constructor.SafeConstructor()


@dataclass
class Document:
    """What is in a file (`data`: Text, None, Entries or Items), what is wrong with it, what its author should know."""

    data: Any = None
    problems: List[Finding] = field(default_factory=list)
    warnings: List[Finding] = field(default_factory=list)
    anchored: Set[str] = field(default_factory=set)  # keys at the top that are there to be referred to


def read(text: str, file: str, substitution: Optional[Substitution] = None) -> Document:
    """The document in `text`, without a substitution as it is; raises InvalidInput if it is no YAML at all."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        said = f"{error.problem or 'is no YAML'}{f' ({error.context})' if error.context else ''}"
        advice = ": indent with blanks" if "'\\t'" in said else ": keep one" if "another document" in said else ""
        raise InvalidInput(f"{file} is no YAML: line {line}: {said}{advice}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InvalidInput(f"{file} is no YAML: line {line}: a control character is not allowed") from None
    except RecursionError:
        raise InvalidInput(f"{file} cannot be read: it is nested too deeply") from None
    reader = _Reader(substitution)
    try:
        reader.document.data = None if root is None else reader.data(root, ())
    except RecursionError:  # a map that merges itself
        raise InvalidInput(f"{file} cannot be read: too many or too deeply nested aliases") from None
    except InvalidInput as error:
        raise InvalidInput(f"{file}: {error}") from None
    return reader.document


def value(text: str) -> Any:
    """A value from a command line: a list or map if YAML reads one, else the text as it is; None for null.

    As `cf push --var` does it: cloudfoundry/bosh-cli director/template/var_kv.go.
    """
    try:
        found = read(text, "").data
    except InvalidInput:
        found = None
    if isinstance(found, (Entries, Items)):
        return found
    resolve: Any = _Loader("").resolve
    return _scalar(yaml.ScalarNode(resolve(yaml.ScalarNode, text, (True, False)), text))


class _Loader(yaml.SafeLoader):
    """Marks what has an anchor, or holds something that has one: at the top it is there to be referred to."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.seen = 0

    def compose_node(self, parent: Optional[yaml.Node], index: Any) -> Optional[yaml.Node]:
        before = self.seen
        peek: Any = self.peek_event
        event = peek()
        self.seen += not isinstance(event, yaml.AliasEvent) and getattr(event, "anchor", None) is not None
        node = super().compose_node(parent, index)
        if node is not None and self.seen > before:
            node.__dict__["anchored"] = True
        return node


class _Reader:
    def __init__(self, substitution: Optional[Substitution]) -> None:
        self.document = Document()
        self._substitution = substitution
        self._nodes = 0

    def data(self, node: yaml.Node, path: Path) -> Any:
        """A node as text, map or list."""
        self._nodes += 1
        if self._nodes > MOST_NODES or len(path) > DEEPEST:
            raise InvalidInput(f"line {_line(node)}: too many or too deeply nested aliases")
        if not node.tag.startswith(_YAML) and node.tag != "!":
            self._problem(node, path, f"the tag {node.tag} is unknown: leave it out")
        if isinstance(node, yaml.ScalarNode):
            return self._insert(node, _scalar(node), path)
        if isinstance(node, yaml.SequenceNode):
            items = Items()
            for nth, item in enumerate(node.value):
                items.append(self.data(item, (*path, nth)))
                items.lines[nth] = _line(item)
            return items
        found, merges = Entries(), list[Tuple[yaml.Node, yaml.Node]]()
        for key, value in node.value:
            if key.tag == f"{_YAML}merge":
                if merges:
                    self._problem(key, path, "'<<' is given twice: write one, '<<: [*first, *second]'")
                merges.append((key, value))
                continue
            name = self._key(key, path)
            if name is None:
                continue
            if name in found:
                said = f"key {name!r} is given twice, first in line {found.lines[name]}: keep one"
                self._problem(key, path, said)
                continue
            found[name] = self.data(value, (*path, name))
            found.lines[name] = _line(key)
            if not path and getattr(value, "anchored", False):
                self.document.anchored.add(name)
        for key, value in merges:
            self._merge(found, key, value, path)
        return found

    def _key(self, key: yaml.Node, path: Path) -> Optional[str]:
        if not isinstance(key, yaml.ScalarNode):
            self._problem(key, path, "a key is a map or a list: write a text as key")
            return None
        written = Text(str(key.value))
        name = self._insert(key, written, path)
        if isinstance(name, Absent):
            return None
        if not isinstance(name, Text) or name.secrets:
            wrong = "holds a secret, which a key would show" if isinstance(name, Text) else kind(name)
            self._problem(key, path, f"key '{written}' {wrong}: write a text as key")
            return None
        return str(name)

    def _merge(self, found: Entries, key: yaml.Node, node: yaml.Node, path: Path) -> None:
        """YAML's `<<`: shallow, what the map has itself wins, and of several maps the first."""
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            data = self.data(source, path)
            if isinstance(data, Absent):
                continue
            if not isinstance(data, Entries):
                self._problem(key, path, f"'<<' {kind(data)}: it can only insert maps")
                break
            if data.secrets and path[-1:] != ("env",):
                said = f"'<<' holds the secret (({data.secrets[0]})), whose keys everybody could read here"
                self._problem(key, path, f"{said}: use it in env only, or set it without --secret")
                continue
            for name, value in data.items():
                if name in found:
                    found.hidden.setdefault(name, []).append(value)
                else:
                    found[name], found.lines[name] = value, data.lines[name]
                    found.merged.add(name)

    def _insert(self, node: yaml.ScalarNode, text: Optional[Text], path: Path) -> Any:
        if text is None or self._substitution is None:
            return text

        def tell(what: str, said: str) -> None:
            findings = self.document.problems if what == "problem" else self.document.warnings
            findings.append(Finding(_line(node), path, said, what))

        found = self._substitution.insert(text, _line(node), tell)
        if isinstance(found, Text) and _HALF.search(found):
            tell("problem", "holds half of a character (a surrogate), which is no text: write the whole one")
            return Absent(str(text))
        return found

    def _problem(self, node: yaml.Node, path: Path, said: str) -> None:
        self.document.problems.append(Finding(_line(node), path, said))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _scalar(node: yaml.ScalarNode) -> Optional[Text]:
    text = str(node.value)
    tag = node.tag.removeprefix(_YAML)
    if tag == "null":
        return None
    typed, instead = _typed(node, tag, text)
    return Text(text, typed, instead)


def _typed(node: yaml.ScalarNode, tag: str, text: str) -> Tuple[Any, Optional[str]]:
    """What YAML makes of a plain scalar, and its text if that is not the file's."""
    try:
        if tag == "timestamp":
            return text, "a date"
        if tag == "bool":
            made: Any = _CONSTRUCT.construct_yaml_bool(node)
            return made, None if text in ("true", "false") else str(made).lower()
        if tag in ("int", "float"):
            made = (_CONSTRUCT.construct_yaml_int if tag == "int" else _CONSTRUCT.construct_yaml_float)(node)
            # Numbers to the base 60 are read by PyYAML alone: a warning, but no number for others.
            return text if ":" in text else made, None if str(made) == text else str(made)
    except (ValueError, OverflowError, KeyError, IndexError):  # a tag on a text that it does not fit
        return text, None
    return text, None
