"""A run of a schedule that a person starts, where only one may be under way: claimed as the schedule's pods do it."""

from __future__ import annotations

import contextlib
import functools
import uuid
from collections.abc import Iterator

from ..cluster.client import Cluster
from ..core import api, marks, moments
from ..core.schedule import claim
from ..errors import ClusterError, Conflict, Refused


@contextlib.contextmanager
def claimed(cluster: Cluster, namespace: str, app: str, task: str, flags: str = "") -> Iterator[None]:
    """Nobody else starts a run of the schedule meanwhile; raises Refused where one is under way or about to start.

    The runs are listed after the claims, which end when a run is there: so no run is missed by both. `flags` are those
    of a command of kf in this place.
    """
    counter, own, who = f"kf-{app}", "", uuid.uuid4().hex[:8]
    while not own:
        found = cluster.config_map(namespace, counter)
        now = cluster.now or moments.now()
        other = claim.holds(claim.holder(found, task), now, functools.partial(cluster.job, namespace))
        runs = cluster.list_runs(namespace, app, selector=api.equal(marks.SCHEDULE, task))
        busy = [run.name for run in runs if not run.finished]
        if busy or other:
            doing = f"runs (task {busy[0]})" if busy else f"is about to start ({other})"
            end = f", or end it with kf terminate-task {busy[0]}{flags}" if busy else ""
            raise Refused(
                f"job {task!r} of app {app!r} {doing}, and its concurrency policy is Forbid: "
                f"repeat when it has ended{end}"
            )
        text = claim.by_hand(now, who)
        with contextlib.suppress(Conflict):  # somebody else was faster
            cluster.patch_config_map(namespace, counter, claim.claiming(found, task, text))
            own = text
    try:
        yield
    finally:
        with contextlib.suppress(ClusterError):  # what is left there ends by itself
            _give_back(cluster, namespace, counter, task, own)


def _give_back(cluster: Cluster, namespace: str, counter: str, task: str, own: str) -> None:
    while True:
        found = cluster.config_map(namespace, counter)
        if claim.holder(found, task) != own:
            return
        with contextlib.suppress(Conflict):
            cluster.patch_config_map(namespace, counter, claim.claiming(found, task, None))
            return
