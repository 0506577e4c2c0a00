"""An API server for the real client: objects, watches of them, and a count of what it was asked.

What Tekton and the kubelet do is done by whoever tests. It answers in the process, without a network.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import urllib3
from kf_tasks.core import api, marks
from kf_tasks.errors import Conflict, Denied, NotFound, Refused, Unreachable

from .api_server import Answer, Object

DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
NAMESPACE = "ns"
CREATED = "2026-01-01T00:00:00Z"  # and a second later for each change before it
ENDED = "2026-01-01T23:00:00Z"


class Reply(Answer):
    """An answer with its headers."""

    headers: ClassVar = {"Date": DATE}


class Rest:
    """A transport. `denied` are the kinds that may not be watched, `down` says that nobody answers."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self.events: list[tuple[int, str, Object]] = []
        self.asked: list[str] = []
        self.version = 100
        self.changed = threading.Condition(threading.RLock())
        self.denied: set[str] = set()
        self.down = False
        self.quiet: set[str] = set()  # kinds whose watches bring nothing, without that anybody notices
        self.broken = 0
        self.put("configmaps", "kf-shop")
        self.put("namespaces", "kube-system")

    # --- what happens in the cluster

    def put(self, kind: str, name: str, /, labels: dict[str, str] | None = None, **more: Any) -> Object:
        """Makes or changes an object."""
        with self.changed:
            self.version += 1
            known = self.objects.get((kind, name))
            created = CREATED.replace("00:00Z", f"{self.version // 60 % 60:02}:{self.version % 60:02}Z")
            made = {"uid": f"u-{self.version}", "name": name, "namespace": NAMESPACE, "creationTimestamp": created}
            metadata = {**(known["metadata"] if known else {**made, "labels": {}, "annotations": {}})}
            metadata |= {"resourceVersion": str(self.version), "labels": labels or metadata["labels"]}
            self.objects[kind, name] = obj = {**(known or {}), **more, "metadata": metadata}
            self._tell(kind, "MODIFIED" if known else "ADDED", obj)
            return obj

    def delete(self, kind: str, name: str) -> None:
        """Deletes an object, if it is there."""
        with self.changed:
            found = self.objects.pop((kind, name), None)
            if found:
                self.version += 1
                metadata = {**found["metadata"], "resourceVersion": str(self.version)}
                self._tell(kind, "DELETED", {**found, "metadata": metadata})

    def break_off(self) -> None:
        """The connections of all watches break."""
        with self.changed:
            self.broken += 1
            self.changed.notify_all()

    def count(self) -> Counter[str]:
        """What it was asked so far, by verb and kind; begins anew."""
        with self.changed:
            asked, self.asked = self.asked, []
        return Counter(asked)

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind."""
        with self.changed:
            return sorted(name for of, name in self.objects if of == kind)

    def _tell(self, kind: str, type_: str, obj: Object) -> None:
        self.events.append((self.version, kind, {"type": type_, "object": obj}))
        self.changed.notify_all()

    # --- Transport

    def json(self, method: str, path: str, **options: Any) -> Any:
        return self.decoded(self.request(method, path, **options))

    def read(self, method: str, path: str, **options: Any) -> Reply:
        return self.request(method, path, **options)

    def decoded(self, answer: Answer, _into: Any = None) -> Any:
        return json.loads(answer.data)

    def request(
        self, method: str, path: str, *, query: Any = (), accept: str = api.JSON, body: Any = None, **_: Any
    ) -> Reply:
        if self.down:
            raise Unreachable("the cluster does not answer")
        given, parts = dict(query), path.split("/")
        log = parts[-1] == "log"
        kind, name = self._kind(parts[:-1] if log else parts)
        with self.changed:
            verb = "WATCH" if "watch" in given else "LIST" if method == "GET" and not name else method
            self.asked.append(f"{'LOG' if log else verb} {kind}")
            if "watch" in given:
                if kind in self.denied:
                    raise Denied("watch may not be used", 403)
                return Reply(chunks=self._watch(kind, given.get("labelSelector", ""), int(given["resourceVersion"])))
            if log:
                return Reply(chunks=self.log(name))
            found = getattr(self, f"_{verb.lower()}")(kind, name, given, accept, body)
            return Reply(json.dumps(found).encode())

    def log(self, pod: str) -> Iterator[bytes]:
        """What a container prints until it ends."""
        yield b"2026-01-01T00:00:02.000000001Z hello\n"
        with self.changed:
            while "terminated" not in json.dumps(self.objects["pods", pod]):
                self.changed.wait()

    def made(self, run: Object) -> None:
        """A run was made."""

    def _kind(self, parts: list[str]) -> tuple[str, str]:
        rest = parts[parts.index("namespaces") :]
        return (rest[2], rest[3] if len(rest) > 3 else "") if len(rest) > 2 else ("namespaces", (*rest, "")[1])

    def _matching(self, kind: str, selector: str) -> list[Object]:
        return [obj for (of, _), obj in sorted(self.objects.items()) if of == kind and _matches(obj, selector)]

    def _list(self, kind: str, _name: str, given: dict[str, str], accept: str, _body: Any) -> Object:
        found = self._matching(kind, given.get("labelSelector", ""))
        metadata = {"resourceVersion": str(self.version)}
        if accept == api.TABLE:
            rows = [{"cells": _cells(obj), "object": {"metadata": obj["metadata"]}} for obj in found]
            columns = [{"name": name} for name in ("Name", "Succeeded", "Reason")]
            return {"metadata": metadata, "columnDefinitions": columns, "rows": rows}
        return {"metadata": metadata, "items": found}

    def _get(self, kind: str, name: str, _given: Any, _accept: str, _body: Any) -> Object:
        if (kind, name) not in self.objects:
            raise NotFound(f"{kind} {name} not found", 404)
        return self.objects[kind, name]

    def _post(self, kind: str, _name: str, given: dict[str, str], _accept: str, body: Any) -> Object:
        metadata = body["metadata"]
        if (kind, metadata["name"]) in self.objects:
            raise Conflict("already exists", 409)
        if "dryRun" in given:
            return dict(body)
        more = {key: value for key, value in body.items() if key not in ("metadata", "labels")}
        self.put(kind, metadata["name"], metadata.get("labels"), **more)
        self.objects[kind, metadata["name"]]["metadata"]["annotations"] = metadata.get("annotations") or {}
        made = self.objects[kind, metadata["name"]]
        if kind == "pipelineruns":
            self.made(made)
        return made

    def _patch(self, kind: str, name: str, _given: Any, _accept: str, body: Any) -> Object:
        known = self._get(kind, name, None, "", None)["metadata"]
        wanted = body["metadata"]
        if wanted.get("uid", known["uid"]) != known["uid"]:
            raise Refused("metadata.uid: field is immutable", 422)
        if wanted.get("resourceVersion", known["resourceVersion"]) != known["resourceVersion"]:
            raise Conflict("the object has been modified", 409)
        known["annotations"] = {**known["annotations"], **wanted.get("annotations", {})}
        return self.put(kind, name, {**known["labels"], **wanted.get("labels", {})})

    def _delete(self, kind: str, name: str, _given: Any, _accept: str, body: Any) -> Object:
        known = self._get(kind, name, None, "", None)["metadata"]
        conditions = (body or {}).get("preconditions") or {}
        if any(known[field] != value for field, value in conditions.items()):
            raise Conflict("the precondition does not hold", 409)
        self.delete(kind, name)
        return {"kind": "Status", "metadata": {}}

    def _watch(self, kind: str, selector: str, version: int) -> Iterator[bytes]:
        broken = self.broken
        for turn in itertools.count():
            with self.changed:
                if broken != self.broken or self.down:
                    raise urllib3.exceptions.ProtocolError("broken")
                events = [] if kind in self.quiet else [(at, one) for at, of, one in self.events if of == kind]
                found = [(at, one) for at, one in events if at > version and _matches(one["object"], selector)]
                if not found and turn:
                    self.changed.wait()
                    continue
                version = max([version, *(at for at, _ in found)])
            mark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version)}}}
            yield b"".join(json.dumps(one).encode() + b"\n" for one in [*(one for _, one in found), mark])


def _matches(obj: Object, selector: str) -> bool:
    labels = obj["metadata"].get("labels") or {}
    parts = [part.partition("=") for part in selector.split(",") if part]
    but = [(name[:-1], value) for name, _, value in parts if name.endswith("!")]
    wanted = [part for part in parts if not part[0].endswith("!")]
    return all(name in labels and (not equal or labels[name] == value) for name, equal, value in wanted) and all(
        labels.get(name) != value for name, value in but
    )


def _cells(run: Object) -> list[str]:
    [condition] = (run.get("status") or {}).get("conditions") or [{"status": "Unknown", "reason": ""}]
    return [run["metadata"]["name"], condition["status"], condition["reason"]]


class Tekton(Rest):
    """It has each run's TaskRun and pod ready, running, when the run is made."""

    def made(self, run: Object) -> None:
        name = run["metadata"]["name"]
        labels = {**run["metadata"]["labels"], marks.PIPELINE_RUN: name}
        self.put("taskruns", f"{name}-task", labels, status={"podName": f"{name}-task-pod"})
        self.put("pipelineruns", name, status={"childReferences": [{"name": f"{name}-task"}]})
        self.put("pods", f"{name}-task-pod", labels, status=_status({"running": {"startedAt": ENDED}}))

    def move(self, name: str) -> None:
        """Something changes about a run that does not matter."""
        self.put("pods", f"{name}-task-pod")
        self.put("pipelineruns", name)

    def finish(self, name: str) -> None:
        """A run succeeds."""
        condition = {"type": "Succeeded", "status": "True", "reason": "Succeeded"}
        state = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": ENDED, "finishedAt": ENDED}}
        self.put("pods", f"{name}-task-pod", status=_status(state))
        for kind, of in (("taskruns", f"{name}-task"), ("pipelineruns", name)):
            status = {**self.objects[kind, of]["status"], "conditions": [condition]}
            self.put(kind, of, status={**status, "startTime": ENDED, "completionTime": ENDED})


def _status(state: Object) -> Object:
    return {"containerStatuses": [{"name": "step-task", "state": state}]}
