"""`kf prune APP`: lets go at once what retention lets go of with every run, or shows what that would be."""

from __future__ import annotations

import click

from ..core.retention import Policy
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
    policy = _policy(space, app) if keep is None else Policy(keep)
    runs = space.runs(app)
    if not runs:
        space.check_app(app)
    if dry_run:
        going = [run.name for run in submission.expire(runs, space.cluster.now, policy)]
    else:
        going = submission.prune(space.cluster, space.name, app, policy)
    for name in going:
        click.echo(f"{'would delete' if dry_run else 'deleted'} {name}")
    if not going:
        click.echo(f"Nothing to delete: app {app!r} has {len(runs)} tasks and keeps {policy.keep}.")


def _policy(space: TargetSpace, app: str) -> Policy:
    _, settings = template(space, app)
    return Policy.of(settings)
