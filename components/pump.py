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

    `ended` tells it that the container has ended: what is still missing then has a grace time.
    """

    def __init__(
        self, cluster: Cluster, namespace: str, pod: str, receive: Callable[[bytes], bool], taken: int = 0
    ) -> None:
        self.ended = threading.Event()
        self._cluster, self._namespace, self._pod = cluster, namespace, pod
        self._receive = receive
        self._taken = taken
        self.thread = threading.Thread(target=self._run, daemon=True, name=f"log of {pod}")
        self.thread.start()

    def _run(self) -> None:
        give_up = float("inf")
        while time.monotonic() < give_up:
            if self.ended.is_set():
                give_up = min(give_up, time.monotonic() + LOG_GRACE_SECONDS)
            skip = self._taken
            try:
                for chunk in self._cluster.log(self._namespace, self._pod, follow=True):
                    new, skip = chunk[skip:], max(skip - len(chunk), 0)
                    self._taken += len(new)
                    if new and not self._receive(new):
                        return
                if self.ended.is_set() or self._container_ended():
                    return
            except NotFound:
                return
            except ClusterError:  # the container waits to start, or the connection broke
                pass
            time.sleep(0.5)

    def _container_ended(self) -> bool:
        pod = self._cluster.get(self._namespace, "pods", self._pod)
        return pod is None or outcome.container_ended(pod)
