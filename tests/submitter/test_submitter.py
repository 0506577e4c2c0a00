"""The submitter's own client beside `cluster`: the same recorded answers of a real API server, the same questions.

`recorded.json` was recorded from Kubernetes 1.36.3 with Tekton 1.15.0: three runs of which one succeeded,
one failed and one runs, and what the server says to a name that is taken, to a change of a run that has
ended, to a UID that is another one, and to a counter that somebody else has counted.
"""

from __future__ import annotations

import ast
import copy
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.cluster import client as cluster
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.cluster.transport import Transport
from kf_tasks.core import api, marks, naming
from kf_tasks.core.notify.endpoint import Endpoint, written
from kf_tasks.core.notify.event import Event
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run import outcome
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.core.schedule import claim, slot
from kf_tasks.core.template import JobSettings, TemplateSettings
from kf_tasks.errors import Conflict, NotFound, Refused
from kf_tasks.notify import telling
from kf_tasks.resources.pod_code import sources
from kf_tasks.submitter import client, notifying
from kf_tasks.submitter.client import PlainCluster, Stopped
from kf_tasks.submitter.submitter import AWAY, FAILED, Submitter

NS = "recorded"
RUNS = f"/apis/tekton.dev/v1/namespaces/{NS}/pipelineruns"
ANSWERS = json.loads((Path(__file__).parent / "recorded.json").read_text())


class Server:
    """Replays the recorded answers, in order where a question has several, and writes down what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any, Any]] = []
        self.troubles: list[int] = []
        self._left: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
        for entry in ANSWERS:
            self._left.setdefault(self._key(entry["method"], entry["path"]), []).append(entry)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = urlsplit(self.path)
                entry = server.answer(self.command, self.path)
                if entry["status"] < 500:
                    query = sorted((key, value) for key, value in parse_qs(url.query).items())
                    server.asked.append((self.command, url.path, query, json.loads(body or b"null")))
                text = json.dumps(entry["answer"]).encode()
                self.send_response_only(entry["status"])
                self.send_header("Date", entry.get("date") or "Wed, 25 Nov 2026 22:00:00 GMT")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = _answer

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def answer(self, method: str, path: str) -> dict[str, Any]:
        if self.troubles:
            return {"status": self.troubles.pop(0), "answer": {"message": "the server restarts"}}
        found = self._left[self._key(method, path)]
        return found.pop(0) if len(found) > 1 else found[0]

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    @staticmethod
    def _key(method: str, path: str) -> tuple[str, str, bool]:
        return method, path.partition("?")[0], "continue=" in path


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    both = Server(), Server()
    yield both
    for server in both:
        server.close()


@pytest.fixture
def clients(servers: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch) -> tuple[Cluster, PlainCluster]:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(cluster, "PAGE", client.PAGE)
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": servers[0].address}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    transport = Transport(Connection(kubeconfig=json.dumps(config)))
    return Cluster(transport), PlainCluster(servers[1].address, NS, lambda: "t", None)


def outcome_of(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except (Conflict, NotFound, Refused) as error:
        return type(error)


def test_both_ask_the_same_and_understand_the_same(
    servers: tuple[Server, Server], clients: tuple[Cluster, PlainCluster]
) -> None:
    ours, plain = clients
    runs = plain.list_runs("shop")
    assert runs == ours.list_runs(NS, "shop")
    assert [(run.name, run.finished, run.succeeded) for run in runs] == [
        ("one", True, "True"), ("three", False, "Unknown"), ("two", True, "False")
    ]  # fmt: skip
    assert ours.now == plain.now is not None

    for name in ("one", "two", "three"):
        assert plain.find(plain.runs(name)) == ours.get_run(NS, name)
    assert (plain.find(plain.runs("none")), outcome_of(lambda: ours.get_run(NS, "none"))) == (None, NotFound)
    failed = ours.get_run(NS, "two")
    servers[1].asked.append(servers[0].asked[-1])
    path = f"/apis/tekton.dev/v1/namespaces/{NS}/taskruns/two-task"
    task_run, pods = plain.find(path), plain.pods("two")
    assert (task_run, pods) == (ours.task_run(NS, failed), ours.pods(NS, "two"))
    assert outcome.conclude(failed, task_run, pods[-1]).sentence == "exit code 7"

    assert plain.allocate_id("kf-shop", 3) == ours.allocate_id(NS, "kf-shop", 3) == 8
    plain.cancel_run("one", "x")
    assert outcome_of(lambda: ours.cancel_run(NS, "one", "x")) is Refused
    plain.cancel_run("three", "x")
    ours.cancel_run(NS, "three", "x")
    plain.annotate_finished("none", {"a": "b"})
    assert outcome_of(lambda: ours.annotate_run(NS, "none", {"a": "b"}, finished=True)) is NotFound
    another = RunSummary("two", "another", "", True)
    missing = RunSummary("none", "another", "", True)
    assert plain.delete_runs([another]) == ours.delete_runs(NS, [another]) == []
    assert plain.delete_runs([missing]) == ours.delete_runs(NS, [missing]) == []
    assert plain.delete_runs([another]) == ours.delete_runs(NS, [another]) == ["two"]
    plain.delete_pod("none")
    ours.delete_pod(NS, "none")
    assert servers[1].asked == servers[0].asked


def test_a_name_that_is_taken_is_the_run_to_follow(clients: tuple[Cluster, PlainCluster]) -> None:
    ours, plain = clients
    manifest = {"metadata": {"name": "two", "namespace": NS}}
    assert outcome_of(lambda: ours.create_run(manifest)) is Conflict
    assert plain.create_run(manifest)["status"]["childReferences"][0]["name"] == "two-task"


@pytest.mark.parametrize("trouble", [500, 503, 429, 401, 403])
def test_a_server_that_restarts_is_asked_again(
    servers: tuple[Server, Server], clients: tuple[Cluster, PlainCluster], trouble: int
) -> None:
    servers[1].troubles += [trouble] * 3
    assert clients[1].find(clients[1].runs("one"))


def test_who_is_told_to_stop_does_not_wait_for_a_server(clients: tuple[Cluster, PlainCluster]) -> None:
    plain = clients[1]
    plain.base = "http://127.0.0.1:1"
    threading.Timer(0.2, plain.stop.set).start()
    with pytest.raises(Stopped):
        plain.find(plain.runs("one"))


class FakeCluster(PlainCluster):
    """A cluster of plain data, whose runs end at once unless they are told to stay."""

    def __init__(self, runs: list[RunSummary] | None = None, ends: bool = True) -> None:
        super().__init__("", NS, lambda: "", None)
        self.objects: dict[str, Any] = {
            self.batch("jobs", "job"): _job("2026-11-25T22:00:00Z", "2026-11-25T22:00:01Z"),
            self.batch("cronjobs", "cron"): {"metadata": {}, "spec": {"schedule": "0 22 * * *"}},
        }
        self.objects[self.core("configmaps", "kf-shop")] = {"metadata": {"resourceVersion": "1"}}
        self.list, self.ends = list(runs or []), ends
        self.beside: list[str] = []
        self.now = "2026-11-26T22:00:00Z"
        self.created: list[dict[str, Any]] = []
        self.cancelled: list[str] = []
        self.deleted: list[str] = []

    def find(self, path: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.objects.get(path)
        return found

    def ask(self, method: str, path: str, query: Any = (), body: Any = None, accept: str = "") -> Any:
        """The App's ConfigMap, where whoever writes what is not of now is refused."""
        metadata = self.objects[path]["metadata"]
        if method == "PATCH":
            if body["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
                raise Conflict("somebody else was faster", 409)
            metadata.setdefault("annotations", {}).update(body["metadata"]["annotations"])
            metadata["resourceVersion"] += "1"
        return copy.deepcopy(self.objects[path])

    def neighbours(self, pod: str) -> list[str]:
        return self.beside

    def delete_pod(self, name: str) -> None:
        self.deleted.append(name)

    def list_runs(self, app: str) -> list[RunSummary]:
        return list(self.list)

    def allocate_id(self, config_map: str, at_least: int) -> int:
        return at_least + 1

    def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
        metadata = manifest["metadata"]
        done = {"conditions": [{"type": "Succeeded", "status": "True"}]} if self.ends else {}
        self.created.append(manifest)
        self.objects[self.runs(metadata["name"])] = {**manifest, "status": done}
        self.list.append(_run(metadata["name"], metadata["annotations"].get(marks.AT), self.ends))
        return manifest

    def annotate_finished(self, name: str, annotations: dict[str, str]) -> None:
        pass

    def pods(self, run: str) -> list[dict[str, Any]]:
        return []

    def cancel_run(self, name: str, by: str) -> None:
        self.cancelled.append(name)
        done = {"conditions": [{"type": "Succeeded", "status": "False", "reason": "Cancelled"}]}
        self.objects[self.runs(name)]["status"] = done

    def note_pruned(self, config_map: str, gone: Any) -> None:
        self.noted = [(config_map, each.name, each.rule) for each in gone]
        super().note_pruned(config_map, gone)

    def delete_runs(self, runs: Any) -> list[str]:
        gone = [run.name for run in runs]
        self.deleted += gone
        self.list = [run for run in self.list if run.name not in gone]
        for name in gone:
            self.objects.pop(self.runs(name), None)
        return gone


def _job(when: str, created: str) -> dict[str, Any]:
    return {"metadata": {"uid": "u", "creationTimestamp": created, "annotations": {marks.TIMESTAMP: when}}}


def _ended(how: str) -> dict[str, Any]:
    return {"conditions": [{"type": how, "status": "True"}]}


def _run(name: str, when: str | None, finished: bool, created: str = "2026-11-25T22:00:00Z") -> RunSummary:
    at = {marks.AT: when} if when else {}
    return RunSummary(name, name, created, finished, {marks.SCHEDULE: "nightly"}, at)


def submitter(cluster: FakeCluster, policy: str = "Allow", keep: int = 500, **annotations: str) -> Submitter:
    job = JobSettings("cron", concurrency=policy, start_timeout=1)
    own = TemplateSettings("shop.dev", "shop", "nightly", Policy(keep), job=job)
    template: dict[str, Any] = {"metadata": {"labels": {}, "annotations": annotations}, "spec": {}}
    return Submitter(cluster, own, template, "job", "own")


OWN = naming.run_name("shop", "nightly", slot.key("shop", "nightly", "2026-11-25T22:00:00Z"), 1)


def test_a_pod_that_is_started_again_starts_nothing_again() -> None:
    cluster = FakeCluster()
    assert submitter(cluster).work() == 0
    assert submitter(cluster).work() == 0
    assert [run["metadata"]["name"] for run in cluster.created] == [OWN]


@pytest.mark.parametrize("policy", ["Allow", "Forbid", "Replace"])
def test_a_pod_that_is_started_again_after_its_run_was_pruned_starts_nothing(
    policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As many times as there are Jobs whose pods are lost at the same moment, and nothing is kept."""
    cluster = FakeCluster()
    times = [f"2026-11-25T1{nth}:00:00Z" for nth in range(5)]

    def work(when: str) -> int:
        cluster.objects[cluster.batch("jobs", "job")] = _job(when, when)
        return submitter(cluster, policy, keep=0).work()

    assert [work(when) for when in times] == [0] * 5
    assert len(cluster.deleted) == 4
    assert [work(when) for when in times] == [0] * 5
    assert len(cluster.created) == 5
    assert capsys.readouterr().out.count("has been, and was pruned at 2026-11-26T22:00:00Z (beyond the newest 0)") == 4


def test_its_own_run_is_never_pruned_from_here() -> None:
    old = [_run(f"old-{nth}", None, True, f"2026-11-2{nth}T00:00:00Z") for nth in range(3)]
    cluster = FakeCluster(old)
    submitter(cluster, keep=0).work()
    assert cluster.deleted == ["old-0", "old-1", "old-2"]
    assert cluster.noted == [("kf-shop", name, "beyond the newest 0") for name in cluster.deleted]


def test_a_run_that_a_queue_holds_back_is_not_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = FakeCluster()
    one = submitter(cluster)
    one.name = "r"
    cluster.objects[cluster.runs("r")] = {}
    held: Any = {
        "metadata": {"labels": {"kueue.x-k8s.io/queue-name": "team-a"}},
        "spec": {"status": "PipelineRunPending"},
    }
    for waited in (0.5, 100.0, 1000.0):
        one._check_start(held, waited)
    free = {"metadata": held["metadata"], "spec": {}}
    one._check_start(free, 1000.5)
    assert one.cause == "" and capsys.readouterr().out.count("run r waits in queue team-a") == 1
    one._check_start(free, 1002.0)
    assert one.cause == "could not start within 1 s: its pod has not started"


class Forgetful(FakeCluster):
    """The pod of its run has failed, and Tekton writes that down when it `notices` what is done: look-again, cancel.

    With `takes` it takes away the pod of what is cancelled.
    """

    def __init__(self, notices: str, takes: bool = False) -> None:
        super().__init__(ends=False)
        self.notices, self.takes, self.looks = notices, takes, 0

    def pods(self, run: str) -> list[dict[str, Any]]:
        if self.takes and self.cancelled:
            return []
        state = {"terminated": {"exitCode": 3, "reason": "Error", "finishedAt": "2026-11-25T22:01:00Z"}}
        step = {"name": "step-task", "state": state}
        return [{"metadata": {"name": "p", "uid": "p"}, "status": {"phase": "Failed", "containerStatuses": [step]}}]

    def look_again(self, run: dict[str, Any], task_run: dict[str, Any] | None) -> None:
        self.looks += 1
        if self.notices == "look-again":
            ended = {"conditions": [{"type": "Succeeded", "status": "False", "reason": "Failed"}]}
            self.objects[api.task_runs(NS, "child")] = {"metadata": {"name": "child"}, "status": ended}
            self.objects[self.runs(OWN)]["status"] = {**ended, "childReferences": [{"name": "child"}]}

    def cancel_run(self, name: str, by: str) -> None:
        run = self.objects[self.runs(name)]
        run["metadata"].setdefault("annotations", {})[marks.CANCELLED_BY] = by
        run["spec"]["status"] = "CancelledRunFinally"
        self.cancelled.append(name)
        if self.notices == "cancel":
            run["status"] = {"conditions": [{"type": "Succeeded", "status": "False", "reason": "Cancelled"}]}

    def annotate_finished(self, name: str, annotations: dict[str, str]) -> None:
        self.objects[self.runs(name)]["metadata"]["annotations"].update(annotations)


@pytest.mark.parametrize("takes", [False, True])
@pytest.mark.parametrize("notices", ["look-again", "cancel", "nothing"])
def test_a_run_that_tekton_has_forgotten_keeps_nobody_waiting(
    notices: str, takes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kf_tasks.core.run.forgotten._STEPS", tuple((step, 0.0) for step in ("touch", "cancel", "end")))
    monkeypatch.setattr("kf_tasks.submitter.submitter.LOOK_SECONDS", 0)
    cluster = Forgetful(notices, takes)
    monkeypatch.setattr(cluster.stop, "wait", lambda _seconds: False)
    assert submitter(cluster).work() == 3
    said = cluster.objects[cluster.runs(OWN)]["metadata"]["annotations"][marks.OUTCOME]
    assert said == ("exit code 3" if notices == "look-again" else "exit code 3, which Tekton has not noticed")
    assert (cluster.looks, cluster.cancelled) == (1, [] if notices == "look-again" else [OWN])


def test_forbid_leaves_out_and_replace_ends_what_runs() -> None:
    cluster = FakeCluster([_run("by-hand", None, False)])
    assert submitter(cluster, "Forbid").work() == 0
    assert cluster.created == []
    cluster.objects[cluster.runs("by-hand")] = {"status": {}}
    assert submitter(cluster, "Replace").work() == 0
    assert cluster.cancelled == ["by-hand"]


@pytest.mark.parametrize(("status", "starts"), [({}, False), (_ended("Failed"), True), (None, True)])
def test_forbid_counts_runs_and_not_jobs(status: dict[str, Any] | None, starts: bool) -> None:
    """Another Job of the schedule keeps a time from running only while it is about to start a run."""
    cluster = FakeCluster()
    other = {cluster.batch("jobs", "other"): {"metadata": {}, "status": status}} if status is not None else {}
    cluster.objects.update(other)
    assert submitter(cluster, "Forbid").work() == 0
    assert len(cluster.created) == 1, "it has claimed nothing: it may wait for its end or for an image for ever"

    cluster = FakeCluster()
    cluster.objects.update(other)
    for task, job in (("nightly", "other"), ("hourly", "another")):
        assert cluster.claim("kf-shop", task, job, lambda _: "") == ""
    assert submitter(cluster, "Forbid").work() == 0
    assert bool(cluster.created) == starts
    counter = cluster.objects[cluster.core("configmaps", "kf-shop")]
    assert claim.holder(counter, "nightly") == ("" if starts else "other")
    assert claim.holder(counter, "hourly") == "another"


@pytest.mark.parametrize(("until", "starts"), [("2026-11-26T22:00:01Z", False), ("2026-11-26T22:00:00Z", True)])
def test_forbid_leaves_out_what_somebody_starts_by_hand(until: str, starts: bool) -> None:
    cluster = FakeCluster()
    assert cluster.claim("kf-shop", "nightly", f"until {until} 1a2b", lambda _: "") == ""
    assert submitter(cluster, "Forbid").work() == 0
    assert bool(cluster.created) == starts


def test_a_claim_of_a_pod_that_died_is_its_successors() -> None:
    class Dying(FakeCluster):
        def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
            raise SystemExit

    dying = Dying()
    with pytest.raises(SystemExit):
        submitter(dying, "Forbid").work()
    after = FakeCluster()
    after.objects = dying.objects
    assert submitter(after, "Forbid").work() == 0 and len(after.created) == 1


class Turns:
    """Two pods that ask in the order of `turns`; each asks only when the other one wants to ask as well."""

    def __init__(self, turns: list[int]) -> None:
        self.turns, self.chosen = list(turns), -1
        self.alive, self.waiting = {0, 1}, set[int]()
        self.changed = threading.Condition()

    def take(self, who: int) -> None:
        with self.changed:
            self.waiting.add(who)
            self._choose()
            assert self.changed.wait_for(lambda: self.chosen == who, 10)
            self.chosen = -1
            self.waiting.discard(who)

    def leave(self, who: int) -> None:
        with self.changed:
            self.alive.discard(who)
            self._choose()

    def _choose(self) -> None:
        if self.chosen < 0 and self.alive and self.waiting == self.alive:
            wanted = self.turns.pop(0) if self.turns else 0
            self.chosen = wanted if wanted in self.waiting else min(self.waiting)
            self.changed.notify_all()


class InTurn(FakeCluster):
    """What one of the two pods asks; the run that it starts goes on, and it is taken away."""

    def __init__(self, turns: Turns, who: int, shared: FakeCluster) -> None:
        super().__init__(ends=False)
        self.turns, self.who = turns, who
        self.objects, self.list, self.created = shared.objects, shared.list, shared.created

    def find(self, path: str) -> dict[str, Any] | None:
        self.turns.take(self.who)
        return super().find(path)

    def list_runs(self, app: str) -> list[RunSummary]:
        self.turns.take(self.who)
        return super().list_runs(app)

    def ask(self, *arguments: Any, **more: Any) -> Any:
        self.turns.take(self.who)
        return super().ask(*arguments, **more)

    def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
        self.turns.take(self.who)
        self.stop.set()
        return super().create_run(manifest)


@settings(deadline=None)
@given(st.lists(st.integers(0, 1), min_size=12, max_size=24))
def test_two_pods_of_two_times_start_one_run_under_forbid(order: list[int]) -> None:
    shared, turns = FakeCluster(ends=False), Turns(order)
    codes: dict[int, int] = {}

    def pod(who: int) -> None:
        cluster = InTurn(turns, who, shared)
        try:
            one = submitter(cluster, "Forbid")
            one.job = f"job-{who}"
            codes[who] = one.work()
        finally:
            turns.leave(who)

    for who in (0, 1):
        when = f"2026-11-25T22:0{who}:00Z"
        shared.objects[shared.batch("jobs", f"job-{who}")] = _job(when, when)
    pods = [threading.Thread(target=pod, args=(who,)) for who in (0, 1)]
    for one in pods:
        one.start()
    for one in pods:
        one.join(60)
    assert sorted(codes.values()) == [0, AWAY] and len(shared.created) == 1


def test_a_pod_ends_although_somebody_has_put_a_proxy_into_it() -> None:
    cluster = FakeCluster()
    cluster.beside = ["istio-proxy"]
    assert submitter(cluster).work() == 0
    assert cluster.deleted == ["own"]

    class Told(FakeCluster):
        def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
            self.stop.set()
            return super().create_run(manifest)

    moved = Told(ends=False)
    moved.beside = ["istio-proxy"]
    assert submitter(moved).work() == AWAY and moved.deleted == [], "it is taken away already"


def test_of_two_at_the_same_moment_the_later_time_stays() -> None:
    later = _run("later", "2026-11-25T22:01:00Z", False)
    assert submitter(cluster := FakeCluster([later]), "Replace").work() == 0
    assert (cluster.created, cluster.cancelled) == ([], [])

    class Racing(FakeCluster):
        def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
            self.list.append(later)  # it came while this one was being created
            return super().create_run(manifest)

    racing = Racing(ends=False)
    assert submitter(racing, "Replace").work() == FAILED
    assert racing.cancelled == [OWN]


def test_taken_away_or_stopped() -> None:
    class Told(FakeCluster):
        def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
            self.stop.set()
            return super().create_run(manifest)

    moved = Told(ends=False)
    assert submitter(moved).work() == AWAY
    assert moved.cancelled == []

    class Deleted(Told):
        def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
            self.objects.pop(self.batch("jobs", "job"))
            return super().create_run(manifest)

    stopped = Deleted(ends=False)
    assert submitter(stopped).work() == FAILED
    assert stopped.cancelled == [OWN]


@pytest.mark.parametrize(
    ("status", "said"),
    [({}, "the next pod follows it"), (_ended("FailureTarget"), "its Job has come to its deadline"),
     (_ended("Failed"), "its Job has come to its deadline")],
)  # fmt: skip
def test_what_it_has_started_goes_on_without_it(
    status: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A task without a timeout may take longer than its Job."""

    class Told(FakeCluster):
        def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
            self.stop.set()
            self.objects[self.batch("jobs", "job")]["status"] = status
            return super().create_run(manifest)

    cluster = Told(ends=False)
    assert submitter(cluster).work() == AWAY
    assert cluster.cancelled == [] and f"what it has started goes on, {said}\n" in capsys.readouterr().out


def test_a_pod_that_does_not_start_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]}

    class Full(FakeCluster):
        said = ""

        def pods(self, run: str) -> list[dict[str, Any]]:
            return [{"metadata": {"name": "pod"}, "status": waiting}]

        def delete_pod(self, name: str) -> None:
            self.deleted.append(name)

        def annotate_finished(self, name: str, annotations: dict[str, str]) -> None:
            self.said = annotations["kf.dev/outcome"]

    full = Full(ends=False)
    assert submitter(full).work() == FAILED
    assert (full.cancelled, full.deleted) == ([OWN], ["pod"])
    assert full.said == "could not start within 1 s: not scheduled: 0/1 nodes are available"


def test_a_pod_that_cannot_be_made_is_told_of_in_the_clusters_words() -> None:
    quota = "exceeded quota: q, requested: requests.memory=128Mi"
    said: list[str] = []

    class Poor(FakeCluster):
        def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
            made = super().create_run(manifest)
            name = f"{made['metadata']['name']}-task"
            self.objects[self.runs(made["metadata"]["name"])]["status"] = {"childReferences": [{"name": name}]}
            reason = {"type": "Succeeded", "status": "Unknown", "reason": "ExceededResourceQuota", "message": quota}
            self.objects[api.task_runs(NS, name)] = {"status": {"conditions": [reason]}}
            return made

        def annotate_finished(self, name: str, annotations: dict[str, str]) -> None:
            said.append(annotations["kf.dev/outcome"])

    assert submitter(Poor(ends=False)).work() == FAILED
    assert said == [f"could not start within 1 s: its pod cannot be made: {quota}"]


@pytest.mark.parametrize(
    ("changed", "created", "left_out"),
    [
        ("2026-11-25T21:00:00Z", "2026-11-25T22:00:01Z", False),  # changed before the time came
        ("2026-11-25T22:30:00Z", "2026-11-25T22:30:02Z", True),  # the time went by, then it was resumed
        ("2026-11-25T22:00:30Z", "2026-11-25T22:00:01Z", False),  # changed while the task runs
        ("2026-11-25T21:00:00Z", "2026-11-25T22:30:00Z", False),  # the cluster was down: made up for
    ],
)
def test_a_time_that_went_by_before_a_change_is_left_out(changed: str, created: str, left_out: bool) -> None:
    entries = [
        {"time": changed, "fieldsV1": {"f:spec": {"f:suspend": {}}}},
        {"time": "2026-11-25T23:00:00Z", "subresource": "status", "fieldsV1": {"f:spec": {"f:suspend": {}}}},
    ]
    cron_job = {"metadata": {"managedFields": entries}, "spec": {"schedule": "0 22 * * *"}}
    found = slot.outdated(_job("2026-11-25T22:00:00Z", created), cron_job)
    assert bool(found) == left_out


def test_what_goes_into_the_pod_needs_nothing_but_python_3_9(tmp_path: Path) -> None:
    for path, text in sources().items():
        ast.parse(text, path, feature_version=(3, 9))
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    # An older interpreter is used where there is one; a shim of one that is not chosen is none.
    old = shutil.which("python3.9")
    usable = old and subprocess.run([old, "-c", ""], capture_output=True, check=False).returncode == 0
    python = old if old and usable else sys.executable
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import kf_tasks.submitter.submitter"
    done = subprocess.run(
        [python, "-I", "-S", "-c", program],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_who_is_told_is_told_of_the_start_and_the_end_once_and_before_anything_is_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def send(endpoints: list[Endpoint], event: Event, _seconds: float) -> list[str]:
        told.append(f"{endpoints[0]} {event.subject} {event.kind}")
        return [""]

    class Told(FakeCluster):
        def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
            manifest["metadata"] |= {"namespace": NS, "uid": "u-own", "creationTimestamp": "2026-11-25T22:00:00Z"}
            made = super().create_run(manifest)
            self.list[-1] = replace(self.list[-1], annotations=manifest["metadata"]["annotations"], uid="u-own")
            return made

        def mark_run(self, run: dict[str, Any], annotations: Any) -> bool:
            self.objects[self.runs(run["metadata"]["name"])]["metadata"]["annotations"].update(annotations)
            return True

        def delete_runs(self, runs: Any) -> list[str]:
            told.append("pruned")
            return super().delete_runs(runs)

    (tmp_path / "notify.json").write_text(written([Endpoint("heartbeat", "https://h/beat")]))
    monkeypatch.setattr(telling, "send", send)
    monkeypatch.setattr(notifying, "FOLDER", tmp_path)
    cluster = Told()
    for _ in range(2):
        assert submitter(cluster, keep=0, **{marks.NOTIFY: "kf-shop.notify"}).work() == 0
    assert told == [f"heartbeat {OWN} started", f"heartbeat {OWN} succeeded", "pruned", "pruned"]
