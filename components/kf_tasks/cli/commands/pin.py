"""`kf pin` and `kf unpin`: a run that retention lets stay, whatever comes after it."""

from __future__ import annotations

import click

from ...core import marks
from ...errors import ClusterError
from .. import names
from ..table import echo
from ..target import Target, TargetSpace, target_options
from ..template import template


@click.command()
@click.argument("name", type=names.run_or_app, metavar="RUN | APP ID")
@click.argument("task_id", type=names.task_id, metavar="", required=False)
@target_options
@click.pass_obj
def pin(target: Target, name: str, task_id: int | None) -> None:
    """Keeps a task, with pod and log, until it is unpinned: by its name, or by its App and its ID."""
    space, run, _ = _mark(target, name, task_id, "true")
    echo(f'Task "{run}" is pinned: it stays until kf unpin {run}{space.flags}')


@click.command()
@click.argument("name", type=names.run_or_app, metavar="RUN | APP ID")
@click.argument("task_id", type=names.task_id, metavar="", required=False)
@target_options
@click.pass_obj
def unpin(target: Target, name: str, task_id: int | None) -> None:
    """Lets a task go with the others again, once it is too old."""
    space, run, app = _mark(target, name, task_id, None)
    if run in _pinned_by_program(space, app):
        echo(f'kf: Task "{run}" still stays: it stands in pinned of app {app!r} in Pulumi', err=True)
    else:
        echo(f'Task "{run}" is not pinned any more')


def _mark(target: Target, name: str, task_id: int | None, value: str | None) -> tuple[TargetSpace, str, str]:
    """Sets the mark, or takes it away; returns the Space, the run's name and its App."""
    space = target.open()
    metadata = space.one(name, task_id)["metadata"]
    space.cluster.annotate_run(space.name, metadata["name"], {marks.PINNED: value}, uid=metadata["uid"])
    return space, metadata["name"], metadata["labels"].get(marks.NAME, "")


def _pinned_by_program(space: TargetSpace, app: str) -> tuple[str, ...]:
    try:
        return template(space, app)[1].policy.pinned
    except ClusterError:  # the App is gone
        return ()
