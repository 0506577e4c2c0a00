"""Lets runs go that are beyond what their App keeps, with pods and logs, and writes down which they were."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from ..cluster.client import Cluster
from ..cluster.informer import informer
from ..cluster.known_runs import KnownRuns
from ..core import marks, moments
from ..core.retention import plan, pruned
from ..core.retention.policy import Policy
from ..core.run.summary import RunSummary
from ..errors import ClusterError
from .notifying import Notifying
from .secrets import copies_of, drop_copies


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
    asked: float = float("inf"),
) -> list[str]:
    """Deletes what retention lets go; returns the names.

    Not deleted is the run `spare`, whose record is not stored yet. `before` is given the runs that are to go, for
    what has to be done with each before it goes, and returns those that may; since that takes its time, what goes is
    decided again afterwards. A run that has changed since then, by being pinned for example, stays. `kept` tells of
    names those that stay whatever retention says. What the cluster has changed of a run last is taken for the moment of
    the question, unless that came up at the moment `asked` of the monotonic clock. What is owed of those that are to go
    is told by `notifying`, before.
    """
    known = informer(cluster.http, namespace).runs(app)

    def listed(version: str = "", asked: float = float("inf")) -> tuple[list[RunSummary], list[plan.Verdict]]:
        runs = known.at(cluster, version, asked)
        verdicts = [] if policy.has_room(len(runs)) else plan.plan(runs, policy, now=cluster.now)
        found = [verdict for verdict in verdicts if verdict.going and verdict.run.name != spare]
        stay = kept([verdict.run.name for verdict in found]) if kept else []
        return runs, [verdict for verdict in found if verdict.run.name not in stay]

    with known.turn:  # whoever comes next knows what has gone
        runs, found = listed(cluster.written, asked)
        if notifying and notifying.before(runs, [verdict.run for verdict in found]):
            found = listed()[1]  # what was told stands on them: they have changed
        if found and before:
            ready = {run.uid for run in before([verdict.run for verdict in found])}
            found = [verdict for verdict in listed()[1] if verdict.run.uid in ready]
        gone = cluster.delete_runs(namespace, [verdict.run for verdict in found], unchanged=True) if found else []
        went = [verdict.run for verdict in found if verdict.run.name in gone]
        for run in went:
            known.drop(run)
        if gone:
            with contextlib.suppress(ClusterError):  # they are gone, whether that can be written down or not
                noted = pruned.of_verdicts(found, gone, cluster.now or moments.now())
                cluster.note_pruned(namespace, f"kf-{app}", noted)
        _drop_copies(cluster, namespace, app, known, went)
    return gone


def _drop_copies(cluster: Cluster, namespace: str, app: str, known: KnownRuns, went: Sequence[RunSummary]) -> None:
    """Lets go what no run names any more: when the first run goes that has copies, and then whenever one was the last.

    What somebody may be about to name then is found the next time.
    """
    if any(marks.SECRETS in run.annotations for run in went):
        with contextlib.suppress(ClusterError):
            left = known.known(cluster)
            if not known.swept or copies_of(went) - copies_of(left):
                drop_copies(cluster, namespace, app, left)
                known.swept = True
