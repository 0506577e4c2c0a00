"""`kf terminate-task`: asks for the end of a run and does not wait for it; an ended one is no error, as in Kf."""

from __future__ import annotations

from typing import Any

import click

from ..core import outcome, pipelinerun
from ..errors import Conflict, Refused
from .target import Target, target_options, user


@click.command("terminate-task")
@click.argument("name", metavar="RUN | APP ID")
@click.argument("task_id", metavar="", required=False)
@target_options
@click.pass_obj
def terminate_task(target: Target, name: str, task_id: str | None) -> None:
    """Ends a task that runs: by its name, or by its App and its ID."""
    if task_id is not None and not (task_id.isascii() and task_id.isdigit()):
        raise click.UsageError(f"app {name!r}: Task ID {task_id!r} is not a number: kf tasks {name} shows them")
    space = target.open()
    if task_id is not None:
        name = space.run_of(name, int(task_id)).name
    refusal = unable(space.whole_run(name))
    if not refusal:
        try:
            space.cluster.cancel_run(space.name, name, by=f"kf terminate-task by {user()}")
        except (Refused, Conflict):  # it may have ended between question and request
            refusal = unable(space.whole_run(name))
            if not refusal:
                raise
    click.echo(refusal or f'Task "{name}" is successfully submitted for termination')


def unable(run: dict[str, Any]) -> str:
    """Why a run cannot be ended, in Kf's words; empty if it can."""
    if outcome.has_ended(run):
        return "Can't terminate completed Task"
    cancelled = run["spec"].get("status") or (run["metadata"].get("annotations") or {}).get(pipelinerun.CANCELLED_BY)
    return "Can't terminate terminated Task" if cancelled else ""
