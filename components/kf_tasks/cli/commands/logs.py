"""`kf logs APP --task`: the logs of every task that is kept, finished ones too, and then of what runs.

Unlike Kf, which skips finished tasks while it follows and mixes the lines of all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ...core import marks
from ...core.log.stored import StoredLog
from ...core.run.summary import RunSummary
from ...errors import ArchiveError, NotFound
from .. import archives, names
from ..archives import option as archive_option
from ..log_printer import LogPrinter, stored, warn
from ..target import Target, TargetSpace, target_options

if TYPE_CHECKING:
    from ...log.archive import Archive


@click.command()
@click.argument("app", type=names.app, required=False)
@click.option("--task", is_flag=True, help="The logs of tasks (an App has no others).")
@click.option("-f", "--follow", is_flag=True, help="Go on with what runs and what comes (does so without it too).")
@click.option("--recent", is_flag=True, help="End after what is there, in place of following what runs.")
@click.option("-n", "--number", "lines", type=click.IntRange(min=0), default=10, show_default=True,
              help="Lines of each run to begin with; 0 shows all.")  # fmt: skip
@click.option("--run", "name", type=names.run, metavar="NAME", help="Only this run.")
@click.option("--id", "task_id", metavar="N", type=click.IntRange(min=1), help="Only the run of APP with this ID.")
@click.option("--unmasked", is_flag=True, help="Also logs of runs whose Secrets are not known any more, as they are.")
@archive_option()
@target_options
@click.pass_obj
def logs(
    target: Target,
    app: str | None,
    task: bool,
    follow: bool,
    recent: bool,
    lines: int,
    name: str | None,
    task_id: int | None,
    unmasked: bool,
    url: str | None,
) -> None:
    """Prints the logs of the tasks of APP, oldest first, each line marked TASK/ID, and follows those that run.

    Ends with Ctrl-C, with the run that --run or --id names, or at once with --recent. What is gone from the cluster
    is read from the log archive.
    """
    if not task:
        raise click.UsageError(f"{f'app {app!r}' if app else 'kf logs'}: only tasks have logs here: add --task")
    if follow and recent:
        raise click.UsageError("--follow goes on and --recent ends at once: give one of them")
    if name is not None and task_id is not None:
        raise click.UsageError(f"--run {name} and --id {task_id} both choose a run: give one of them")
    if app is None and name is None:
        raise click.UsageError("name the App whose tasks are meant, or one run with --run NAME")

    def of_cluster(space: TargetSpace) -> Callable[[], None]:
        runs = _chosen(space, app, name, task_id)
        return lambda: _print(
            LogPrinter(space, unmasked=unmasked),
            app,
            runs,
            lines,
            recent,
            single=name is not None or task_id is not None,
        )

    def of_archive(archive: Archive, space: str) -> Callable[[], None] | None:
        records = archives.find(archive, space, app, name, task_id)
        return (lambda: _print_stored(archive, records)) if records else None

    def _print_stored(archive: Archive, records: list[StoredLog]) -> None:
        for record in records:
            try:
                stored(archive, record, lines)
            except ArchiveError as error:  # the trouble of one log keeps no other from being read
                if len(records) == 1:
                    raise
                warn(str(error))

    what = f"run {name!r}" if name is not None else f"app {app!r}{f' with ID {task_id}' if task_id is not None else ''}"
    archives.of_cluster_or_archive(target, url, app, what, of_cluster, of_archive)()


def _print(
    printer: LogPrinter, app: str | None, runs: list[RunSummary], lines: int, recent: bool, *, single: bool
) -> None:
    if not runs:
        warn(f"app {app!r} has no tasks{'' if recent else ' yet, waiting for one'}")
    for run in runs:
        if recent or run.finished:
            printer.dump(run, lines)
    if not recent and not (single and runs[0].finished):
        _follow(printer, app, runs, lines, runs[0].name if single else None)


def _chosen(space: TargetSpace, app: str | None, name: str | None, task_id: int | None) -> list[RunSummary]:
    if name is not None:
        run = RunSummary.of_object(space.whole_run(name))
        owner = run.labels.get(marks.NAME, "")
        if app and owner != app:
            raise NotFound(f"run {name!r} belongs to app {owner!r}, not to {app!r}: give {owner!r}, or no app")
        return [run]
    if app and task_id is not None:
        return [space.run_of(app, task_id)]
    runs = space.runs(app)
    if not runs and app:
        space.check_app(app)
    return runs


def _follow(printer: LogPrinter, app: str | None, runs: list[RunSummary], lines: int, name: str | None) -> None:
    from ..following import Following, only

    look = only(printer, name) if name else lambda: printer.space.runs(app)
    done = {run.name for run in runs if run.finished}
    Following(printer, look, done, {run.name for run in runs} - done, lines).follow(until=name)
