"""`kf task RUN`: everything about one run in one place, so that nobody needs to know which object tells what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ...core import marks
from ...core.log.masking import MASK, Masker
from ...core.retention.pruned import Pruned
from ...core.say import nobody
from ...errors import ClusterError
from .. import archives, names, output
from ..archives import option as archive_option
from ..details import rows, stored_rows
from ..log_form import warn
from ..table import show
from ..target import Target, TargetSpace, target_options
from ..views import LiveView, RunView, StoredView

if TYPE_CHECKING:
    from ...log.archive import Archive


@click.command()
@click.argument("name", type=names.run_or_app, metavar="RUN | APP ID")
@click.argument("task_id", type=names.task_id, metavar="", required=False)
@output.option()
@archive_option()
@target_options
@click.pass_obj
def task(target: Target, name: str, task_id: int | None, form: str | None, url: str | None) -> None:
    """Shows everything about one task: by its name, or by its App and its ID. One that is gone: what is archived."""
    app, run = (name, None) if task_id is not None else (None, name)
    what = f"run {run!r}" if run else f"task {task_id} of app {app!r}"

    def of_cluster(space: TargetSpace) -> tuple[RunView, list[tuple[str, str]]]:
        from ...runs.secrets import secret_values

        whole, unread = space.one(name, task_id), list[str]()
        now = space.cluster.now
        pods = space.cluster.pods(space.name, whole["metadata"]["name"])
        masker = Masker(secret_values(
            space.cluster.get, space.name, whole, nobody, unread.append, pods=pods,
            others=lambda: space.cluster.list_runs(space.name, whole["metadata"]["labels"].get(marks.NAME)),
        ))  # fmt: skip
        found = LiveView.of(whole, space.cluster.task_run(space.name, whole), pods, masker)
        if unread and found.results:
            warn(f"its results are not shown: {unread[0]}")
            found = replace(found, results=dict.fromkeys(found.results, MASK))
        return found, rows(found, now)

    def of_archive(archive: Archive, space: str) -> tuple[RunView, list[tuple[str, str]]] | None:
        records = archives.find(archive, space, app, run, task_id)
        if not records:
            return None
        found = StoredView.of(records[-1], archive.url)
        gone = None if url else _pruned(target, found)
        return found, [*stored_rows(found), *([("Pruned", str(gone))] if gone else [])]

    found, said = archives.of_cluster_or_archive(target, url, app, what, of_cluster, of_archive)
    if not output.printed(form, found, [found.name]):
        show(said, headed=False)


def _pruned(target: Target, found: RunView) -> Pruned | None:
    try:
        return target.open().pruned(found.app, name=found.name)
    except ClusterError:  # the archive has answered because the cluster does not
        return None
