"""`kf terminate-task`: asks for the end of a run and does not wait for it; an ended one is no error, as in Kf."""

from __future__ import annotations

import click

from ...core import marks
from ...core.api import Object
from ...core.run import outcome
from ...errors import ArchiveError, Conflict, Refused
from .. import names
from ..archives import archiving_of
from ..log_form import warn
from ..table import echo
from ..target import Target, TargetSpace, target_options, user


@click.command("terminate-task")
@click.argument("name", type=names.run_or_app, metavar="RUN | APP ID")
@click.argument("task_id", type=names.task_id, metavar="", required=False)
@target_options
@click.pass_obj
def terminate_task(target: Target, name: str, task_id: int | None) -> None:
    """Ends a task that runs: by its name, or by its App and its ID.

    With a log archive it waits until the end of the log is stored.
    """
    space = target.open()
    run = space.one(name, task_id)
    name = run["metadata"]["name"]
    refusal = unable(run)
    if not refusal:
        from ...runs import ending

        by = f"kf terminate-task by {user()}"
        archiving = archiving_of(space, run["metadata"]["labels"][marks.NAME], warn)
        try:
            if archiving:
                ending.end(archiving, [name], by)
            else:
                space.cluster.cancel_run(space.name, name, by, run["metadata"]["uid"])
        except ArchiveError as error:
            raise ArchiveError(f"task {name} is not ended, or its log would be lost: {error}; repeat later") from None
        except (Refused, Conflict):  # it may have ended between question and request
            run = space.whole_run(name)
            refusal = unable(run)
            if not refusal:
                raise
    if refusal and _delete_waiting_pods(space, run):
        refusal = f'Task "{name}" has failed already; its pod, which still waited to start, is deleted'
    echo(refusal or f'Task "{name}" is successfully submitted for termination')


def unable(run: Object) -> str:
    """Why a run cannot be ended, in Kf's words; empty if it can."""
    if outcome.has_ended(run):
        return "Can't terminate completed Task"
    cancelled = run["spec"].get("status") or (run["metadata"].get("annotations") or {}).get(marks.CANCELLED_BY)
    return "Can't terminate terminated Task" if cancelled else ""


def _delete_waiting_pods(space: TargetSpace, run: Object) -> bool:
    """Deletes what Tekton leaves of a run that nobody followed: a pod that would start when its Secret appears.

    The kubelet's words go with the pod, so they are written down first.
    """
    if outcome.condition(run).get("status") != "False":
        return False
    name = run["metadata"]["name"]
    pods = [pod for pod in space.cluster.pods(space.name, name) if waits(pod)]
    if pods and marks.OUTCOME not in (run["metadata"].get("annotations") or {}):
        words = outcome.conclude(run, None, pods[-1], outcome.never_started(run, pods[-1])).sentence
        space.cluster.annotate_run(space.name, name, {marks.OUTCOME: words}, finished=True, uid=run["metadata"]["uid"])
    for pod in pods:
        space.cluster.delete_pod(space.name, pod["metadata"]["name"])
    return bool(pods)


def waits(pod: Object) -> bool:
    """Whether a pod could still start the command of its run."""
    pending = (pod.get("status") or {}).get("phase") == "Pending"
    return pending and not outcome.started(pod) and "deletionTimestamp" not in pod["metadata"]
