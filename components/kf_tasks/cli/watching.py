"""`kf tasks --watch`: the table as it changes on a terminal, elsewhere a row for each change, as `kubectl get -w`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

from ..core.run.summary import RunSummary
from ..errors import Unreachable
from .log_form import warn
from .run_list import chosen, table
from .table import aligned, echo, shown_rows, styled, widths_of
from .target import TargetSpace

POLL_SECONDS = 2.0
PATIENCE_SECONDS = 60.0


def watch(space: TargetSpace, app: str | None, states: Sequence[str], by: str) -> None:
    """Shows the runs in these states until Ctrl-C; raises Unreachable for a cluster that is away for a minute."""
    looks = (chosen(runs, states, by) for runs in _looks(space, app))
    _move(space, looks, with_app=not app) if sys.stdout.isatty() else _print(space, looks, with_app=not app)


def _looks(space: TargetSpace, app: str | None) -> Iterator[list[RunSummary]]:
    answered, first = time.monotonic(), True
    while True:
        try:
            runs = space.runs(app, with_times=True)
            if first and not runs:
                space.check_app(app) if app else space.check_space()
            answered, first = time.monotonic(), False
            yield runs
        except Unreachable as error:
            if first or time.monotonic() - answered > PATIENCE_SECONDS:
                raise
            warn(f"{error}; asking again")
        time.sleep(POLL_SECONDS)


def _print(space: TargetSpace, looks: Iterator[list[RunSummary]], *, with_app: bool) -> None:
    """A row for each run, and again when more is known of it; columns stay where they are."""
    seen: dict[str, RunSummary] = {}
    widths, first = list[int](), True
    for runs in looks:
        changed = [run for run in runs if seen.get(run.uid) != run]
        head, *rows = shown_rows(table(changed, space.cluster.now, with_app=with_app))
        widths = widths_of([head, *rows], widths)
        for line in aligned([head, *rows] if first else rows, widths):
            echo(line)
        first = False
        sys.stdout.flush()
        seen = {run.uid: run for run in runs}


def _move(space: TargetSpace, looks: Iterator[list[RunSummary]], *, with_app: bool) -> None:
    """One table that changes in its place: as many of the last rows as the terminal has room for."""
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False, redirect_stderr=False) as live:
        for runs in looks:
            room = max(console.height - 3, 1)
            head, *rows = shown_rows(table(runs, space.cluster.now, with_app=with_app))
            live.update(styled([head, *rows[-room:]], True, console.width), refresh=True)
