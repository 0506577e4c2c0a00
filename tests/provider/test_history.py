"""What the history of an App says in a preview, and when it is another one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kf_tasks.core import definition, marks
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.core.state import LOST
from kf_tasks.errors import Unreachable
from kf_tasks.provider.hosting import Failure
from kf_tasks.provider.survey import Survey
from kf_tasks.runs.notifying import Notifying
from pulumi.output import Unknown

from ..cluster.unwatched import Unwatched
from ..runs.test_archiving import NAMES as NAMES_ARCHIVED
from ..runs.test_archiving import Cluster as Stored
from ..runs.test_submission import run
from .adapters import Histories, Runs
from .previews import Seen

pytestmark = pytest.mark.usefixtures("adapter")

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


class Archived(Stored):
    """Runs whose logs can be stored, but for those of a silent node."""

    def __init__(self, *silent: str) -> None:
        super().__init__(*silent)
        self.left, self.gone = [*NAMES_ARCHIVED], list[str]()

    def list_runs(self, *_: Any, **__: Any) -> list[RunSummary]:
        return [RunSummary.of_object(self.run(name)) for name in self.left]

    def note_pruned(self, *_: Any) -> None:
        pass

    def delete_runs(self, _namespace: str, runs: list[RunSummary], **_: Any) -> list[str]:
        names = [one.name for one in runs]
        self.left, self.gone = [name for name in self.left if name not in names], [*self.gone, *names]
        return names


@pytest.fixture
def seen() -> Seen:
    return Seen(Survey(now=NOW, cluster="one"))


def test_what_may_run_is_told_apart(seen: Seen) -> None:
    seen.sees(*THREE, now=NOW)
    task = {
        **NEWS, "task": "t", "when": "change", "must_succeed": True, "terminated": False, "manifest": UNKNOWN,
        "definition": {"image": UNKNOWN, "argv": ["echo"], "env": {}, "secret_env": [], "triggers": []},
    }  # fmt: skip
    Runs(seen).check({}, task)
    assert seen.said[0] == "may run: image is known only during the update"
    seen.said.clear()
    Histories(seen).check({}, {**NEWS, "keep": 3, "runs": [UNKNOWN]})
    assert seen.said == [
        f"may delete 1 of 3: {NAMES[0]} (beyond the newest 3 if all that may run does)",
    ]


PARTS = {"image": "i", "argv": ["echo"], "env": {}, "secret_env": [], "triggers": []}


def task_of(name: str, **more: Any) -> dict[str, Any]:
    given = {"task": name, "when": "change", "must_succeed": True, "terminated": False, "manifest": UNKNOWN}
    return {**NEWS, **given, "definition": PARTS, **more}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_every_new_run_is_counted(seen: Seen, preview: bool) -> None:
    """Five new tasks and a changed one, by what the update decides of each: in it, their names are known."""
    seen.sees(*THREE, now=NOW)
    before = Runs(seen).check({}, task_of("changed")).inputs
    seen.sees(*THREE, now=NOW)
    seen.decided.clear()
    Runs(seen).check(before, task_of("changed", definition={**PARTS, "argv": ["other"]}))
    for task in "abcde":
        Runs(seen).check({}, task_of(task, __preview=preview))
    Runs(seen).check(before | {"task": "same"}, task_of("same"))
    runs = [UNKNOWN] * 6 if preview else [f"shop-{task}-1" for task in "abcdef"]
    found = Histories(seen).check({}, {**NEWS, "keep": 7, "runs": runs})
    assert found.inputs["_expired"] == NAMES[:2]
    assert f"will delete 2 of 9: {NAMES[0]}, {NAMES[1]} (beyond the newest 7)" in seen.said


def test_a_run_that_is_adopted_is_there_already(seen: Seen) -> None:
    inputs = Runs(seen).check({}, task_of("migrate")).inputs
    seen.decided.clear()
    labels = {**run(1).labels, "kf.dev/key": inputs["key"]}
    seen.sees(*(replace(one, labels=labels) if one is THREE[2] else one for one in THREE), now=NOW)
    adopting = Runs(seen).check({}, task_of("migrate", keep=3)).inputs
    assert adopting["_starts"] == "will" and adopting["_because"].startswith("adopts run ")
    Histories(seen).check({}, {**NEWS, "keep": 3, "runs": [UNKNOWN]})
    assert not [line for line in seen.said if "delete" in line]


def test_what_is_held_back_deletes_nothing(seen: Seen) -> None:
    seen.sees(*THREE, now=NOW)
    parts = {"image": "i", "argv": ["echo"], "env": {}, "secret_env": [], "triggers": []}
    task = {
        **NEWS, "task": "other", "when": "change", "must_succeed": True, "terminated": True, "manifest": UNKNOWN,
        "definition": parts, "key": definition.key(parts),
    }  # fmt: skip
    Runs(seen).check({}, task)
    Histories(seen).check({}, {**NEWS, "keep": 3, "runs": [UNKNOWN]})
    assert not [line for line in seen.said if "delete" in line]


def test_a_policy_of_every_kind_is_followed_and_told(seen: Seen) -> None:
    seen.sees(*THREE, run(4, "False", created="2026-11-25T04:00:00Z"), now=NOW)
    news = {**NEWS, "keep": 2.0, "max_age": "9h", "pinned": [NAMES[1], "shop-gone-1"]}
    found = Histories(seen).check(news, news)
    assert found.inputs["_expired"] == NAMES[:1] and Histories(seen).diff(news, found.inputs).changes
    assert seen.said == [
        f"will delete 1 of 4: {NAMES[0]} (beyond the newest 2)",
        f"held back: {NAMES[1]} (pinned)",
        "warning: pinned of app 'shop': there is no run shop-gone-1 (any more): kf tasks shop --space shop",
    ]


def test_without_a_cluster_no_pin_is_doubted(seen: Seen) -> None:
    seen.sees(unasked=Unreachable("away"), now=NOW)
    Histories(seen).check(NEWS, {**NEWS, "pinned": ["shop-gone-1"]})
    assert seen.said == []


def test_how_far_history_reaches_is_said_when_it_changes(seen: Seen) -> None:
    seen.sees(now=NOW)
    busy = {**NEWS, "keep": 500, "schedules": EVERY_MINUTE}
    Histories(seen).check({}, busy)
    Histories(seen).check(busy, busy)
    assert seen.said == [], "nothing was there before, or nothing is another one"
    Histories(seen).check({**NEWS, "keep": 500}, busy)
    Histories(seen).check(busy, {**busy, "keep": 60})
    assert seen.said == [
        "retention: the newest 500 tasks are 8 hours 20 minutes of history at one run a minute",
        "retention: the newest 60 tasks are 1 hour of history at one run a minute",
    ]


def test_a_history_that_is_too_short_is_warned_of_each_time(seen: Seen) -> None:
    seen.sees(now=NOW)
    short = {**NEWS, "keep": 500, "schedules": EVERY_MINUTE, "min_history": "7d"}
    warning = (
        "warning: history of app 'shop': the newest 500 tasks are 8 hours 20 minutes of history at one run a minute, "
        "less than min_history (7d): keep=10080 would reach that far"
    )
    for olds in ({}, short):
        update = Seen(Survey(now=NOW, cluster="one"))
        Histories(update).check(olds, short)
        assert update.said == [warning]
    Histories(seen).check(short, {**short, "keep": 10080})
    assert seen.said == ["retention: the newest 10080 tasks are 7 days of history at one run a minute"]


def test_the_state_of_an_earlier_version_is_no_change(seen: Seen) -> None:
    assert not Histories(seen).diff(EARLIER, NEWS).changes
    assert not Histories(seen).diff(EARLIER, {**NEWS, "keep": 2.0}).changes
    for another in ({"keep_failed": 3}, {"max_age": "30d"}, {"pinned": ["r"]}, {"schedules": EVERY_MINUTE}):
        assert Histories(seen).diff(EARLIER, {**NEWS, **another}).changes, another


def test_a_run_takes_no_notice_of_a_policy(seen: Seen) -> None:
    olds = {**task_of("t"), "key": "k", "state": "Succeeded", "again": False}
    assert not Runs(seen).diff(olds, {**olds, "keep": 1, "keep_failed": 3, "max_age": "30d", "pinned": ["r"]}).changes


def test_an_app_that_moves_says_which_runs_stay_behind_and_go(seen: Seen) -> None:
    seen.sees(*THREE, now=NOW)
    found = Histories(seen).check({**NEWS, "namespace": "before"}, NEWS)
    assert Histories(seen).diff({**NEWS, "namespace": "before"}, found.inputs).replaces
    assert seen.said[0] == (
        "will delete with their logs all 3 runs of app 'shop' in namespace 'before', unless the App has "
        f"retain_on_delete: {', '.join(NAMES)}"
    )
    seen.said.clear()
    Histories(seen).check(NEWS, NEWS)
    Histories(seen).check(NEWS, {**NEWS, "namespace": UNKNOWN})
    assert not [line for line in seen.said if "with their logs" in line]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_is_destroyed_is_told(seen: Seen, count: int) -> None:
    class Cluster(Unwatched):
        def __init__(self) -> None:
            self.runs = list(THREE[:count])

        def list_runs(self, *_: Any, **__: Any) -> list[Any]:
            return list(self.runs)

        def secrets(self, *_: Any) -> list[Any]:
            return []

        def delete_runs(self, *_: Any, **__: Any) -> None:
            self.runs.clear()

    seen.answers = Cluster()
    Histories(seen).delete(NEWS)
    words = {1: "the run", 3: "all 3 runs"}
    told = [f"deletes with their logs {words[count]} of app 'shop' in namespace 'shop'"] if count else []
    assert seen.said == told and not seen.answers.runs


def test_a_record_that_a_refresh_has_made_whole_needs_no_update(seen: Seen) -> None:
    marked: list[str] = []

    class Cluster(Unwatched):
        def list_runs(self, *_: Any, **__: Any) -> list[Any]:
            return THREE

        def annotate_run(self, _namespace: str, name: str, annotations: dict[str, str], **_: Any) -> dict[str, Any]:
            assert "kf.dev/recorded" in annotations
            marked.append(name)
            return {"annotations": annotations, "resourceVersion": "2"}

    seen.answers = Cluster()
    seen.sees(*THREE, now=NOW)
    olds = {**NEWS, "runs": NAMES[1:], "unfinished": NAMES[2:], "keep": 5}
    news = {**olds, "unfinished": []}
    assert not Histories(seen).diff(olds, Histories(seen).check(olds, news).inputs).changes and marked == []
    found = Histories(seen).check(olds, {**news, "__preview": False})
    assert not Histories(seen).diff(olds, found.inputs).changes and marked == NAMES[1:]


@pytest.mark.parametrize("setting", ["", "false", "1", "true", "True"])
def test_a_run_is_marked_once_no_kill_can_lose_its_record(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """With `PULUMI_SKIP_CHECKPOINTS` nothing of an update is in the state before it has ended."""
    marked: list[str] = []

    class Cluster(Unwatched):
        def list_runs(self, *_: Any, **__: Any) -> list[Any]:
            return [replace(run, annotations=dict.fromkeys(({"kf.dev/recorded"} if run.name in marked else ()), "true"))
                    for run in THREE]  # fmt: skip

        def annotate_run(self, _namespace: str, name: str, annotations: dict[str, str], **_: Any) -> dict[str, Any]:
            marked.append(name)
            return {"annotations": annotations, "resourceVersion": "2"}

    monkeypatch.setenv("PULUMI_SKIP_CHECKPOINTS", setting)
    at_once = setting in ("", "false")
    seen.answers = Cluster()
    first = {**NEWS, "__preview": False, "runs": NAMES[:2], "unfinished": NAMES[1:2], "keep": 5}
    Histories(seen).create(first)
    assert marked == (NAMES[:1] if at_once else [])
    Histories(seen).update(first, {**first, "runs": NAMES, "unfinished": []})
    assert marked == (NAMES if at_once else NAMES[:1]), "by the next update the state holds what this one has found"


def test_beside_a_task_that_failed_it_stays_what_it_was(seen: Seen) -> None:
    """The engine registers it with the Runs that came through alone; what goes is for the next update to find out."""
    seen.sees(*THREE, now=NOW)
    news = {**NEWS, "__preview": False, "keep": 1, "runs": [LOST, "t-2"]}
    histories = Histories(seen)
    again = histories.check({**NEWS, "runs": ["t-1"], "_expired": ["t-1"]}, news)
    assert again.inputs == {**NEWS, "runs": ["t-1"], "_expired": []}
    assert not histories.diff({**NEWS, "runs": ["t-1"]}, again.inputs).changes
    assert histories.check({}, news).inputs == {**news, "runs": ["t-2"], "_expired": []}
    assert not seen.said


def test_a_run_whose_log_cannot_be_stored_is_named_and_the_others_go(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The node of one of five does not answer."""
    cluster = Archived(NAMES_ARCHIVED[1])
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("kf_tasks.provider.history.DELETE_SECONDS", 3)
    histories = Histories(Seen(cluster=cluster))
    with pytest.raises(Failure) as raised:
        histories.delete({**NEWS, "log_archive": f"file://{tmp_path}/logs"})
    assert NAMES_ARCHIVED[1] in str(raised.value) and cluster.left == [NAMES_ARCHIVED[1]]
    assert not [name for name in cluster.gone if name in str(raised.value)]


def test_each_run_knows_what_goes_with_it(seen: Seen, adapter: str) -> None:
    """For an update that leaves the History out; those that were decided before it are counted, those after it not."""
    seen.sees(*THREE, now=NOW)
    keep = {"keep": 3}
    first, second = (Runs(seen).check({}, task_of(name, **keep)).inputs for name in "ab")
    assert first["_expired"] == NAMES[:1] and second["_expired"] == NAMES[:2]
    assert second["__lets_go"][0] == f"will delete 2 of 5: {NAMES[0]}, {NAMES[1]} (beyond the newest 3)"
    known = [one["__lets_go"] if adapter == "plugin" else [] for one in (first, second)]
    said = [line for lines in known for line in ("will run: first run", *lines)]
    assert seen.said == said, "History says it, where it is asked after them"
    seen.said.clear()
    Histories(seen).check({}, {**NEWS, **keep, "runs": [UNKNOWN, UNKNOWN]})
    assert seen.said == second["__lets_go"]
    quiet = Runs(seen).check(second, task_of("b", **keep)).inputs
    assert "_expired" not in quiet and "__lets_go" not in quiet, "it runs nothing"


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_an_update_tells_what_is_owed_and_a_preview_does_not(
    seen: Seen, preview: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Notifying, "rest", lambda _self, app: told.append(app))
    seen.sees(*THREE, now=NOW)
    Histories(seen).check({}, {**NEWS, "keep": 9, "__preview": preview})
    assert told == [], "nobody is to be told"
    seen.sees(*THREE[:2], replace(THREE[2], annotations={marks.NOTIFY: "kf-shop.notify"}), now=NOW)
    Histories(seen).check({}, {**NEWS, "keep": 9, "__preview": preview})
    assert told == ([] if preview else ["shop"])
