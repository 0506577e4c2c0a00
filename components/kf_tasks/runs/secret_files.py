"""The Secrets that a run has mounted, while somebody follows it: their files change with them.

Each value that they have had may stand in the log, so each is copied and hidden when it is told of, before anything
is shown that was printed after that. Of one that has changed more than once since somebody looked the values in
between are lost, and with them what is secret in the log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..cluster.client import Cluster
from ..cluster.secret_versions import SecretVersions, secret_versions
from ..core.api import Object
from ..errors import ClusterError, Unreachable
from .secrets import Get, copy_more, mounted_by, present

SOON_SECONDS, LATE_SECONDS, GROWTH = 0.25, 2, 1.1  # the kubelet takes longer to bring a changed Secret to its files
TRUSTED_SECONDS = 5  # between two looks in which no value comes and goes, where changes are not told


class Files:
    """The Secrets that a run has mounted, at the versions that were hidden last."""

    def __init__(self, cluster: Cluster, run: Object) -> None:
        self._cluster, self._run, self._names = cluster, run, mounted_by(run)
        self._asking = threading.Lock()  # a log comes while its follower waits
        self._seen: dict[str, str] = {}
        self._epoch: int | None = None
        self._looked = self._next = self._pause = 0.0

    def __bool__(self) -> bool:
        return bool(self._names)

    @property
    def _known(self) -> SecretVersions:
        return secret_versions(self._cluster.http, self._run["metadata"]["namespace"])

    def note(self, get: Get) -> None:
        """They are as `get` has them, whose values are hidden; raises ClusterError."""
        namespace = self._run["metadata"]["namespace"]
        epoch, looked = self._known.epoch, time.monotonic()
        found = ((name, get(namespace, "secrets", name)) for name in self._names)
        now = {name: secret["metadata"]["resourceVersion"] if secret else "" for name, secret in found}
        if not self._seen:  # of a later pod they are seen already
            self._seen, self._epoch, self._looked = now, epoch, looked

    def changed(self, values: Callable[[], list[str]], *, asking: bool = True) -> list[str]:
        """What is to be hidden besides, as `values` tells it once they are copied; nothing where none has changed.

        They are watched; where that is not granted they are asked for, the less often the longer nothing changes, and
        only if `asking`. Raises Unreachable: what was not heard then is heard the next time.
        """
        with self._asking:
            return self._changed(values, asking)

    def _changed(self, values: Callable[[], list[str]], asking: bool) -> list[str]:
        epoch = self._known.epoch
        try:
            now, looked = self._versions(asking)
        except Unreachable:
            raise
        except ClusterError:
            return []  # whoever may not read them has been told so, and sees nothing of the log
        moved = [name for name, version in now.items() if version not in ("", self._seen.get(name, version))]
        if moved:
            often = looked - self._looked < TRUSTED_SECONDS
            lost = [name for name in moved if not self._is_next(name, now[name], epoch, often)]
            try:
                copy_more(self._cluster, present(self._cluster, self._run), self._run, lost)
            except Unreachable:
                raise
            except ClusterError:
                pass  # then the values of now are hidden at least here
        found = values() if moved else []
        self._seen, self._epoch, self._looked = self._seen | now, epoch, looked
        self._pause = 0.0 if moved else self._pause
        return found

    def _is_next(self, name: str, version: str, epoch: int | None, often: bool) -> bool:
        """Whether a Secret has had no other version since it was seen last; where nobody tells, if that was `often`."""
        if epoch is not None and epoch == self._epoch:
            return self._known.passed(name, self._seen[name] or "0") == [version]
        return often

    def _versions(self, asking: bool) -> tuple[dict[str, str], float]:
        """The versions of now, and when that was."""
        cluster, namespace = self._cluster, self._run["metadata"]["namespace"]
        told = {name: self._known.version(cluster, name) for name in self._names}
        found = {name: version for name, version in told.items() if version is not None}
        if len(found) == len(told):
            return found, time.monotonic()
        if not asking or time.monotonic() < self._next:
            return self._seen, self._looked
        self._pause = min(max(SOON_SECONDS, self._pause * GROWTH), LATE_SECONDS)
        secrets = {name: cluster.get(namespace, "secrets", name) for name in self._names}
        looked = time.monotonic()
        self._next = looked + self._pause
        return {name: one["metadata"]["resourceVersion"] if one else "" for name, one in secrets.items()}, looked
