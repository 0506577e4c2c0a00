"""A review for a terminal."""

from __future__ import annotations

from typing import Iterable, Sequence

from ..log.gate import shown
from .document import Cell, Difference, Document, Foreign, Items, Section, Table, cut

_DIFFERENCES = "kf review --html or --markdown shows them"


def render(document: Document) -> str:
    """The whole document as lines; differences of templates are counted only."""
    found: list[str] = []
    for part in document.parts:
        found += [*([""] if found else []), f"{_plain(part.title)}: {part.summary}"]
        for section in part.sections:
            found += ["", section.title, *(f"  {line}" for line in _lines(section))]
    return "\n".join(line.rstrip() for line in found) + "\n"


def _lines(section: Section) -> Iterable[str]:
    differences = [block for block in section.blocks if isinstance(block, Difference)]
    for block in section.blocks:
        if isinstance(block, Table):
            for row in block.rows:
                yield from _row(block.columns, row)
        elif isinstance(block, Items):
            yield from (f"- {_plain(line)}" for line in block.lines)
    if differences:
        yield f"{len(differences)} of them differ: {_DIFFERENCES}"


def _row(columns: Sequence[str], row: Sequence[Cell]) -> Iterable[str]:
    """The first cell as a head, the others below it with the names of their columns."""
    yield f"- {_plain(row[0])}"
    for name, found in zip(columns[1:], row[1:]):
        text = _plain(found)
        if text:
            yield f"    {name.lower()}: {text}" if name else f"    {text}"


def _plain(cell: Cell) -> str:
    return "".join(shown(_one_line(part.text)) if isinstance(part, Foreign) else part for part in cell)


def _one_line(text: str) -> str:
    return cut(text).replace("\r\n", "\n").replace("\n", "\\n").replace("\r", "\\r")
