"""Carries the log of one pod to whoever follows it, without loss or repetition when the connection breaks.

A stream that ends says nothing about the container: the connection may have broken, or the kubelet
restarted. So the API is asked, and what was taken already is skipped the next time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .cluster import Cluster
from .core import outcome
from .errors import ClusterError, NotFound

LOG_GRACE_SECONDS = 20


class Pump:
    """Gives every chunk of the log to `receive` until that returns False; begins after `taken` bytes.

    `ended` tells it that the container has ended: what is still missing then has a grace time. `trouble` is
    why the last reading broke off, and `moved` when something came last.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        pod: str,
        receive: Callable[[bytes], bool],
        taken: int = 0,
        uid: str | None = None,
    ) -> None:
        self.pod = pod
        self.ended = threading.Event()
        self._cluster, self._namespace, self._uid = cluster, namespace, uid
        self._receive = receive
        self._taken = taken
        self._refused = False
        self.trouble: ClusterError | None = None
        self.moved = time.monotonic()
        self.thread = threading.Thread(target=self._run, daemon=True, name=f"log of {pod}")
        self.thread.start()

    def _run(self) -> None:
        give_up = float("inf")
        while time.monotonic() < give_up:
            had_ended = self.ended.is_set()
            if had_ended:
                give_up = min(give_up, time.monotonic() + LOG_GRACE_SECONDS)
            if self._is_whole(complete=self._read(), had_ended=had_ended):
                return
            time.sleep(0.5)

    def _read(self) -> bool:
        """Reads to the end of the stream; whether it ended by itself."""
        skip = self._taken
        try:
            for chunk in self._cluster.log(self._namespace, self.pod, follow=True):
                new, skip = chunk[skip:], max(skip - len(chunk), 0)
                self._taken += len(new)
                self.moved = time.monotonic()
                if new and not self._receive(new):
                    self._refused = True
                    return True
        except NotFound:
            return True
        except ClusterError as error:  # the container waits to start, the connection broke, or it may not be read
            self.trouble = error
            return False
        self.trouble = None
        return True

    def _is_whole(self, *, complete: bool, had_ended: bool) -> bool:
        """Whether nothing is left to read. A pod of the same name with another UID is another log."""
        if self._refused or (complete and had_ended):
            return True
        try:
            pod = self._cluster.get(self._namespace, "pods", self.pod)
        except ClusterError:
            return False
        if pod is None or (self._uid is not None and pod["metadata"]["uid"] != self._uid):
            return True
        return complete and outcome.container_ended(pod)
