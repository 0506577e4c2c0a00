"""What is said of a schedule: other times when they change, and drift only where the cluster has moved by itself."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.core.schedule.cron import NEVER

from .adapters import Calendars
from .previews import Answers, Seen

pytestmark = pytest.mark.usefixtures("adapter")

OLDS: dict[str, Any] = {
    "__preview": True, "connection": {}, "stack": "shop.dev", "namespace": "shop", "app": "shop", "task": "nightly",
    "cron_job": "shop-nightly", "schedule": "0 4 * * *", "time_zone": "Etc/UTC", "suspend": False, "keep": 5.0,
    "generation": 1.0, "manifest": {"metadata": {"labels": {}}}, "urn": "urn",
}  # fmt: skip


def drift(live: dict[str, Any], olds: dict[str, Any], **news: Any) -> list[str]:
    spec = {"schedule": "0 4 * * *", "suspend": False, **live}
    return [line for line in told(spec, olds, **news) if line.startswith("in the cluster it is ")]


def told(spec: dict[str, Any], olds: dict[str, Any], **news: Any) -> list[str]:
    labels = {"app.kubernetes.io/name": "shop", "kf.dev/schedule": "nightly"}
    metadata = {"name": "shop-nightly", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": labels}
    quota = {"involvedObject": {"kind": "CronJob", "name": "shop-nightly"}, "reason": "FailedCreate",
             "message": "exceeded quota", "metadata": {}}  # fmt: skip
    answers = Answers(
        cron_jobs=[{"metadata": metadata, "spec": spec}], create_run={}, jobs=[], select_pods=[], warnings=[quota],
        list_runs=[RunSummary("x", "u", "", True, labels, {"kf.dev/scheduled-at": "2026-01-03T04:00:00Z"})],
    )  # fmt: skip
    answers.now = "2026-01-04T12:00:00Z"
    seen = Seen(cluster=answers)
    Calendars(seen).check(olds, {**OLDS, **news})
    return seen.said


def test_what_it_has_missed_is_said_in_the_next_preview() -> None:
    spec = {"schedule": "0 4 * * *", "timeZone": "Etc/UTC", "suspend": False}
    said = "warning: has missed its time of Sun 4 Jan 2026 04:00 UTC: FailedCreate: exceeded quota"
    assert told(spec, OLDS) == [said]
    assert told(spec, OLDS, __preview=False) == [], "the update itself says what it does"
    assert said not in told(spec, {}), "there was no schedule before"
    assert told({**spec, "suspend": True}, {**OLDS, "suspend": True}, suspend=True) == []


@pytest.mark.parametrize("news", [{"schedule": "30 2 * * *"}, {"suspend": True}, {"schedule": ""}, {}])
def test_what_this_update_changes_is_no_drift(news: dict[str, Any]) -> None:
    assert drift({}, OLDS, **news) == []


def test_what_is_no_longer_suspended_is_no_drift() -> None:
    assert drift({"suspend": True}, {**OLDS, "suspend": True}) == []
    assert drift({"suspend": True, "schedule": NEVER}, {**OLDS, "schedule": ""}) == []


@pytest.mark.parametrize(
    ("live", "now"),
    [({"suspend": True}, "suspended"), ({"schedule": "1 1 * * *"}, "scheduled for '1 1 * * *'")],
)
@pytest.mark.parametrize("news", [{}, {"schedule": "30 2 * * *"}])
def test_what_the_cluster_has_changed_by_itself_is(live: dict[str, Any], now: str, news: dict[str, Any]) -> None:
    assert drift(live, OLDS, **news) == [
        f"in the cluster it is {now}: pulumi up --refresh sets it back, a plain update does not see it"
    ]


@pytest.mark.parametrize("news", [{"schedule": "1 1 * * *"}, {"suspend": True}])
def test_what_this_update_has_changed_already_is_none(news: dict[str, Any]) -> None:
    assert drift(news, OLDS, **news) == []
    assert drift({**news, "suspend": True}, OLDS, schedule="1 1 * * *") != [], "somebody has suspended it besides"


def test_a_new_schedule_has_not_drifted() -> None:
    assert drift({"suspend": True}, {}) == []


def test_what_is_remembered_is_what_changes() -> None:
    room = Calendars(Seen(cluster=Answers(cron_jobs=[], jobs=[], config_maps=[])))
    kept = room.create(OLDS).outs
    assert kept == {name: OLDS[name] for name in OLDS if name not in ("__preview", "connection", "stack", "urn")}
    assert not room.diff(kept, OLDS).changes and room.diff(kept, {**OLDS, "keep": 6}).changes
    assert room.update(kept, {**OLDS, "keep": 6}).outs == {**kept, "keep": 6}
