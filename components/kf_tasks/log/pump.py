"""Carries the log of one pod to whoever follows it, without loss or repetition when the connection breaks.

A stream that ends says nothing about the container: the connection may have broken, the kubelet
restarted, or the node begun a new file. So the API is asked, and reading goes on where it ended.
Nor does it say that all of it came: what breaks off between API server and kubelet is passed on as an
ordinary end. So a log is read again from there, until nothing new comes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from ..cluster.client import Cluster
from ..core import polling
from ..core.api import Object
from ..core.log.stamps import Position, Stamped
from ..core.run import outcome
from ..errors import ClusterError, NotFound, Unreachable
from .batches import batched
from .rotation import LOOK_SECONDS, Rotation

LOG_GRACE_SECONDS = 20
END_SECONDS = 0.5  # from the end of a log to what is told of its container's, or to where it goes on
ATTEMPTS = 3  # in a row that bring nothing new
ROTATED_BYTES = 64 * 1024  # no node begins a new file below this
LOST = "a part of its log is lost: the node had removed it before it was read"


class Pump:
    """Gives every chunk of the log to `receive` until that returns False; begins at `position`.

    `ended` tells it that the container has ended: what is still missing then has a grace time. `trouble` is
    why the last reading broke off, `lost` whether the node has taken a part away, and `moved` when something
    came last. Nothing before the time `since` (RFC 3339) is read; with `stamps` the kubelet's stay in the lines.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        pod: str,
        receive: Callable[[bytes], bool],
        position: Position | None = None,
        uid: str | None = None,
        *,
        since: str | None = None,
        stamps: bool = False,
    ) -> None:
        self.pod = pod
        self._since, self._stamps = since, stamps
        self.ended = threading.Event()
        self._cluster, self._namespace, self._uid = cluster, namespace, uid
        self._receive = receive
        self._position = position or Position()
        self._bytes = 0
        self._first = True
        self._refused = False
        self._giving = False
        self._files = Rotation(
            cluster, namespace, pod,
            position=lambda: self._position.stamp, is_moving=self._is_moving, is_same=lambda: self._pod() is not None,
        )  # fmt: skip
        self.trouble: ClusterError | None = None
        self.lost = False
        self.moved = time.monotonic()
        self.thread = threading.Thread(target=self._run, daemon=True, name=f"log of {pod}")
        self.thread.start()

    def _run(self) -> None:
        ended_at, pause = float("inf"), END_SECONDS / 2
        try:
            while time.monotonic() - max(self.moved, ended_at) < LOG_GRACE_SECONDS:
                had_ended = self.ended.is_set()
                if had_ended:
                    ended_at = min(ended_at, time.monotonic())
                before, moved = self._bytes, self.moved
                complete = self._read_files()
                had_more = self._bytes > before
                self.moved = self.moved if had_more else moved  # what is read again is nothing new
                if self._is_whole(complete=complete, had_ended=had_ended, had_more=had_more):
                    return
                if not (complete and had_more and (had_ended or self._files.heads)):  # what is rotated goes on at once
                    # A node may end each reading at once, for as long as its container runs.
                    pause = END_SECONDS if had_more else min(2 * pause, polling.LATE_SECONDS)
                    time.sleep(0.5) if had_ended else self.ended.wait(pause)
        except Exception as error:
            self.trouble = ClusterError(f"its reader failed: {error!r}")
            raise
        finally:
            self._files.stop()

    def _read_files(self) -> bool:
        """Reads the newest file from where the last reading ended, or the files that came after that one."""
        file = self._files.next()
        if not file:
            since = self._position.since or self._since
            stream = self._cluster.log(self._namespace, self.pod, follow=True, stamps=True, since=since)
            complete = self._read(stream, after_trouble=self.trouble is not None)
            file = self._files.next()
        while file and not self._refused:
            self._position = Position(file[0], nth=1)
            complete = self._read(file[1], after_trouble=True)
            file = self._files.next()
        return complete

    def _read(self, stream: Iterator[bytes], *, after_trouble: bool) -> bool:
        """Reads to the end of a stream, or to where the next file begins; whether it broke off otherwise."""
        stamped, own = Stamped(self._position, keep=self._stamps), self._first or self._uid is None
        self._first = False
        try:
            for chunk in batched(stream):
                with self._files.lock:
                    new = stamped.feed(chunk, self._files.heads)
                    if new and not own and self._is_replaced():
                        return True
                    own = own or bool(new)
                    self._position = stamped.position
                self.lost |= stamped.missed and after_trouble
                if not self._give(new):
                    return True
                if stamped.reached:
                    break
        except NotFound:
            return True
        except ClusterError as error:  # the container waits to start, the connection broke, or it may not be read
            self.trouble = error
            self.lost |= bool(self._files.heads)
            return False
        self.trouble = _broken(self.pod) if stamped.broken else None
        return not stamped.broken

    def _give(self, new: bytes) -> bool:
        self.moved = time.monotonic()
        if not new:
            return True
        if self._bytes < ROTATED_BYTES <= self._bytes + len(new):
            self._files.start()
        self._bytes += len(new)
        self._giving = True
        self._refused = not self._receive(new)
        self._giving = False
        return not self._refused

    def _is_moving(self) -> bool:
        """Whether the task may be printing: a log that rests is not rotated."""
        return self._giving or time.monotonic() - self.moved < 2 * LOOK_SECONDS

    def _is_whole(self, *, complete: bool, had_ended: bool, had_more: bool) -> bool:
        """Whether nothing is left to read."""
        if self._refused or (complete and had_ended and not had_more):
            return True
        if complete and had_more:
            return False  # it is read once more, whatever has become of the pod
        try:
            pod = self._pod()
        except ClusterError:
            return False
        return pod is None or (complete and outcome.container_ended(pod))

    def _is_replaced(self) -> bool:
        """Whether another pod has its name: a log is asked for by the name, and what came of it anew is that one's."""
        pod = self._of_its_name()
        return pod is not None and pod["metadata"]["uid"] != self._uid

    def _pod(self) -> Object | None:
        """The pod; None if it is gone, also if another one has its name: that has another log."""
        pod = self._of_its_name()
        return pod if pod and self._uid in (None, pod["metadata"]["uid"]) else None

    def _of_its_name(self) -> Object | None:
        return self._cluster.get(self._namespace, "pods", self.pod)


def ended_log(
    cluster: Cluster, namespace: str, pod: str, *, since: str | None = None, stamps: bool = False
) -> Iterator[bytes]:
    """The whole log of a container that has ended, in pieces; raises NotFound if the node no longer has it.

    `since` and `stamps` as for `Pump`.
    """
    position, in_vain = Position(), 0
    while in_vain < ATTEMPTS:
        stamped, in_vain = Stamped(position, keep=stamps), in_vain + 1
        for chunk in cluster.log(namespace, pod, stamps=True, since=position.since or since):
            if new := stamped.feed(chunk):
                in_vain = 0
                yield new
        position = stamped.position
        if in_vain and not stamped.broken:
            return
    raise _broken(pod)


def _broken(pod: str) -> Unreachable:
    return Unreachable(f"the log of {pod} was broken off")
