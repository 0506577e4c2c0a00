"""`kf tasks` beyond its table: states, orders, what only the archive has, what programs read, and what changes."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from kf_tasks.cli.run_list import SORTS, STATES
from kf_tasks.core import moments
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.errors import Denied, NotFound, Unreachable
from kf_tasks.log.archive import Archive

from .test_commands import FakeCluster, call, run
from .test_logs import archive, three  # noqa: F401 - a fixture

DIGEST = f"sha256:{'a' * 64}"
RUNS = [
    run(1, started_at="2026-01-01T00:01:00Z", finished_at="2026-01-01T00:09:00Z"),
    run(2, "False", reason="Failed", annotations={"kf.dev/outcome": "exit code 3", "kf.dev/archived": DIGEST},
        started_at="2026-01-01T00:02:00Z", finished_at="2026-01-01T00:03:00Z", argv=("/bin/sh", "-c", "exit 3")),
    run(3, "False", reason="Cancelled"),
    run(4, "False", reason="PipelineRunTimeout"),
    run(5, "Unknown", reason="Running"),
    run(6, "Unknown", reason="Started"),
]  # fmt: skip


def ids(*arguments: str, runs: list[RunSummary] = RUNS) -> list[int]:
    result = call(FakeCluster(list(runs)), "tasks", "shop", *arguments, "-o", "json")
    assert result.exit_code == 0, (result.output, result.exception)
    return [found["id"] for found in json.loads(result.stdout)]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["failed"], [2, 3, 4]),
        (["cancelled"], [3]),
        (["timedout"], [4]),
        (["succeeded"], [1]),
        (["RUNNING"], [5]),
        (["pending", "running"], [5, 6]),
        (list(STATES), [1, 2, 3, 4, 5, 6]),
    ],
)
def test_only_some_states(states: list[str], expected: list[int]) -> None:
    assert ids(*[word for state in states for word in ("--state", state)]) == expected


def test_orders() -> None:
    assert ids("--sort", "duration")[-2:] == [2, 1]
    assert ids("--sort", "state") == [3, 2, 6, 5, 1, 4]
    assert ids("--sort", "finished")[:2] == [2, 1]
    for by in SORTS:
        assert sorted(ids("--sort", by)) == [1, 2, 3, 4, 5, 6]
    assert call(FakeCluster(), "tasks", "--sort", "size").exit_code == 2


def test_nothing_in_a_state() -> None:
    result = call(FakeCluster(RUNS[:1]), "tasks", "shop", "--state", "failed")
    assert (result.exit_code, result.stdout) == (0, "No failed tasks of app 'shop' in space 'dev'.\n")
    assert call(FakeCluster(), "tasks").stdout == "No tasks in space 'dev'.\n"


@dataclasses.dataclass
class WithPods(FakeCluster):
    """Also has the pods of failed runs, if one may see them."""

    allowed: bool = True

    def select_pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        if not self.allowed:
            raise Denied("pods are not for you")
        statuses = [{"name": "step-task", "state": {"terminated": {"exitCode": 7}}}]
        labels = [{"tekton.dev/pipelineRun": name} for name in ("shop-migrate-3", "shop-migrate-2", "other")]
        return [{"metadata": {"labels": each}, "status": {"containerStatuses": statuses}} for each in labels]


def test_what_is_known_of_each_in_a_wide_table() -> None:
    result = call(WithPods(RUNS), "tasks", "shop", "-o", "wide")
    head, *rows = result.stdout.splitlines()
    assert head.split()[-7:] == ["State", "ExitCode", "Attempt", "Stack", "StartedBy", "Log", "Command"]
    assert re.search(r"Failed: exit code 3  Failed +3 +sha256:a{12}  /bin/sh -c 'exit 3'$", rows[1])
    found = json.loads(call(WithPods(RUNS), "tasks", "shop", "-o", "json").stdout)
    assert [each["exitCode"] for each in found] == [0, 3, 7, None, None, None]
    blind = json.loads(call(WithPods(RUNS, allowed=False), "tasks", "-o", "json").stdout)
    assert [each["exitCode"] for each in blind] == [0, 3, None, None, None, None]


@dataclasses.dataclass
class Forgetful(FakeCluster):
    """Its pods have ended, at the times in `ends`, newest last; an empty one is of a pod that was taken away."""

    ends: tuple[tuple[str, str], ...] = ()

    def select_pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        return [
            {
                "metadata": {"labels": {"tekton.dev/pipelineRun": name}},
                "status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"finishedAt": end}}}]},
            }
            for name, end in self.ends
        ]


def test_what_tekton_has_forgotten_is_marked() -> None:
    names = [f"shop-migrate-{number}" for number in range(1, 7)]
    runs = [run(number, "True" if number == 1 else "Unknown", reason="Running") for number in range(1, 7)]
    now = moments.parse(FakeCluster().now)
    long_ago, just_now = (moments.text_of(now - timedelta(seconds=seconds)) for seconds in (300, 3))
    ends = ((names[0], long_ago), (names[1], long_ago), (names[2], just_now), (names[3], ""), ("other", long_ago))
    shown = call(Forgetful(runs, ends=ends), "tasks").stdout.splitlines()
    marked = [
        line.split()[1] for line in shown if "Running: its pod has ended or is gone, and Tekton has not noticed" in line
    ]
    assert marked == names[1:2] + names[3:4]
    said = json.loads(call(Forgetful(runs, ends=ends), "tasks", "-o", "json").stdout)
    assert [each["name"] for each in said if each["forgotten"]] == marked


@dataclasses.dataclass
class Abandoned(FakeCluster):
    """Has no pods; `children` are the TaskRuns of its runs by number: None of one that was deleted, "" of none yet."""

    children: dict[int, dict[str, Any] | str | None] = dataclasses.field(default_factory=dict)
    asked: list[str] = dataclasses.field(default_factory=list)

    def get_run(self, namespace: str, name: str) -> dict[str, Any]:
        self.asked.append(name)
        number = int(name.rpartition("-")[2])
        if number not in self.children:
            raise NotFound(name)
        references = [] if self.children[number] == "" else [{"name": name}]
        return {"metadata": {"name": name, "uid": str(number)}, "status": {"childReferences": references}}

    def task_run(self, namespace: str, run: dict[str, Any]) -> Any:
        return self.children[int(run["metadata"]["uid"])] or None


def test_what_has_lost_its_task_run_or_its_pod_is_marked_too() -> None:
    def task_run(uid: str, **status: str) -> dict[str, Any]:
        return {"metadata": {"ownerReferences": [{"uid": uid}]}, "status": status}

    children = {2: None, 3: "", 4: task_run("other"), 5: task_run("5", podName="gone"), 6: task_run("6")}
    runs = [run(1), *(run(number, "Unknown", reason="Running") for number in range(2, 8))]
    queued = run(8, "Unknown", reason="PipelineRunPending")
    young = dataclasses.replace(run(9, "Unknown"), created=FakeCluster().now)
    cluster = Abandoned([*runs, queued, young], children=children)
    lost = [f"shop-migrate-{number}" for number in (2, 4, 5)]
    said = json.loads(call(cluster, "tasks", "-o", "json").stdout)
    assert [each["name"] for each in said if each["forgotten"]] == lost
    assert cluster.asked == [f"shop-migrate-{number}" for number in range(2, 8)], "nothing of who may just begin"
    many = Abandoned([dataclasses.replace(runs[1], name=f"shop-migrate-{number}") for number in range(2, 500)])
    assert call(many, "tasks", "-o", "json").exit_code == 0 and len(many.asked) == 10, "while Tekton is away, say"


def test_the_history_of_a_job_for_programs() -> None:
    from .test_jobs import WithJobs

    assert json.loads(call(WithJobs([run(1)]), "job-history", "nightly", "-o", "json").stdout)[0]["id"] == 1
    assert call(WithJobs([run(1)]), "job-history", "nightly", "-o", "name").stdout == "shop-migrate-1\n"
    assert yaml.safe_load(call(WithJobs([]), "job-history", "nightly", "-o", "yaml").stdout) == []


def test_what_only_the_archive_has(archive: Archive) -> None:  # noqa: F811
    assert call(three(), "tasks", "shop", "-o", "name").stdout.split() == ["shop-migrate-1", "shop-report-2"]
    shown = call(three(), "tasks", "shop", "--archived", "-o", "json")
    found = json.loads(shown.stdout)
    assert [each["name"] for each in found] == ["shop-report-0", "shop-migrate-1", "shop-report-2"]
    assert found[0]["archived"].startswith("sha256:") and found[0]["command"] is None
    failed = call(three(), "tasks", "shop", "--archived", "--state", "failed", "-o", "name").stdout
    assert failed.split() == ["shop-report-0", "shop-report-2"]


def test_an_archive_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KF_LOG_ARCHIVE", raising=False)
    result = call(three(), "tasks", "shop", "--archived")
    assert result.stderr.startswith("kf: no log archive is known: give --archive URL") and "migrate-1" in result.stdout
    monkeypatch.setenv("KF_LOG_ARCHIVE", "nothing://here")
    assert call(three(), "tasks", "--archived").stderr.startswith("kf: only what the cluster has: ")


class Changing(FakeCluster):
    """Answers otherwise each time, and in the end somebody presses Ctrl-C."""

    def list_runs(self, *_: Any, **__: Any) -> list[RunSummary]:
        answers: list[Any] = [
            [run(1, "Unknown", reason="Running")],
            [run(1, "Unknown", reason="Running")],
            Unreachable("down"),
            [run(1), run(2, "Unknown", reason="Started-for-a-long-time")],
        ]
        self.asked = getattr(self, "asked", -1) + 1
        if self.asked == len(answers):
            raise KeyboardInterrupt
        if isinstance(answers[self.asked], Exception):
            raise answers[self.asked]
        found: list[RunSummary] = answers[self.asked]
        return found


def test_what_changes_is_a_row_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("kf_tasks.cluster.listener.Listener.is_due", lambda self: True)
    result = call(Changing(), "tasks", "shop", "--watch")
    assert result.exit_code == 130
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        "Name", "shop-migrate-1", "shop-migrate-1", "shop-migrate-2",
    ]  # fmt: skip
    assert result.stderr == "kf: down; asking again\n"
    assert call(Changing(), "tasks", "--watch", "--archived").exit_code == 2
    assert call(FakeCluster(), "tasks", "shp", "--watch").stderr.startswith("kf: app 'shp' not found in space 'dev'")


def test_what_changes_for_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("kf_tasks.cluster.listener.Listener.is_due", lambda self: True)
    told = [json.loads(line) for line in call(Changing(), "tasks", "--watch", "-o", "json").stdout.splitlines()]
    changes = [("shop-migrate-1", "Running"), ("shop-migrate-1", "Succeeded"), ("shop-migrate-2", "Running")]
    assert [(each["name"], each["state"]) for each in told] == changes
    whole = list(yaml.safe_load_all(call(Changing(), "tasks", "--watch", "-o", "yaml").stdout))
    assert whole == told
    assert call(Changing(), "tasks", "--watch", "-o", "name").stdout.split() == ["shop-migrate-1", "shop-migrate-2"]
    head, *rows = call(Changing(), "tasks", "shop", "--watch", "-o", "wide").stdout.splitlines()
    assert "ExitCode" in head.split() and len(rows) == 3
    failed = call(Changing(), "tasks", "--watch", "--state", "failed", "-o", "json")
    assert (failed.stdout, failed.exit_code) == ("", 130)


class Forgotten(Changing):
    """Nothing changes but that Tekton has forgotten a run, which its pod alone tells."""

    def list_runs(self, *_: Any, **__: Any) -> list[RunSummary]:
        super().list_runs() if getattr(self, "asked", 0) < 1 else self.stop()
        return [run(1, "Unknown", reason="Running")]

    def stop(self) -> None:
        raise KeyboardInterrupt

    def select_pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        ended = [{"state": {"terminated": {"finishedAt": "2026-01-01T00:01:00Z"}}}]
        status = {"phase": "Failed", "containerStatuses": ended} if self.asked else {"phase": "Running"}
        labels = {"tekton.dev/pipelineRun": "shop-migrate-1"}
        metadata = {"name": "pod", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": labels}
        return [{"metadata": metadata, "status": status}]


def test_a_run_that_is_forgotten_is_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("kf_tasks.cluster.listener.Listener.is_due", lambda self: True)
    told = [json.loads(line) for line in call(Forgotten(), "tasks", "--watch", "-o", "json").stdout.splitlines()]
    assert [each["forgotten"] for each in told] == [False, True]


class Queues(FakeCluster):
    """Has a pod with a gate for the run 5."""

    def select_pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        labels = {"tekton.dev/pipelineRun": "shop-migrate-5", "kueue.x-k8s.io/queue-name": "team-a"}
        return [{"metadata": {"labels": labels}, "spec": {"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]}}]


def test_what_a_queue_holds_back_says_so() -> None:
    pending = run(6, "Unknown", reason="PipelineRunPending")
    pending = dataclasses.replace(pending, labels={**pending.labels, "kueue.x-k8s.io/queue-name": "team-b"})
    shown = call(Queues([run(4, "Unknown", reason="Running"), run(5, "Unknown", reason="Running"), pending]), "tasks")
    assert [line.split("Unknown")[1].strip() for line in shown.stdout.splitlines()[1:]] == [
        "Running", "Running: waits in queue team-a", "PipelineRunPending: waits in queue team-b",
    ]  # fmt: skip
    said = json.loads(call(Queues([run(5, "Unknown"), pending, run(7)]), "tasks", "-o", "json").stdout)
    assert [each["waiting"] for each in said] == ["waits in queue team-a", "waits in queue team-b", ""]
