"""What a schedule has missed, from its CronJob, Jobs, pods and events."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core import marks, moments
from kf_tasks.core.schedule.missed import Missed, missed

MADE = "2026-11-25T00:00:30Z"
NOW = "2026-11-25T00:10:30Z"
PULL = 'Back-off pulling image "r/nope:1"'


def cron_job(name: str = "shop-tick", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "creationTimestamp": MADE},
        "spec": {"schedule": "* * * * *", "timeZone": "Europe/Berlin", "suspend": False, **spec},
    }


def job(minute: int, *conditions: dict[str, Any], of: str = "shop-tick", late: int = 1) -> dict[str, Any]:
    when = f"2026-11-25T00:{minute:02}:00Z"
    made = moments.of_epoch(moments.epoch(when) + late)
    return {
        "metadata": {
            "name": f"{of}-{minute}", "creationTimestamp": made, "annotations": {marks.TIMESTAMP: when},
            "ownerReferences": [{"kind": "CronJob", "name": of}],
        },
        "status": {"conditions": list(conditions)},
    }  # fmt: skip


def condition(type_: str, reason: str = "", message: str = "") -> dict[str, Any]:
    return {"type": type_, "status": "True", "reason": reason, "message": message}


def pod(minute: int, state: dict[str, Any]) -> dict[str, Any]:
    of = f"shop-tick-{minute}"
    return {
        "metadata": {"name": f"{of}-x", "labels": {"batch.kubernetes.io/job-name": of}},
        "status": {"containerStatuses": [{"name": "submitter", "state": state}]},
    }


def event(kind: str, name: str, message: str, at: str = NOW, reason: str = "FailedCreate") -> dict[str, Any]:
    return {
        "involvedObject": {"kind": kind, "name": name}, "reason": reason, "message": message, "lastTimestamp": at,
        "metadata": {},
    }  # fmt: skip


def made_from(image: str, found: dict[str, Any]) -> dict[str, Any]:
    spec = {"template": {"metadata": {"labels": {"job-name": found["metadata"]["name"]}}, "spec": {"image": image}}}
    return {**found, "spec": spec}


WAITING = {"waiting": {"reason": "ImagePullBackOff", "message": PULL}}
DONE = condition("Complete")
LATE = condition("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
EVERY = [job(minute) for minute in range(1, 11)]


def test_an_image_that_cannot_be_pulled() -> None:
    pods = [pod(minute, WAITING) for minute in range(1, 11)]
    found = missed(cron_job(), EVERY, pods, NOW)
    assert found == Missed(9, "2026-11-25T00:01:00Z", "Wed 25 Nov 2026 01:01 CET", f"ImagePullBackOff: {PULL}")
    assert found.sentence == f"has missed 9 times since Wed 25 Nov 2026 01:01 CET: ImagePullBackOff: {PULL}"
    assert missed(cron_job(suspend=True), EVERY, pods, NOW) is None
    assert missed(cron_job("shop-other"), EVERY, pods, MADE) is None, "another schedule's Jobs"


def test_it_begins_after_the_last_that_worked() -> None:
    jobs = [job(1, DONE), job(2), job(3, DONE), *[job(minute) for minute in range(4, 11)]]
    pods = [pod(minute, WAITING) for minute in (2, 4, 5, 6, 7, 8, 9, 10)]
    found = missed(cron_job(), jobs, pods, NOW)
    assert found and (found.count, found.since) == (6, "2026-11-25T00:04:00Z")
    found = missed(cron_job(), jobs, pods, NOW, ran=["2026-11-25T00:08:00Z", ""])
    assert found and found.count == 1
    assert found.sentence == f"has missed its time of Wed 25 Nov 2026 01:09 CET: ImagePullBackOff: {PULL}"
    assert missed(cron_job(), jobs, pods, NOW, ran=["2026-11-25T00:09:00Z"]) is None


@pytest.mark.parametrize(
    "newest",
    [
        (job(10, DONE), []),
        (job(10, condition("Failed", "PodFailurePolicy")), []),
        (job(10), [pod(10, {"running": {}})]),
        (job(10), [pod(10, {"terminated": {"exitCode": 3}})]),
        (made_from("r/yes:1", job(10)), [pod(10, {"waiting": {"reason": "ContainerCreating"}})]),
        (made_from("r/yes:1", job(10)), []),
    ],
)
def test_one_that_works_or_begins_corrected_has_missed_nothing(newest: Any) -> None:
    """Also where older Jobs wait for ever: an image was corrected."""
    jobs = [*(made_from("r/nope:1", one) for one in EVERY[:9]), newest[0]]
    assert missed(cron_job(), jobs, [pod(minute, WAITING) for minute in range(1, 10)] + newest[1], NOW) is None


@pytest.mark.parametrize("state", [{"waiting": {"reason": "ContainerCreating"}}, None])
def test_one_that_begins_as_those_before_it_hides_none_of_them(state: Any) -> None:
    jobs = [made_from("r/nope:1", one) for one in EVERY]
    pods = [*(pod(minute, WAITING) for minute in range(1, 10)), *([pod(10, state)] if state else [])]
    found = missed(cron_job(), jobs, pods, NOW)
    assert found == Missed(9, "2026-11-25T00:01:00Z", "Wed 25 Nov 2026 01:01 CET", f"ImagePullBackOff: {PULL}")
    silent = missed(cron_job(), jobs, [], NOW)
    assert silent and (silent.count, silent.why) == (9, "its pod has not started")
    assert missed(cron_job(), jobs[9:], [], NOW) is None, "the first that is known: nothing tells of those before it"
    assert missed(cron_job(), [*jobs[:8], made_from("r/nope:1", job(9, DONE)), jobs[9]], pods, NOW) is None


@pytest.mark.parametrize(
    ("jobs", "pods", "events", "why"),
    [
        (EVERY, [], [event("Job", "shop-tick-9", "old", MADE), event("Job", "shop-tick-10", "exceeded quota: q")],
         "FailedCreate: exceeded quota: q"),
        (EVERY, [pod(10, {"waiting": {"reason": "ContainerCreating"}})],
         [event("Pod", "shop-tick-10-x", "no such volume", reason="FailedMount")], "FailedMount: no such volume"),
        (EVERY, [{**pod(10, {}), "status": {"conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]}}], [],
         "not scheduled: 0/1 nodes are available"),
        (EVERY, [pod(10, {"terminated": {"exitCode": 128, "message": "python3: not found"}})], [],
         "its pod ended with exit code 128: python3: not found"),
        ([job(5, LATE), job(6, LATE)], [], [], "DeadlineExceeded: Job was active longer than specified deadline"),
        ([], [], [event("CronJob", "shop-tick", "Too many missed", reason="TooManyMissedTimes")],
         "TooManyMissedTimes: Too many missed"),
        ([], [], [event("CronJob", "shop-tick-tock", "of another")], "Kubernetes has made no Job for it"),
        ([*EVERY[:8]], [], [], "its pod has not started"),
    ],
)  # fmt: skip
def test_why_in_the_clusters_words(jobs: Any, pods: Any, events: Any, why: str) -> None:
    found = missed(cron_job(), jobs, pods, NOW, events)
    assert found and found.why == why
    assert (found.count, found.since) == (9, "2026-11-25T00:01:00Z")


def test_times_before_a_change_of_the_schedule_are_none() -> None:
    found = cron_job()
    found["metadata"]["annotations"] = {marks.TIMES_SINCE: "2026-11-25T00:07:30Z * * * * * Europe/Berlin"}
    told = missed(found, [], [], NOW)
    assert told and (told.count, told.since) == (2, "2026-11-25T00:08:00Z")
    assert missed(cron_job(schedule="@every 5m"), [], [], NOW) is None, "written past us"


def test_a_schedule_that_comes_seldom_is_not_asked_for_times_to_come() -> None:
    yearly = cron_job(schedule="0 4 1 1 *")
    assert missed(yearly, [], [], NOW) is None
    told = missed(yearly, [], [], "2028-06-01T00:00:00Z")
    assert told and (told.count, told.since) == (2, "2027-01-01T03:00:00Z")


def test_not_all_times_of_a_year_are_counted() -> None:
    told = missed(cron_job(), [], [], "2027-11-25T00:00:00Z")
    assert told and told.sentence.startswith("has missed 10000 or more times since Wed 25 Nov 2026 01:01 CET: ")
