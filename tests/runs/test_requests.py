"""What a task costs the API server, counted as it is asked: little, and nothing more the longer the task takes."""

from __future__ import annotations

import base64
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.secret_versions import secret_versions
from kf_tasks.core import marks
from kf_tasks.core.log.shown import FOLLOW
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run.outcome import SUCCEEDED
from kf_tasks.core.say import nobody
from kf_tasks.errors import Unreachable
from kf_tasks.runs.attending import Attended, attend
from kf_tasks.runs.display import Bounded
from kf_tasks.runs.pruning import prune
from kf_tasks.runs.submission import Submission, submit

from ..cluster.rest import NAMESPACE, Tekton
from ..cluster.test_informer import eventually

TASKS = 5


def wanted(task: str, secrets: list[str], mounted: bool = False) -> Submission:
    env = [{"name": name, "valueFrom": {"secretKeyRef": {"name": name, "key": "V"}}} for name in secrets]
    volumes = [{"name": name, "secret": {"secretName": name}} for name in secrets]
    step = {"name": "task", "image": "i", "command": ["/bin/true"], "env": [] if mounted else env}
    spec = {"steps": [step], "volumes": volumes if mounted else []}
    labels = {marks.NAME: "shop", marks.TASK: task, marks.STACK: "shop.dev"}
    template = {
        "metadata": {"namespace": NAMESPACE, "labels": labels},
        "spec": {"pipelineSpec": {"tasks": [{"taskSpec": spec}]}},
    }
    return Submission(template, "shop", task, "0" * 16, ("shop.dev",), "kf-shop", "a test", followed=True)


def run(server: Tekton, task: str, secrets: list[str], moves: int = 0, keep: int = 100, **more: Any) -> Attended:
    """A task from its submission to the end of retention; it changes so often while it runs."""
    cluster = Cluster(server)  # type: ignore[arg-type]
    started, adopted = submit(cluster, wanted(task, secrets, **more), None)
    assert not adopted
    name = started["metadata"]["name"]

    def goes_on() -> None:
        for _ in range(moves):
            server.move(name)
        server.finish(name)

    threading.Timer(0.2, goes_on).start()
    attended = attend(cluster, started, Bounded(name, FOLLOW, nobody, nobody))
    prune(cluster, NAMESPACE, "shop", Policy(keep), spare=name)
    return attended


def server_with(*secrets: str) -> Tekton:
    server = Tekton()
    for name in secrets:
        server.put("secrets", name, data={"V": base64.b64encode(f"value of {name}".encode()).decode()})
    return server


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long another thread needs to tell what has happened."""
    for name in ("runs.follower.TOLD_SECONDS", "log.pump.END_SECONDS", "cluster.watch.READY_SECONDS"):
        monkeypatch.setattr(f"kf_tasks.{name}", 60)


CONSTANT = {
    **{f"LIST {kind}": 1 for kind in ("taskruns", "pods")},
    **{f"WATCH {kind}": 1 for kind in ("taskruns", "pods", "pipelineruns")},
    "LIST pipelineruns": 2, "GET configmaps": 1,
}  # fmt: skip


@pytest.mark.parametrize("moves", [0, 200])
def test_a_task_costs_five_requests_whatever_its_length_and_the_namespace_a_few(moves: int) -> None:
    server = server_with()
    for nth in range(TASKS):
        found = run(server, f"t{nth}", [], moves)
        assert found.outcome.state == SUCCEEDED and found.log.tail() == "hello\n"
    task = {"PATCH configmaps": 1, "POST pipelineruns": 1, "LOG pods": 2, "PATCH pipelineruns": 1}
    assert server.count() == Counter({what: number * TASKS for what, number in task.items()}) + Counter(CONSTANT)
    assert len(server.names("pipelineruns")) == TASKS


def test_what_goes_is_one_request_and_a_note_and_the_runs_are_not_listed_again() -> None:
    server = server_with("a")
    for nth in range(TASKS):
        run(server, f"t{nth}", ["a"], keep=1)
    asked, gone = server.count(), TASKS - 1
    assert len(server.names("pipelineruns")) == TASKS - gone and asked["DELETE pipelineruns"] == gone
    assert asked["PATCH configmaps"] == TASKS + gone and asked["GET configmaps"] == 1
    assert asked["LIST pipelineruns"] == 2 + 1, "once for the copies of Secrets that no run names"


def test_secrets_are_read_when_a_task_is_submitted_and_when_it_starts_and_copied_once() -> None:
    server = server_with("a", "b")
    for nth in range(TASKS):
        run(server, f"t{nth}", ["a", "b"])
    asked = server.count()
    assert asked["GET secrets"] == 2 * 2 * TASKS and asked["POST secrets"] == 2
    assert asked["LIST secrets"] == 2 and asked["WATCH secrets"] == 1
    per_task = asked - Counter(CONSTANT) - Counter({"LIST secrets": 2, "WATCH secrets": 1, "POST secrets": 2})
    assert per_task.total() <= (10 - 1) * TASKS, "and one for the admission"


class Printing(Tekton):
    """Its tasks print the file of a Secret with each line, which is changed once in the middle."""

    lines, changes_at, has_changed, failing, fails = 200, 100, False, 0, 0

    def log(self, pod: str) -> Iterator[bytes]:
        for nth in range(self.lines):
            if nth == self.changes_at and not self.has_changed:
                self.has_changed, self.fails = True, self.failing
                self.put("secrets", "a", data={"V": base64.b64encode(b"value of a, renewed").decode()})
                yield from self.until_told()
            word = base64.b64decode(self.objects["secrets", "a"]["data"]["V"]).decode()
            yield f"2026-01-01T00:00:02.{nth + 1:09}Z it is {word}\n".encode()
        self.finish(pod.removesuffix("-task-pod"))

    def until_told(self) -> Iterator[bytes]:
        """The kubelet is slower than a watch."""
        known, version = secret_versions(self, NAMESPACE), self.objects["secrets", "a"]["metadata"]["resourceVersion"]
        eventually(lambda: known.version(Cluster(self), "a") in (None, version))  # type: ignore[arg-type]
        yield from ()

    def request(self, method: str, path: str, **options: Any) -> Any:
        if self.fails and method == "GET" and path.endswith("secrets/a"):
            self.fails -= 1
            raise Unreachable("for a moment")
        return super().request(method, path, **options)


def attended(server: Tekton) -> Attended:
    cluster = Cluster(server)  # type: ignore[arg-type]
    started, _ = submit(cluster, wanted("t", ["a"], mounted=True), None)
    return attend(cluster, started, Bounded("t", FOLLOW, nobody, nobody))


@pytest.mark.parametrize("watched", [True, False])
def test_the_file_of_a_secret_is_hidden_as_it_changes_and_asked_for_when_it_does(
    watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Printing()
    if not watched:
        server.denied.add("secrets")
        monkeypatch.setattr("kf_tasks.runs.secrets.SOON_SECONDS", 0)
        monkeypatch.setattr("kf_tasks.runs.secrets.LATE_SECONDS", 0)
    server.put("secrets", "a", data={"V": base64.b64encode(b"value of a").decode()})
    found = attended(server)
    assert found.log.tail().splitlines()[-200:] == ["it is [secret]"] * 200
    asked = server.count()
    assert not watched or (asked["GET secrets"], asked["POST secrets"]) == (2 + 2, 2), (
        "once for its copy, once to hide it"
    )
    named = server.objects["pipelineruns", server.names("pipelineruns")[0]]["metadata"]["annotations"][marks.SECRETS]
    values = [server.objects["secrets", copy]["data"]["V"] for copy in named.split(",")]
    assert [base64.b64decode(value) for value in values] == [b"value of a", b"value of a, renewed"]


def test_nothing_is_shown_before_a_changed_secret_can_be_read() -> None:
    server = Printing()
    server.put("secrets", "a", data={"V": base64.b64encode(b"value of a").decode()})
    server.failing = 3
    assert set(attended(server).log.tail().splitlines()[-150:]) == {"it is [secret]"} and server.fails == 0
