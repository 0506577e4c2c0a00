"""The provider holds an update to its approval: in the preview and in the update, before anything is changed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kf_tasks.core import definition
from kf_tasks.core.approval import Approval, Place, Start, Times
from kf_tasks.provider.hosting import Failure
from kf_tasks.provider.survey import Survey

from .. import messages
from ..runs.test_submission import run
from .adapters import Calendars, Histories, Runs
from .previews import Answers, Seen
from .test_history import NAMES, NEWS, NOW, PARTS, THREE, UNKNOWN, task_of

pytestmark = pytest.mark.usefixtures("adapter")

GOOD = Approval("shop.dev", "2026-11-25T11:00:00Z", "2026-11-26T11:00:00Z")
START = Start("shop", "shop", "t", False, definition.key(PARTS), (), "")
JOB: dict[str, Any] = {
    **{name: NEWS[name] for name in ("__preview", "connection", "stack", "namespace", "app", "urn")}, "task": "n",
    "cron_job": "shop-n", "schedule": "0 3 * * *", "time_zone": "Etc/UTC", "suspend": False, "keep": 5,
    "manifest": UNKNOWN,
}  # fmt: skip


@pytest.fixture
def seen() -> Seen:
    return Seen(Survey(now=NOW, cluster="one"), Answers(create_run={}, cron_jobs=[], jobs=[]))


def approved(folder: Path, **more: Any) -> dict[str, str]:
    path = folder / "approved.json"
    path.write_text(replace(GOOD, **more).text())
    return {"__approved": str(path)}


def refused(result: Any, title: str = "") -> str:
    """Why a check refuses; with a `title` it is one of the messages that a reviewer sees change."""
    [failure] = result.failures
    text = str(failure.reason)
    if title:
        messages.check(f"approval: {title}", re.sub(r"approval \S+/", "approval ", text), "")
    return text


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_only_what_is_approved_runs(seen: Seen, tmp_path: Path, preview: bool) -> None:
    given = approved(tmp_path, starts=(START,))
    assert not Runs(seen).check({}, task_of("t", __preview=preview, **given)).failures
    for task in "abcde":
        said = refused(Runs(seen).check({}, task_of(task, __preview=preview, **given)))
        assert said.startswith(f"task {task!r} of app 'shop' will run, which is not approved: first run. To have that")
    other = task_of("t", __preview=preview, definition={**PARTS, "image": "other"}, **given)
    found = Runs(seen).check({}, other)
    assert "by another definition than the approved one" in refused(found, "another definition")
    refused(Runs(seen).check({}, task_of("e", __preview=preview, **given)), "a task that is not in it")


def test_a_run_that_failed_since_then_is_a_difference(seen: Seen, tmp_path: Path) -> None:
    labels = {**run(1, "False").labels, "kf.dev/task": "t", "kf.dev/key": str(START.key)}
    seen.sees(replace(run(1, "False"), labels=labels, reason="Failed"), now=NOW)
    found = Runs(seen).check({}, task_of("t", **approved(tmp_path, starts=(START,))))
    said = refused(found, "a run that failed since then")
    assert f"but run {run(1).name}, which has failed, appeared since that was approved" in said


def test_what_does_not_run_needs_no_approval(seen: Seen, tmp_path: Path) -> None:
    before = Runs(seen).check({}, task_of("t")).inputs
    seen.decided.clear()
    assert not Runs(seen).check(before, task_of("t", **approved(tmp_path))).failures


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"stack": "shop.prod"}, "approves an update of stack 'shop.prod', and this is 'shop.dev'"),
        ({"expires_at": NOW}, f"was approved until {NOW}, and it is {NOW}"),
    ],
)
def test_an_approval_that_does_not_hold_stops_each_of_them(
    seen: Seen, tmp_path: Path, change: dict[str, str], sentence: str
) -> None:
    given = approved(tmp_path, starts=(START,), **change)
    assert sentence in refused(Runs(seen).check({}, task_of("t", **given)), next(iter(change)))
    assert sentence in refused(Histories(seen).check({}, {**NEWS, **given}))
    assert sentence in refused(Calendars(seen).check({}, {**JOB, **given}))


def test_only_what_is_approved_is_deleted(seen: Seen, tmp_path: Path) -> None:
    seen.sees(*THREE, now=NOW)
    one = (Place("shop", "shop", NAMES[0]),)
    assert not Histories(seen).check({}, {**NEWS, **approved(tmp_path, deletions=one)}).failures
    (tmp_path / "other").mkdir()
    found = Histories(seen).check({}, {**NEWS, "keep": 1, **approved(tmp_path / "other", deletions=one)})
    said = refused(found, "a deletion")
    assert f"retention would delete what is not approved: {NAMES[1]} (beyond the newest 1). To have" in said
    assert NAMES[0] not in said


def test_an_app_goes_only_where_that_is_approved(seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KF_APPROVED", approved(tmp_path)["__approved"])
    with pytest.raises(Failure, match="would be removed with all its runs, which is not approved"):
        Histories(seen).delete({**NEWS})
    with pytest.raises(Failure, match="job 'n' of app 'shop' would be removed, which is not approved"):
        Calendars(seen).delete({**JOB})
    moved = {**NEWS, "namespace": "elsewhere"}
    found = Histories(seen).check({**NEWS}, moved)
    assert "'shop' in namespace 'shop' would be removed" in refused(found, "an app that is removed")
    (tmp_path / "all").mkdir()
    gone = approved(tmp_path / "all", removals=(Place("shop", "shop"),))
    monkeypatch.setenv("KF_APPROVED", gone["__approved"])
    Calendars(seen).delete({**JOB})


def test_a_schedule_becomes_what_is_approved(seen: Seen, tmp_path: Path) -> None:
    given = approved(tmp_path, schedules=(Times("shop", "shop", "n", "0 3 * * *", "Etc/UTC"),))
    assert not Calendars(seen).check({}, {**JOB, **given}).failures
    found = Calendars(seen).check({**JOB}, {**JOB, "schedule": "0 4 * * *", **given})
    said = refused(found, "a schedule")
    assert "becomes '0 4 * * *' in Etc/UTC, approved is '0 3 * * *' in Etc/UTC" in said
    assert not Calendars(seen).check({**JOB}, {**JOB, **given}).failures, "the same as before needs none"


def test_a_file_that_is_gone_meanwhile_is_told(seen: Seen, tmp_path: Path) -> None:
    missing = {"__approved": str(tmp_path / "missing.json")}
    assert "missing.json cannot be read" in refused(Runs(seen).check({}, task_of("t", **missing)))
    edited = tmp_path / "edited.json"
    edited.write_text(replace(GOOD, starts=(START,)).text().replace('"t"', '"u"'))
    refused(Runs(seen).check({}, task_of("t", __approved=str(edited))), "an edited file")


def test_what_has_begun_in_time_is_not_stopped_half_way(seen: Seen, tmp_path: Path) -> None:
    given = approved(tmp_path, starts=(START,))
    assert not Runs(seen).check({}, task_of("t", **given)).failures
    seen.sees(now="2026-11-27T00:00:00Z")
    assert not Histories(seen).check({}, {**NEWS, **given}).failures
    assert "was approved until" in refused(Histories(Seen(seen.seen)).check({}, {**NEWS, **given}))
