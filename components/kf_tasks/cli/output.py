"""`-o`: the forms in which an answer is given, the same for every command.

Without it a table for people; `wide` has more columns where there are more, `name` only what other commands want as a
name, `json` and `yaml` are for programs: their fields (see `views`) are a contract.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from .table import echo, print_data
from .views import View

WIDE, NAME = "wide", "name"
HELP = "Another form than a table for people."
F = TypeVar("F", bound=Callable[..., Any])


def option() -> Callable[[F], F]:
    """`-o`, whose forms every command has."""
    return click.option("-o", "--output", "form", type=click.Choice(["json", "yaml", WIDE, NAME]), help=HELP)


def printed(output: str | None, found: Sequence[View] | View, names: Sequence[str] = ()) -> bool:
    """Prints `found` for programs, or only the `names`; False where a table is wanted, which is the caller's."""
    if output == NAME:
        for name in names:
            echo(name)
    elif output in ("json", "yaml"):
        print_data([view.plain() for view in found] if isinstance(found, Sequence) else found.plain(), output)
    return output not in (None, WIDE)
