"""What an API server does for an informer: lists, watches from a version on, and forgets, breaks or forbids them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import urllib3
from kf_tasks.core import api, marks
from kf_tasks.errors import Denied, NotFound, Unreachable

Object = dict[str, Any]


@dataclass
class Answer:
    """A response as urllib3 gives it."""

    data: bytes = b""
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))

    def stream(self, _size: int) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        pass

    release_conn = close


class ApiServer:
    """Objects by kind and name, and every change of them as an event; both a Transport and a Cluster."""

    now = None

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Object]] = {"pipelineruns": {}, "taskruns": {}, "pods": {}}
        self.events: list[tuple[int, str, Object]] = []  # version, kind, event
        self.version, self.oldest = 100, 0
        self.changed = threading.Condition(threading.RLock())
        self.connection = 0  # of the watches; those of an older one break
        self.ended = 0  # those that were begun before this number end as the server ends them
        self.begun = 0
        self.watching: dict[str, tuple[int, int]] = {}  # connection and number of the newest watch of each kind
        self.mode = ""  # "denied" or "down"
        self.requests: list[str] = []
        self.http = self

    # --- what happens in the cluster

    def put(self, kind: str, name: str, run: str = "", **more: Any) -> None:
        with self.changed:
            self.version += 1
            known = self.objects[kind].get(name)
            uid = known["metadata"]["uid"] if known else f"u-{self.version}"
            labels = {marks.KEY: "k", **({marks.PIPELINE_RUN: run} if run else {})}
            metadata = {"name": name, "uid": uid, "resourceVersion": str(self.version), "labels": labels,
                        "creationTimestamp": "2026-01-01T00:00:00Z"}  # fmt: skip
            self.objects[kind][name] = {"metadata": metadata, **more}
            self._tell(kind, "MODIFIED" if known else "ADDED", self.objects[kind][name])

    def delete(self, kind: str, name: str) -> None:
        with self.changed:
            if found := self.objects[kind].pop(name, None):
                self.version += 1
                metadata = {**found["metadata"], "resourceVersion": str(self.version)}
                self._tell(kind, "DELETED", {**found, "metadata": metadata})

    def forget(self) -> None:
        """No watch goes on from a version of before."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            self.end()

    def break_off(self) -> None:
        """The connections of all watches break."""
        with self.changed:
            self.connection += 1
            self.changed.notify_all()

    def end(self) -> None:
        """All watches have lasted long enough."""
        with self.changed:
            self.ended = self.begun
            self.changed.notify_all()

    def _tell(self, kind: str, type_: str, obj: Object) -> None:
        self.events.append((self.version, kind, {"type": type_, "object": obj}))
        self.changed.notify_all()

    @property
    def is_watched(self) -> bool:
        """Whether each kind is watched again after the last break or end."""
        now = [at == self.connection and number > self.ended for at, number in self.watching.values()]
        return now == [True] * 3

    # --- Transport

    def request(self, _method: str, path: str, *, query: Any, accept: str = "", read_seconds: float = 0) -> Answer:
        kind, given = path.rpartition("/")[2], dict(query)
        self._admit(f"{'watch' if 'watch' in given else 'begin'} {kind}", watch=True)
        assert given["labelSelector"] == marks.KEY
        if "watch" not in given:
            return Answer(json.dumps({"metadata": {"resourceVersion": str(self.version)}}).encode())
        assert given["allowWatchBookmarks"] == "true" and accept == api.JSON and read_seconds
        with self.changed:
            self.begun += 1
            return Answer(chunks=self._watch(kind, int(given["resourceVersion"]), self.connection, self.begun))

    def _watch(self, kind: str, version: int, connection: int, number: int) -> Iterator[bytes]:
        if version < self.oldest:
            status = {"kind": "Status", "code": 410, "metadata": {}}
            yield json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
            return
        self.watching[kind] = connection, number
        while True:
            with self.changed:
                if connection != self.connection:
                    raise urllib3.exceptions.ProtocolError("broken")
                found = [(at, event) for at, of, event in self.events if of == kind and at > version]
                if not found:
                    if number <= self.ended:
                        return
                    self.changed.wait()
                    continue
            version = found[-1][0]
            mark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version)}}}
            text = b"".join(json.dumps(event).encode() + b"\n" for event in [*(event for _, event in found), mark])
            yield text[:7]
            yield text[7:]

    def _admit(self, what: str, *, watch: bool = False) -> None:
        self.requests.append(what)
        if self.mode == "down":
            raise Unreachable("the cluster does not answer")
        if self.mode == "denied" and watch:
            raise Denied("watch may not be used")

    # --- Cluster

    def get_run(self, _namespace: str, name: str) -> Object:
        self._admit("get run")
        if name not in self.objects["pipelineruns"]:
            raise NotFound("no such run", 404)
        return self.objects["pipelineruns"][name]

    def pods(self, _namespace: str, run: str) -> list[Object]:
        self._admit("list pods")
        with self.changed:
            return [
                pod for pod in self.objects["pods"].values() if pod["metadata"]["labels"][marks.PIPELINE_RUN] == run
            ]

    def task_runs(self, _namespace: str, run: str) -> list[Object]:
        self._admit("list task runs")
        with self.changed:
            its = self.objects["taskruns"].values()
            return [one for one in its if one["metadata"]["labels"][marks.PIPELINE_RUN] == run]

    def task_run(self, _namespace: str, run: Object) -> Object | None:
        self._admit("get task run")
        return self.objects["taskruns"].get(f"{run['metadata']['name']}-task")
