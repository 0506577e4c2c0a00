"""A review as Markdown that GitHub and GitLab show alike, as a comment of a pull request.

The first line is a comment by which a bot finds what it wrote before. What is foreign stands in code alone, where
neither markup nor a mention nor a link to an issue is read. A section that has no room is left out whole, and said.
"""

from __future__ import annotations

import re
from typing import Sequence

from ..log.gate import shown
from .document import Block, Cell, Difference, Document, Foreign, Items, Part, Picture, Section, Table, cut

LIMIT = 64_000  # characters: GitHub takes 65,536
_UNSAFE = re.compile(r"[^A-Za-z0-9._/-]|--+")
_TICKS = re.compile("`+")
_ROOM_FOR_NOTICE = 400


def render(document: Document, limit: int = LIMIT) -> str:
    """The document in at most `limit` characters."""
    names = " ".join(_UNSAFE.sub("_", name) for name in document.names)
    head = f"<!-- kf-review {names or 'nothing'} -->\n"
    parts = [
        (_head(part), [(section.title, _section(section)) for section in part.sections]) for part in document.parts
    ]
    whole = head + "\n".join(top + "".join(text for _, text in sections) for top, sections in parts)
    if len(whole) <= limit:
        return whole
    return _cut(head, parts, limit)


def _cut(head: str, parts: Sequence[tuple[str, Sequence[tuple[str, str]]]], limit: int) -> str:
    """Every summary first, then what has room, the first sections of all stacks before the last ones of any."""
    room = limit - len(head) - _ROOM_FOR_NOTICE - sum(len(top) + 1 for top, _ in parts)
    kept: set[tuple[int, int]] = set()
    left: dict[str, int] = {}
    for nth in range(max((len(sections) for _, sections in parts), default=0)):
        for number, (_, sections) in enumerate(parts):
            if nth >= len(sections):
                continue
            title, text = sections[nth]
            if len(text) <= room:
                kept.add((number, nth))
                room -= len(text)
            else:
                left[title] = left.get(title, 0) + 1
    body = "\n".join(
        top + "".join(text for nth, (_, text) in enumerate(sections) if (number, nth) in kept)
        for number, (top, sections) in enumerate(parts)
    )
    notice = f"\n> Left out, since it has no room here: {', '.join(left)}. `kf review --html FILE` has it all.\n"
    return (head + body + notice)[: max(limit, 0)]


def _head(part: Part) -> str:
    return f"## {_inline(part.title)}\n\n{part.summary}\n"


def _section(section: Section) -> str:
    body = "\n".join(_block(block) for block in section.blocks)
    if section.folded:
        return f"\n<details><summary>{section.title}</summary>\n\n{body}\n</details>\n"
    mark = "⚠️ " if section.alert else ""
    return f"\n### {mark}{section.title}\n\n{body}"


def _block(block: Block) -> str:
    if isinstance(block, Table):
        rows = [[_inline(cell, table=True) for cell in row] for row in block.rows]
        lines = [list(block.columns), ["---"] * len(block.columns), *rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)
    if isinstance(block, Picture):
        return ""
    if isinstance(block, Items):
        return "".join(f"- {_inline(line)}\n" for line in block.lines)
    return _difference(block)


def _difference(block: Difference) -> str:
    lines = [shown(line.replace("\r", "")) for line in block.lines]
    longest = max((len(found) for line in lines for found in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{_inline(block.title)}\n\n{fence}diff\n" + "".join(f"{line}\n" for line in lines) + f"{fence}\n"


def _inline(cell: Cell, *, table: bool = False) -> str:
    return "".join(_code(part.text, table) if isinstance(part, Foreign) else part for part in cell)


def _code(text: str, table: bool) -> str:
    """A text as a code span: on one line, between more backticks than it has in a row."""
    plain = " ".join(_visible(shown(cut(text))).split("\n")).strip() or " "
    longest = max(map(len, _TICKS.findall(plain)), default=0)
    ticks = "`" * (longest + 1)
    padded = f" {plain} " if longest or plain == " " else plain
    span = f"{ticks}{padded}{ticks}"
    return span.replace("|", "\\|") if table else span


def _visible(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "↵\n").removesuffix("↵\n")
