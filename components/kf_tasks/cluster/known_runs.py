"""All runs of an App, listed once and then told by the watch: for whoever asks again and again what there is.

A decision is made by no older state than a list would have shown. What the name of a run guards against is safe by any
state: of two that start the same work the second is refused. What deletes is decided by the state at a version that
this process has written since the question came up: the watch tells everything in order, so that whatever was there
before that version is known. Without such a version, and where nobody tells anything, the runs are listed.
"""

from __future__ import annotations

import threading
import time

from ..core.run.summary import RunSummary
from .client import Cluster
from .mirror import Listed, Mirror
from .watch import Watch


class KnownRuns:
    """The runs of one App, or without one of all; `with_times` also by a list, which otherwise has none.

    `turn` is held by whoever lets some of them go, `swept` says whether copies were looked for. All of it raises as
    Cluster does.
    """

    def __init__(self, watch: Watch, namespace: str, app: str | None, *, with_times: bool = False) -> None:
        self.turn, self.swept = threading.Lock(), False
        self._watch, self._namespace, self._app, self._with_times = watch, namespace, app, with_times
        self._mirror: Mirror[RunSummary] = Mirror(watch)
        self._listed_at = float("-inf")  # when its last list was asked for

    def known(self, cluster: Cluster) -> list[RunSummary]:
        """Those that are known, by their names: as they were a moment ago. They are watched from now on."""
        self._is_told()
        self._mirror.complete(lambda: self._listed(cluster))
        return self._mirror.all()

    def at(self, cluster: Cluster, version: str, asked: float = float("inf")) -> list[RunSummary]:
        """Those that there are at a version which was written just now, or later; empty: as a list has them.

        A list since the moment `asked` (of the monotonic clock), when the question came up, will do as well.
        """
        if self._listed_at >= asked:
            return self._mirror.all()
        if not version or not self._is_told():
            return self.listed(cluster)
        self._mirror.complete(lambda: self._listed(cluster))
        return self._mirror.all() if self._watch.reach(version) else self.listed(cluster)

    def listed(self, cluster: Cluster) -> list[RunSummary]:
        """Those that the cluster lists now."""
        self._mirror.fill(lambda: self._listed(cluster))
        return self._mirror.all()

    def take(self, name: str, version: str, run: RunSummary | None) -> None:
        """A run is told of; None: it is gone."""
        self._mirror.take(name, version, run)

    def drop(self, run: RunSummary) -> None:
        """This very run was deleted, as it was known."""
        self._mirror.drop(run.name, run.version)

    def _is_told(self) -> bool:
        self._watch.start()
        return self._watch.await_start()

    def _listed(self, cluster: Cluster) -> list[Listed[RunSummary]]:
        begun = time.monotonic()
        runs = cluster.list_runs(self._namespace, self._app, with_times=self._with_times)
        self._listed_at = begun
        return [(run.name, run.version, run) for run in runs]
