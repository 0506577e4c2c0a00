"""Starting a run exactly once.

The run's name is the lock: it is computed from App, task, key and attempt, so of two that try to
start the same work the API server refuses the second, which then follows the first one's run.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection
from dataclasses import dataclass

from ..cluster.client import Cluster
from ..cluster.informer import Informer, informer
from ..core import marks, naming
from ..core.api import Object
from ..core.notify.event import STARTED
from ..core.run import pipelinerun
from ..core.run.attempts import adoptable, attempts, of_task
from ..errors import Conflict, NotFound, Unreachable
from .secrets import as_told, copy_secrets, present

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
    tells_start: bool = False  # whether whoever starts it tells of that: it is claimed on the run from its beginning

    @property
    def namespace(self) -> str:
        """Where the run is made."""
        return str(self.template["metadata"]["namespace"])


def submit(cluster: Cluster, wanted: Submission, began: str | None) -> tuple[Object, bool]:
    """Starts a run, or finds the one to follow; returns it and whether it was found."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    tried, number, anew, watches = "", 0, False, informer(cluster.http, wanted.namespace)
    while True:
        try:
            runs = watches.runs(wanted.app)
            all_runs = runs.listed(cluster) if anew else runs.known(cluster)
            own = of_task(all_runs, wanted.app, wanted.task, wanted.stacks)
            same = attempts(own, wanted.key)
            found = same[-1] if same and same[-1].name == tried else adoptable(own, wanted.key, began, wanted.late)
            if found:
                listed, anew = anew, True
                with contextlib.suppress(NotFound):
                    run = cluster.get_run(wanted.namespace, found.name)
                    if listed or run["metadata"]["resourceVersion"] == found.version:
                        return run, True
                continue  # what was known of it is out of date
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
            get = as_told(cluster) if wanted.followed else present(cluster, manifest)
            copies = copy_secrets(cluster, get, wanted.namespace, wanted.app, manifest)
            if copies:
                manifest["metadata"]["annotations"][marks.SECRETS] = copies
            if wanted.tells_start:
                manifest["metadata"]["annotations"][marks.NOTIFIED] = STARTED
            return _create(cluster, watches, manifest, wanted.followed), False
        except (Conflict, Unreachable):
            # Somebody else holds the name, or the request was carried out although its answer is lost:
            # the next list tells. A foreign object of that name is never listed.
            if time.monotonic() > deadline:
                raise
            anew = True
        time.sleep(1)


def _create(cluster: Cluster, watches: Informer, manifest: Object, followed: bool) -> Object:
    """Makes a run, which is watched from before its beginning if it will be followed: then nobody has to ask for it."""
    following = watches.begin(cluster, manifest["metadata"]["name"]) if followed else None
    try:
        run = cluster.create_run(manifest)
    except BaseException:
        if following:
            following.close()
        raise
    if following:
        watches.made(following, run)
    return run
