"""A review as a document of sections, tables and differences, before anybody decides how it looks.

What is ours is `str`, and what comes from a program or a cluster is `Foreign`: a renderer shows that as code, in
which nothing is markup, a mention or a link. So no renderer has to know where a text is from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Sequence, Union

LONGEST = 400  # characters of one text; whole ones stand in the differences, and in JSON


@dataclass(frozen=True)
class Foreign:
    """A text that a program or a cluster has chosen."""

    text: str


Inline = Union[str, Foreign]
Cell = tuple[Inline, ...]


@dataclass(frozen=True)
class Table:
    """Rows under names of columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Items:
    """A list of lines."""

    lines: Sequence[Cell]


@dataclass(frozen=True)
class Picture:
    """A picture as SVG, for whoever can see it; what it shows stands in words beside it.

    `svg` is made of our own elements and of escaped texts.
    """

    title: Cell
    svg: str


@dataclass(frozen=True)
class Difference:
    """The lines of a unified diff under a title."""

    title: Cell
    lines: Sequence[str]


Block = Union[Table, Items, Difference, Picture]


@dataclass(frozen=True)
class Section:
    """Blocks under a title; `folded` where it opens on demand, `alert` where it is an error or a deletion."""

    title: str
    blocks: Sequence[Block]
    folded: bool = False
    alert: bool = False


@dataclass(frozen=True)
class Part:
    """What is said of one stack: one sentence of counts, and sections that each have something."""

    title: Cell
    summary: str
    sections: Sequence[Section] = field(default_factory=tuple)


@dataclass(frozen=True)
class Document:
    """The parts of all stacks; `names` are those of the stacks, `project/stack`."""

    names: Sequence[str]
    parts: Sequence[Part]


def cell(*parts: Inline) -> Cell:
    """A cell of these parts, without empty ones."""
    return tuple(part for part in parts if part if not isinstance(part, str) or part)


def cut(text: str, longest: int = LONGEST) -> str:
    """A text that is not longer than people read."""
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text) - longest} more characters)"


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 task`, `2 tasks`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def joined(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    found = list(words)
    return " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))
