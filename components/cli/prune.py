"""`kf prune APP`: lets go at once what retention lets go of with every run, or shows what that would be."""

from __future__ import annotations

import click

from ..core.retention import DEFAULT_KEEP
from .target import Target, TargetSpace, target_options
from .template import template


@click.command()
@click.argument("app")
@click.option("--keep", metavar="N", type=click.IntRange(min=0), help="How many tasks stay.  [default: the App's own]")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@target_options
@click.pass_obj
def prune(target: Target, app: str, keep: int | None, dry_run: bool) -> None:
    """Deletes the oldest tasks of APP, with pods and logs, beyond those it keeps; what runs stays."""
    from .. import submission

    space = target.open()
    kept = keep if keep is not None else _keep(space, app)
    runs = space.runs(app)
    if not runs:
        space.check_app(app)
    if dry_run:
        going = [run.name for run in submission.expire(runs, space.cluster.now, kept)]
    else:
        going = submission.prune(space.cluster, space.name, app, kept)
    for name in going:
        click.echo(f"{'would delete' if dry_run else 'deleted'} {name}")
    if not going:
        click.echo(f"Nothing to delete: app {app!r} has {len(runs)} tasks and keeps {kept}.")


def _keep(space: TargetSpace, app: str) -> int:
    _, settings = template(space, app)
    return int(settings.get("keep", DEFAULT_KEEP))
