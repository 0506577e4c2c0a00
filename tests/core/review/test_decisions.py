"""What an update starts, ends, deletes and schedules is read from inputs, whatever lines say."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core.review.model import Cancel, Deletion, Dropped, Past, Removal, Times
from kf_tasks.core.review.preview import UNKNOWN

from .previews import CALENDAR, HISTORY, PLACE, RUN, calendar, history, manifest, reviewed, run, step


def decided(*steps: dict[str, Any]) -> Any:
    return reviewed(*steps).decisions


def test_tasks_that_will_run_and_that_may() -> None:
    found = decided(
        step("create", RUN, "shop-b", None, run("b")),
        step("create", RUN, "shop-a", None, run("a", "may", key=UNKNOWN, _because="triggers are known later")),
        step("same", RUN, "shop-c", run("c"), run("c", "")),
    )
    [will], [may] = found.runs, found.may_run
    assert (will.task, will.key, will.because, will.namespace) == ("b", "key-b", "first run", "orders-dev")
    assert will.command == "./migrate 'a b'" and will.image == "r/shop:2" and will.last == ()
    assert (may.task, may.key, may.because) == ("a", None, "triggers are known later")
    assert not found.builds


def test_what_only_the_update_knows_is_none() -> None:
    definition = {"image": UNKNOWN, "argv": ["a", UNKNOWN], "env": UNKNOWN}
    unknown = run(definition=definition, manifest=UNKNOWN, namespace=UNKNOWN, _last=UNKNOWN)
    [one] = decided(step("create", RUN, "shop-a", None, unknown)).starts
    assert (one.namespace, one.image, one.command, one.last) == (None, None, None, None)
    [one] = decided(step("create", RUN, "shop-a", None, run(definition=UNKNOWN))).starts
    assert (one.image, one.command) == (None, None)


def test_the_last_runs_of_a_task() -> None:
    told = [
        {"run": "shop-a-1", "task_id": 3.0, "created": "2026-01-01T00:00:00Z", "outcome": "exit code 1"},
        {"run": "shop-a-2", "task_id": 4, "created": "2026-01-02T00:00:00Z", "started": "2026-01-02T00:00:01Z"},
    ]
    [one] = decided(step("create", RUN, "shop-a", None, run(_last=told))).starts
    assert one.last == (
        Past("shop-a-1", 3, "2026-01-01T00:00:00Z", None, None, "exit code 1"),
        Past("shop-a-2", 4, "2026-01-02T00:00:00Z", "2026-01-02T00:00:01Z", None, ""),
    )
    [one] = decided(step("create", RUN, "shop-a", None, {k: v for k, v in run().items() if k != "_last"})).starts
    assert one.last is None


def test_a_build_tells_which_files_changed_and_what_is_sent() -> None:
    contents = {"files": 2, "bytes": 20, "largest": [], "left_out": [], "more_left_out": 0}
    news = run("image", app="shop.build", when="build", upload={"contents": contents})
    listings = {"a": "1", "b": "1", "d": "1"}, {"b": "2", "c": "1", "d": "1"}
    definitions = [{"build": {}, "files": files} for files in listings]
    old, new = ({**news, "definition": definition} for definition in definitions)
    [one] = decided(step("replace", RUN, "shop.build", old, new)).builds
    assert (
        one.app == "shop"
        and one.files == ("- a", "~ b", "+ c")
        and one.sent == ("sends 2 files, 20 bytes; the largest: ",)
    )


def test_runs_that_are_cancelled() -> None:
    found = decided(step("update", RUN, "shop-a", run("a", ""), run("a", "", cancels=["shop-a-1", "shop-a-2"])))
    assert found.cancels == tuple(Cancel("orders-dev", "shop", "a", f"shop-a-{number}") for number in (1, 2))
    assert not found.starts


def test_runs_that_are_deleted_and_those_that_may_be() -> None:
    told = [
        {
            "run": "b",
            "task": "t",
            "created": "2026-01-01T00:00:00Z",
            "outcome": "Succeeded",
            "rule": "old",
            "sure": True,
        },
        {"run": "a", "task": "t", "created": "2026-01-01T00:00:00Z", "outcome": "", "rule": "perhaps", "sure": False},
    ]
    found = decided(step("update", HISTORY, "shop", history(), history(_expired=["b"], _deletions=told)))
    assert [(one.run, one.sure, one.rule) for one in found.deletions] == [("a", False, "perhaps"), ("b", True, "old")]
    found = decided(step("update", HISTORY, "shop", history(), {**PLACE, "keep": 3, "_expired": ["b"]}))
    assert found.deletions == (Deletion("orders-dev", "shop", "b"),)  # an update, or an earlier version


def test_an_app_that_goes_takes_its_runs_along() -> None:
    assert decided(step("delete", HISTORY, "shop", history())).removals == (Removal("orders-dev", "shop"),)
    [kept] = decided(step("delete", HISTORY, "shop", history(), retainOnDelete=True)).removals
    assert kept.kept
    moved = decided(step("replace", HISTORY, "shop", history(), history(namespace="other")))
    assert moved.removals == (Removal("orders-dev", "shop"),)
    assert not decided(step("update", HISTORY, "shop", history(), history())).removals


def test_schedules_that_change_tell_their_next_times_before_and_after() -> None:
    [one] = decided(step("update", CALENDAR, "r", calendar(), calendar(schedule="30 2 * * *"))).schedules
    assert one.before and one.after
    assert one.before.next[0] == "2026-12-01T03:00:00Z" and one.after.next[0] == "2026-12-01T01:30:00Z"
    assert one.clock_changes == (
        "02:30 does not exist on 28 Mar 2027: no run", "02:30 comes twice on 31 Oct 2027: two runs",
    )  # fmt: skip
    assert decided(step("same", CALENDAR, "r", calendar(), calendar())).schedules == ()


def test_schedules_that_come_go_or_are_suspended() -> None:
    [new] = decided(step("create", CALENDAR, "r", None, calendar())).schedules
    [gone] = decided(step("delete", CALENDAR, "r", calendar())).schedules
    [held] = decided(step("update", CALENDAR, "r", calendar(), calendar(suspend=True))).schedules
    [by_hand] = decided(step("create", CALENDAR, "r", None, calendar(schedule=""))).schedules
    assert new.before is None and gone.after is None and not gone.clock_changes
    assert held.after == Times("0 4 * * *", "Europe/Berlin", True, ())
    assert by_hand.after == Times("", "Europe/Berlin", False, ())


def test_a_schedule_that_is_none_is_told_without_times() -> None:
    [one] = decided(step("create", CALENDAR, "r", None, calendar(schedule="nonsense", time_zone="Mars"))).schedules
    assert one.after == Times("nonsense", "Mars", False, ())


@pytest.mark.parametrize(
    ("timeout", "schedule", "said"),
    [
        ("1h0m0s", "*/30 * * * *", "comes again after 30 minutes, while a run of it may take 1 hour"),
        ("0s", "*/30 * * * *", "comes again after 30 minutes, while nothing limits a run of it"),
    ],
)
def test_a_schedule_that_may_overlap_itself(timeout: str, schedule: str, said: str) -> None:
    one = calendar(schedule=schedule, manifest=manifest(timeout=timeout))
    [found] = decided(step("create", CALENDAR, "r", None, one)).schedules
    assert found.overlaps == (said,)


def test_a_schedule_that_meets_another_one_of_its_app() -> None:
    audit = calendar("audit", "45 3 * * 2", manifest=manifest(timeout="30m0s"))
    other = calendar("else", "0 4 * * *", app="mail")
    early = calendar("early", "0 3 * * *", manifest=manifest(timeout="1h0m0s"))  # over when the other begins
    steps = [step("same", CALENDAR, one["task"], one, one) for one in (audit, other, early)]
    [found] = decided(*steps, step("create", CALENDAR, "r", None, calendar())).schedules
    assert found.overlaps == ("may run beside audit once in seven days, first Tue 1 Dec 2026 04:00 CET",)


def test_a_task_that_goes_is_told_and_a_build_or_a_new_record_is_none() -> None:
    found = reviewed(
        step("delete", RUN, "shop-a", run("a", "")),
        step("delete", RUN, "shop.build", run("image", "", when="build")),
        step("delete-replaced", RUN, "shop-b", run("b", "")),
    )
    assert found.dropped == (Dropped("orders-dev", "shop", "a"),)


def test_what_runs_let_go_where_their_history_is_left_out() -> None:
    going = run(_expired=["shop-a-1", "shop-a-2"])
    alone = [step("update", RUN, "shop-a", run(), going), step("update", RUN, "shop-b", run(), going)]
    left_out = step("same", HISTORY, "h", {**PLACE, "keep": 3}, {**PLACE, "keep": 3, "_expired": []})
    for found in (decided(*alone), decided(*alone, left_out)):
        assert [one.run for one in found.deletions] == ["shop-a-1", "shop-a-2"]
    assert not decided(*alone, step("update", HISTORY, "h", history(), history())).deletions


def test_a_stack_of_the_plugin_is_reviewed_as_one_of_python() -> None:
    """Its History is asked before the Runs, so what they let go is told by them."""
    run_, history_, calendar_ = (
        one.replace("pulumi-python:dynamic/kf:", "kf:index:") for one in (RUN, HISTORY, CALENDAR)
    )
    going = run(_expired=["shop-a-1", "shop-a-2"])
    told = history(_expired=["shop-a-1"], _deletions=[{"run": "shop-a-1", "rule": "keep", "sure": True}])
    found = decided(
        step("update", history_, "shop", history(), told),
        step("update", f"kf:index:Task${run_}", "shop-a", run(), going),
        step("create", f"kf:index:TaskSchedule${calendar_}", "shop-n", None, calendar()),
    )
    assert [one.task for one in found.starts] == ["schema"] and len(found.schedules) == 1
    assert [(one.run, one.rule) for one in found.deletions] == [("shop-a-1", "keep"), ("shop-a-2", "")]
    one, other = (
        [{"run": "shop-a-2", "rule": rule, "sure": sure}] for rule, sure in (("more", True), ("until", False))
    )
    for first, second in ((one, other), (other, one)):
        found = decided(
            step("update", history_, "shop", history(), told),
            step("update", f"kf:index:Task${run_}", "shop-a", run(), run(_deletions=first)),
            step("update", f"kf:index:Task${run_}", "shop-b", run(), run(_deletions=second)),
        )
        assert [(it.run, it.rule, it.sure) for it in found.deletions] == [
            ("shop-a-1", "keep", True), ("shop-a-2", "more", True)
        ]  # fmt: skip
    assert decided(step("delete", history_, "shop", history())).removals == (Removal("orders-dev", "shop"),)
