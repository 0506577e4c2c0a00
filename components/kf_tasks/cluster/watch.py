"""Rings as soon as a run changes, so that its end is not noticed half a second late.

Only a help: whoever follows asks at intervals as well, because a watch may be forbidden, or end unseen.
"""

from __future__ import annotations

import threading

import urllib3

from ..core import api
from ..errors import ClusterError
from .client import Cluster

WATCH_SECONDS = 60  # the server ends it then, and a thread that nobody needs any more with it


class Watch:
    """Watches one PipelineRun until it is closed or cannot go on; `rung` is set at each change."""

    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        self.rung = threading.Event()
        self._closed = threading.Event()
        self._cluster, self._namespace, self._name = cluster, namespace, name
        threading.Thread(target=self._run, daemon=True, name=f"watch of {name}").start()

    def close(self) -> None:
        """Lets the thread end at the next change, or with the server's end of the watch."""
        self._closed.set()

    def _run(self) -> None:
        query = [
            ("watch", "true"),
            ("fieldSelector", f"metadata.name={self._name}"),
            ("timeoutSeconds", str(WATCH_SECONDS)),
        ]
        path = api.runs(self._namespace)
        while not self._closed.is_set():
            try:
                answer = self._cluster.http.request(
                    "GET", path, query=query, accept=api.METADATA, read_seconds=WATCH_SECONDS + 10
                )
                for _ in answer.stream(65536):
                    self.rung.set()
                    if self._closed.is_set():
                        break
                answer.close()
            except (ClusterError, urllib3.exceptions.HTTPError, OSError):
                return
