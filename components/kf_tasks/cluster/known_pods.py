"""The pods of some runs, listed once and then told by the watch: for whoever shows them again and again.

A namespace may hold the pods of thousands of runs that are over, of which nobody asks.
"""

from __future__ import annotations

from collections.abc import Collection

from ..core import api, marks
from ..core.api import Object
from .client import Cluster
from .mirror import Listed, Mirror
from .watch import Watch


class KnownPods:
    """The pods of a namespace, as far as somebody has asked for them or they were told of since."""

    def __init__(self, watch: Watch, namespace: str) -> None:
        self._namespace = namespace
        self._mirror: Mirror[Object] = Mirror(watch)
        self._asked = set[str]()

    def of(self, cluster: Cluster, runs: Collection[str]) -> list[Object]:
        """The pods of these runs, oldest first; they are asked for once where a watch tells of them. Raises as Cluster.

        Somebody has to listen to the informer meanwhile.
        """
        if not self._mirror.is_whole:
            self._asked.clear()
            self._mirror.fill(lambda: self._listed(cluster, runs))
        elif not self._asked.issuperset(runs):
            for name, version, pod in self._listed(cluster, {*runs} - self._asked):
                self._mirror.take(name, version, pod)
        self._asked.update(runs)
        found = [pod for pod in self._mirror.all() if pod["metadata"]["labels"].get(marks.PIPELINE_RUN) in runs]
        return api.oldest_first(found)

    def take(self, pod: Object, *, gone: bool) -> None:
        """A pod is told of."""
        metadata = pod["metadata"]
        self._mirror.take(metadata["name"], str(metadata["resourceVersion"]), None if gone else pod)

    def _listed(self, cluster: Cluster, runs: Collection[str]) -> list[Listed[Object]]:
        pods = cluster.pods_of(self._namespace, runs)
        return [(pod["metadata"]["name"], str(pod["metadata"].get("resourceVersion", "")), pod) for pod in pods]
