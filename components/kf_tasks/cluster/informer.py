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
from collections.abc import Callable
from dataclasses import dataclass

from ..core import api, marks, polling
from ..core.api import Object
from ..core.run.summary import RunSummary
from ..errors import NotFound
from .client import Cluster
from .known_pods import KnownPods
from .known_runs import KnownRuns
from .listener import Listener
from .transport import Transport
from .watch import DELETED, Watch, is_newer

SOON_SECONDS = 0.5  # between two questions at first, where there is no watch
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

    def expect(self, epoch: int) -> None:
        """Nothing is asked for unless something was lost since this epoch: the run is not there yet."""
        self._asked_at = epoch

    @property
    def is_told(self) -> bool:
        """Whether every change comes by itself."""
        return self._informer.live

    @property
    def others(self) -> int:
        """How many other runs of the namespace are followed in this process."""
        return self._informer.followed - 1

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
            elif uid in self._gone or (known and not is_newer(_version(obj), _version(known))):
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
        self._next = now + polling.pause(now - self._moved, SOON_SECONDS)

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
        self._lock = threading.Lock()
        self._followed: dict[str, set[Followed]] = {}
        self._begun: dict[str, Followed] = {}
        self._listeners: list[Listener] = []
        # Of each App that somebody wants to know all runs of, and of None for those of all; with their times or not.
        self._runs: dict[tuple[str | None, bool], KnownRuns] = {}
        self._watches = {
            kind: Watch(
                http, path(namespace), marks.KEY, functools.partial(self._take, kind), self._ring,
                functools.partial(self._is_wanted, kind),
            )
            for kind, path in _PATHS.items()
        }  # fmt: skip
        self.pods = KnownPods(self._watches[PODS], namespace)

    @property
    def live(self) -> bool:
        """Whether every change comes by itself."""
        return all(watch.live for watch in self._watches.values())

    @property
    def epoch(self) -> int:
        """How often something may have been lost."""
        return sum(watch.epoch for watch in self._watches.values())

    @property
    def followed(self) -> int:
        """How many runs are followed."""
        return len(self._followed)

    def follow(self, cluster: Cluster, name: str) -> Followed:
        """Begins to follow a run of this name, whether there is one or not."""
        with self._lock:
            begun = self._begun.pop(name, None)
            followed = begun or Followed(self, cluster, name)
            self._followed.setdefault(name, set()).add(followed)
        if not begun:
            self._start()
        return followed

    def begin(self, cluster: Cluster, name: str) -> Followed | None:
        """Begins to follow a run that does not exist yet: what is told of it is all that there is.

        Whoever makes it says so by `made`, and it is taken up by `follow`; None where not all is told.
        """
        followed = Followed(self, cluster, name)
        with self._lock:
            self._followed.setdefault(name, set()).add(followed)
        self._start()
        epoch = self.epoch
        if not self.live:
            followed.close()
            return None
        followed.expect(epoch)
        return followed

    def made(self, followed: Followed, run: Object) -> None:
        """The run that was to be followed is made."""
        followed.take(RUNS, run)
        with self._lock:
            self._begun[run["metadata"]["name"]] = followed

    def forget(self, name: str, followed: Followed) -> None:
        """Ends to follow a run."""
        with self._lock:
            self._followed[name].discard(followed)
            if not self._followed[name]:
                del self._followed[name]

    def runs(self, app: str | None, *, with_times: bool = False) -> KnownRuns:
        """All runs of an App, or of all Apps, as they are told from their first list on."""
        made = KnownRuns(self._watches[RUNS], self.namespace, app, with_times=with_times)
        with self._lock:
            return self._runs.setdefault((app, with_times), made)

    def listen(self) -> Listener:
        """Begins to hear of every change of runs, TaskRuns and pods, for as long as this process lasts."""
        found = Listener(lambda: self.live)
        with self._lock:
            self._listeners.append(found)
        self._start()
        return found

    def _start(self) -> None:
        for watch in self._watches.values():
            watch.start()
        for watch in self._watches.values():
            if not any(one.denied for one in self._watches.values()):
                watch.await_start()

    def _is_wanted(self, kind: str) -> bool:
        """Runs are watched for whoever wants to know all of them, too; one kind that may not be spoils the others."""
        denied = any(watch.denied for watch in self._watches.values())
        followed = bool(self._followed or self._listeners)
        return (followed and not denied) or (kind == RUNS and bool(self._runs))

    def _take(self, kind: str, type_: str, obj: Object) -> None:
        """Gives an object to whoever follows its run, or wants to know all runs of its App."""
        metadata, gone = obj["metadata"], type_ == DELETED
        metadata.pop("managedFields", None)  # a third of what is kept, of which nobody reads anything
        labels = metadata.get("labels") or {}
        name = metadata["name"] if kind == RUNS else labels.get(marks.PIPELINE_RUN, "")
        with self._lock:
            followed = list(self._followed.get(name, ()))
            own = (labels.get(marks.NAME, ""), None) if kind == RUNS else ()
            runs = [known for (app, _), known in self._runs.items() if app in own]
            listeners = list(self._listeners)
        for one in followed:
            if one.take(kind, obj, gone=gone):
                one.changed.set()
        if kind == PODS and listeners:
            self.pods.take(obj, gone=gone)
        if runs:
            summary = None if gone else RunSummary.of_object(obj)
            for known in runs:
                known.take(name, str(metadata["resourceVersion"]), summary)
        for listener in listeners:
            listener.changed.set()

    def _ring(self) -> None:
        with self._lock:
            found = [one.changed for followed in self._followed.values() for one in followed]
            found += [listener.changed for listener in self._listeners]
        for changed in found:
            changed.set()


@functools.cache
def informer(http: Transport, namespace: str) -> Informer:
    """One informer for each transport and namespace of this process."""
    return Informer(http, namespace)


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))
