"""`kf tasks`: the runs that are kept, oldest first, so that the newest stands above the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...core import marks, moments
from ...core.log.reader import harmless
from ...core.retention import plan
from ...core.run.summary import RunSummary
from .. import archives, names
from ..archives import option as archive_option
from ..table import echo, print_data, show, span
from ..target import Target, TargetSpace, target_options
from ..views import ListedView

if TYPE_CHECKING:
    from ...log.archive import Archive

LONGEST_REASON = 80
COLUMNS = ("Name", "ID", "DisplayName", "Age", "Duration", "Succeeded", "Reason")


@click.command()
@click.argument("app", type=names.app, required=False)
@click.option("-o", "--output", type=click.Choice(["json", "yaml", "name"]), help="For programs, in place of a table.")
@archive_option()
@target_options
@click.pass_obj
def tasks(target: Target, app: str | None, output: str | None, url: str | None) -> None:
    """Lists the tasks of APP, or of the whole Space; with --archive those whose logs it holds."""

    def of_cluster(space: TargetSpace) -> tuple[list[RunSummary], str | None, str]:
        runs = space.runs(app, with_times=True)
        if not runs:
            space.check_app(app) if app else space.check_space()
        return runs, space.cluster.now, space.name

    def of_archive(archive: Archive, space: str) -> tuple[list[RunSummary], str | None, str] | None:
        records = archives.find(archive, space, app, None, None)
        return ([archives.listed(record) for record in records], moments.now(), space) if records else None

    runs, now, name = archives.of_cluster_or_archive(
        target, url, app, f"app {app!r}" if app else "any app", of_cluster, of_archive
    )
    if output == "name":
        for run in runs:
            echo(run.name)
    elif output:
        print_data([ListedView.of(run).plain() for run in runs], output)
    elif not runs:
        echo(f"No tasks{f' of app {app!r}' if app else ''} in space {name!r}.")
    else:
        show(table(runs, now, with_app=not app))


def table(runs: list[RunSummary], now: str | None, *, with_app: bool = False) -> list[tuple[str, ...]]:
    """The rows of the table, its columns' names first; `now` is the cluster's time."""
    rows = [
        (
            run.name,
            str(run.task_id or ""),
            run.labels.get(marks.TASK, ""),
            span(run.created, now),
            span(run.started_at, run.finished_at or now),
            run.succeeded,
            reason(run),
        )
        for run in runs
    ]
    if with_app:
        apps = [run.labels.get(marks.NAME, "") for run in runs]
        return [("App", *COLUMNS), *((app, *row) for app, row in zip(apps, rows))]
    return [COLUMNS, *rows]


def reason(run: RunSummary) -> str:
    """Tekton's reason, and what is known beyond it: our sentence about a failure, or who cancelled."""
    by = run.annotations.get(marks.CANCELLED_BY)
    more = run.annotations.get(marks.OUTCOME) or (f"by {by}" if by else "")
    text = f"{run.reason}: {more}" if more and run.succeeded != "True" else run.reason
    plain = harmless(" ".join(text.split()))
    short = plain if len(plain) <= LONGEST_REASON else f"{plain[:LONGEST_REASON]}…"
    return f"{short} (pinned)" if plan.is_pinned(run) else short
