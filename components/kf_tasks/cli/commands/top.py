"""`kf top`: what runs now, with the memory and the CPU that it uses where the cluster measures them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import click

from ...core import marks, quantities
from ...core.api import Object
from ...core.run import outcome, pipelinerun
from ...core.run.summary import RunSummary
from ...errors import ClusterError
from .. import names, output
from ..log_form import warn
from ..table import echo, show, span
from ..target import Target, TargetSpace, target_options
from ..views import View

COLUMNS = ("App", "Name", "ID", "Task", "Running", "State", "CPU", "Memory", "Limit", "Used")
WIDE = ("Pod", "Node")
_MEBI = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class TopView(View):
    """A run that has not ended: `kf top`.

    `cpu` in cores and `memory` in bytes are what its task used when that was measured last, null where nobody measures;
    `memory_limit` in bytes, null without one. `waiting` is why its pod has not started, in the cluster's words. `pod`
    is null while it has none, and `node` while the pod has none.
    """

    app: str
    name: str
    id: int
    display_name: str
    started: str | None
    state: str
    waiting: str
    cpu: float | None
    memory: int | None
    memory_limit: int | None
    pod: str | None
    node: str | None


@click.command()
@click.argument("app", type=names.app, required=False)
@output.option()
@target_options
@click.pass_obj
def top(target: Target, app: str | None, form: str | None) -> None:
    """Shows what runs now of APP, or of the Space, and the memory and CPU that it uses."""
    space = target.open()
    every = space.runs(app, with_times=True)
    if not every:
        space.check_app(app) if app else space.check_space()
    now = space.cluster.now
    runs = [run for run in every if not run.finished]
    pods = {_run_of(pod): pod for pod in space.cluster.pods_of(space.name, [run.name for run in runs])}
    used = _used(space) if runs else {}
    found = [_view(run, pods.get(run.name), used) for run in runs]
    if output.printed(form, found, [view.name for view in found]):
        return
    if found:
        more = [WIDE, *((view.pod or "", view.node or "") for view in found)]
        rows = [COLUMNS, *(_row(view, now) for view in found)]
        show([(*row, *rest) for row, rest in zip(rows, more)] if form == output.WIDE else rows)
    else:
        echo(f"Nothing runs{f' of app {app!r}' if app else ''} in space {space.name!r}.")


def _used(space: TargetSpace) -> Mapping[str, Mapping[str, str]]:
    """What the task of each pod uses, by the pod's name; nothing, and a line, where nobody measures it."""
    try:
        return {
            pod["metadata"]["name"]: container["usage"]
            for pod in space.cluster.pod_metrics(space.name)
            for container in pod.get("containers") or []
            if container.get("name") == pipelinerun.CONTAINER
        }
    except ClusterError as error:
        why = "the cluster has no metrics-server" if error.status in (404, 503) else str(error)
        warn(f"what they use is not known: {why}")
        return {}


def _view(run: RunSummary, pod: Object | None, used: Mapping[str, Mapping[str, str]]) -> TopView:
    usage = used.get(pod["metadata"]["name"], {}) if pod else {}
    limit = _limit(pod) if pod else None
    runs = bool(pod and outcome.started(pod))
    return TopView(
        app=run.labels.get(marks.NAME, ""),
        name=run.name,
        id=run.task_id,
        display_name=run.labels.get(marks.TASK, ""),
        started=run.started_at,
        state=outcome.RUNNING if runs else outcome.PENDING,
        waiting="" if runs else outcome.waiting(pod),
        cpu=float(quantities.number(usage["cpu"])) if "cpu" in usage else None,
        memory=int(quantities.number(usage["memory"])) if "memory" in usage else None,
        memory_limit=None if limit is None else int(quantities.number(limit)),
        pod=pod["metadata"]["name"] if pod else None,
        node=pod.get("spec", {}).get("nodeName") if pod else None,
    )


def _limit(pod: Object) -> str | None:
    for container in pod.get("spec", {}).get("containers") or []:
        if container.get("name") == pipelinerun.CONTAINER:
            found: str | None = (container.get("resources") or {}).get("limits", {}).get("memory")
            return found
    return None


def _run_of(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get(marks.PIPELINE_RUN, ""))


def _row(view: TopView, now: str | None) -> tuple[str, ...]:
    share = f"{100 * view.memory // view.memory_limit}%" if view.memory is not None and view.memory_limit else ""
    state = f"{view.state}: {view.waiting}" if view.waiting else view.state
    return (
        view.app, view.name, str(view.id or ""), view.display_name, span(view.started, now), state,
        "" if view.cpu is None else f"{round(view.cpu * 1000)}m", _mebi(view.memory), _mebi(view.memory_limit), share,
    )  # fmt: skip


def _mebi(size: int | None) -> str:
    return "" if size is None else f"{round(size / _MEBI)}Mi"
