"""Lets runs go that are beyond what their App keeps, with pods and logs, and writes down which they were."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from ..cluster.client import Cluster
from ..core import marks, moments
from ..core.retention import plan, pruned
from ..core.retention.policy import Policy
from ..core.run.summary import RunSummary
from ..errors import ClusterError
from .notifying import Notifying
from .secrets import drop_copies


def expire(runs: Sequence[RunSummary], now: str | None, policy: Policy, adding: int = 0) -> list[RunSummary]:
    """The runs that retention lets go, oldest first, once `adding` new ones have been made; `now` is the cluster's."""
    return [verdict.run for verdict in plan.plan(runs, policy, adding, now) if verdict.going]


def prune(
    cluster: Cluster,
    namespace: str,
    app: str,
    policy: Policy,
    spare: str | None = None,
    before: Callable[[list[RunSummary]], list[RunSummary]] | None = None,
    kept: Callable[[list[str]], list[str]] | None = None,
    notifying: Notifying | None = None,
) -> list[str]:
    """Deletes what retention lets go; returns the names.

    Not deleted is the run `spare`, whose record is not stored yet. `before` is given the runs that are to go, for
    what has to be done with each before it goes, and returns those that may; since that takes its time, what goes is
    decided again afterwards. A run that has changed since then, by being pinned for example, stays. `kept` tells of
    names those that stay whatever retention says. What is owed of those that are to go is told by `notifying`, before.
    """

    def listed() -> tuple[list[RunSummary], list[plan.Verdict]]:
        runs = cluster.list_runs(namespace, app)
        verdicts = plan.plan(runs, policy, now=cluster.now)
        found = [verdict for verdict in verdicts if verdict.going and verdict.run.name != spare]
        stay = kept([verdict.run.name for verdict in found]) if kept else []
        return runs, [verdict for verdict in found if verdict.run.name not in stay]

    runs, found = listed()
    if notifying and notifying.before(runs, [verdict.run for verdict in found]):
        found = listed()[1]  # what was told stands on them: they have changed
    if found and before:
        ready = {run.uid for run in before([verdict.run for verdict in found])}
        found = [verdict for verdict in listed()[1] if verdict.run.uid in ready]
    gone = cluster.delete_runs(namespace, [verdict.run for verdict in found], unchanged=True) if found else []
    if gone:
        with contextlib.suppress(ClusterError):  # they are gone, whether that can be written down or not
            noted = pruned.of_verdicts(found, gone, cluster.now or moments.now())
            cluster.note_pruned(namespace, f"kf-{app}", noted)
    if any(marks.SECRETS in verdict.run.annotations for verdict in found if verdict.run.name in gone):
        drop_copies(cluster, namespace, app)
    return gone
