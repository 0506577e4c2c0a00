"""Each event is told once, whoever sees it and however many; what nobody has taken is told later."""

from __future__ import annotations

import copy
import itertools
import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.core import marks
from kf_tasks.core.notify.endpoint import HEARTBEAT, WEBHOOK, Endpoint
from kf_tasks.core.notify.event import Event
from kf_tasks.core.run.outcome import Outcome
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.errors import Denied
from kf_tasks.notify import telling
from kf_tasks.notify.telling import Teller

from .. import messages

SECRET = "kf-shop.notify"
NOW = "2026-11-25T23:00:00Z"
HOOK = Endpoint(WEBHOOK, "https://h/hook", ("failed", "recovered"), "json")
BEAT = Endpoint(HEARTBEAT, "https://h/beat")


class Cluster:
    """Runs as the API server keeps them: whoever writes what he has not read is refused."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.now: str | None = NOW
        self.version = 0
        self.denied = False
        self.others = 0  # how often somebody else writes before us

    def add(self, number: int, succeeded: str, task: str = "migrate", **annotations: str) -> str:
        name = f"{task}-{number}"
        condition = {
            "type": "Succeeded",
            "status": succeeded,
            "reason": "Succeeded" if succeeded == "True" else "Failed",
        }
        metadata = {
            "name": name, "namespace": "dev", "uid": f"u-{name}", "resourceVersion": "0",
            "creationTimestamp": f"2026-11-25T22:00:{number:02}Z",
            "labels": {marks.NAME: "shop", marks.TASK: task, marks.TASK_ID: str(number)},
            "annotations": {marks.NOTIFY: SECRET, **annotations},
        }  # fmt: skip
        status = {"conditions": [condition], "completionTime": "2026-11-25T22:01:00Z"}
        self.objects[name] = {"metadata": metadata, "status": status if succeeded != "Unknown" else {}}
        return name

    def list(self) -> list[RunSummary]:
        with self.lock:
            return [RunSummary.of_object(copy.deepcopy(run)) for run in self.objects.values()]

    def run(self, name: str) -> dict[str, Any] | None:
        with self.lock:
            return copy.deepcopy(self.objects.get(name))

    def ended(self, run: dict[str, Any]) -> Outcome:
        good = run["status"]["conditions"][0]["status"] == "True"
        return Outcome("Succeeded" if good else "Failed", "", "succeeded" if good else "exit code 3")

    def mark(self, run: dict[str, Any], annotations: dict[str, str | None]) -> bool:
        if self.denied:
            raise Denied("pipelineruns may not be patched", 403)
        with self.lock:
            there = self.objects[run["metadata"]["name"]]["metadata"]
            if self.others:
                self.others -= 1
                there["resourceVersion"] += "x"
            if there["resourceVersion"] != run["metadata"]["resourceVersion"]:
                return False
            self.version += 1
            changed = {**there["annotations"], **annotations}
            there["annotations"] = {key: value for key, value in changed.items() if value is not None}
            there["resourceVersion"] = str(self.version)
            return True

    def told(self, name: str) -> str:
        return str(self.objects[name]["metadata"]["annotations"].get(marks.NOTIFIED, ""))


class Sent:
    """In the place of the network: `taken` says whether an endpoint takes an event."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str]] = []
        self.down: set[str] = set()
        self.lock = threading.Lock()

    def __call__(self, endpoints: list[Endpoint], event: Event, seconds: float) -> list[str]:
        found = []
        for one in endpoints:
            if one.request(event):
                with self.lock:
                    found.append(f"{one.kind}: Connection refused" if one.kind in self.down else "")
                    if one.kind not in self.down:
                        self.events.append((one.kind, event.subject, event.kind))
        return found

    def by(self, kind: str) -> list[str]:
        return [f"{subject} {what}" for who, subject, what in self.events if who == kind]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    found = Sent()
    monkeypatch.setattr(telling, "send", found)
    return found


def teller(cluster: Cluster, said: list[str] | None = None, *endpoints: Endpoint) -> Teller:
    return Teller(cluster, lambda name: list(endpoints or (HOOK, BEAT)) if name == SECRET else None,
                  (said if said is not None else []).append)  # fmt: skip


def test_a_failure_and_its_recovery_are_told_once(sent: Sent) -> None:
    cluster = Cluster()
    for number, succeeded in enumerate(["True", "False", "False", "True", "True"]):
        name = cluster.add(number, "Unknown")
        teller(cluster).begin(cluster.run(name) or {})
        running = cluster.objects[name]["metadata"]
        one = teller(cluster)
        one.begin(cluster.run(name) or {})  # a second pod of the same time
        one.wait()
        cluster.add(number, succeeded)
        cluster.objects[name]["metadata"] = running
        for _ in range(3):
            teller(cluster).settle(cluster.list(), own=name)
    assert sent.by("webhook") == ["migrate-1 failed", "migrate-2 failed", "migrate-3 recovered"]
    assert [text.split()[1] for text in sent.by("heartbeat")] == [
        "started", "succeeded", "started", "failed", "started", "failed", "started", "recovered", "started", "succeeded"
    ]  # fmt: skip
    assert cluster.told("migrate-2") == "failed,over,started"


def test_one_who_is_down_is_warned_of_and_told_no_more_what_others_know(sent: Sent) -> None:
    cluster, said = Cluster(), list[str]()
    cluster.add(1, "False")
    sent.down = {"webhook"}
    teller(cluster, said).settle(cluster.list())
    again = "kf notify shop --test --space dev tries it again"
    assert said == [f"migrate-1: `failed` is not told to webhook: Connection refused; {again}"]
    messages.check("notify: an endpoint that does not answer", said[0], "dev")
    sent.down = set()
    teller(cluster).settle(cluster.list())
    assert sent.events == [("heartbeat", "migrate-1", "failed")]


def test_what_nobody_has_taken_is_told_by_the_next_who_looks(sent: Sent) -> None:
    cluster, said = Cluster(), list[str]()
    for number, succeeded in ((1, "False"), (2, "True")):
        cluster.add(number, succeeded)
    sent.down = {"webhook"}
    teller(cluster, said, HOOK).settle(cluster.list())
    assert len(said) == 1 and sent.events == [] and cluster.told("migrate-1") == "", "and no other is tried"
    sent.down = set()
    teller(cluster, said, HOOK).settle([run for run in cluster.list() if run.name == "migrate-1"])
    sent.down = {"webhook"}
    teller(cluster, said, HOOK).settle(cluster.list())
    assert (cluster.told("migrate-1"), cluster.told("migrate-2")) == ("failed", "")
    sent.down = set()
    teller(cluster, said, HOOK).settle(cluster.list())
    assert sent.by("webhook") == ["migrate-1 failed", "migrate-2 recovered"]


def test_endpoints_that_are_down_keep_nothing_from_those_of_other_tasks(sent: Sent) -> None:
    cluster, said = Cluster(), list[str]()
    for number in range(5):
        cluster.add(number, "False", f"task-{number}", **{marks.NOTIFY: f"kf-shop.task-{number}.notify"})
    sent.down = {"webhook"}
    down = ("kf-shop.task-0.notify", "kf-shop.task-3.notify")
    Teller(cluster, lambda name: [HOOK if name in down else BEAT], said.append).settle(cluster.list())
    assert sent.by("heartbeat") == ["task-1-1 failed", "task-2-2 failed", "task-4-4 failed"]
    assert [line.partition("; ")[2].partition(" tries")[0] for line in said] == [
        f"kf notify shop --task task-{nth} --test --space dev" for nth in (0, 3)
    ]
    assert [cluster.told(f"task-{nth}-{nth}") for nth in (0, 3)] == ["", ""]


def test_a_follower_has_its_time_to_say_why(sent: Sent) -> None:
    cluster = Cluster()
    name = cluster.add(1, "False", **{marks.FOLLOWED: "true"})
    cluster.now = "2026-11-25T22:01:30Z"
    teller(cluster).settle(cluster.list())
    assert sent.events == []
    teller(cluster).settle(cluster.list(), own=name)
    assert sent.by("webhook") == ["migrate-1 failed"]
    cluster.add(2, "False", **{marks.FOLLOWED: "true"})
    cluster.now = NOW
    teller(cluster).settle(cluster.list())
    assert sent.by("webhook") == ["migrate-1 failed", "migrate-2 failed"], "whoever followed it is gone"


def test_others_who_write_on_the_run_are_no_reason(sent: Sent) -> None:
    cluster = Cluster()
    cluster.add(1, "False")
    cluster.others = 5
    teller(cluster).settle(cluster.list())
    assert sent.by("webhook") == ["migrate-1 failed"]


def test_what_is_not_allowed_is_one_warning(sent: Sent) -> None:
    cluster, said = Cluster(), list[str]()
    for number in range(5):
        cluster.add(number, "False")
    cluster.denied = True
    teller(cluster, said).settle(cluster.list())
    assert said == ["nobody is told how runs ended: pipelineruns may not be patched"] and sent.events == []


def test_who_names_another_secret_or_is_gone_or_another_is_told_of_by_others(sent: Sent) -> None:
    cluster = Cluster()
    cluster.add(1, "False", **{marks.NOTIFY: "kf.space.notify"})
    gone, another = cluster.add(2, "False"), cluster.add(3, "False")
    runs = cluster.list()
    del cluster.objects[gone]
    cluster.objects[another]["metadata"]["uid"] = "another"
    teller(cluster).settle(runs)
    assert sent.events == []
    teller(cluster).settle(runs, only=[])
    assert sent.events == []


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(["True", "False"]), st.sampled_from(["a", "b"])), min_size=5, max_size=5),
    st.integers(2, 4),
)
def test_many_who_see_the_same_at_once_tell_it_once(history: list[tuple[str, str]], lookers: int) -> None:
    cluster, sent = Cluster(), Sent()
    for number, (succeeded, task) in enumerate(history):
        cluster.add(number, succeeded, task)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telling, "send", sent)
        threads = [threading.Thread(target=lambda: teller(cluster).settle(cluster.list())) for _ in range(lookers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    told = [subject for kind, subject, _ in sent.events if kind == "heartbeat"]
    assert sorted(told) == sorted(cluster.objects)
    for task in ("a", "b"):
        own = [ended for ended, of in history if of == task]
        ends = sum(1 for before, after in itertools.pairwise(own) if (before, after) == ("False", "True"))
        recovered = [event for event in sent.by("webhook") if event.startswith(task) and event.endswith("recovered")]
        assert len(recovered) == ends


def test_two_successes_that_are_seen_at_once_are_one_recovery(sent: Sent) -> None:
    """One listed before the older success had ended: both take theirs for the first."""
    cluster = Cluster()
    cluster.add(1, "False")
    cluster.add(2, "True")
    cluster.add(3, "True")
    runs = cluster.list()
    early = [replace(run, finished=False, succeeded="Unknown") if run.name == "migrate-2" else run for run in runs]
    teller(cluster).settle(early)
    teller(cluster).settle(runs)
    assert sent.by("webhook") == ["migrate-1 failed", "migrate-3 recovered"]
    assert sent.by("heartbeat") == ["migrate-1 failed", "migrate-3 recovered", "migrate-2 succeeded"]
