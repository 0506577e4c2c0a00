"""What a task costs the API server, counted as it is asked: little, and nothing more the longer the task takes."""

from __future__ import annotations

import base64
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.informer import Followed
from kf_tasks.cluster.secret_versions import secret_versions
from kf_tasks.core import marks
from kf_tasks.core.log.shown import FOLLOW
from kf_tasks.core.notify import endpoint
from kf_tasks.core.notify.endpoint import HEARTBEAT, WEBHOOK, Endpoint
from kf_tasks.core.notify.event import JSON, Event
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run.attempts import STORED
from kf_tasks.core.run.outcome import SUCCEEDED
from kf_tasks.core.say import nobody
from kf_tasks.errors import Unreachable
from kf_tasks.provider.recording import mark_recorded
from kf_tasks.runs.archiving import Archiving
from kf_tasks.runs.attending import Attended, attend
from kf_tasks.runs.display import Bounded
from kf_tasks.runs.notifying import Notifying
from kf_tasks.runs.pruning import prune
from kf_tasks.runs.secret_files import Files
from kf_tasks.runs.secrets import as_told, present, secret_values
from kf_tasks.runs.submission import Submission, submit

from ..cluster.api_server import Object
from ..cluster.rest import NAMESPACE, Tekton
from ..cluster.test_informer import eventually

TASKS = 5


def wanted(task: str, secrets: list[str], mounted: Sequence[str] = (), notify: str = "", **more: Any) -> Submission:
    env = [{"name": name, "valueFrom": {"secretKeyRef": {"name": name, "key": "V"}}} for name in secrets]
    volumes = [{"name": name, "secret": {"secretName": name}} for name in mounted]
    step = {"name": "task", "image": "i", "command": ["/bin/true"], "env": env}
    labels = {marks.NAME: "shop", marks.TASK: task, marks.STACK: "shop.dev"}
    template = {
        "metadata": {
            "namespace": NAMESPACE, "labels": labels, "annotations": {marks.NOTIFY: notify} if notify else {},
        },
        "spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [step], "volumes": volumes}}]}},
    }  # fmt: skip
    given = {"followed": True, **more}
    return Submission(template, "shop", task, "0" * 16, ("shop.dev",), "kf-shop", "a test", **given)


def run(
    server: Tekton, task: str, secrets: list[str], moves: int = 0, keep: int = 100, archive: str = "", **more: Any
) -> Attended:
    """A task from its submission to the end of retention; it changes so often while it runs."""
    cluster = Cluster(server)  # type: ignore[arg-type]
    notifying, submission = Notifying(cluster, NAMESPACE, pytest.fail, as_told(cluster)), wanted(task, secrets, **more)
    tells = notifying.tells_start(submission.template)
    started, adopted = submit(cluster, replace(submission, tells_start=tells), None)
    assert not adopted
    notifying.begin(started)
    name = started["metadata"]["name"]

    def goes_on() -> None:
        for _ in range(moves):
            server.move(name)
        server.finish(name)

    threading.Timer(0.2, goes_on).start()
    archiving = Archiving.of(cluster, NAMESPACE, archive, pytest.fail)
    screen = Bounded(name, FOLLOW, nobody, nobody)
    attended = attend(cluster, started, screen, archiving=archiving, notifying=notifying)
    before = archiving.before if archiving else None
    prune(cluster, NAMESPACE, "shop", Policy(keep), spare=name, before=before, notifying=notifying)
    if submission.awaited:
        mark_recorded(cluster, NAMESPACE, name, STORED, cluster.get_run(NAMESPACE, name)["metadata"]["uid"])
        server.asked.remove("GET pipelineruns")
    return attended


def server_with(*secrets: str, of: type[Tekton] = Tekton) -> Any:
    server = of()
    for name in secrets:
        put(server, name, f"value of {name}")
    return server


def put(server: Tekton, name: str, text: str) -> None:
    server.put("secrets", name, data={"V": base64.b64encode(text.encode()).decode()})


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


class Waiting:
    """A screen on which so much time passes before the run ends."""

    def __init__(self, passes: int, end: Callable[[], None]) -> None:
        self.left, self.end = passes, end

    def pass_time(self) -> None:
        self.left -= 1
        if not self.left:
            self.end()

    def __getattr__(self, _name: str) -> Any:
        return lambda *_, **__: None


@pytest.mark.parametrize("passes", [5, 500])
def test_a_run_of_which_nothing_is_told_is_not_looked_at_however_long_it_takes(
    passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SOON_SECONDS", "LATE_SECONDS"):
        monkeypatch.setattr(f"kf_tasks.runs.follower.{name}", 0.001)
    monkeypatch.setattr("kf_tasks.runs.follower.LOOK_SECONDS", 600)
    looks, look = list[str](), Followed.look
    monkeypatch.setattr(Followed, "look", lambda followed: (looks.append(""), look(followed))[1])
    server = server_with()
    cluster = Cluster(server)
    started, _ = submit(cluster, wanted("t", []), None)
    screen = Waiting(passes, lambda: server.finish(started["metadata"]["name"]))
    assert attend(cluster, started, screen).outcome.state == SUCCEEDED
    assert len(looks) <= 20, "as often as something is told, which is not more often than that"


def test_what_goes_is_one_request_and_a_note_and_the_runs_are_not_listed_again() -> None:
    server = server_with("a")
    for nth in range(TASKS):
        run(server, f"t{nth}", ["a"], keep=1)
    asked, gone = server.count(), TASKS - 1
    assert len(server.names("pipelineruns")) == TASKS - gone and asked["DELETE pipelineruns"] == gone
    assert asked["PATCH configmaps"] == TASKS + gone and asked["GET configmaps"] == 1
    assert asked["LIST pipelineruns"] == 2


OF_SECRETS = {"LIST secrets": 2, "WATCH secrets": 1}


@pytest.mark.parametrize("number", [2, 5, 10])
def test_secrets_are_read_and_copied_once_and_each_task_that_starts_asks_for_their_versions(number: int) -> None:
    names = [f"secret-{nth}" for nth in range(number)]
    server = server_with(*names)
    for nth in range(TASKS):
        run(server, f"t{nth}", names)
    constant = CONSTANT | OF_SECRETS | {"GET secrets": number, "POST secrets": number}
    task = {"PATCH configmaps": 1, "POST pipelineruns": 1, "LIST secrets": 1, "LOG pods": 2, "PATCH pipelineruns": 1}
    assert server.count() == Counter(constant) + Counter({what: times * TASKS for what, times in task.items()})


def test_a_task_with_all_that_there_is_costs_ten_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five Secrets, five services, an archive, a webhook for every event, a heartbeat, and a state for its record."""
    sent = list[tuple[str, str]]()

    def send(endpoints: Sequence[Endpoint], event: Event, _seconds: float) -> list[str]:
        sent.append((event.subject, event.kind))
        return [""] * len(endpoints)

    monkeypatch.setattr("kf_tasks.notify.telling.send", send)
    secrets, services = [f"env-{nth}" for nth in range(5)], [f"service-{nth}" for nth in range(5)]
    server = server_with(*secrets, *services)
    told = [Endpoint(WEBHOOK, "https://hooks.example.com/1234567890", ("started", "succeeded"), JSON)]
    told += [Endpoint(HEARTBEAT, "https://beats.example.com/1234567890")]
    data = {endpoint.KEY: base64.b64encode(endpoint.written(told).encode()).decode()}
    server.put("secrets", "kf-shop.notify", {marks.COMPONENT: endpoint.COMPONENT}, data=data)
    for nth in range(TASKS):
        found = run(
            server, f"t{nth}", secrets, 3, mounted=services, archive=f"file://{tmp_path}", notify="kf-shop.notify",
            awaited=True,
        )  # fmt: skip
        assert found.outcome.state == SUCCEEDED and found.unkept is None
    names = server.names("pipelineruns")
    assert sorted(sent) == sorted((name, kind) for name in names for kind in ("started", "succeeded"))
    constant = CONSTANT | OF_SECRETS | {"GET secrets": 11, "POST secrets": 10}
    per_task = server.count() - Counter(constant)
    assert per_task.total() <= (10 - 1) * TASKS, f"and one for the admission: {per_task}"
    marked = [server.objects["pipelineruns", name]["metadata"]["annotations"] for name in names]
    assert all(
        {marks.OUTCOME, marks.NOTIFIED, marks.ARCHIVED, marks.RECORDED, marks.SECRETS} <= set(one) for one in marked
    )


class Quiet(Tekton):
    """Nobody is told of Secrets any more, and one is changed between the submission of a task and its start."""

    def made(self, run: Object) -> None:
        if run["metadata"]["labels"][marks.TASK] == "last":
            self.quiet.add("secrets")
            put(self, "b", "another value of b")
        super().made(run)

    def log(self, pod: str) -> Iterator[bytes]:
        word = base64.b64decode(self.objects["secrets", "b"]["data"]["V"]).decode()
        yield f"2026-01-01T00:00:02.000000001Z it is {word}\n".encode()
        yield from super().log(pod)


def test_a_secret_that_nobody_has_told_of_when_a_task_starts_is_hidden_and_copied() -> None:
    server = server_with("a", "b", "c", of=Quiet)
    server.quiet.add("secrets")
    for task in ("first", "last"):
        assert "it is [secret]" in run(server, task, ["a", "b", "c"]).log.tail()
    [name] = [name for name in server.names("pipelineruns") if "last" in name]
    named = server.objects["pipelineruns", name]["metadata"]["annotations"][marks.SECRETS].split(",")
    values = {base64.b64decode(server.objects["secrets", copy]["data"]["V"]).decode() for copy in named}
    assert values == {"value of a", "value of b", "another value of b", "value of c"}


def test_what_a_run_that_nobody_follows_has_is_copied_as_it_is_at_this_moment() -> None:
    server = server_with("a", "b")
    cluster = Cluster(server)
    submit(cluster, wanted("t0", ["a", "b"]), None)
    server.quiet.add("secrets")
    put(server, "a", "another value of a")
    started, _ = submit(cluster, wanted("t1", ["a", "b"], followed=False), None)
    copies = [server.objects["secrets", name] for name in started["metadata"]["annotations"][marks.SECRETS].split(",")]
    assert {base64.b64decode(copy["data"]["V"]) for copy in copies} == {b"another value of a", b"value of b"}


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
    started, _ = submit(cluster, wanted("t", [], mounted=["a"]), None)
    return attend(cluster, started, Bounded("t", FOLLOW, nobody, nobody))


@pytest.mark.parametrize("watched", [True, False])
def test_the_file_of_a_secret_is_hidden_as_it_changes_and_asked_for_when_it_does(
    watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Printing()
    if not watched:
        server.denied.add("secrets")
        monkeypatch.setattr("kf_tasks.runs.secret_files.SOON_SECONDS", 0)
        monkeypatch.setattr("kf_tasks.runs.secret_files.LATE_SECONDS", 0)
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


@pytest.mark.parametrize(("times", "watched", "trusted", "lost"), [
    (1, True, 0, False), (2, True, 60, True), (3, True, 60, True),
    (1, False, 60, False), (1, False, 0, True),  # where nobody tells, how long ago somebody looked is what counts
])  # fmt: skip
def test_of_a_file_that_has_changed_twice_since_somebody_looked_a_value_is_lost(
    times: int, watched: bool, trusted: float, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kf_tasks.runs.secret_files.TRUSTED_SECONDS", trusted)
    server = server_with("a", "b")
    if not watched:
        server.denied.add("secrets")
    cluster: Any = Cluster(server)
    started, _ = submit(cluster, wanted("t", [], mounted=["a", "b"]), None)
    files, known = Files(cluster, started), secret_versions(server, NAMESPACE)
    files.note(present(cluster, started))
    unknown = list[str]()

    def hidden() -> list[str]:
        return secret_values(present(cluster, started), NAMESPACE, started, pytest.fail, unknown.append, followed=True)

    assert files.changed(hidden) == []
    for nth in range(times):
        put(server, "a", f"later value {nth}")
    version = server.objects["secrets", "a"]["metadata"]["resourceVersion"]
    eventually(lambda: known.version(cluster, "a") in (None, version))
    files._next = 0  # what is asked for is asked for now
    assert set(files.changed(hidden)) == {"value of a", "value of b", f"later value {times - 1}"}
    named = server.objects["pipelineruns", started["metadata"]["name"]]["metadata"]["annotations"][marks.SECRETS]
    assert ("~a" in named.split(",")) == (unknown != []) == lost and "~b" not in named
    assert files.changed(hidden) == []


class Silent(Printing):
    """Its tasks print nothing while their Secret changes, five times, and then the value of each time."""

    def log(self, pod: str) -> Iterator[bytes]:
        for nth in range(5):
            put(self, "a", f"a value in between, {nth}")
            yield from self.until_told()
        for nth in range(5):
            yield f"2026-01-01T00:00:02.{nth + 1:09}Z it is a value in between, {nth}\n".encode()
        self.finish(pod.removesuffix("-task-pod"))


def test_what_was_printed_of_a_file_that_changed_often_is_not_shown() -> None:
    server = Silent()
    put(server, "a", "value of a")
    assert "a value in between" not in attended(server).log.tail()
