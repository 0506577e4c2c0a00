"""Starting a run exactly once.

The run's name is the lock: it is computed from App, task, key and attempt, so of two that try to
start the same work the API server refuses the second, which then follows the first one's run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ..cluster.client import Cluster
from ..core import marks, naming
from ..core.run import pipelinerun
from ..core.run.summary import RunSummary
from ..errors import Conflict, NotFound, Unreachable

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Submission:
    """One definition of a task of one App, ready to be started."""

    template: dict[str, Any]
    app: str
    task: str
    key: str
    stack: str
    counter: str
    started_by: str
    followed: bool = False

    @property
    def namespace(self) -> str:
        """Where the run is made."""
        return str(self.template["metadata"]["namespace"])


def attempts(runs: list[RunSummary], app: str, task: str, key: str, stack: str) -> list[RunSummary]:
    """The runs of one definition in one stack, first attempt first."""
    same = [run for run in _of(runs, app, task, stack) if run.labels.get(marks.KEY) == key]
    return sorted(same, key=lambda run: run.attempt)


def unfinished(runs: list[RunSummary], app: str, task: str, stack: str) -> list[RunSummary]:
    """The runs of a task of one stack that are under way, of whatever definition."""
    return [run for run in _of(runs, app, task, stack) if not run.finished]


def _of(runs: list[RunSummary], app: str, task: str, stack: str) -> list[RunSummary]:
    wanted = {
        marks.NAME: app,
        marks.TASK: naming.label_value(task),
        marks.STACK: naming.label_value(stack),
    }
    return [run for run in runs if wanted.items() <= run.labels.items()]


def adoptable(runs: list[RunSummary], began: str | None = None) -> RunSummary | None:
    """The attempt to follow in place of starting another one.

    That is the last one, if it has not failed and no state file holds its record yet, or if it was
    made after this update `began`: then another update is doing the same work at this moment.
    """
    if not runs:
        return None
    last = runs[-1]
    if began and last.created >= began:
        return last
    return None if last.failed or last.deleting or marks.RECORDED in last.annotations else last


def submit(cluster: Cluster, wanted: Submission, began: str | None) -> tuple[dict[str, Any], bool]:
    """Starts a run, or finds the one to follow; returns it and whether it was found."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    tried, number = "", 0
    while True:
        try:
            all_runs = cluster.list_runs(wanted.namespace, wanted.app)
            same = attempts(all_runs, wanted.app, wanted.task, wanted.key, wanted.stack)
            found = same[-1] if same and same[-1].name == tried else adoptable(same, began)
            if found:
                try:
                    return cluster.get_run(wanted.namespace, found.name), True
                except NotFound:
                    continue
            attempt = max((run.attempt for run in same), default=0) + 1
            highest = max((run.task_id for run in all_runs), default=0)
            number = number or cluster.allocate_id(wanted.namespace, wanted.counter, highest)
            tried = naming.run_name(wanted.app.replace(".", "-"), wanted.task, wanted.key, attempt)
            manifest = pipelinerun.instantiate(
                wanted.template,
                name=tried,
                key=wanted.key,
                task_id=number,
                attempt=attempt,
                started_by=wanted.started_by,
                followed=wanted.followed,
            )
            return cluster.create_run(manifest), False
        except (Conflict, Unreachable):
            # Somebody else holds the name, or the request was carried out although its answer is lost:
            # the next list tells. A foreign object of that name is never listed.
            if time.monotonic() > deadline:
                raise
        time.sleep(1)
