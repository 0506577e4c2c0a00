"""Starting a run exactly once.

The run's name is the lock: it is computed from App, task, key and attempt, so of two that try to
start the same work the API server refuses the second, which then follows the first one's run.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from ..cluster.client import Cluster
from ..core import marks, naming
from ..core.api import Object
from ..core.run import pipelinerun
from ..core.run.attempts import adoptable, attempts, of_task
from ..errors import Conflict, NotFound, Unreachable
from .secrets import copy_secrets

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Submission:
    """One definition of a task of one App, ready to be started."""

    template: Object
    app: str
    task: str
    key: str
    stacks: Collection[str]  # the labels that its runs have as those of this stack, under every name it had
    counter: str
    started_by: str
    followed: bool = False
    awaited: bool = False
    late: bool = False

    @property
    def namespace(self) -> str:
        """Where the run is made."""
        return str(self.template["metadata"]["namespace"])


def submit(cluster: Cluster, wanted: Submission, began: str | None) -> tuple[Object, bool]:
    """Starts a run, or finds the one to follow; returns it and whether it was found."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    tried, number = "", 0
    while True:
        try:
            all_runs = cluster.list_runs(wanted.namespace, wanted.app)
            own = of_task(all_runs, wanted.app, wanted.task, wanted.stacks)
            same = attempts(own, wanted.key)
            found = same[-1] if same and same[-1].name == tried else adoptable(own, wanted.key, began, wanted.late)
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
                awaited=wanted.awaited,
            )
            copies = copy_secrets(cluster, wanted.namespace, wanted.app, manifest)
            if copies:
                manifest["metadata"]["annotations"][marks.SECRETS] = copies
            return cluster.create_run(manifest), False
        except (Conflict, Unreachable):
            # Somebody else holds the name, or the request was carried out although its answer is lost:
            # the next list tells. A foreign object of that name is never listed.
            if time.monotonic() > deadline:
                raise
        time.sleep(1)
