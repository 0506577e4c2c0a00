"""`kf tasks --watch`: the table as it changes on a terminal, elsewhere a row for each change, as `kubectl get -w`.

Also what the pods alone tell is a change: a queue lets a run go, or Tekton has forgotten it. Runs and pods are listed
once and then told by a watch; where nobody may watch, they are listed the less often the longer nothing changes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import click

from ..core import moments
from ..core.run.summary import RunSummary
from ..errors import Unreachable
from . import output
from .log_form import warn
from .run_list import chosen, rows_of, views
from .sight import Watched
from .table import aligned, echo, print_data, shown_rows, styled, widths_of
from .target import TargetSpace
from .views import ListedView

POLL_SECONDS = 2.0
PATIENCE_SECONDS = 60.0
Look = tuple[Sequence[RunSummary], Sequence[ListedView], "str | None"]  # each run, what is known of it, and the time


def watch(space: TargetSpace, app: str | None, states: Sequence[str], by: str, form: str | None = None) -> None:
    """Shows the runs in these states until Ctrl-C; raises Unreachable for a cluster that is away for a minute.

    In a `form` for programs each run, and each again when more is known of it: as JSON a line, as YAML a document, and
    names when they are new.
    """
    looks = _looks(space, app, lambda runs: chosen(runs, states, by))
    if form in ("json", "yaml", output.NAME):
        _stream(looks, form)
    elif sys.stdout.isatty():
        _move(looks, with_app=not app, wide=form == output.WIDE)
    else:
        _print(looks, with_app=not app, wide=form == output.WIDE)


def _looks(
    space: TargetSpace, app: str | None, choose: Callable[[Sequence[RunSummary]], list[RunSummary]]
) -> Iterator[Look]:
    """What there is to be shown, whenever something may have changed."""
    from ..cluster.informer import informer

    answered, first, before, clock = time.monotonic(), True, list[RunSummary](), _Clock(space)
    sight = Watched(space)
    listener = informer(space.cluster.http, space.name).listen()
    while True:
        while not listener.is_due():
            time.sleep(POLL_SECONDS)
        try:
            runs = space.told_runs(app, with_times=True)
            if first and not runs:
                space.check_app(app) if app else space.check_space()
            answered, first = time.monotonic(), False
            if runs != before:
                listener.move()
            before, found, now = runs, choose(runs), clock.now()
            yield found, views(found, sight, now), now
        except Unreachable as error:
            if first or time.monotonic() - answered > PATIENCE_SECONDS:
                raise
            warn(f"{error}; asking again")
            listener.changed.set()
        time.sleep(POLL_SECONDS)


class _Clock:
    """The cluster's time, which goes on while nothing is asked."""

    def __init__(self, space: TargetSpace) -> None:
        self._cluster = space.cluster
        self._told, self._at = self._cluster.now, time.monotonic()

    def now(self) -> str | None:
        """The time by now; None as long as the cluster has told none."""
        if self._told != self._cluster.now:
            self._told, self._at = self._cluster.now, time.monotonic()
        return self._told and moments.before(self._told, -int(time.monotonic() - self._at))


def _stream(looks: Iterator[Look], form: str) -> None:
    """Each run for programs, at once and whole."""
    seen: dict[str, ListedView] = {}
    for runs, told, _ in looks:
        for run, view in zip(runs, told):
            if form == output.NAME and run.uid not in seen:
                echo(view.name)
            elif form == "json" and seen.get(run.uid) != view:
                click.echo(json.dumps(view.plain()))
            elif form == "yaml" and seen.get(run.uid) != view:
                click.echo("---")
                print_data(view.plain(), form)
        sys.stdout.flush()
        seen = {run.uid: view for run, view in zip(runs, told)}


def _print(looks: Iterator[Look], *, with_app: bool, wide: bool) -> None:
    """A row for each run, and again when more is known of it; columns stay where they are."""
    seen: dict[str, ListedView] = {}
    widths, first = list[int](), True
    for runs, told, now in looks:
        changed = [(run, view) for run, view in zip(runs, told) if seen.get(run.uid) != view]
        head, *rows = shown_rows(rows_of(changed, now, with_app=with_app, wide=wide))
        widths = widths_of([head, *rows], widths)
        for line in aligned([head, *rows] if first else rows, widths):
            echo(line)
        first = False
        sys.stdout.flush()
        seen = {run.uid: view for run, view in zip(runs, told)}


def _move(looks: Iterator[Look], *, with_app: bool, wide: bool) -> None:
    """One table that changes in its place: as many of the last rows as the terminal has room for."""
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False, redirect_stderr=False) as live:
        for runs, told, now in looks:
            room = max(console.height - 3, 1)
            head, *rows = shown_rows(rows_of(list(zip(runs, told)), now, with_app=with_app, wide=wide))
            live.update(styled([head, *rows[-room:]], True, console.width, fold=False), refresh=True)
