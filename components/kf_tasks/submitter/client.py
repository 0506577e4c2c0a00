"""What `cluster` asks of Kubernetes, for a pod with nothing but Python's standard library, 3.9 upwards.

Only what the submitter of a TaskSchedule needs. An API server that does not answer is asked again until
it does, or until the pod is told to stop: whoever runs in a cluster has nobody to report to.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
import urllib.request
from http.client import HTTPException
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple
from urllib.error import HTTPError
from urllib.parse import urlencode

from ..core import api, moments
from ..core.api import Object
from ..core.retention import pruned
from ..core.retention.pruned import Pruned
from ..core.run import outcome, pipelinerun
from ..core.run.summary import RunSummary, page
from ..core.schedule import claim, slot
from ..errors import ClusterError, Conflict, Denied, NotFound, Unreachable, of_status

PAGE = 1000  # its pod has little memory
SECONDS, DENIED_SECONDS = 20, 60
WATCH_SECONDS, BOOKMARK_SECONDS = 3600, 90  # the server ends a watch then; until then something comes each minute
SILENT_SECONDS = 3600  # how long a log may be silent


class Stopped(Exception):
    """Kubernetes takes this pod away."""


class PlainCluster:
    """The API server, asked until it answers; `stop` ends that with Stopped, unless it is `stubborn`."""

    def __init__(self, base: str, namespace: str, token: Callable[[], str], context: Optional[ssl.SSLContext]) -> None:
        self.base, self.namespace, self.token = base, namespace, token
        self.stop = threading.Event()
        self.stubborn = False
        self.now: Optional[str] = None
        handlers = [urllib.request.HTTPSHandler(context=context)] if context else []
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)

    def ask(
        self,
        method: str,
        path: str,
        query: Sequence[Tuple[str, str]] = (),
        body: Any = None,
        accept: str = "",
    ) -> Any:
        """The decoded answer; raises ClusterError for one that asking again does not change."""
        begun, told = time.monotonic(), False
        while True:
            if self.stop.is_set() and not self.stubborn:
                raise Stopped
            try:
                with self._open(method, path, query, body, accept) as answer:
                    self.now = moments.of_header(answer.headers.get("Date")) or self.now
                    return json.loads(answer.read() or b"{}")
            except HTTPError as error:
                text = _message(error)
                kind = of_status(error.code)
                denied = kind is Denied and time.monotonic() - begun < DENIED_SECONDS
                if not (denied or kind is Unreachable):
                    raise kind(text, error.code) from None
            except (OSError, HTTPException, ValueError) as error:
                text = str(error)
            if not told:
                say(f"the API server cannot answer ({method} {path}: {text}); asking again")
                told = True
            time.sleep(1)

    def log(self, pod: str, tail: int) -> Iterator[bytes]:
        """The last lines of a task's container and what comes until it ends, as far as it can be read."""
        query = [("container", pipelinerun.CONTAINER), ("follow", "true"), ("tailLines", str(tail))]
        try:
            with self._open("GET", api.log(self.namespace, pod), query, None, "*/*", SILENT_SECONDS) as answer:
                yield from iter(lambda: answer.read1(65536), b"")
        except (OSError, HTTPException):
            return

    def watch(self, path: str, selector: Tuple[str, str]) -> Iterator[str]:
        """The type of each event of what a selector matches, of what is there first; none once it is there.

        Raises OSError and HTTPException, also where nothing comes for longer than a bookmark takes.
        """
        query = [selector, ("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", str(WATCH_SECONDS))]
        with self._open("GET", path, query, None, api.METADATA, BOOKMARK_SECONDS) as answer:
            yield ""
            for line in answer:
                event: str = json.loads(line)["type"]
                if event == "ERROR":
                    return
                yield event

    def _open(
        self,
        method: str,
        path: str,
        query: Sequence[Tuple[str, str]],
        body: Any,
        accept: str,
        seconds: float = SECONDS,
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.token()}", "Accept": accept or api.JSON}
        headers["Content-Type"] = api.MERGE_PATCH if method == "PATCH" else api.JSON
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.base}{path}{'?' + urlencode(query) if query else ''}"
        request = urllib.request.Request(url, data, headers, method=method)
        return self._opener.open(request, timeout=seconds)

    def runs(self, name: str = "") -> str:
        """The path of the PipelineRuns, or of one."""
        return api.runs(self.namespace, name)

    def core(self, kind: str, name: str = "") -> str:
        """The path of core objects, or of one."""
        return api.core(self.namespace, kind, name)

    def batch(self, kind: str, name: str) -> str:
        """The path of a Job or a CronJob."""
        return api.batch(self.namespace, kind, name)

    def find(self, path: str) -> Optional[Object]:
        """An object, None if it does not exist."""
        try:
            found: Object = self.ask("GET", path)
        except NotFound:
            return None
        return found

    def list_runs(self, app: str) -> List[RunSummary]:
        """All runs of an App, metadata only, in pages."""
        query = [("limit", str(PAGE)), ("labelSelector", api.ours(app))]
        found: List[RunSummary] = []
        token = ""
        while True:
            table = self.ask("GET", self.runs(), [*query, *([("continue", token)] if token else [])], accept=api.TABLE)
            runs, token = page(table)
            found += runs
            if not token:
                return found

    def allocate_id(self, config_map: str, at_least: int) -> int:
        """The next task id of an App: whoever writes second is refused and counts again."""
        while True:
            number, body = api.counting(self.ask("GET", self.core("configmaps", config_map)), at_least)
            if self._patch(config_map, body):
                return number

    def claim(self, config_map: str, task: str, job: str, free: Callable[[Object], str]) -> str:
        """Claims a schedule for a Job, if `free` says of the counting ConfigMap that nothing speaks against it."""
        while True:
            counter = self.ask("GET", self.core("configmaps", config_map))
            reason = free(counter)
            if reason or self._patch(config_map, claim.claiming(counter, task, job)):
                return reason

    def give_back(self, config_map: str, task: str, job: str) -> None:
        """Ends a claim of this Job."""
        while True:
            counter = self.ask("GET", self.core("configmaps", config_map))
            if claim.holder(counter, task) != job or self._patch(config_map, claim.claiming(counter, task, None)):
                return

    def note_pruned(self, config_map: str, gone: Sequence[Pruned]) -> None:
        """Writes down which runs were let go; trouble with it is none of the schedule's."""
        with contextlib.suppress(ClusterError):
            for _ in range(pruned.TRIES):
                template = self.ask("GET", self.core("configmaps", config_map))
                if self._patch(config_map, pruned.noting(template, gone)):
                    return

    def _patch(self, config_map: str, body: Object) -> bool:
        """Changes a ConfigMap as it was read; False where somebody else was faster."""
        try:
            self.ask("PATCH", self.core("configmaps", config_map), body=body)
        except Conflict:
            return False
        return True

    def create_run(self, manifest: Object) -> Object:
        """Creates a run, or finds the one that has its name already: the name is the lock."""
        name = manifest["metadata"]["name"]
        while True:
            try:
                created: Object = self.ask("POST", self.runs(), body=manifest)
                return created
            except Conflict:
                pass
            found = self.find(self.runs(name))
            if found:
                return found

    def annotate_finished(self, name: str, annotations: Dict[str, str]) -> None:
        """Sets annotations of a finished run, which loses its managedFields; one that is gone is fine."""
        self._try("PATCH", self.runs(name), api.annotating(annotations, finished=True))

    def mark_run(self, run: Object, annotations: Mapping[str, Optional[str]]) -> bool:
        """Sets annotations of a run as it was read; False where it has changed since, or is gone."""
        metadata, ended = run["metadata"], outcome.has_ended(run)
        body = api.annotating(annotations, finished=ended, uid=metadata["uid"], version=metadata["resourceVersion"])
        return self._try("PATCH", self.runs(metadata["name"]), body, also=(422,))

    def cancel_run(self, name: str, by: str) -> None:
        """Cancels a run; one that has ended or gone is fine."""
        self._try("PATCH", self.runs(name), api.cancelling(by), also=(400, 422))

    def look_again(self, run: Object, task_run: Optional[Object]) -> None:
        """Makes Tekton look again at the TaskRun of a run, or where there is none at the run; as far as it may."""
        name = (task_run or run)["metadata"]["name"]
        path = api.task_runs(self.namespace, name) if task_run else self.runs(name)
        self._try("PATCH", path, api.looking_again(moments.now()))

    def delete_runs(self, runs: Sequence[RunSummary]) -> List[str]:
        """Deletes these very runs, unless they have changed since they were listed; returns the names that went."""
        gone = []
        for run in runs:
            if self._try("DELETE", self.runs(run.name), api.deleting(run.uid, run.version)):
                gone.append(run.name)
        return gone

    def delete_pod(self, name: str) -> None:
        """Deletes a pod; one that is gone is fine."""
        self._try("DELETE", self.core("pods", name), None)

    def neighbours(self, pod: str) -> List[str]:
        """The containers beside the submitter's in a pod that have not ended: somebody else has put them there."""
        query = [("fieldSelector", f"metadata.name={pod}")]
        return [
            status["name"]
            for found in api.items(self.ask("GET", self.core("pods"), query))
            for status in (found.get("status") or {}).get("containerStatuses") or []
            if status["name"] != slot.CONTAINER and "terminated" not in (status.get("state") or {})
        ]

    def pods(self, run: str) -> List[Object]:
        """The pods of a run, oldest first."""
        return api.oldest_first(api.items(self.ask("GET", self.core("pods"), [("labelSelector", api.pods_of(run))])))

    def _try(self, method: str, path: str, body: Any, also: Sequence[int] = ()) -> bool:
        try:
            self.ask(method, path, body=body)
        except ClusterError as error:
            if error.status not in (404, 409, *also):
                raise
            return False
        return True


def say(text: str) -> None:
    """One line of this pod's own log."""
    print(f"kf: {text}", flush=True)


def _message(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read()).get("message") or error.reason)
    except (ValueError, AttributeError, OSError):
        return str(error.reason)
