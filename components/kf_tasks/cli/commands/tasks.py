"""`kf tasks`: the runs that are kept, oldest first, so that the newest stands above the prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from ...core import moments
from ...core.run.summary import RunSummary
from .. import archives, names, output
from ..archives import option as archive_option
from ..run_list import SORTS, STATES, chosen, printed
from ..run_list import past as find_past
from ..table import echo
from ..target import Target, TargetSpace, target_options

if TYPE_CHECKING:
    from ...log.archive import Archive


@dataclass(frozen=True)
class _Found:
    """What was found, and where: `now` is that place's time, `codes` the exit codes of the archive by UID."""

    runs: list[RunSummary]
    now: str | None
    name: str
    space: TargetSpace | None = None
    codes: dict[str, int | None] = field(default_factory=dict)


@click.command()
@click.argument("app", type=names.app, required=False)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES, case_sensitive=False), help="Only tasks in "
              "this state; may be repeated. failed: all that ended without success.")  # fmt: skip
@click.option("--sort", "by", type=click.Choice(list(SORTS)), default="age", help="By what they are ordered, the "
              "greatest last.  [default: age]")  # fmt: skip
@click.option("--archived", is_flag=True, help="Also those that only the log archive has.")
@click.option(
    "-w", "--watch", is_flag=True, help="Go on with what changes, until Ctrl-C; with -o json an object a line."
)
@output.option()
@archive_option()
@target_options
@click.pass_obj
def tasks(
    target: Target,
    app: str | None,
    states: tuple[str, ...],
    by: str,
    archived: bool,
    watch: bool,
    form: str | None,
    url: str | None,
) -> None:
    """Lists the tasks of APP, or of the whole Space."""
    if watch and (url or archived):
        raise click.UsageError("--watch shows what the cluster has: leave out --archived and --archive")

    def of_cluster(space: TargetSpace) -> _Found:
        runs = space.runs(app, with_times=True)
        now = space.cluster.now
        past = find_past(space, app, runs) if archived else []
        if not runs and not past:
            space.check_app(app) if app else space.check_space()
        both = sorted([*runs, *map(archives.listed, past)], key=archives.order)
        return _Found(both, now, space.name, space, {record.uid: record.exit_code for record in past})

    def of_archive(archive: Archive, space: str) -> _Found | None:
        records = archives.find(archive, space, app, None, None)
        if not records:
            return None
        codes = {record.uid: record.exit_code for record in records}
        return _Found([archives.listed(record) for record in records], moments.now(), space, None, codes)

    if watch:
        from ..watching import watch as go_on

        go_on(target.open(), app, states, by, form)
        return
    found = archives.of_cluster_or_archive(
        target, url, app, f"app {app!r}" if app else "any app", of_cluster, of_archive
    )
    runs = chosen(found.runs, states, by)
    if not printed(runs, form, found.space, found.codes, found.now, with_app=not app):
        which = f"{' or '.join(states)} tasks" if states else "tasks"
        echo(f"No {which}{f' of app {app!r}' if app else ''} in space {found.name!r}.")
