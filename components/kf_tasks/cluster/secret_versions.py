"""Which Secrets of a namespace there are, and at which version: one watch of their metadata for all runs.

Who masks logs must know a changed Secret before its new value is printed, and a Secret is never read because of that
alone: what is watched has no values. The copies of Secrets, which never change, are remembered.
"""

from __future__ import annotations

import functools

from ..core import api
from ..core.api import Object
from ..errors import ClusterError
from .client import Cluster
from .mirror import Mirror
from .transport import Transport
from .watch import DELETED, Watch


class SecretVersions:
    """The versions of the Secrets of a namespace, and the copies of Secrets that were met."""

    def __init__(self, http: Transport, namespace: str) -> None:
        self._namespace = namespace
        path = api.core(namespace, "secrets")
        self._watch = Watch(http, path, "", self._take, lambda: None, lambda: True, api.METADATA)
        self._known: Mirror[str] = Mirror(self._watch)
        self.copies: dict[str, Object] = {}  # by name: what their name stands for never changes

    def version(self, cluster: Cluster, name: str) -> str | None:
        """The version of a Secret, empty if there is none; None where nobody tells it."""
        self._watch.start()
        if not self._watch.await_start():
            return None
        try:
            self._known.complete(lambda: self._listed(cluster))
        except ClusterError:
            return None
        return (self._known.get(name) or "") if self._known.is_whole else None

    def drop(self, secret: Object) -> None:
        """This Secret was deleted."""
        self._known.drop(secret["metadata"]["name"], secret["metadata"]["resourceVersion"])
        self.copies.pop(secret["metadata"]["name"], None)

    def _listed(self, cluster: Cluster) -> list[tuple[str, str, str]]:
        found = (one["metadata"] for one in cluster.secrets(self._namespace))
        return [(one["name"], one["resourceVersion"], one["resourceVersion"]) for one in found]

    def _take(self, type_: str, secret: Object) -> None:
        metadata = secret["metadata"]
        version = str(metadata["resourceVersion"])
        self._known.take(metadata["name"], version, None if type_ == DELETED else version)


@functools.cache
def secret_versions(http: Transport, namespace: str) -> SecretVersions:
    """One for each transport and namespace of this process."""
    return SecretVersions(http, namespace)
