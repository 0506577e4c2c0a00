"""Holds on to the files of a log that the node takes away before they are read.

The kubelet writes a new file when one has reached `containerLogMaxSize`, looks for that every ten
seconds, and gives a reader the newest file only. A reader that is slower than the task would miss
whole files, and so does `kubectl logs -f`. But a file stays readable for whoever has opened it: so
each new file is opened as soon as it is seen, and read when its turn comes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain

from ..cluster.client import Cluster
from ..core.log.stamps import LONGEST_STAMP, head_of
from ..errors import ClusterError

LOOK_SECONDS = 2.5


class Rotation:
    """The files of a pod's log that are newer than the one being read, oldest first.

    `position` gives the stamp up to which the log is read, asked for under `lock`; `is_moving` whether
    anything came lately: a log that rests is not rotated. `is_same` is whether the pod is still the same.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        pod: str,
        *,
        position: Callable[[], bytes],
        is_moving: Callable[[], bool],
        is_same: Callable[[], bool],
    ) -> None:
        self.lock = threading.RLock()
        self._cluster, self._namespace, self._pod = cluster, namespace, pod
        self._position, self._is_moving, self._is_same = position, is_moving, is_same
        self._files: deque[tuple[bytes, Iterator[bytes]]] = deque()
        self._newest = b""
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begins to look for new files, in a thread of its own."""
        threading.Thread(target=self._run, daemon=True, name=f"files of {self._pod}").start()

    def stop(self) -> None:
        """Lets go of the files that are left."""
        self._stopped.set()

    @property
    def heads(self) -> list[bytes]:
        """The stamps that the files begin with."""
        with self.lock:
            return [head for head, _ in self._files]

    def next(self) -> tuple[bytes, Iterator[bytes]] | None:
        """The oldest of the files and its head, from its beginning; it is no longer held here."""
        with self.lock:
            return self._files.popleft() if self._files else None

    def look(self) -> None:
        """Opens the newest file unless it is known or already being read."""
        head = head_of(b"".join(self._log(limit=LONGEST_STAMP + 1)))
        with self.lock:
            if head is None or head == self._newest or head <= self._position():
                return
        stream = self._log(follow=True)
        opened = chain([next(stream, b"")], stream)
        is_same = self._is_same()  # asked after it was opened: a pod in the place of this one has a log of its own
        with self.lock:
            self._newest = head
            if is_same and head > self._position():
                self._files.append((head, opened))

    def _log(self, *, follow: bool = False, limit: int | None = None) -> Iterator[bytes]:
        return self._cluster.log(self._namespace, self._pod, stamps=True, follow=follow, limit=limit)

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            try:
                if self._is_moving():
                    self.look()
            except ClusterError:
                continue  # the next look may succeed
        self._files.clear()
