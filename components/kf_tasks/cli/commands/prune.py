"""`kf prune APP`: lets go at once what retention lets go of with every run, or shows what that would be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from ...core import marks
from ...core.retention import notice
from ...core.retention.plan import Verdict, plan
from ...core.retention.policy import Policy
from ...errors import NotFound
from .. import names, output
from ..archives import archiving_of
from ..log_form import warn
from ..table import echo
from ..target import Target, TargetSpace, target_options
from ..template import template
from ..views import View


@dataclass(frozen=True, kw_only=True)
class PruneView(View):
    """A run that retention lets go: `kf prune`.

    `rule` is why; `deleted` is false where that was only asked for. `archived` is the digest of its log in the archive.
    """

    name: str
    app: str
    id: int
    display_name: str
    state: str
    created: str
    archived: str | None
    rule: str
    deleted: bool

    @classmethod
    def of(cls, verdict: Verdict, deleted: bool) -> PruneView:
        """That of a run with what was decided about it."""
        run = verdict.run
        return cls(
            name=run.name,
            app=run.labels.get(marks.NAME, ""),
            id=run.task_id,
            display_name=run.labels.get(marks.TASK, ""),
            state=run.state,
            created=run.created,
            archived=run.annotations.get(marks.ARCHIVED),
            rule=verdict.rule,
            deleted=deleted,
        )


@click.command()
@click.argument("app", type=names.app)
@click.option("--keep", metavar="N", type=click.IntRange(min=0), help="How many tasks stay.  [default: the App's own]")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@output.option()
@target_options
@click.pass_obj
def prune(target: Target, app: str, keep: int | None, dry_run: bool, form: str | None) -> None:
    """Deletes the oldest tasks of APP, with pods and logs, beyond those it keeps.

    What runs stays, and so do pinned ones, the last success and the last failure. Where the App has a log archive,
    the logs of those that go are stored first.
    """
    from ...runs import pruning
    from ...runs.notifying import Notifying

    space = target.open()
    policy = _policy(space, app, keep)
    runs = space.runs(app)
    if not runs:
        space.check_app(app)
    verdicts = plan(runs, policy, now=space.cluster.now)
    if dry_run:
        doomed = [verdict.run for verdict in verdicts if verdict.going]
        going = [run.name for run in doomed]
        waiting = [run for run in doomed if marks.ARCHIVED not in run.annotations]
        if waiting and archiving_of(space, app, warn):
            warn(f"waiting for the log archive, where their logs go first: {len(waiting)} of them")
    else:
        archiving = archiving_of(space, app, warn)
        going = pruning.prune(
            space.cluster,
            space.name,
            app,
            policy,
            before=archiving.before if archiving else None,
            notifying=Notifying(space.cluster, space.name, warn),
        )
    found = [PruneView.of(verdict, not dry_run) for verdict in verdicts if verdict.run.name in going]
    if not output.printed(form, found, going):
        for name in going:
            echo(f"{'would delete' if dry_run else 'deleted'} {name}")
        if not going:
            echo(f"Nothing to delete: app {app!r} has {len(runs)} tasks and keeps {policy.keep}.")
    held = [(verdict.run.name, verdict.rule) for verdict in verdicts if verdict.held]
    if held:
        echo(f"kf: held back: {notice.grouped(held)}", err=True)


def _policy(space: TargetSpace, app: str, keep: int | None) -> Policy:
    """The App's own, with another `keep` if that is given, which does for an App that is gone."""
    try:
        policy = template(space, app)[1].policy
    except NotFound:
        if keep is None:
            raise
        policy = Policy()
    return policy if keep is None else replace(policy, keep=keep)
