"""What the history of an App says in a preview, and when it is another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kf_tasks import history
from kf_tasks import run as runs
from kf_tasks.core import definition
from kf_tasks.errors import Unreachable
from kf_tasks.provider import decision, survey
from kf_tasks.provider.survey import Survey
from pulumi.output import Unknown

from ..runs.test_submission import run

UNKNOWN = Unknown()  # type: ignore[no-untyped-call]
NEWS: dict[str, Any] = {
    "__preview": True, "connection": {}, "stack": "shop.dev", "stack_label": "shop.dev", "namespace": "shop",
    "owns_namespace": False, "app": "shop", "keep": 2, "min_history": "", "schedules": [], "runs": [], "urn": "urn",
}  # fmt: skip
EARLIER = {name: value for name, value in NEWS.items() if name not in ("min_history", "schedules")}
EVERY_MINUTE = [{"task": "t", "schedule": "* * * * *", "time_zone": "Etc/UTC"}]
THREE = [run(number, created=f"2026-11-25T0{number}:00:00Z") for number in (1, 2, 3)]
NAMES = [one.name for one in THREE]
NOW = "2026-11-25T12:00:00Z"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []

    def say(_urn: str, text: str, **how: Any) -> None:
        lines.append(f"warning: {text}" if how.get("warning") else text)

    for module in (history, decision):
        monkeypatch.setattr(module, "say", say)
        monkeypatch.setattr(module, "say_once", say)
    for name in ("in_place", "undecided"):
        monkeypatch.setattr(decision, name, set())
    monkeypatch.setattr(decision, "_decided", {})
    return lines


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def show(*found: Any, **what: Any) -> None:
        monkeypatch.setattr(survey, "survey", lambda *_: Survey(runs=list(found), now=NOW, **what))

    return show


def test_what_may_run_is_told_apart(said: list[str], sees: Callable[..., None]) -> None:
    sees(*THREE)
    task = {
        **NEWS, "task": "t", "when": "change", "must_succeed": True, "terminated": False, "manifest": UNKNOWN,
        "definition": {"image": UNKNOWN, "argv": ["echo"], "env": {}, "secret_env": [], "triggers": []},
    }  # fmt: skip
    decision.check({}, task)
    history.check({}, {**NEWS, "keep": 3, "runs": [UNKNOWN]})
    assert said == [
        "may run: image is known only during the update",
        f"may delete 1 of 3: {NAMES[0]} (beyond the newest 3 if all that may run does)",
    ]


def test_what_is_held_back_deletes_nothing(said: list[str], sees: Callable[..., None]) -> None:
    sees(*THREE)
    parts = {"image": "i", "argv": ["echo"], "env": {}, "secret_env": [], "triggers": []}
    task = {
        **NEWS, "task": "other", "when": "change", "must_succeed": True, "terminated": True, "manifest": UNKNOWN,
        "definition": parts, "key": definition.key(parts),
    }  # fmt: skip
    decision.check({}, task)
    history.check({}, {**NEWS, "keep": 3, "runs": [UNKNOWN]})
    assert not [line for line in said if "delete" in line]


def test_a_policy_of_every_kind_is_followed_and_told(said: list[str], sees: Callable[..., None]) -> None:
    sees(*THREE, run(4, "False", created="2026-11-25T04:00:00Z"))
    news = {**NEWS, "keep": 2.0, "max_age": "9h", "pinned": [NAMES[1], "shop-gone-1"]}
    found = history.check(news, news)
    assert found.inputs["expired"] == NAMES[:1] and history.diff(news, found.inputs).changes
    assert said == [
        f"will delete 1 of 4: {NAMES[0]} (beyond the newest 2)",
        f"held back: {NAMES[1]} (pinned)",
        "warning: pinned of app 'shop': there is no run shop-gone-1 (any more): kf tasks lists them",
    ]


def test_without_a_cluster_no_pin_is_doubted(said: list[str], sees: Callable[..., None]) -> None:
    sees(unasked=Unreachable("away"))
    history.check(NEWS, {**NEWS, "pinned": ["shop-gone-1"]})
    assert said == []


def test_how_far_history_reaches_is_said_when_it_changes(said: list[str], sees: Callable[..., None]) -> None:
    sees()
    busy = {**NEWS, "keep": 500, "schedules": EVERY_MINUTE}
    history.check({}, busy)
    history.check(busy, busy)
    assert said == [], "nothing was there before, or nothing is another one"
    history.check({**NEWS, "keep": 500}, busy)
    history.check(busy, {**busy, "keep": 60})
    assert said == [
        "retention: the newest 500 tasks are 8 hours 20 minutes of history at one run a minute",
        "retention: the newest 60 tasks are 1 hour of history at one run a minute",
    ]


def test_a_history_that_is_too_short_is_warned_of_each_time(said: list[str], sees: Callable[..., None]) -> None:
    sees()
    short = {**NEWS, "keep": 500, "schedules": EVERY_MINUTE, "min_history": "7d"}
    warning = (
        "warning: history of app 'shop': the newest 500 tasks are 8 hours 20 minutes of history at one run a minute, "
        "less than min_history (7d): keep=10080 would reach that far"
    )
    history.check({}, short)
    history.check(short, short)
    assert said == [warning, warning]
    history.check(short, {**short, "keep": 10080})
    assert said[2:] == ["retention: the newest 10080 tasks are 7 days of history at one run a minute"]


def test_the_state_of_an_earlier_version_is_no_change() -> None:
    assert not history.diff(EARLIER, NEWS).changes
    assert not history.diff(EARLIER, {**NEWS, "keep": 2.0}).changes
    for another in ({"keep_failed": 3}, {"max_age": "30d"}, {"pinned": ["r"]}, {"schedules": EVERY_MINUTE}):
        assert history.diff(EARLIER, {**NEWS, **another}).changes, another


def test_a_run_takes_no_notice_of_a_policy() -> None:
    olds = {"key": "k", "state": "Succeeded", "again": False}
    assert not runs.diff(olds, {**olds, "keep": 1, "keep_failed": 3, "max_age": "30d", "pinned": ["r"]}).changes
