"""`kf stats`: for each task how often it ran, how long it takes, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

import click

from ...core.run import outcome
from ...core.run.statistics import Statistics, by_task, percentile
from .. import archives, names, output
from ..log_choice import Choice, since
from ..run_list import past
from ..table import echo, seconds, show
from ..target import Target, target_options
from ..views import View

COLUMNS = ("App", "Task", "Runs", "Succeeded", "Failed", "Running", "Median", "P95", "Last", "Durations")
WIDE = ("TimedOut", "Cancelled", "Longest", "Since")


@dataclass(frozen=True, kw_only=True)
class StatsView(View):
    """A task with what its runs tell together: `kf stats`.

    Times in seconds, of the runs that succeeded (nearest rank); null where there are none. `failed` counts all that
    ended without success, those that timed out and were cancelled among them. `since` is when the oldest was made.
    """

    app: str
    task: str
    runs: int
    succeeded: int
    failed: int
    timed_out: int
    cancelled: int
    running: int
    median: float | None
    p95: float | None
    longest: float | None
    last_state: str
    since: str

    @classmethod
    def of(cls, found: Statistics) -> StatsView:
        """That of a task."""
        times = found.durations
        return cls(
            app=found.app,
            task=found.task,
            runs=len(found.runs),
            succeeded=found.count(outcome.SUCCEEDED),
            failed=sum(run.failed for run in found.runs),
            timed_out=found.count(outcome.TIMED_OUT),
            cancelled=found.count(outcome.CANCELLED),
            running=found.count(outcome.RUNNING, outcome.PENDING),
            median=percentile(times, 50),
            p95=percentile(times, 95),
            longest=max(times, default=None),
            last_state=found.runs[-1].state,
            since=found.runs[0].created,
        )


@click.command()
@click.argument("app", type=names.app, required=False)
@click.option("--since", type=since, metavar="SPAN|TIME", help="Only runs that were made in this span of time (12h, "
              "30d), or from this moment on (RFC 3339).")  # fmt: skip
@click.option("--archived", is_flag=True, help="Also those that only the log archive has.")
@output.option()
@target_options
@click.pass_obj
def stats(target: Target, app: str | None, since: str | None, archived: bool, form: str | None) -> None:
    """Shows for each task of APP, or of the Space, how often it ran, how long it takes, and how it ended.

    Median and 95th percentile are of the runs that succeeded. The bars are the newest twenty, ! is one that failed.
    """
    space = target.open()
    runs = space.runs(app, with_times=True)
    moment = Choice(since=since).moment(space.cluster.now) or ""
    both = sorted([*runs, *map(archives.listed, past(space, app, runs) if archived else ())], key=archives.order)
    if not both:
        space.check_app(app) if app else space.check_space()
    found = by_task(run for run in both if run.created >= moment)
    views = [StatsView.of(each) for each in found]
    if output.printed(form, views, [f"{view.app}/{view.task}" for view in views]):
        return
    if not found:
        place = f"{f' of app {app!r}' if app else ''} in space {space.name!r}"
        echo(f"No tasks{place}{f' since {moment}' if moment else ''}.")
        return
    rows = [(*_row(view), each.spark) for view, each in zip(views, found)]
    if form == output.WIDE:
        show([(*COLUMNS[:-1], *WIDE, COLUMNS[-1]), *((*row[:-1], *_more(it), row[-1]) for row, it in zip(rows, views))])
    else:
        show([COLUMNS, *rows])


def _row(view: StatsView) -> tuple[str, ...]:
    counts = map(str, (view.runs, view.succeeded, view.failed, view.running))
    return view.app, view.task, *counts, seconds(view.median), seconds(view.p95), view.last_state


def _more(view: StatsView) -> tuple[str, ...]:
    return str(view.timed_out), str(view.cancelled), seconds(view.longest), view.since
