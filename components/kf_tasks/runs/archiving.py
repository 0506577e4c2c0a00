"""Puts the logs of runs into the archive: one that was followed from its spool, any other from its pods.

A run is marked with `kf.dev/archived` after its log is stored and never before, and only a marked run is
let go of. So whoever is ended at any moment leaves at most a log without a record, which the next one
overwrites. A run whose pod somebody has deleted has nothing to store; its record says so.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..cluster.client import Cluster
from ..core import api, marks
from ..core.api import Object
from ..core.log import gate
from ..core.log.masking import Masker
from ..core.log.stored import StoredLog, record_of
from ..core.run import outcome
from ..core.run.outcome import Outcome
from ..core.run.summary import RunSummary
from ..core.say import nobody
from ..core.schedule import slot
from ..errors import ArchiveError, ClusterError, Denied, NotFound, Refused, Trouble, Unreachable
from ..log.archive import Archive
from ..log.pump import ended_log
from ..log.spool import Spool, left, restored
from .secrets import secret_values

PARALLEL = 8
POD_GONE = "its pod was deleted before its log was archived"
NEVER_STARTED = "its command never started"
Warn = Callable[[str], None]
_locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)


class Archiving:
    """The logs of the runs of one namespace, on their way into one archive; `warn` is told what went wrong with one."""

    def __init__(self, cluster: Cluster, namespace: str, url: str, warn: Warn) -> None:
        self.cluster, self.namespace, self._url, self._warn = cluster, namespace, url, warn

    @classmethod
    def of(cls, cluster: Cluster, namespace: str, url: str | None, warn: Warn) -> Archiving | None:
        """That of the archive with this URL, None without one."""
        return cls(cluster, namespace, url, warn) if url else None

    def check(self) -> None:
        """Raises ArchiveError unless logs can be stored: asked before a run is cancelled or destroyed."""
        Archive.of(self._url).check()

    def before(self, going: Sequence[RunSummary]) -> list[RunSummary]:
        """The runs that may go, their logs being stored by now; raises ArchiveError if the archive takes none."""
        waiting = [run for run in going if marks.ARCHIVED not in run.annotations]
        if not waiting:
            return list(going)
        archive = Archive.of(self._url)
        with _locks[self._url, self.namespace], ThreadPoolExecutor(PARALLEL) as pool:
            done = dict(zip((run.uid for run in waiting), pool.map(lambda run: self._attempt(archive, run), waiting)))
        return [run for run in going if done.get(run.uid, True)]

    def keep(
        self, run: Object, ended: Outcome, spool: Spool, *, whole: bool, unmasked: Sequence[str] = ()
    ) -> StoredLog:
        """Stores the log of a run that was followed to its end, and marks the run; raises Trouble.

        `whole` says whether all of it is in the spool, `unmasked` which Secrets could not be read: such a log is not
        stored.
        """
        if unmasked:
            spool.discard()
            _refuse(unmasked[0])
        record = _record(run, ended, spool, "" if spool.attempts else NEVER_STARTED, whole, followed=True)
        try:
            if spool.trouble:
                raise ArchiveError(f"the log of {run['metadata']['name']} cannot be kept here: {spool.trouble}")
            return self._store(Archive.of(self._url), record, spool)
        except Trouble:
            spool.leave()
            raise

    def _attempt(self, archive: Archive, run: RunSummary) -> bool:
        """Whether the log of a run is stored; trouble with that one alone keeps no other from going."""
        try:
            return self._from_pods(archive, run)
        except (ArchiveError, Unreachable):
            raise
        except ClusterError as error:
            self._warn(f"run {run.name} stays: its log cannot be archived: {error}")
            return False

    def _from_pods(self, archive: Archive, listed: RunSummary) -> bool:
        """Stores what the cluster still has of a run's log; False if the run is not over yet, or gone."""
        try:
            run = self.cluster.get_run(self.namespace, listed.name)
        except NotFound:
            return False
        if run["metadata"]["uid"] != listed.uid or not outcome.has_ended(run):
            return False
        if marks.ARCHIVED in (run["metadata"].get("annotations") or {}):
            return True
        pods = self.cluster.pods(self.namespace, listed.name)
        started = [pod for pod in pods if outcome.started(pod)]
        if not all(outcome.container_ended(pod) for pod in started):
            return False  # it was cancelled, and its process still prints
        unknown: list[str] = []
        values = secret_values(
            self.cluster.get, self.namespace, run, nobody, _refuse, unknown.append, started,
            others=lambda: self.cluster.list_runs(self.namespace, listed.labels.get(marks.NAME)),
        )  # fmt: skip
        masker = Masker(values)
        if unknown:
            masker.hide_all()
        ended = outcome.known(run, self.cluster.task_run(self.namespace, run), pods[-1] if pods else None)
        ended = gate.ended(ended, masker)
        spool = Spool(masker)
        try:
            missing, whole = "", True
            for pod in started if not unknown else ():
                whole = self._read(spool, pod["metadata"]["name"]) and whole
            if not started and not unknown:
                spool.begin("")
                for chunk in copied(self.cluster, self.namespace, run):
                    spool.write(chunk)
            spool.close()
            if unknown and (started or not pods):
                missing, whole = f"{unknown[0]}, and so it is not stored", False
            elif not started and not spool.bytes:
                missing, whole = NEVER_STARTED if pods or not ended.started_at else POD_GONE, False
            if spool.trouble:
                raise Refused(spool.trouble)
            record = _record(run, ended, spool, missing, whole and bool(started), followed=False)
            for path in left(record.place):  # by somebody who followed it and was ended, or met no archive
                other, complete = restored(path)
                if other.bytes > record.bytes:
                    spool.discard()
                    spool, record = other, _record(run, ended, other, "", complete, followed=True)
                else:
                    other.discard()
            self._store(archive, record, spool)
        finally:
            spool.discard()
        return True

    def _read(self, spool: Spool, pod: str) -> bool:
        """Whether the log of a pod was there; the node may have thrown it away before its pod.

        Raises Refused where the node does not answer: that is the trouble of this run alone, for the API server has
        just told of its pod.
        """
        spool.begin(pod)
        try:
            for chunk in ended_log(self.cluster, self.namespace, pod):
                spool.write(chunk)
        except (NotFound, Refused):
            return False
        except Unreachable as error:
            raise Refused(str(error)) from None
        return True

    def _store(self, archive: Archive, record: StoredLog, spool: Spool) -> StoredLog:
        stored = archive.store(record, None if record.missing else spool.packed())
        try:
            mark = {marks.ARCHIVED: stored.mark}
            self.cluster.annotate_run(self.namespace, stored.run, mark, finished=True, uid=stored.uid)
        except NotFound:
            pass
        spool.discard()
        for path in left(record.place):
            path.unlink(missing_ok=True)
        return stored


def copied(cluster: Cluster, namespace: str, run: Object) -> Iterator[bytes]:
    """The log of a run that its schedule has replaced, from the log of the pod that did it; nothing for any other."""
    name, task = run["metadata"]["name"], (run["metadata"].get("labels") or {}).get(marks.SCHEDULE)
    by = (run["metadata"].get("annotations") or {}).get(marks.CANCELLED_BY, "")
    if not task or slot.REPLACED_BY not in by:
        return
    for pod in cluster.select_pods(namespace, f"{marks.COMPONENT}=submitter,{api.equal(marks.SCHEDULE, task)}"):
        try:
            found = False
            for chunk in slot.copy(cluster.log(namespace, pod["metadata"]["name"], container="submitter"), name):
                found = True
                yield chunk
        except (NotFound, Refused, Denied):
            continue
        if found:
            return


def _record(run: Object, ended: Outcome, spool: Spool, missing: str, whole: bool, *, followed: bool) -> StoredLog:
    if missing:
        return record_of(run, ended, missing=missing)
    about = {"digest": spool.digest, "bytes": spool.bytes, "lines": spool.lines}
    return record_of(run, ended, **about, whole=whole, followed=followed)


def _refuse(text: str) -> None:
    """A log whose secrets are not known is not stored."""
    raise Denied(text)
