"""Which Secrets of a namespace there are, and at which version: one watch of their metadata for all runs.

Who masks logs must know a changed Secret before its new value is printed, and a Secret is never read because of that
alone: what is watched has no values. What was read is remembered with its version, and read again when there is
another one: so a hundred tasks that have the same ten Secrets read ten. The copies of Secrets never change.
Which versions there were in between is remembered as well: their values are lost to whoever comes later.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from collections.abc import Callable, Collection

from ..core import api, marks
from ..core.api import Object
from ..errors import ClusterError, Denied
from .client import Cluster
from .mirror import Mirror
from .transport import Transport
from .watch import DELETED, Watch, is_newer

KEPT = "kept-secrets"  # the COMPONENT of the copies
REMEMBERED = 8  # versions of a Secret: two that nobody has read are too many


class SecretVersions:
    """The versions of the Secrets of a namespace, and the copies of Secrets that were met."""

    def __init__(self, http: Transport, namespace: str) -> None:
        self._namespace = namespace
        path = api.core(namespace, "secrets")
        self._watch = Watch(http, path, "", self._take, lambda: None, lambda: True, api.METADATA)
        self._passed: dict[str, deque[str]] = {}  # by name the versions that were told, oldest first
        self._known: Mirror[str] = Mirror(self._watch)
        self.copies: dict[str, Object] = {}  # by name: what their name stands for never changes
        self._read: dict[str, Object] = {}  # by name, as it was read last
        self._asking = threading.Lock()
        # When all versions were asked for last, and what they were.
        self._asked, self._versions = -1.0, dict[str, str]()

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

    @property
    def epoch(self) -> int | None:
        """What stays the same as long as every change is told; None where changes are not."""
        return self._watch.epoch if self._watch.live else None

    def passed(self, name: str, version: str) -> list[str]:
        """The versions that a Secret has had after this one, the newest last, as far as they were told."""
        return [one for one in list(self._passed.get(name, ())) if is_newer(one, version)]

    def told(self, cluster: Cluster, name: str) -> Object | None:
        """A Secret as the watch tells of it, which may be a moment behind; None if there is none. Raises as Cluster."""
        return self._at(cluster, name, self.version(cluster, name))

    def now(self, cluster: Cluster, names: Collection[str]) -> Callable[[str], Object | None]:
        """What returns one of these Secrets as it is now, or None: one list for all of them. It raises as Cluster."""
        versions = self._now(cluster) if len(names) > 1 else None
        if versions is None:
            return lambda name: cluster.get(self._namespace, "secrets", name)
        return lambda name: self._at(cluster, name, versions[name]) if name in versions else None

    def drop(self, secret: Object) -> None:
        """This Secret was deleted."""
        self._known.drop(secret["metadata"]["name"], secret["metadata"]["resourceVersion"])
        self.copies.pop(secret["metadata"]["name"], None)

    def _now(self, cluster: Cluster) -> dict[str, str] | None:
        """The version of each Secret that is no copy, None where they may not be listed; who asks at once shares it."""
        came = time.monotonic()
        with self._asking:
            if self._asked < came:
                begun, kept = time.monotonic(), f"{marks.COMPONENT}!={KEPT}"
                try:
                    found = (one["metadata"] for one in cluster.secrets(self._namespace, kept))
                except Denied:
                    return None
                self._versions = {one["name"]: str(one["resourceVersion"]) for one in found}
                self._asked = begun
            return self._versions

    def _at(self, cluster: Cluster, name: str, version: str | None) -> Object | None:
        known = self._read.get(name)
        if known and known["metadata"]["resourceVersion"] == version:
            return known
        found = cluster.get(self._namespace, "secrets", name)
        if found:
            self._read[name] = found
        return found

    def _listed(self, cluster: Cluster) -> list[tuple[str, str, str]]:
        found = (one["metadata"] for one in cluster.secrets(self._namespace))
        return [(one["name"], one["resourceVersion"], one["resourceVersion"]) for one in found]

    def _take(self, type_: str, secret: Object) -> None:
        metadata = secret["metadata"]
        version = str(metadata["resourceVersion"])
        if type_ != DELETED:
            self._passed.setdefault(metadata["name"], deque(maxlen=REMEMBERED)).append(version)
        self._known.take(metadata["name"], version, None if type_ == DELETED else version)


@functools.cache
def secret_versions(http: Transport, namespace: str) -> SecretVersions:
    """One for each transport and namespace of this process."""
    return SecretVersions(http, namespace)
