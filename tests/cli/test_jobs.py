"""What Kf's commands about jobs say, on a cluster of plain data."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from typing import Any

import pytest
from kf_tasks.core.run.pipelinerun import TaskSpec, render
from kf_tasks.core.schedule import claim
from kf_tasks.errors import Conflict, Denied

from ..core.run.test_pipelinerun import SPEC
from .test_commands import NOW, FakeCluster, call, run

SINCE = "kf.dev/times-since"


def job(name: str, app: str = "shop", **spec: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": app, "kf.dev/schedule": name}
    metadata = {"name": f"{app}-{name}-12345678", "labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z",
                "annotations": {"kf.dev/concurrency-policy": "Replace"}}  # fmt: skip
    full = {"schedule": "0 3 * * *", "timeZone": "Europe/Berlin", "suspend": False, "concurrencyPolicy": "Allow"}
    return {"metadata": metadata, "spec": {**full, **spec}, "status": {"lastScheduleTime": "2026-01-01T00:30:00Z"}}


@dataclasses.dataclass
class WithJobs(FakeCluster):
    """A Space with a job of a schedule, one that is only run by hand, and one name that two Apps have."""

    declared: list[dict[str, Any]] = dataclasses.field(
        default_factory=lambda: [
            job("nightly"),
            job("by-hand", schedule="0 0 30 2 *", suspend=True),
            job("twice"),
            job("twice", "blog"),
        ]
    )
    changed: list[tuple[str, dict[str, Any], dict[str, str]]] = dataclasses.field(default_factory=list)
    stuck: tuple[str, ...] = ()  # CronJobs that have a Job whose pod cannot start

    def cron_jobs(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        assert selector == "kf.dev/schedule"
        return self.declared

    def jobs(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        assert selector == "kf.dev/schedule"
        return [
            {
                "metadata": {
                    "name": f"{owner}-1", "creationTimestamp": NOW,
                    "annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-02T02:00:00Z"},
                    "ownerReferences": [{"kind": "CronJob", "name": owner}],
                }
            }
            for owner in self.stuck
        ]  # fmt: skip

    def select_pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        assert selector == "kf.dev/schedule,app.kubernetes.io/component=submitter"
        state = {"waiting": {"reason": "ErrImagePull", "message": "no\x1b[31m\nimage"}}
        return [
            {
                "metadata": {"name": f"{owner}-1-x", "labels": {"batch.kubernetes.io/job-name": f"{owner}-1"}},
                "status": {"containerStatuses": [{"name": "submitter", "state": state}]},
            }
            for owner in self.stuck
        ]

    def warnings(self, namespace: str) -> list[dict[str, Any]]:
        raise Denied("events are not for you")

    def change_cron_job(self, namespace: str, name: str, spec: dict[str, Any], annotations: dict[str, str]) -> None:
        self.changed.append((name, spec, annotations))


def test_the_jobs_of_a_space() -> None:
    lines = call(WithJobs(), "jobs").stdout.splitlines()
    assert lines[0].split() == ["Name", "App", "Schedule", "TimeZone", "Suspend", "LastSchedule", "Next",
                                "ConcurrencyPolicy", "Age"]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == ["twice", "by-hand", "nightly", "twice"]
    assert re.search(r"^nightly +shop +0 3 \* \* \* +Europe/Berlin +False .* 03:00 CES?T +Replace", lines[3])
    assert re.search(r"^by-hand +shop +True ", lines[2])
    assert "by-hand" not in call(WithJobs(), "job-schedules").stdout
    assert call(WithJobs(), "jobs", "-o", "name").stdout.splitlines()[2] == "shop/nightly"
    found = json.loads(call(WithJobs(), "jobs", "-o", "json").stdout)
    assert (found[2]["name"], found[2]["schedule"], found[2]["policy"]) == ("nightly", "0 3 * * *", "Replace")


def test_a_job_that_does_not_run_is_told_of() -> None:
    """In the list and in its history, in a line that does nothing to a terminal; two days have gone by."""
    cluster = WithJobs(declared=[job("nightly"), job("by-hand", schedule="0 0 30 2 *", suspend=True)],
                       stuck=("shop-nightly-12345678",), now="2026-01-03T12:00:00Z")  # fmt: skip
    said = "kf: job 'nightly' of app 'shop' has missed 3 times since Thu 1 Jan 2026 03:00 CET: ErrImagePull: no image\n"
    for command in (["jobs"], ["job-schedules"], ["job-history", "nightly"]):
        assert call(cluster, *command).stderr == said
    nightly, by_hand = reversed(json.loads(call(cluster, "jobs", "-o", "json").stdout))
    assert (nightly["missed"], nightly["missed_since"]) == (3, "2026-01-01T02:00:00Z")
    assert nightly["missed_because"].startswith("ErrImagePull: ")
    assert (by_hand["missed"], by_hand["missed_since"], by_hand["missed_because"]) == (0, None, None)
    healthy = WithJobs(declared=[job("nightly")])
    assert call(healthy, "jobs").stderr == ""


def test_the_forms_of_jobs() -> None:
    cluster = WithJobs(declared=[job("nightly")], stuck=("shop-nightly-12345678",), now="2026-01-03T12:00:00Z")
    head, row = call(cluster, "jobs", "-o", "wide").stdout.splitlines()
    assert head.split()[-4:] == ["CronJob", "Missed", "MissedSince", "MissedBecause"]
    assert re.search(r"shop-nightly-12345678 +3 +2026-01-01T02:00:00Z +ErrImagePull: ", row)
    [found] = json.loads(call(cluster, "job-schedules", "-o", "json").stdout)
    assert list(found) == ["name", "app", "cron_job", "schedule", "time_zone", "suspended", "policy", "created", "last",
                           "missed", "missed_since", "missed_because"]  # fmt: skip
    assert call(WithJobs(declared=[]), "jobs", "-o", "json").stdout == "[]\n"


def test_no_jobs() -> None:
    assert call(WithJobs(declared=[]), "jobs").stdout == "No jobs in space 'dev'.\n"


def test_what_a_job_has_run() -> None:
    assert "shop-migrate-1" in call(WithJobs([run(1)]), "job-history", "nightly").stdout
    assert "has not run yet" in call(WithJobs(), "job-history", "shop/nightly").stdout


def test_suspending_and_scheduling_say_what_pulumi_does() -> None:
    cluster = WithJobs()
    said = call(cluster, "delete-job-schedule", "nightly").stdout
    assert said == (
        "Job 'nightly' of app 'shop' is suspended.\n"
        "A plain `pulumi up` does not see this; `pulumi up --refresh` sets it back to what the program says.\n"
    )
    for command in ("schedule-job", "schedule-task"):
        result = call(cluster, command, "blog/twice", "*/5 * * * *")
        assert result.stdout.startswith("Job 'twice' is scheduled, next: ")
        assert "`pulumi up --refresh` sets it back" in result.stdout
        assert result.stderr == "kf: job 'twice' is already scheduled (0 3 * * *): it is replaced\n"
    assert cluster.changed == [
        ("shop-nightly-12345678", {"suspend": True}, {SINCE: f"{NOW} suspended 0 3 * * * Europe/Berlin"}),
        *[
            (
                "blog-twice-12345678",
                {"schedule": "*/5 * * * *", "suspend": False},
                {SINCE: f"{NOW} */5 * * * * Europe/Berlin"},
            )
        ]
        * 2,
    ]


def test_a_job_that_is_scheduled_as_it_is_keeps_its_times() -> None:
    cluster = WithJobs()
    call(cluster, "schedule-job", "nightly", "0 3 * * *")
    assert cluster.changed == [("shop-nightly-12345678", {"schedule": "0 3 * * *", "suspend": False}, {})]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["delete-job", "nightly"], "kf: job 'nightly' is declared in a Pulumi program, which would make it again"),
        (["delete-job-schedule", "by-hand"], "kf: Job is already suspended. (job 'by-hand' of app 'shop')"),
        (["run-job", "nothing"], "kf: job 'nothing' not found in space 'dev': its jobs are blog/twice, shop/by-hand"),
        (["run-job", "twice"], "kf: job 'twice' is declared by 2 apps: choose one of blog/twice, shop/twice"),
        (["job-history", "blog/nightly"], "kf: job 'blog/nightly' not found"),
        (["schedule-job", "nightly", "@every 5m"], "kf: job 'nightly': '@every 5m' counts from"),
        (["run-job", "nightly", "-m", "3"], "kf: job 'nightly': --memory-limit: '3' is no amount"),
        (["run-job", "nightly", "--env", "KF_A=1"], "kf: job 'nightly': --env: KF_A is set by the platform"),
    ],
)  # fmt: skip
def test_one_line_and_an_exit_code(arguments: list[str], text: str) -> None:
    cluster = WithJobs()
    result = call(cluster, *arguments)
    assert (result.exit_code, cluster.changed) == (1, [])
    assert result.stderr.startswith(text) and result.stderr.count("\n") == 1, result.stderr
    assert result.stdout == ""


def test_a_job_that_forbids_two_at_once_is_not_run_twice() -> None:
    settings = {"cron_job": "shop-nightly", "policy": "Forbid", "keep": 2}
    cluster = Counting([run(1, "Unknown")], settings=settings)
    result = call(cluster, "run-job", "nightly")
    assert result.exit_code == 1
    assert result.stderr.startswith("kf: job 'nightly' of app 'shop' runs (task shop-migrate-1), and its concurrency")


@dataclasses.dataclass
class Counting(WithJobs):
    """A Space whose App counts ids and claims; `meanwhile` happens before a claim is written."""

    apps: tuple[str, ...] = ("shop", "shop.nightly")
    settings: dict[str, Any] = dataclasses.field(
        default_factory=lambda: {"cron_job": "shop-nightly", "policy": "Forbid", "keep": 2, "stack": "shop.dev"}
    )
    manifest: str = json.dumps(render(TaskSpec(**SPEC)))
    counter: dict[str, Any] = dataclasses.field(
        default_factory=lambda: {"metadata": {"resourceVersion": "1", "annotations": {}}}
    )
    at_work: tuple[str, ...] = ()
    meanwhile: list[str] = dataclasses.field(default_factory=list)
    held: list[str] = dataclasses.field(default_factory=list)

    def config_map(self, namespace: str, name: str) -> dict[str, Any]:
        assert (namespace, name) == ("dev", "kf-shop")
        return copy.deepcopy(self.counter)

    def patch_config_map(self, _namespace: str, _name: str, body: dict[str, Any]) -> None:
        if self.meanwhile:
            self._write(claim.claiming(self.counter, "nightly", self.meanwhile.pop()))
        self._write(body)

    def _write(self, body: dict[str, Any]) -> None:
        metadata = self.counter["metadata"]
        if body["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            raise Conflict("somebody else was faster", 409)
        metadata["annotations"].update(body["metadata"]["annotations"])
        metadata["resourceVersion"] += "1"

    def job(self, _namespace: str, name: str) -> dict[str, Any] | None:
        return {"metadata": {}} if name in self.at_work else None

    def allocate_id(self, _namespace: str, _counter: str, at_least: int) -> int:
        return at_least + 1

    def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
        self.held.append(claim.holder(self.counter, "nightly"))
        return manifest


def test_who_runs_a_job_claims_it_as_its_schedule_does() -> None:
    cluster = Counting()
    result = call(cluster, "run-job", "nightly")
    assert result.exit_code == 0, result.stderr
    [held] = cluster.held
    assert held.startswith("until 2026-01-01T01:05:00Z ") and claim.holder(cluster.counter, "nightly") == ""
    assert claim.holds(held, NOW, lambda name: cluster.job("dev", name)) == "kf run-job", (
        "what a pod of the schedule makes of it"
    )
    assert claim.holds(held, "2026-01-01T01:05:00Z", lambda name: cluster.job("dev", name)) == "", (
        "of one that was killed"
    )


@pytest.mark.parametrize(
    ("holder", "refused"),
    [("shop-nightly-29", True), ("shop-nightly-ended", False), ("until 2026-01-01T01:00:01Z other", True),
     ("until 2026-01-01T00:59:59Z other", False), ("until", False), ("until  ", False)],
)  # fmt: skip
@pytest.mark.parametrize("late", [False, True], ids=["before", "meanwhile"])
def test_what_the_schedule_is_about_to_start_is_not_started_beside_it(holder: str, refused: bool, late: bool) -> None:
    cluster = Counting(at_work=("shop-nightly-29",), meanwhile=[holder] if late else [])
    if not late:
        cluster._write(claim.claiming(cluster.counter, "nightly", holder))
    result = call(cluster, "run-job", "nightly")
    assert (result.exit_code, len(cluster.held)) == ((1, 0) if refused else (0, 1)), result.stderr
    if refused:
        assert "nightly' of app 'shop' is about to start (" in result.stderr and "policy is Forbid" in result.stderr
        assert claim.holder(cluster.counter, "nightly") == holder, "it is not ours to give back"
