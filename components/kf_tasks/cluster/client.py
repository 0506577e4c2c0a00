"""What this project asks of a cluster: PipelineRuns, their pods and logs, and a few objects beside them.

Lists are read as metadata with the printer columns (`as=Table`), in pages: a sixth of the bytes of
full objects, and all that retention, adoption and the lists need. Everything is namespaced and
selected by `app.kubernetes.io/name` together with `kf.dev/key`, so foreign runs are never touched.
"""

from __future__ import annotations

import contextlib
import functools
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import urllib3

from ..core import api, marks, moments
from ..core.api import Object
from ..core.retention import pruned
from ..core.retention.pruned import Pruned
from ..core.run import outcome
from ..core.run.step import CONTAINER
from ..core.run.summary import RunSummary, page
from ..errors import Conflict, NotFound, Refused, Unreachable
from .connection import Connection
from .listing import Table
from .transport import Transport, server_time, transport

# The server of 1.36 has the first page at hand, but reads those that continue it from etcd, six times slower, when no
# PipelineRun of the cluster was changed for some minutes. So a page holds more than one App keeps.
PAGE, PAGE_OF_OBJECTS = 5000, 1000
PARALLEL_CHANGES = 16
LONGEST_SELECTOR = 4000  # of an address, of which proxies take eight thousand characters
_UIDS: dict[Transport, str] = {}  # a cluster stays what it is
# The kubelet's words in the place of a log: of a container that is gone, and of one whose log is gone before it.
_GONE = re.compile(
    rb"unable to retrieve container logs for \S+"
    rb'|failed to try resolving symlinks in path ".+": lstat .+: no such file or directory\s*'
)
_UNKNOWN = "( pods/log "  # the kubelet's word; of a pod that the API server does not know it says `pods "…" not found`


class Cluster:
    """One cluster, through one pooled transport."""

    def __init__(self, http: Transport) -> None:
        self.http = http
        self.now: str | None = None
        self.written = ""  # the version that its last change of a run has made

    @classmethod
    def of(cls, connection: Connection) -> Cluster:
        """The cluster of a connection."""
        return cls(transport(connection))

    # --- runs

    def list_runs(
        self, namespace: str, app: str | None = None, selector: str = "", *, with_times: bool = False
    ) -> list[RunSummary]:
        """Every run of ours in the namespace (of one App, and further selected), in pages.

        Only whole objects have the exact times (the columns say "5m"): six times the bytes. `now` is when the first
        page was answered: whatever is newer may be missing.
        """
        query = [("labelSelector", api.ours(app, selector))]
        query += [("limit", str(PAGE_OF_OBJECTS if with_times else PAGE))]
        query += [("includeObject", "Object")] if with_times else []
        found: list[RunSummary] = []
        token = ""
        while True:
            more = [("continue", token)] if token else []
            answer = self.http.read("GET", api.runs(namespace), query=[*query, *more], accept=api.TABLE)
            self.now = self.now if token else server_time(answer)
            runs, token = page(self.http.decoded(answer, Table))
            found += runs
            if not token:
                return found

    def count_runs(self, namespace: str) -> int:
        """How many PipelineRuns the namespace has, foreign ones among them."""
        query = [("limit", "1")]
        answer = self.http.read("GET", api.runs(namespace), query=query, accept=api.TABLE)
        table: Table = self.http.decoded(answer, Table)
        return len(table.get("rows") or ()) + table.get("metadata", {}).get("remainingItemCount", 0)

    def get_run(self, namespace: str, name: str) -> Object:
        """A whole PipelineRun."""
        answer = self.http.read("GET", api.runs(namespace, name))
        self.now = server_time(answer)
        run: Object = self.http.decoded(answer)
        return run

    def create_run(self, manifest: Object, *, dry_run: bool = False) -> Object:
        """Creates a PipelineRun, or only asks whether it would be admitted."""
        query = [("dryRun", "All")] if dry_run else []
        path = api.runs(manifest["metadata"]["namespace"])
        run: Object = self.http.json("POST", path, query=query, body=manifest)
        run["metadata"].pop("managedFields", None)  # whoever follows it keeps it for long
        return run

    def annotate_run(
        self, namespace: str, name: str, annotations: Mapping[str, str | None], *, finished: bool = False, uid: str = ""
    ) -> Object:
        """Sets annotations of a PipelineRun; None takes one away. A finished one loses its managedFields besides.

        With a `uid` that of this very one: another one of its name is NotFound. Returns its metadata as it is now.
        """
        return self._patch_run(namespace, name, api.annotating(annotations, finished=finished, uid=uid))

    def mark_run(self, run: Object, annotations: Mapping[str, str | None]) -> bool:
        """Sets annotations of a PipelineRun as it was read; False where it has changed since, or is gone."""
        metadata, ended = run["metadata"], outcome.has_ended(run)
        body = api.annotating(annotations, finished=ended, uid=metadata["uid"], version=metadata["resourceVersion"])
        try:
            self._patch_run(metadata["namespace"], metadata["name"], body)
        except (Conflict, NotFound):
            return False
        return True

    def cancel_run(self, namespace: str, name: str, by: str, uid: str = "") -> None:
        """Cancels a run that has not ended; Tekton refuses it for one that has. `uid` as for `annotate_run`."""
        self._patch_run(namespace, name, api.cancelling(by, uid))

    def label_run(self, namespace: str, name: str, labels: Mapping[str, str], uid: str = "") -> Object:
        """Sets labels of a PipelineRun, and returns its metadata; `uid` as for `annotate_run`."""
        return self._patch_run(namespace, name, api.labelling(labels, uid))

    def _patch_run(self, namespace: str, name: str, body: Object) -> Object:
        self.written = ""
        try:
            metadata = self._patch(api.runs(namespace, name), body)
            self.written = metadata["resourceVersion"]
            return metadata
        except Refused as error:
            if api.is_another(error.status, str(error)):
                raise NotFound(f"run {name} was deleted, and another one has its name by now", error.status) from None
            raise

    def _patch(self, path: str, body: Object) -> Object:
        """Changes an object; returns its metadata as it is now. `now` is when that was answered."""
        answer = self.http.read("PATCH", path, body=body, content_type=api.MERGE_PATCH, accept=api.METADATA)
        self.now = server_time(answer)
        found: Object = self.http.decoded(answer)["metadata"]
        return found

    def look_again(self, namespace: str, run: Object, task_run: Object | None) -> None:
        """Makes Tekton look again at the TaskRun of a run, or where there is none at the run."""
        name = (task_run or run)["metadata"]["name"]
        path = api.task_runs(namespace, name) if task_run else api.runs(namespace, name)
        self.http.read("PATCH", path, body=api.looking_again(moments.now()), content_type=api.MERGE_PATCH)

    def delete_runs(
        self, namespace: str, runs: Sequence[RunSummary], *, foreground: bool = False, unchanged: bool = False
    ) -> list[str]:
        """Deletes these very runs (by UID) with TaskRun, pod and log; returns the names that went.

        With `unchanged` only those that are what was listed of them.
        """

        def delete(run: RunSummary) -> str | None:
            body = api.deleting(run.uid, run.version if unchanged else "", foreground=foreground)
            try:
                self.http.read("DELETE", api.runs(namespace, run.name), body=body)
            except (NotFound, Conflict):  # gone, changed, or another run of that name: not what was meant
                return None
            return run.name

        with ThreadPoolExecutor(PARALLEL_CHANGES) as pool:
            return [name for name in pool.map(delete, runs) if name]

    # --- what belongs to a run

    def task_run(self, namespace: str, run: Object) -> Object | None:
        """The TaskRun of a run, None if it has none (any more)."""
        children = run.get("status", {}).get("childReferences") or []
        if not children:
            return None
        return self._found(api.task_runs(namespace, children[0]["name"]))

    def task_runs(self, namespace: str, run_name: str) -> list[Object]:
        """The TaskRuns of a run, also those that its status does not name yet; needs the right to list them."""
        query = [("labelSelector", api.pods_of(run_name))]
        return api.items(self.http.json("GET", api.task_runs(namespace), query=query))

    def pods(self, namespace: str, run_name: str) -> list[Object]:
        """The pods of a run, oldest first."""
        return self.select_pods(namespace, api.pods_of(run_name))

    def pods_of(self, namespace: str, runs: Collection[str]) -> list[Object]:
        """The pods of these runs, oldest first; of very many those of all runs that are kept."""
        if not runs:
            return []
        named = api.equal(marks.PIPELINE_RUN, *sorted(runs))
        every = f"{marks.PIPELINE_RUN},{marks.KEY}"
        return self.select_pods(namespace, named if len(named) <= LONGEST_SELECTOR else every)

    def select_pods(self, namespace: str, selector: str) -> list[Object]:
        """The pods that a selector matches, oldest first."""
        query = [("labelSelector", selector)]
        return api.oldest_first(api.items(self.http.json("GET", api.core(namespace, "pods"), query=query)))

    def pod_metrics(self, namespace: str) -> list[Object]:
        """What pods use, as metrics-server has measured it; NotFound or Unreachable (503) where there is none."""
        return api.items(self.http.json("GET", api.metrics(namespace)))

    def delete_pod(self, namespace: str, name: str) -> None:
        """Deletes a pod; one that is gone already is fine."""
        try:
            self.http.read("DELETE", api.core(namespace, "pods", name))
        except NotFound:
            pass

    def log(
        self,
        namespace: str,
        pod: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        container: str = CONTAINER,
        stamps: bool = False,
        since: str | None = None,
        limit: int | None = None,
    ) -> Iterator[bytes]:
        """The chunks of a container's log as they come; a connection that breaks is Unreachable.

        Only the last `tail` lines, those from the time `since` on (RFC 3339), at most `limit` bytes; with
        `stamps` each line begins with its time. A log that the node no longer has is NotFound.
        """
        query = [("container", container)]
        query += [("follow", "true")] if follow else []
        query += [("timestamps", "true")] if stamps else []
        given = (("tailLines", tail), ("sinceTime", since), ("limitBytes", limit))
        query += [(name, str(value)) for name, value in given if value is not None]
        path = api.log(namespace, pod)
        try:
            answer = self.http.request("GET", path, query=query, accept="*/*", read_seconds=None if follow else 60)
        except NotFound as error:
            if _UNKNOWN not in str(error):
                raise
            raise Unreachable(f"the node of {pod} does not know it yet: it may just have been restarted") from None
        chunks = answer.stream(65536)
        try:
            first = next(chunks, b"")
            if _GONE.fullmatch(first):
                raise NotFound(f"the node no longer has the log of {pod}")
            yield first
            yield from chunks
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"the log of {pod} was broken off: {error}") from None
        finally:
            answer.close()  # before it goes back to the pool: what is left unread is no answer to the next request
            answer.release_conn()

    # --- objects beside the runs

    def get(self, namespace: str, plural: str, name: str) -> Object | None:
        """A core object of the namespace, None if it does not exist."""
        return self._found(api.core(namespace, plural, name))

    def namespace(self, name: str) -> Object | None:
        """A namespace, None if it does not exist."""
        return self._found(api.namespaces(name))

    def namespaces(self) -> list[str]:
        """The names of all namespaces."""
        answer = self.http.read("GET", api.namespaces(), accept=api.METADATA_LIST)
        return [str(found["metadata"]["name"]) for found in api.items(self.http.decoded(answer))]

    def uid(self) -> str:
        """The cluster's identity: the UID of its `kube-system` namespace, empty if that may not be read."""
        if self.http not in _UIDS:
            found = self.namespace("kube-system")
            if not found:
                return ""
            _UIDS[self.http] = str(found["metadata"]["uid"])
        return _UIDS[self.http]

    def config_maps(self, namespace: str, selector: str) -> list[Object]:
        """The ConfigMaps that a selector matches."""
        query = [("labelSelector", selector)]
        return api.items(self.http.json("GET", api.core(namespace, "configmaps"), query=query))

    def secrets(self, namespace: str, selector: str = "") -> list[Object]:
        """The Secrets that a selector matches: their metadata alone. `now` is when that was answered."""
        query = [("labelSelector", selector)] if selector else []
        answer = self.http.read("GET", api.core(namespace, "secrets"), query=query, accept=api.METADATA_LIST)
        self.now = server_time(answer)
        return api.items(self.http.decoded(answer))

    def create_secret(self, namespace: str, body: Object) -> None:
        """Makes a Secret; one that is there already is fine."""
        with contextlib.suppress(Conflict):
            self.http.json("POST", api.core(namespace, "secrets"), body=body)

    def delete_secret(self, namespace: str, found: Object) -> None:
        """Deletes this very Secret (by UID); one that is gone is fine."""
        self._delete(namespace, "secrets", found)

    def delete_config_map(self, namespace: str, found: Object) -> None:
        """Deletes this very ConfigMap (by UID); one that is gone is fine."""
        self._delete(namespace, "configmaps", found)

    def _found(self, path: str) -> Object | None:
        try:
            found: Object = self.http.json("GET", path)
        except NotFound:
            return None
        return found

    def _delete(self, namespace: str, plural: str, found: Object) -> None:
        metadata = found["metadata"]
        with contextlib.suppress(NotFound, Conflict):
            path = api.core(namespace, plural, metadata["name"])
            self.http.read("DELETE", path, body=api.deleting(metadata["uid"]))

    def cron_jobs(self, namespace: str, selector: str) -> list[Object]:
        """The CronJobs that a selector matches; `now` is when that was answered."""
        answer = self.http.read("GET", api.batch(namespace, "cronjobs"), query=[("labelSelector", selector)])
        self.now = server_time(answer)
        return api.items(self.http.decoded(answer))

    def jobs(self, namespace: str, selector: str) -> list[Object]:
        """The Jobs that a selector matches."""
        query = [("labelSelector", selector)]
        return api.items(self.http.json("GET", api.batch(namespace, "jobs"), query=query))

    def warnings(self, namespace: str) -> list[Object]:
        """The events of a namespace that warn; Kubernetes keeps them for an hour."""
        query = [("fieldSelector", "type=Warning"), ("limit", str(PAGE_OF_OBJECTS))]
        return api.items(self.http.json("GET", api.core(namespace, "events"), query=query))

    def change_cron_job(self, namespace: str, name: str, spec: Object, annotations: Mapping[str, str]) -> None:
        """Changes fields of a CronJob's spec and annotations, all at once."""
        body = {**api.annotating(annotations), **({"spec": spec} if spec else {})}
        self.http.read("PATCH", api.batch(namespace, "cronjobs", name), body=body, content_type=api.MERGE_PATCH)

    def note_pruned(self, namespace: str, config_map: str, gone: Sequence[Pruned]) -> None:
        """Writes down with an App's ConfigMap which of its runs were let go; one that is gone itself is fine."""
        with contextlib.suppress(NotFound, Conflict):
            self._change(namespace, config_map, lambda template: pruned.noting(template, gone), pruned.TRIES)

    def job(self, namespace: str, name: str) -> Object | None:
        """A Job, None if it does not exist."""
        return self._found(api.batch(namespace, "jobs", name))

    def config_map(self, namespace: str, name: str) -> Object:
        """A ConfigMap; `now` is when that was answered."""
        answer = self.http.read("GET", api.core(namespace, "configmaps", name))
        self.now = server_time(answer)
        found: Object = self.http.decoded(answer)
        return found

    def patch_config_map(self, namespace: str, name: str, body: Object) -> None:
        """Changes a ConfigMap; with its resourceVersion in `body` only as it was read, else Conflict."""
        path = api.core(namespace, "configmaps", name)
        self.http.read("PATCH", path, body=body, content_type=api.MERGE_PATCH)

    def allocate_id(self, namespace: str, config_map: str, at_least: int) -> int:
        """The next task id of an App, counted in an annotation of its ConfigMap.

        `at_least` is the highest id in use, for an App whose counter was lost.
        """
        given = 0

        def count(counter: Object) -> Object:
            nonlocal given
            given, body = api.counting(counter, at_least)
            return body

        try:
            self._change(namespace, config_map, count, 100)
        except Conflict:
            said = f"could not count the tasks in ConfigMap {namespace}/{config_map}: too many writers at once"
            raise Unreachable(said) from None
        return given

    def _change(self, namespace: str, config_map: str, change: Callable[[Object], Object], tries: int) -> None:
        """Changes a ConfigMap by its metadata as nobody else has changed it since; raises Conflict after so many tries.

        In one process nobody is in another's way, and the last answer tells how it is now.
        """
        path = api.core(namespace, "configmaps", config_map)
        template = _template(self.http, path)
        with template.turn:
            for left in reversed(range(tries)):
                try:
                    found = template.known or self.http.json("GET", path)
                    template.known = {"metadata": self._patch(path, change(found))}
                    return
                except Conflict:
                    template.known = None
                    if not left:
                        raise


@dataclass
class _Template:
    """The ConfigMap of an App, as it was when this process has changed it."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    known: Object | None = None


@functools.cache
def _template(_http: Transport, _path: str) -> _Template:
    return _Template()
