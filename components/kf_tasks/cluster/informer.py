"""The present state of the runs that somebody follows: of a namespace, one watch of each kind for all of them.

Whoever follows work for others must not be what loads the API server. So a run costs what is asked when it begins to be
followed, and nothing more while it lasts, however long that is and however many there are. Only what is
followed is kept: a namespace may hold thousands of runs that are over.

Where a watch is not granted, or is broken, each run is asked for, the less often the longer nothing changes.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import urllib3

from ..core import api, marks
from ..core.api import Object
from ..errors import ClusterError, Denied, NotFound
from .client import Cluster
from .transport import Transport

WATCH_SECONDS = 300  # the server ends a watch then, and a thread that nobody needs any more with it
SILENCE_SECONDS = 90  # a watch that is alive brings a bookmark each minute
READY_SECONDS = 2  # that the first look waits for the watches
SOON_SECONDS, LATE_SECONDS, GROWTH = 0.5, 10, 0.05  # between two questions, where there is no watch
RUNS, TASK_RUNS, PODS = "pipelineruns", "taskruns", "pods"
_PATHS: dict[str, Callable[[str], str]] = {
    RUNS: api.runs,
    TASK_RUNS: api.task_runs,
    PODS: lambda namespace: api.core(namespace, PODS),
}


@dataclass(frozen=True)
class Seen:
    """A run with its TaskRun, if it has one, and its pods, oldest first."""

    run: Object
    task_run: Object | None
    pods: list[Object]


class Followed:
    """One run, until it is closed; `changed` is set when there may be something new to look at."""

    def __init__(self, informer: Informer, cluster: Cluster, name: str) -> None:
        self.changed = threading.Event()
        self._informer, self._cluster, self._name = informer, cluster, name
        self._lock = threading.Lock()
        self._objects: dict[str, dict[str, Object]] = {RUNS: {}, TASK_RUNS: {}, PODS: {}}  # by UID
        self._gone: set[str] = set()
        self._asked_at = -1  # the informer's epoch: what was lost since is asked for
        self._next = self._moved = time.monotonic()

    def look(self) -> Seen:
        """The run as it is now; asks only for what no watch tells, which may be a moment behind.

        Raises as Cluster does, NotFound for a run that is gone.
        """
        epoch = self._informer.epoch
        if epoch != self._asked_at or (not self._informer.live and time.monotonic() >= self._next):
            self._ask(epoch)
        found = self._known()
        if not found[RUNS]:
            self._ask(epoch)  # it raises NotFound, or there is another run of this name
            found = self._known()
        if not found[RUNS]:
            raise NotFound(f"run {self._name} was deleted", 404)
        children = found[RUNS][-1].get("status", {}).get("childReferences") or [{}]
        of_run = [one for one in found[TASK_RUNS] if one["metadata"]["name"] == children[0].get("name")]
        return Seen(found[RUNS][-1], of_run[-1] if of_run else None, api.oldest_first(found[PODS]))

    def doubt(self) -> None:
        """The next look asks, whatever was told."""
        self._asked_at = -1

    def close(self) -> None:
        """Nothing is kept of it any more."""
        self._informer.forget(self._name, self)

    def take(self, kind: str, obj: Object, *, gone: bool = False) -> bool:
        """Takes an object as it is now, unless it is known better; whether it was new."""
        metadata = obj["metadata"]
        uid = metadata["uid"]
        with self._lock:
            known = self._objects[kind].get(uid)
            if gone:
                self._gone.add(uid)
                self._objects[kind].pop(uid, None)
            elif uid in self._gone or (known and not _is_newer(metadata, known["metadata"])):
                return False
            else:
                self._objects[kind][uid] = obj
        self._moved = self._next = time.monotonic()
        return True

    def _known(self) -> dict[str, list[Object]]:
        with self._lock:
            return {kind: list(objects.values()) for kind, objects in self._objects.items()}

    def _ask(self, epoch: int) -> None:
        run = self._cluster.get_run(self._informer.namespace, self._name)
        pods = self._cluster.pods(self._informer.namespace, self._name)
        found = [(RUNS, run), *((TASK_RUNS, one) for one in self._task_runs(run)), *((PODS, pod) for pod in pods)]
        with self._lock:  # what was missed while nobody watched, its end included
            uids = {obj["metadata"]["uid"] for _, obj in found}
            for kind in self._objects:
                missing = self._objects[kind].keys() - uids
                self._gone |= missing
                self._objects[kind] = {uid: obj for uid, obj in self._objects[kind].items() if uid not in missing}
        for kind, obj in found:
            self.take(kind, obj)
        self._asked_at = epoch
        now = time.monotonic()
        self._next = now + min(max(SOON_SECONDS, (now - self._moved) * GROWTH), LATE_SECONDS)

    def _task_runs(self, run: Object) -> list[Object]:
        """Its TaskRuns: of a watched one also those that its status names only later, when nothing is told of them."""
        if self._informer.live:
            return self._cluster.task_runs(self._informer.namespace, self._name)
        found = self._cluster.task_run(self._informer.namespace, run)
        return [found] if found else []


class Informer:
    """The watches of one namespace."""

    def __init__(self, http: Transport, namespace: str) -> None:
        self.namespace = namespace
        self.epoch = 0  # how often something may have been lost
        self._http = http
        self._lock = threading.Lock()
        self._followed: dict[str, set[Followed]] = {}
        self._live: set[str] = set()
        self._running: set[str] = set()
        self._settled = threading.Condition(self._lock)
        self._denied = False

    @property
    def live(self) -> bool:
        """Whether every change comes by itself."""
        return len(self._live) == len(_PATHS)

    def follow(self, cluster: Cluster, name: str) -> Followed:
        """Begins to follow a run of this name, whether there is one or not."""
        followed = Followed(self, cluster, name)
        with self._lock:
            self._followed.setdefault(name, set()).add(followed)
            for kind in () if self._denied else _PATHS.keys() - self._running:
                self._running.add(kind)
                threading.Thread(target=self._run, args=(kind,), daemon=True, name=f"watch of {kind}").start()
            self._settled.wait_for(lambda: self.live or self._denied, READY_SECONDS)
        return followed

    def forget(self, name: str, followed: Followed) -> None:
        """Ends to follow a run."""
        with self._lock:
            self._followed[name].discard(followed)
            if not self._followed[name]:
                del self._followed[name]

    def _run(self, kind: str) -> None:
        version, pause = "", SOON_SECONDS
        while self._is_wanted(kind):
            try:
                version = version or self._begin(kind)
                for event in self._events(kind, version):
                    self._settle(kind, live=True)
                    pause = SOON_SECONDS
                    version = self._take(kind, event) if event else version
            except Denied:
                self._settle(kind, live=False, denied=True)
            except (ClusterError, urllib3.exceptions.HTTPError, msgspec.MsgspecError, OSError):
                self._settle(kind, live=False)  # what came meanwhile may be lost: it is asked for anew
                version = ""
                time.sleep(pause)
                pause = min(2 * pause, LATE_SECONDS)

    def _is_wanted(self, kind: str) -> bool:
        with self._lock:
            wanted = bool(self._followed) and not self._denied
            if not wanted:
                self._running.discard(kind)
                self._live.discard(kind)
            return wanted

    def _settle(self, kind: str, *, live: bool, denied: bool = False) -> None:
        with self._lock:
            if live == (kind in self._live) and not denied:
                return
            self._live = self._live | {kind} if live else self._live - {kind}
            self._denied |= denied
            self._settled.notify_all()
            self._ring()

    def _begin(self, kind: str) -> str:
        """The version from which to watch; nobody knows what was before it."""
        query = [("labelSelector", marks.KEY), ("limit", "1")]
        answer = self._http.request("GET", _PATHS[kind](self.namespace), query=query, accept=api.METADATA_LIST)
        version = str(msgspec.json.decode(answer.data)["metadata"]["resourceVersion"])
        with self._lock:
            self.epoch += 1
            self._ring()
        return version

    def _events(self, kind: str, version: str) -> Iterator[Object | None]:
        """What a watch brings, as long as the server lets it; None once it is there."""
        query = [("labelSelector", marks.KEY), ("watch", "true"), ("allowWatchBookmarks", "true")]
        query += [("resourceVersion", version), ("timeoutSeconds", str(WATCH_SECONDS))]
        path = _PATHS[kind](self.namespace)
        answer = self._http.request("GET", path, query=query, read_seconds=SILENCE_SECONDS)
        yield None
        held = b""
        try:
            for chunk in answer.stream(65536):
                *lines, held = (held + chunk).split(b"\n")
                yield from (msgspec.json.decode(line) for line in lines if line)
        finally:
            answer.close()
            answer.release_conn()

    def _take(self, kind: str, event: Object) -> str:
        """Gives an object to whoever follows its run; returns the version to go on from, empty to begin anew."""
        obj, metadata = event["object"], event["object"].get("metadata") or {}
        if event["type"] == "ERROR":  # 410: the server no longer has what came after that version
            return ""
        if event["type"] != "BOOKMARK":
            name = metadata["name"] if kind == RUNS else (metadata.get("labels") or {}).get(marks.PIPELINE_RUN, "")
            with self._lock:
                followed = list(self._followed.get(name, ()))
            for one in followed:
                if one.take(kind, obj, gone=event["type"] == "DELETED"):
                    one.changed.set()
        return str(metadata["resourceVersion"])

    def _ring(self) -> None:
        for followed in self._followed.values():
            for one in followed:
                one.changed.set()


@functools.cache
def informer(http: Transport, namespace: str) -> Informer:
    """One informer for each transport and namespace of this process."""
    return Informer(http, namespace)


def _is_newer(metadata: Object, known: Object) -> bool:
    """Whether one state of an object comes after another one: versions of one object can be compared as numbers."""
    versions = [str(one.get("resourceVersion", "")) for one in (metadata, known)]
    return not all(version.isdigit() for version in versions) or int(versions[0]) > int(versions[1])
