"""A review as one HTML file: no script, nothing from elsewhere, light and dark, on paper and on a telephone.

All that is foreign is escaped, and a policy in the head lets a browser do nothing but show it. Tables become cards
where there is no room for columns, and keep their roles, so that a screen reader still reads tables.
"""

from __future__ import annotations

from html import escape
from typing import Iterable, Sequence

from ..log.gate import shown
from .document import Block, Cell, Document, Foreign, Items, Part, Picture, Section, Table, cut
from .style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(document: Document) -> str:
    """The whole document."""
    title = escape(shown(f"Review of {', '.join(document.names) or 'nothing'}".replace("\n", " ")))
    body = "".join(_part(part, nth) for nth, part in enumerate(document.parts))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Review</h1>\n"
        f"{_contents(document)}{body}</main>\n</body>\n</html>\n"
    )


def _contents(document: Document) -> str:
    if len(document.parts) < 2:
        return ""
    links = "".join(
        f'<li><a href="#stack-{nth}">{_inline(part.title)}</a> {escape(part.summary)}</li>\n'
        for nth, part in enumerate(document.parts)
    )
    return f'<nav aria-label="Stacks"><ul>\n{links}</ul></nav>\n'


def _part(part: Part, nth: int) -> str:
    head = f'<h2 id="stack-{nth}">{_inline(part.title)}</h2>\n<p class="summary">{escape(part.summary)}</p>\n'
    sections = "".join(_section(section, f"stack-{nth}", place) for place, section in enumerate(part.sections))
    return f'<article aria-labelledby="stack-{nth}">\n{head}{sections}</article>\n'


def _section(section: Section, stack: str, place: int) -> str:
    """A section, which is named together with its stack: several stacks have sections of one title."""
    name = f"{stack}-{place}"
    body = "".join(_block(block, stack, f"{name}-{nth}", section.title) for nth, block in enumerate(section.blocks))
    kind = ' class="alert"' if section.alert else ""
    title = f'<h3 id="{name}">{"⚠ " if section.alert else ""}{escape(section.title)}</h3>'
    if section.folded:
        return f"<details>\n<summary>{title}</summary>\n{body}</details>\n"
    return f'<section aria-labelledby="{stack} {name}"{kind}>\n{title}\n{body}</section>\n'


def _block(block: Block, stack: str, name: str, title: str) -> str:
    if isinstance(block, Table):
        return _table(block, title)
    if isinstance(block, Items):
        return "<ul>\n" + "".join(f"<li>{_inline(line)}</li>\n" for line in block.lines) + "</ul>\n"
    if isinstance(block, Picture):
        return f"<figure><figcaption>{_inline(block.title)}</figcaption>{block.svg}</figure>\n"
    lines = "".join(_line(line) for line in block.lines)
    head = f'<h4 id="{name}">{_inline(block.title)}</h4>\n'
    return f'{head}<pre tabindex="0" role="region" aria-labelledby="{stack} {name}">{lines}</pre>\n'


def _table(table: Table, title: str) -> str:
    names = [name or "Note" for name in table.columns]
    head = "".join(f'<th role="columnheader" scope="col">{escape(name)}</th>' for name in names)
    rows = "".join(f'<tr role="row">{"".join(_cells(names, row))}</tr>\n' for row in table.rows)
    top = f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
    body = f'<tbody role="rowgroup">\n{rows}</tbody>'
    return f'<table role="table" aria-label="{escape(title)}">\n{top}\n{body}\n</table>\n'


def _cells(names: Sequence[str], row: Sequence[Cell]) -> Iterable[str]:
    yield f'<th role="rowheader" scope="row">{_inline(row[0])}</th>'
    for name, found in zip(names[1:], row[1:]):
        yield f'<td role="cell" data-label="{escape(name)}">{_inline(found)}</td>'


def _line(line: str) -> str:
    kind = {"+": "add", "-": "del", "@": "at"}.get(line[:1], "")
    text = escape(shown(line.replace("\r", "")))
    return f'<span class="{kind}">{text}</span>\n' if kind else f"{text}\n"


def _inline(cell: Cell) -> str:
    return "".join(_code(part.text) if isinstance(part, Foreign) else escape(part) for part in cell)


def _code(text: str) -> str:
    return f"<code>{escape(shown(cut(text)).strip())}</code>"
