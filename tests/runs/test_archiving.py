"""Logs are stored before their runs go, and the trouble of one run is that run's alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import pytest
from kf_tasks.core import marks
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.errors import ArchiveError, Denied, Unreachable
from kf_tasks.log.archive import Archive
from kf_tasks.runs.archiving import Archiving

NAMES = [f"shop-migrate-{number}" for number in range(1, 6)]


class Cluster:
    """Five runs that have ended, each with a pod; the logs of those in `silent` are on a node that does not answer."""

    def __init__(self, *silent: str) -> None:
        self.silent = silent
        self.marked: list[str] = []
        self.secrets = True
        self.answers = True

    def run(self, name: str) -> dict[str, Any]:
        env = [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "TOKEN"}}}]
        step = {"name": "task", "image": "i", "command": ["/bin/true"], "env": env if name == NAMES[2] else []}
        return {
            "metadata": {
                "name": name, "namespace": "dev", "uid": str(uuid5(NAMESPACE_DNS, name)),
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {marks.NAME: "shop", marks.TASK: "migrate", marks.KEY: "k", marks.TASK_ID: "1"},
            },
            "spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [step]}}]}},
            "status": {
                "startTime": "2026-01-01T00:00:01Z", "completionTime": "2026-01-01T00:00:09Z",
                "conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}],
            },
        }  # fmt: skip

    def get_run(self, _namespace: str, name: str) -> dict[str, Any]:
        if not self.answers:
            raise Unreachable("the cluster does not answer")
        return self.run(name)

    def pods(self, _namespace: str, run: str) -> list[dict[str, Any]]:
        state = {"terminated": {"exitCode": 0, "startedAt": "2026-01-01T00:00:02Z"}}
        status = {"containerStatuses": [{"name": "step-task", "state": state}]}
        return [{"metadata": {"name": f"{run}-pod", "uid": f"p-{run}"}, "status": status}]

    def task_run(self, *_: Any) -> None:
        return None

    def get(self, *_: Any) -> dict[str, Any]:
        if not self.secrets:
            raise Denied("secrets may not be read")
        return {"data": {}}

    def log(self, _namespace: str, pod: str, **_: Any) -> Iterator[bytes]:
        if pod.removesuffix("-pod") in self.silent:
            raise Unreachable("the cluster cannot answer now (dial tcp 10.0.0.7:10250: i/o timeout)")
        yield f"2026-01-01T00:00:03Z the log of {pod}\n".encode()

    def annotate_run(self, _namespace: str, name: str, annotations: dict[str, Any], **of: Any) -> None:
        assert of == {"finished": True, "uid": self.run(name)["metadata"]["uid"]} and annotations.keys() == {
            marks.ARCHIVED
        }
        self.marked.append(name)


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def ready(cluster: Any, url: str, warned: list[str]) -> list[str]:
    runs = [RunSummary.of_object(cluster.run(name)) for name in NAMES]
    return [run.name for run in Archiving(cluster, "dev", url, warned.append).before(runs)]


def test_what_is_stored_may_go(tmp_path: Path) -> None:
    cluster, warned = Cluster(), list[str]()
    url = f"file://{tmp_path}/logs"
    assert ready(cluster, url, warned) == NAMES == sorted(cluster.marked) and warned == []
    archive = Archive.of(url)
    found = [b"".join(archive.read(record)) for record in archive.records("dev", "shop")]
    assert sorted(found) == [f"the log of {name}-pod\n".encode() for name in NAMES]


def test_a_run_on_a_silent_node_stays_and_keeps_no_other_from_going(tmp_path: Path) -> None:
    cluster, warned = Cluster(NAMES[1]), list[str]()
    stay = [name for name in NAMES if name != NAMES[1]]
    assert ready(cluster, f"file://{tmp_path}/logs", warned) == stay == sorted(cluster.marked)
    [text] = warned
    assert text.startswith(f"run {NAMES[1]} stays: its log cannot be archived: ") and "10.0.0.7" in text


def test_a_run_whose_secrets_may_not_be_read_stays_and_keeps_no_other_from_going(tmp_path: Path) -> None:
    cluster, warned = Cluster(), list[str]()
    cluster.secrets = False
    assert NAMES[2] not in ready(cluster, f"file://{tmp_path}/logs", warned)
    assert len(cluster.marked) == 4 and len(warned) == 1 and NAMES[2] in warned[0]


def test_a_log_whose_secrets_are_gone_is_not_stored_and_its_run_may_go(tmp_path: Path) -> None:
    """It would never be known again what is secret in it: the record says so, and retention goes on."""
    cluster, warned = Cluster(), list[str]()
    cluster.get = lambda *_: None  # type: ignore[assignment,method-assign]
    url = f"file://{tmp_path}/logs"
    assert ready(cluster, url, warned) == NAMES and warned == []
    [record] = [record for record in Archive.of(url).records("dev", "shop") if record.run == NAMES[2]]
    assert record.missing == "what is secret in the log is not known: Secret s is gone, and so it is not stored"
    assert record.outcome == "succeeded" and record.bytes == 0


def test_nothing_goes_while_nobody_answers(tmp_path: Path) -> None:
    cluster, warned = Cluster(), list[str]()
    cluster.answers = False
    with pytest.raises(Unreachable):
        ready(cluster, f"file://{tmp_path}/logs", warned)
    (tmp_path / "file").write_text("no folder")
    cluster.answers = True
    with pytest.raises(ArchiveError):
        ready(cluster, f"file://{tmp_path}/file/logs", warned)
    assert cluster.marked == warned == []
