"""`kf logs APP`: the logs of every task that is kept, finished and archived ones too, and then of what runs.

Unlike Kf, which skips finished tasks while it follows and mixes the lines of all of them. An App has no logs but those
of its tasks, so Kf's `--task` may be left out, as Cloud Foundry's users do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ...core.log.stored import StoredLog
from ...core.run.summary import RunSummary
from ...errors import ArchiveError
from .. import archives, names
from ..archives import option as archive_option
from ..log_choice import Choice, since
from ..log_form import Form, warn
from ..log_printer import LogPrinter
from ..target import Target, TargetSpace, target_options

if TYPE_CHECKING:
    from ...log.archive import Archive

LINES = 10


@click.command()
@click.argument("apps", type=names.app, nargs=-1, metavar="[APP]...")
@click.option("--task", is_flag=False, flag_value=names.EVERY, type=names.task_or_every, metavar="[NAME]",
              help="Only tasks of this name; without one all: an App has no other logs.")  # fmt: skip
@click.option("-f", "--follow", is_flag=True, help="Go on with what runs and what comes (does so without it too).")
@click.option("--recent", is_flag=True, help="End after what is there, in place of following what runs.")
@click.option("--failed", is_flag=True, help="Only tasks that ended without success, and end after them.")
@click.option("-n", "--number", "lines", type=click.IntRange(min=0),
              help=f"Lines of each run to begin with; 0 shows all.  [default: {LINES}; all with --since]")  # fmt: skip
@click.option("--since", type=since, metavar="SPAN|TIME", help="Only what was printed in this span of time (90s, 2h, "
              "1d12h), or from this moment on (RFC 3339).")  # fmt: skip
@click.option("-t", "--timestamps", is_flag=True, help="Each line with its time, as the node has it.")
@click.option("--run", "name", type=names.run, metavar="NAME", help="Only this run.")
@click.option("--id", "task_id", metavar="N", type=click.IntRange(min=1), help="Only the run of APP with this ID.")
@click.option("--unmasked", is_flag=True, help="Also logs of runs whose Secrets are not known any more, as they are.")
@archive_option()
@target_options
@click.pass_obj
def logs(
    target: Target,
    apps: tuple[str, ...],
    task: str | None,
    follow: bool,
    recent: bool,
    failed: bool,
    lines: int | None,
    since: str | None,
    timestamps: bool,
    name: str | None,
    task_id: int | None,
    unmasked: bool,
    url: str | None,
) -> None:
    """Prints the logs of the tasks of APP, oldest first, each line marked TASK/ID, and follows those that run.

    Ends with Ctrl-C, with the run that --run or --id names, or at once with --recent. What is gone from the cluster
    is read from the log archive, where the App has one. Of several Apps each line is marked APP/TASK/ID.
    """
    if not apps and task not in (None, names.EVERY):
        apps, task = (task or "",), None  # Kf's own advice is `kf logs --task APP`
    choice = Choice(
        apps=tuple(dict.fromkeys(apps)),
        name=name,
        task_id=task_id,
        task=None if task == names.EVERY else task,
        failed=failed,
        since=since,
    )
    if follow and (recent or failed):
        raise click.UsageError(
            f"--follow goes on and --{'recent' if recent else 'failed'} ends at once: give one of them"
        )
    if name is not None and task_id is not None:
        raise click.UsageError(f"--run {name} and --id {task_id} both choose a run: give one of them")
    if not apps and name is None:
        raise click.UsageError("name the App whose tasks are meant, or one run with --run NAME")
    if task_id is not None and not choice.app:
        raise click.UsageError(f"--id {task_id} is the run of one App: name one")
    ends = recent or failed
    form = Form(
        lines=(0 if since else LINES) if lines is None else lines,
        timestamps=timestamps,
        with_app=len(choice.apps) > 1,
        unmasked=unmasked,
    )

    def of_cluster(space: TargetSpace) -> Callable[[], None]:
        runs = choice.runs(space)
        own = form.since_moment(choice.moment(space.cluster.now))
        return lambda: _print(LogPrinter(space, own), choice, runs, ends)

    def of_archive(archive: Archive, space: str) -> Callable[[], None] | None:
        found = [archives.find(archive, space, app, name, task_id) or [] for app in choice.apps or (None,)]
        records = sorted(choice.stored(record for records in found for record in records), key=archives.order)
        if not any(found):
            return None
        return lambda: _print_stored(form, archive, records, choice)

    archives.of_cluster_or_archive(target, url, choice.app, str(choice), of_cluster, of_archive)()


def _print(printer: LogPrinter, choice: Choice, runs: list[RunSummary], ends: bool) -> None:
    past = {record.uid: (archive, record) for archive, record in choice.past(printer.space, runs)}
    if not runs and not past:
        what = "failed tasks" if choice.failed else "tasks"
        more = f" since {printer.form.since}" if printer.form.since else ""
        warn(f"{choice} has no {what}{more}{'' if ends else ' yet, waiting for one'}")
    entries: list[RunSummary | StoredLog] = [*runs, *(record for _, record in past.values())]
    for one in sorted(entries, key=archives.order):
        if isinstance(one, StoredLog):
            _print_one(printer.form, *past[one.uid])
        elif ends or one.finished:
            printer.dump(one)
    if not ends and not (choice.single and runs[0].finished):
        _follow(printer, choice, runs)
    elif printer.unread:
        raise click.exceptions.Exit(1)


def _print_stored(form: Form, archive: Archive, records: list[StoredLog], choice: Choice) -> None:
    if not records:
        warn(f"{choice} has no such tasks in the log archive {archive.url}")
    for record in records:
        if len(records) == 1:
            form.stored(archive, record)
        else:
            _print_one(form, archive, record)


def _print_one(form: Form, archive: Archive, record: StoredLog) -> None:
    """Prints one of several stored logs: the trouble of one keeps no other from being read."""
    try:
        form.stored(archive, record)
    except ArchiveError as error:
        warn(str(error))


def _follow(printer: LogPrinter, choice: Choice, runs: list[RunSummary]) -> None:
    from ..following import Following, only

    name = runs[0].name if choice.single else None
    look = only(printer, name) if name else lambda: choice.told(printer.space)
    done = {run.name for run in runs if run.finished}
    Following(printer, look, done, {run.name for run in runs} - done).follow(until=name)
