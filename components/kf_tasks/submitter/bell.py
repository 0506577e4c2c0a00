"""Tells that something about a run has changed, so that whoever waits for it looks then and not all the time.

What has changed is not told: whoever waits asks for it, so that a watch that tells too little or too much decides
nothing. Where watching is not granted, nobody is told, and the run is looked at the less often the longer it takes.
"""

from __future__ import annotations

import threading
import time
from http.client import HTTPException
from typing import Set
from urllib.error import HTTPError

from ..core import api
from ..errors import Denied, of_status
from .client import PlainCluster

SOON_SECONDS, LATE_SECONDS = 1, 10  # between two attempts
TOGETHER_SECONDS = 1  # in which what changes is one change


class Bell:
    """Rings for a run and its pods."""

    def __init__(self, cluster: PlainCluster, run: str) -> None:
        self._cluster = cluster
        self._changed, self._closed = threading.Event(), threading.Event()
        self._heard: Set[str] = set()
        self._watches = {
            cluster.runs(): ("fieldSelector", f"metadata.name={run}"),
            cluster.core("pods"): ("labelSelector", api.pods_of(run)),
        }
        for path, selector in self._watches.items():
            threading.Thread(target=self._listen, args=(path, *selector), daemon=True, name=f"bell of {run}").start()

    @property
    def is_heard(self) -> bool:
        """Whether every change is told."""
        return len(self._heard) == len(self._watches)

    def wait(self, seconds: float) -> None:
        """Waits for a change, at most so long, or until this pod is told to stop."""
        deadline = time.monotonic() + seconds
        while not self._changed.is_set() and time.monotonic() < deadline:
            if self._cluster.stop.wait(0.5):
                return
        if self._changed.is_set():
            self._cluster.stop.wait(TOGETHER_SECONDS)
        self._changed.clear()

    def close(self) -> None:
        """Nobody waits any more: no watch is begun again."""
        self._closed.set()

    def _listen(self, path: str, *selector: str) -> None:
        pause: float = SOON_SECONDS
        while not self._closed.is_set():
            try:
                for event in self._cluster.watch(path, (selector[0], selector[1])):
                    self._heard.add(path)
                    pause = SOON_SECONDS
                    if event != "BOOKMARK":
                        self._changed.set()
            except HTTPError as error:
                if of_status(error.code) is Denied:
                    return
            except (OSError, HTTPException, ValueError, LookupError, TypeError):
                pass  # it is broken or silent: what happens until it is there again is told then
            self._heard.discard(path)
            self._changed.set()
            self._closed.wait(pause)
            pause = min(2 * pause, LATE_SECONDS)
