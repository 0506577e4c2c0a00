"""Answers: tables for people, coloured on a terminal and plain elsewhere, and JSON or YAML for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..core import moments
from ..core.log.gate import shown

if TYPE_CHECKING:
    from rich.table import Table

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_COLOURS = {"True": "green", "Succeeded": "green", "False": "red", "Failed": "red"}
_COLOURED = ("Succeeded", "State")
_NARROWEST = 24
_GAP = 2


def echo(text: str, *, err: bool = False) -> None:
    """Prints a text, without secrets and harmless to a terminal: all that `kf` says goes this way."""
    click.echo(shown(text), err=err)


def show(rows: Sequence[Sequence[str]], *, headed: bool = True) -> None:
    """Prints rows, the first one being the columns' names if `headed`, else the first column names each row."""
    rows = shown_rows(rows)
    if not sys.stdout.isatty():
        for line in aligned(rows):
            echo(line)
        return
    from rich.console import Console

    console = Console(highlight=False)
    console.print(styled(rows, headed, console.width), crop=False)


def shown_rows(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Rows as they may be shown, each cell on one line."""
    return [[shown(cell.replace("\n", "\\n")) for cell in row] for row in rows]


def styled(rows: Sequence[Sequence[str]], headed: bool, room: int, *, fold: bool = True) -> Table:
    """Rows for a terminal of `room` columns: names stay whole for copying, and only the last column is folded.

    Without `fold` it is cut instead, so that each row is one line.
    """
    from rich.table import Table
    from rich.text import Text

    # Cells are Text and not str, in which rich would look for markup.
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=headed, header_style="bold")
    widths = [max(map(len, column)) for column in zip(*rows)]
    least = [*widths[:-1], min(widths[-1], _NARROWEST)]
    if sum(least) + _GAP * len(least) > room:  # then the terminal itself breaks the lines
        table.width = sum(least) + _GAP * len(least)
    titles = rows[0] if headed else [""] * len(widths)
    for nth, (title, width) in enumerate(zip(titles, least)):
        folded = fold and nth == len(least) - 1
        table.add_column(Text(title), no_wrap=not folded, overflow="fold" if folded else "ellipsis", min_width=width)
    for row in rows[1:] if headed else rows:
        names = titles if headed else ["", *([row[0]] * (len(row) - 1))]
        styles = [_COLOURS.get(cell, "yellow") if name in _COLOURED else "" for name, cell in zip(names, row)]
        if not headed:
            styles[0] = "bold"
        table.add_row(*(Text(cell, style=style) for cell, style in zip(row, styles)))
    return table


def aligned(rows: Sequence[Sequence[str]], widths: Sequence[int] = ()) -> list[str]:
    """Rows as lines, every column as wide as `widths` says, else as its longest cell."""
    chosen = widths or widths_of(rows)
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, chosen)).rstrip() for row in rows]


def widths_of(rows: Sequence[Sequence[str]], least: Sequence[int] = ()) -> list[int]:
    """How wide the longest cell of each column is, `least` if that is more."""
    longest = [max(map(len, column)) for column in zip(*rows)]
    return [max(pair) for pair in zip(longest, least or longest)]


def span(start: str | None, end: str | None) -> str:
    """The time between two moments (RFC 3339), as `seconds` has it."""
    return seconds(moments.seconds_between(start, end))


def seconds(lasted: float | None) -> str:
    """A span of time in at most two units: `12s`, `3m20s`, `5h`, `2d4h`; empty for none."""
    if lasted is None:
        return ""
    total = int(lasted)
    unit = next((nth for nth, (_, size) in enumerate(_UNITS) if total >= size), len(_UNITS) - 1)
    text = ""
    for name, size in _UNITS[unit : unit + 2]:
        amount, total = divmod(total, size)
        text += f"{amount}{name}" if amount or not text else ""
    return text


def print_data(data: Any, form: str) -> None:
    """Prints plain data as `json` or `yaml`."""
    if form == "json":
        click.echo(json.dumps(data, indent=2))
        return
    import yaml

    click.echo(yaml.safe_dump(data, sort_keys=False), nl=False)
