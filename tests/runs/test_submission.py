"""A run is started exactly once, whatever happens to the requests and their answers."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core import marks, naming
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.errors import ClusterError, Conflict, Unreachable
from kf_tasks.runs import submission
from kf_tasks.runs.submission import Submission, submit

from ..cluster.unwatched import Unwatched

KEY, NOON = "0123456789abcdef", "2026-11-25T12:00:00Z"
TOKEN = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "kf-shop.env", "key": "TOKEN"}}}
TEMPLATE = {
    "metadata": {"namespace": "shop", "labels": {}},
    "spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [{"name": "task", "env": [TOKEN]}]}}]}},
}
WANTED = Submission(TEMPLATE, "shop", "migrate", KEY, ("shop.dev",), "kf-shop", "a test")


def run(attempt: int = 1, succeeded: str = "True", created: str = NOON, **more: Any) -> RunSummary:
    labels = {
        marks.NAME: "shop", marks.TASK: "migrate", marks.STACK: "shop.dev", marks.KEY: KEY,
        marks.ATTEMPT: str(attempt), marks.TASK_ID: str(attempt),
    }  # fmt: skip
    return RunSummary(
        name=naming.run_name("shop", "migrate", KEY, attempt), uid=str(attempt), created=created,
        finished=succeeded != "Unknown", labels=labels, annotations=more.pop("annotations", {}), succeeded=succeeded,
        reason="", **more,
    )  # fmt: skip


class Cluster(Unwatched):
    """Holds runs; the answers to its requests are lost as often as `troubles` say, before or after they are done."""

    now = NOON

    def __init__(self, *runs: RunSummary, **troubles: list[ClusterError]) -> None:
        self.runs, self.troubles, self.deleted, self.allocated = list(runs), troubles, list[str](), 0
        self.copies: list[str] = []

    def list_runs(self, _namespace: str, _app: str, **_: Any) -> list[RunSummary]:
        self._fail("list_runs")
        return list(self.runs)

    def get_run(self, _namespace: str, name: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "resourceVersion": ""}}

    def get(self, _namespace: str, _kind: str, name: str) -> dict[str, Any]:
        self._fail("get")
        return {"metadata": {"name": name, "uid": "u", "resourceVersion": "1"}, "data": {"TOKEN": ""}}

    def create_secret(self, _namespace: str, body: dict[str, Any]) -> None:
        self._fail("create_secret")
        self.copies.append(body["metadata"]["name"])

    def allocate_id(self, _namespace: str, _config_map: str, at_least: int) -> int:
        self._fail("allocate_id")
        self.allocated += 1
        return at_least + 1

    def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
        attempt = int(manifest["metadata"]["labels"][marks.ATTEMPT])
        self.runs.append(run(attempt, self.ends, created="2026-11-25T12:00:00Z"))
        assert manifest["metadata"]["annotations"][marks.SECRETS] == self.copies[-1], "its log can be masked later"
        self._fail("create_run")
        return manifest

    def note_pruned(self, _namespace: str, config_map: str, gone: Any) -> None:
        self.noted = [(config_map, each.name, each.rule, each.when) for each in gone]

    def delete_runs(self, _namespace: str, runs: list[RunSummary], *, unchanged: bool) -> list[str]:
        assert unchanged
        self.deleted = [one.name for one in runs]
        return self.deleted

    ends = "Unknown"

    def _fail(self, what: str) -> None:
        if self.troubles.get(what):
            raise self.troubles[what].pop()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.mark.parametrize("what", ["list_runs", "allocate_id", "create_run"])
@pytest.mark.parametrize("ends", ["Unknown", "True", "False"])
def test_a_lost_answer_makes_no_second_run(what: str, ends: str) -> None:
    lost: dict[str, Any] = {what: [Unreachable("lost"), Unreachable("lost")]}
    cluster = Cluster(**lost)
    cluster.ends = ends
    started, adopted = submit(cluster, WANTED, None)  # type: ignore[arg-type]
    assert [one.name for one in cluster.runs] == [started["metadata"]["name"]]
    assert adopted == (what == "create_run")


def test_whoever_comes_second_follows_the_first() -> None:
    cluster = Cluster(create_run=[Conflict("already exists")])
    started, adopted = submit(cluster, WANTED, None)  # type: ignore[arg-type]
    assert adopted and len(cluster.runs) == 1 and started["metadata"]["name"] == cluster.runs[0].name


def test_a_request_that_was_not_carried_out_uses_up_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()
    answers = [Unreachable("the webhook is down"), Unreachable("the webhook is down")]

    def create_run(manifest: dict[str, Any]) -> dict[str, Any]:
        if answers:
            raise answers.pop()
        return manifest

    monkeypatch.setattr(cluster, "create_run", create_run)
    submit(cluster, WANTED, None)  # type: ignore[arg-type]
    assert cluster.allocated == 1


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "PATIENCE_SECONDS", -1)
    with pytest.raises(Unreachable):
        submit(Cluster(list_runs=[Unreachable("lost")]), WANTED, None)  # type: ignore[arg-type]
