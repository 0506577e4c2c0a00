"""What a YAML file holds: maps, lists and texts that know where they stand.

A scalar is the text that its author wrote. What YAML would make of it (493 from `0755`) goes along as
`typed`: for a warning where both differ, and for the places where types count (parameters of services).
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Set, Tuple


class Entries(Dict[str, Any]):
    """A map that knows the line of each key, which keys `<<` brought, and what its own keys hide of those.

    `secrets` names the secret variable that it is the value of: then its keys are not to be shown either.
    """

    secrets: Tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.lines: Dict[Any, int] = {}
        self.merged: Set[str] = set()
        self.hidden: Dict[str, List[Any]] = {}


class Items(List[Any]):
    """A list that knows the line of each of its entries."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Dict[Any, int] = {}


class Text(str):
    """A scalar as it was written.

    `typed` is its value for tools that follow YAML's types, `instead` those tools' text where that is
    another one, `secrets` names the secret variables that are in it; its repr shows none of them.
    """

    typed: Any
    instead: Optional[str]
    secrets: Tuple[str, ...]

    def __new__(
        cls, text: str, typed: Any = None, instead: Optional[str] = None, secrets: Tuple[str, ...] = ()
    ) -> Text:
        """A text as `typed` means it; `instead` is what to write, `secrets` are the variables in it."""
        made = super().__new__(cls, text)
        made.typed = str(text) if typed is None else typed
        made.instead = instead
        made.secrets = secrets
        return made

    def __repr__(self) -> str:
        return "[secret]" if self.secrets else super().__repr__()


class Absent(Text):
    """A text with a variable that has no value: reported once, and not again by what the text should be."""


class Secret:
    """The value of a variable that nobody may read."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "[secret]"


def kind(value: Any) -> str:
    """The predicate of a complaint: `is a map`, `is '5'` and so on."""
    if value is None:
        return "has no value"
    return "is a map" if isinstance(value, dict) else "is a list" if isinstance(value, list) else f"is {value!r}"


def unreadable(value: Any) -> bool:
    """Whether a value is not known, or not to be shown: both is said where it is inserted or misplaced."""
    return isinstance(value, Absent) or (isinstance(value, (Text, Entries)) and bool(value.secrets))


def plain(value: Any, *, typed: bool) -> Any:
    """Plain data without lines: every scalar as the text of the file, or with its YAML type; keys are text."""
    if isinstance(value, dict):
        return {str(key): plain(item, typed=typed) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, typed=typed) for item in value]
    if isinstance(value, Text):
        return value.typed if typed else str(value)
    return value


def node(value: Any, line: int, secrets: Tuple[str, ...] = ()) -> Any:
    """Plain data (or another file's nodes) as nodes that stand in `line`."""
    if isinstance(value, Mapping):
        found = Entries()
        found.secrets = secrets
        for key, item in value.items():
            found[str(key)] = node(item, line, secrets)
            found.lines[str(key)] = line
        return found
    if isinstance(value, (list, tuple)):
        items = Items()
        for nth, item in enumerate(value):
            items.append(node(item, line, secrets))
            items.lines[nth] = line
        return items
    if value is None:
        return None
    if isinstance(value, Text):
        return Text(str(value), value.typed, value.instead, secrets)
    return Text(written(value), value, None, secrets)


def written(value: Any) -> str:
    """A scalar within a text: `true`, `60.2`; nothing for null."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
