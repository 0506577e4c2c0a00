"""An update, `kf` and the pod of a schedule tell of the same runs: by their own clients, over TLS, each event once."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.cluster.transport import Transport
from kf_tasks.core import marks
from kf_tasks.core.log import gate
from kf_tasks.core.log.masking import Masker
from kf_tasks.core.notify import endpoint
from kf_tasks.core.notify.endpoint import HEARTBEAT, WEBHOOK, Endpoint
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run import outcome
from kf_tasks.core.run.outcome import Outcome
from kf_tasks.errors import ConfigurationError, Denied
from kf_tasks.notify import sending, telling
from kf_tasks.runs.notifying import Notifying, endpoints_of
from kf_tasks.runs.pruning import prune
from kf_tasks.submitter import notifying as of_pod
from kf_tasks.submitter.client import PlainCluster

from ..notify.receiver import Receiver, receiving

NS, SECRET = "dev", "kf-shop.notify"
RUNS = f"/apis/tekton.dev/v1/namespaces/{NS}/pipelineruns"
COLUMNS = [{"name": name} for name in ("Name", "Succeeded", "Reason")]


class Api:
    """An API server with PipelineRuns and Secrets: merge patches, refused where the object has changed since."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.denied = ""
        self.lock = threading.Lock()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
                path = urlsplit(self.path).path
                with api.lock:
                    api.asked.append(f"{self.command} {path}")
                    status, answer = api.answer(self.command, path, body)
                text = json.dumps(answer).encode()
                self.send_response_only(status)
                self.send_header("Date", "Wed, 25 Nov 2026 23:00:00 GMT")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PATCH = do_DELETE = _answer

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if self.denied and self.denied in path:
            return 403, {"message": f"{path} is forbidden"}
        if path == RUNS:
            rows = [{"cells": [name, *_ended(run)], "object": run} for name, run in self._runs()]
            return 200, {"columnDefinitions": COLUMNS, "rows": rows, "metadata": {}}
        if path.endswith("/pods"):
            return 200, {"items": []}
        found = self.objects.get(path)
        if found is None:
            return 404, {"message": "not found"}
        if method == "DELETE" and body["preconditions"].get("resourceVersion") != found["metadata"]["resourceVersion"]:
            return 409, {"message": "the object has been modified"}
        if method == "DELETE":
            return 200, self.objects.pop(path)
        if method == "PATCH":
            metadata, given = found["metadata"], body["metadata"]
            if given.get("resourceVersion", metadata["resourceVersion"]) != metadata["resourceVersion"]:
                return 409, {"message": "the object has been modified"}
            changed = {**metadata.get("annotations", {}), **given["annotations"]}
            metadata["annotations"] = {name: value for name, value in changed.items() if value is not None}
            metadata["resourceVersion"] += "1"
        return 200, found

    def add(self, number: int, succeeded: str, task: str = "migrate", **annotations: str) -> dict[str, Any]:
        name, reason = f"{task}-{number}", {"True": "Succeeded", "False": "Failed"}.get(succeeded, "Running")
        step = {"name": "task", "image": "i", "env": [
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "TOKEN"}}}
        ]}  # fmt: skip
        run = self.objects[f"{RUNS}/{name}"] = {
            "metadata": {
                "name": name, "namespace": NS, "uid": f"u-{name}", "resourceVersion": "1",
                "creationTimestamp": f"2026-11-25T22:00:{number:02}Z",
                "labels": {marks.NAME: "shop", marks.TASK: task, marks.KEY: "k", marks.TASK_ID: str(number)},
                "annotations": {marks.NOTIFY: SECRET, **annotations},
            },
            "spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [step]}}]}},
            "status": {
                "conditions": [{"type": "Succeeded", "status": succeeded, "reason": reason}],
                **({} if succeeded == "Unknown" else {"completionTime": "2026-11-25T22:01:00Z"}),
            },
        }  # fmt: skip
        return run

    def secret(self, name: str, key: str, text: str, **labels: str) -> None:
        data = {key: base64.b64encode(text.encode()).decode()}
        metadata = {"name": name, "labels": {marks.COMPONENT: endpoint.COMPONENT, **labels}, "resourceVersion": "1",
                    "creationTimestamp": "2026-11-25T00:00:00Z", "uid": "s"}  # fmt: skip
        self.objects[f"/api/v1/namespaces/{NS}/secrets/{name}"] = {"metadata": metadata, "data": data}

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _runs(self) -> list[tuple[str, dict[str, Any]]]:
        return [(run["metadata"]["name"], run) for path, run in self.objects.items() if path.startswith(RUNS)]


def _ended(run: dict[str, Any]) -> tuple[str, str]:
    condition = run["status"]["conditions"][0]
    return condition["status"], condition["reason"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


@pytest.fixture
def receiver(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(sending, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(sending, "_down", {})
    monkeypatch.setattr(sending, "TRY_SECONDS", 60.0)  # on a machine of any speed an answer comes in time
    monkeypatch.setattr(telling, "SECONDS", 60.0)
    with receiving(folder) as found:
        yield found


@pytest.fixture
def api(receiver: Receiver, folder: Path) -> Iterator[Api]:
    found = Api()
    text = endpoint.written(
        [
            Endpoint(WEBHOOK, f"{receiver.address}/hooks/T0-token", ("failed", "recovered"), "json", receiver.ca),
            Endpoint(HEARTBEAT, f"{receiver.address}/beats/0123", ca=receiver.ca),
        ]
    )
    found.secret(SECRET, endpoint.KEY, text)
    found.secret("token", "TOKEN", "correct horse battery")
    (folder / endpoint.KEY).write_text(text)
    yield found
    found.close()


def cluster_of(api: Api) -> Cluster:
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": api.address}}], "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    return Cluster(Transport(Connection(kubeconfig=json.dumps(config))))


def told(receiver: Receiver) -> list[str]:
    return [f"{event['name']} {event['event']}: {event['outcome']}" for event in
            (json.loads(body) for path, _, body in receiver.got if path == "/hooks/T0-token")]  # fmt: skip


def known(run: dict[str, Any]) -> Outcome:
    """How a run has ended, as whoever has followed it knows."""
    return gate.ended(outcome.known(run, None, None), Masker(["correct horse battery"]))


def beats(receiver: Receiver) -> list[str]:
    return [path for path in receiver.paths if path.startswith("/beats")]


def test_an_update_and_the_pod_see_the_same_ends_and_each_is_told_once(
    api: Api, receiver: Receiver, folder: Path
) -> None:
    said: list[str] = []
    plain = PlainCluster(api.address, NS, lambda: "t", None)
    for number, ended in enumerate(["True", "False", "False", "True", "True"]):
        run = api.add(number, "Unknown")
        before, pod = Notifying(cluster_of(api), NS, said.append), of_pod.teller(plain, SECRET, folder)
        before.begin(run)
        pod.begin(run)
        before.wait()
        pod.wait()
        marked = run["metadata"]["annotations"][marks.NOTIFIED]
        run = api.add(number, ended, **{marks.NOTIFIED: marked})
        threads = [
            threading.Thread(target=lambda before=before, run=run: before.end(run, known(run))),
            threading.Thread(target=lambda pod=pod: pod.settle(plain.list_runs("shop"))),
            threading.Thread(target=lambda before=before: before.rest("shop")),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert said == []
    assert told(receiver) == ["migrate-1 failed: Failed", "migrate-2 failed: Failed", "migrate-3 recovered: succeeded"]
    parts = ["/start", "", "/start", "/fail", "/start", "/fail", "/start", "", "/start", ""]
    assert beats(receiver) == [f"/beats/0123{part}" for part in parts]


def test_what_its_run_had_of_secrets_is_not_told(api: Api, receiver: Receiver) -> None:
    run = api.add(1, "False", **{marks.OUTCOME: "could not start: correct horse battery"})
    Notifying(cluster_of(api), NS, print).end(run, known(run))
    assert told(receiver) == ["migrate-1 failed: could not start: [secret]"]


def test_a_run_that_goes_is_told_of_before(api: Api, receiver: Receiver) -> None:
    for number, ended in enumerate(["False", "True", "False", "True", "True"]):
        api.add(number, ended, "a" if number < 2 else "b.c")
    cluster = cluster_of(api)
    gone = prune(cluster, NS, "shop", Policy(1), notifying=Notifying(cluster, NS, print))
    assert sorted(gone) == ["a-0", "a-1", "b.c-3"] and told(receiver) == [
        "a-0 failed: Failed", "a-1 recovered: succeeded", "b.c-2 failed: Failed", "b.c-3 recovered: succeeded",
    ], "also of the last failure, which stayed: before its recovery"  # fmt: skip
    Notifying(cluster, NS, print).rest("shop")
    assert len(told(receiver)) == 4
    assert len(beats(receiver)) == 5


def test_a_secret_that_may_not_be_read_is_gone_or_is_another_is_no_more_than_a_warning(
    api: Api, receiver: Receiver
) -> None:
    path = f"/api/v1/namespaces/{NS}/secrets/{SECRET}"
    run, said = api.add(1, "False"), list[str]()
    api.denied = SECRET
    Notifying(cluster_of(api), NS, said.append).end(run, known(run))
    assert said[0].startswith(f"nobody is told how runs ended: Secret {NS}/{SECRET}: ") and "forbidden" in said[0]
    api.denied = "/pipelineruns"
    Notifying(cluster_of(api), NS, said.append).end(run, known(run))
    assert said[1].startswith("nobody is told how runs ended: ") and len(said) == 2
    api.denied = SECRET
    with pytest.raises(Denied):
        endpoints_of(cluster_of(api).get, NS, SECRET)
    api.denied = ""
    there = api.objects.pop(path)
    Notifying(cluster_of(api), NS, said.append).end(run, known(run))
    assert len(said) == 2, "nobody wants to know any more"
    api.secret(SECRET, endpoint.KEY, "[]", **{marks.COMPONENT: "env"})
    with pytest.raises(ConfigurationError, match="not one that holds endpoints.*repeat pulumi up with --refresh"):
        endpoints_of(cluster_of(api).get, NS, SECRET)
    api.secret(SECRET, endpoint.KEY, "{")
    Notifying(cluster_of(api), NS, said.append).end(run, known(run))
    assert len(said) == 3 and receiver.got == []
    api.objects[path] = there
    Notifying(cluster_of(api), NS, said.append).end(run, known(run))
    assert told(receiver) == ["migrate-1 failed: Failed"], "it was owed as long as nobody was told"


def test_runs_without_anybody_to_tell_ask_nothing(api: Api) -> None:
    run = api.add(1, "False")
    del run["metadata"]["annotations"][marks.NOTIFY]
    one = Notifying(cluster_of(api), NS, print)
    one.begin(run)
    one.end(run, known(run))
    assert api.asked == []


def test_the_pod_goes_out_the_way_of_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "own")
    env = [
        {"name": "HTTPS_PROXY", "value": "http://u:p$$w@proxy:3128"},
        {"name": "NO_PROXY", "value": "of-the-task"},
        {"name": "https_proxy", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "PATH", "value": "/tmp"},
    ]
    template = {"spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [{"env": env}]}}]}}}
    path = os.environ["PATH"]
    monkeypatch.setattr(os, "environ", dict(os.environ))
    of_pod.use_proxies(template)
    assert (os.environ["HTTPS_PROXY"], os.environ["NO_PROXY"]) == ("http://u:p$w@proxy:3128", "own")
    assert "https_proxy" not in os.environ and os.environ["PATH"] == path
