"""The newest `keep` stay, and what else a policy holds; an unfinished run always stays."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import marks
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.retention.plan import (
    LAST_FAILURE,
    LAST_SUCCESS,
    MOST_UNRECOVERED,
    NOT_ARCHIVED,
    PINNED,
    READ,
    RUNNING,
    UNRECOVERED,
    plan,
)
from kf_tasks.core.retention.policy import DEFAULT_KEEP, Policy
from kf_tasks.core.run.summary import RunSummary

NOW = "2026-01-01T00:10:00Z"
MINUTE = 60


def run(name: str, created: int, succeeded: str = "True", **annotations: str) -> RunSummary:
    marks = {f"kf.dev/{key}": value for key, value in annotations.items()}
    moment = f"2026-01-01T00:{created // 60:02}:{created % 60:02}Z"
    return RunSummary(name, f"uid-{name}", moment, succeeded != "Unknown", annotations=marks, succeeded=succeeded)


def names(runs: Iterable[RunSummary]) -> list[str]:
    return [entry.name for entry in runs]


def going(runs: Iterable[RunSummary], keep: int = DEFAULT_KEEP, adding: int = 0, **policy: Any) -> list[str]:
    return [one.run.name for one in plan(runs, Policy(keep, **policy), adding, NOW) if one.going]


def rules(runs: Iterable[RunSummary], policy: Policy, **more: Any) -> dict[str, str]:
    verdicts = plan(runs, policy, now=NOW, **more)
    return {one.run.name: f"{'goes' if one.going else 'stays'}: {one.rule}" for one in verdicts}


def test_an_unfinished_run_stays_and_takes_no_place_twice() -> None:
    runs = [run("r1", 1, "Unknown"), *(run(f"f{nth}", nth) for nth in range(2, 6))]
    assert going(runs, keep=3) == ["f2"]


def test_five_hundred_stay_of_five_hundred_and_one() -> None:
    assert DEFAULT_KEEP == 500 == Policy().keep
    runs = [run(f"f{nth:03}", nth) for nth in range(500)]
    assert going(runs) == []
    assert going([*runs, run("new", 550)]) == ["f000"]


def test_room_is_made_for_runs_that_are_added() -> None:
    runs = [run(f"f{nth}", nth) for nth in range(4)]
    assert going(runs, keep=4, adding=2) == ["f0", "f1"]
    assert going(runs, keep=1, adding=5) == ["f0", "f1", "f2"], "the last success stays until there is another one"
    assert going(runs, keep=0) == ["f0", "f1", "f2"]
    assert going([], keep=0, adding=3) == []


def test_ties_are_decided_by_name() -> None:
    runs = [run(name, 1) for name in "cab"]
    assert going(runs, keep=1) == ["c", "b"]
    assert going(reversed(runs), keep=1) == ["c", "b"]


def told_of(name: str, created: int, succeeded: str, notified: str = "", task: str = "") -> RunSummary:
    said = {"notify": "kf-shop.notify", **({"notified": notified} if notified else {})}
    return replace(run(name, created, succeeded, **said), labels={marks.NAME: "shop", marks.TASK: task or name})


def test_the_failure_that_a_recovery_is_told_by_stays_until_it_was_told() -> None:
    five = [told_of(name, nth, "False", "failed") for nth, name in enumerate("abcde")]
    assert going(five, keep=1) == []
    assert rules(five, Policy(1))["a"] == f"stays: {UNRECOVERED}"
    for it in ("succeeded", "recovered"):
        assert going([*five, told_of("a2", 6, "True", it, "a"), told_of("z", 7, "True")], keep=1) == ["a", "a2"]
    assert "a" not in going([*five, told_of("a2", 6, "True", "started", "a")], keep=1), "nobody has told it yet"
    assert going([told_of("a", 0, "False", "failed,over"), *five[1:]], keep=1) == ["a"]
    assert going([told_of("a1", 0, "False", "failed", "a"), told_of("a2", 1, "False", task="a")], keep=1) == ["a1"]
    assert going([run("a", 0, "False"), run("b", 1, "False"), run("c", 2)], keep=1) == ["a"], "nobody is told of them"
    assert going(five, keep=1, max_age=5 * MINUTE) == ["a", "b", "c", "d"]


def test_tasks_that_nobody_runs_again_fill_no_cluster() -> None:
    failed = [told_of(f"once-{nth:03}", nth, "False", "failed") for nth in range(300)]
    assert going(failed, keep=5) == [f"once-{nth:03}" for nth in range(300 - MOST_UNRECOVERED)]


def test_the_last_success_and_the_last_failure_stay() -> None:
    runs = [
        run("f1", 1, "False"), run("s2", 2), run("f3", 3, "False"), run("s4", 4), run("s5", 5), run("r6", 6, "Unknown"),
    ]  # fmt: skip
    assert rules(runs, Policy(1)) == {
        "f1": "goes: beyond the newest 1", "s2": "goes: beyond the newest 1", "f3": f"stays: {LAST_FAILURE}",
        "s4": "goes: beyond the newest 1", "s5": f"stays: {LAST_SUCCESS}", "r6": "stays: newest 1",
    }  # fmt: skip


def test_the_newest_failed_ones_stay_beyond_keep_but_not_beyond_their_age() -> None:
    runs = [*(run(f"f{nth}", nth * MINUTE, "False") for nth in range(5)), run("s5", 5 * MINUTE)]
    kept = Policy(1, keep_failed=3)
    assert [name for name, rule in rules(runs, kept).items() if rule == "goes: beyond the newest 1"] == ["f0", "f1"]
    assert rules(runs, kept)["f2"] == "stays: failed, newest 3 of them"
    aged = Policy(1, keep_failed=3, max_age=450)
    assert rules(runs, aged)["f2"] == "goes: older than 7m30s"
    assert rules(runs, aged)["f1"] == "goes: beyond the newest 1"
    assert rules(runs, aged)["f3"] == "stays: failed, newest 3 of them"


def test_what_is_too_old_goes_from_among_the_newest_too() -> None:
    runs = [
        run("a", 0), run("b", 1, "False"), run("c", 2, "Unknown"), run("d", 3, pinned="x"), run("e", 4),
        run("f", 5 * MINUTE), run("g", 9 * MINUTE),
    ]  # fmt: skip
    assert rules(runs, Policy(max_age=5 * MINUTE)) == {
        "a": "goes: older than 5m", "b": f"stays: {LAST_FAILURE}", "c": f"stays: {RUNNING}", "d": f"stays: {PINNED}",
        "e": "goes: older than 5m", "f": "stays: newest 500", "g": "stays: newest 500",
    }  # fmt: skip
    old = Policy(max_age=1)
    assert not [one for one in plan(runs, old) if one.going], "without the cluster's time nothing is too old"
    assert rules(runs[:1], old) == {"a": f"stays: {LAST_SUCCESS}"}
    assert not [one for one in plan(runs, Policy(max_age=2**62), now=NOW) if one.going], "before all calendars"


@pytest.mark.parametrize(("mark", "stays"), [("true", True), ("", True), ("no, keep it", True), ("false", False)])
def test_a_pinned_run_stays(mark: str, stays: bool) -> None:
    runs = [run("a", 1, pinned=mark), run("b", 2), run("c", 3)]
    assert going(runs, keep=1) == (["b"] if stays else ["a", "b"])


def test_runs_are_pinned_by_name_too() -> None:
    runs = [run("a", 1), run("b", 2), run("c", 3)]
    assert going(runs, keep=1, pinned=("a", "none-such")) == ["b"]


def test_whoever_cannot_archive_lets_only_archived_runs_go() -> None:
    runs = [run("a", 1, archived="file:///a.log"), run("b", 2), run("c", 3, archived=""), run("d", 4)]
    assert rules(runs, Policy(1, archived_only=True)) == {
        "a": "goes: beyond the newest 1", "b": f"stays: {NOT_ARCHIVED}", "c": f"stays: {NOT_ARCHIVED}",
        "d": "stays: newest 1",
    }  # fmt: skip


def test_a_log_is_read_for_a_day() -> None:
    runs = [run("a", 1, followed="true"), run("b", 2, followed="true", outcome="succeeded"), run("c", 3)]
    assert rules(runs, Policy(1))["a"] == f"stays: {READ}"
    assert going(runs, keep=1) == ["b"]
    later = plan(runs, Policy(1), now="2026-01-02T00:00:02Z")
    assert names(one.run for one in later if one.going) == ["a", "b"]
    assert names(one.run for one in plan(runs, Policy(1)) if one.going) == ["b"], "nor does it go without a clock"


def test_a_run_on_its_way_out_takes_no_place() -> None:
    leaving = RunSummary("z", "z", "2026-01-01T00:09:00Z", True, deleting=True, succeeded="True")
    runs = [run("a", 1), run("b", 2), leaving]
    assert rules(runs, Policy(2)) == {"a": "stays: newest 2", "b": "stays: newest 2", "z": "stays: is being deleted"}
    assert rules([*runs, run("c", 3, "False")], Policy(1))["b"] == f"stays: {LAST_SUCCESS}", "z is none any more"


def test_what_may_go_at_most_when_new_runs_end() -> None:
    runs = [run("f1", 1, "False"), run("f2", 2, "False"), run("s3", 3)]
    sure = rules(runs, Policy(1, keep_failed=2), adding=1)
    assert sure == {"f1": "stays: failed, newest 2 of them", "f2": "stays: failed, newest 2 of them",
                    "s3": f"stays: {LAST_SUCCESS}"}  # fmt: skip
    perhaps = rules(runs, Policy(1, keep_failed=2), adding=1, at_most=True)
    assert perhaps["f1"].startswith("goes") and perhaps["s3"].startswith("goes") and perhaps["f2"].startswith("stays")
    assert rules(runs, Policy(1), at_most=True) == rules(runs, Policy(1)), "nothing new, nothing replaced"


summaries = st.lists(
    st.builds(
        run, st.text("abc", min_size=1, max_size=3), st.integers(0, 20), st.sampled_from(["True", "False", "Unknown"])
    ),
    unique_by=lambda r: r.name,
)


@pytest.mark.no_cover
@given(runs=summaries, keep=st.integers(0, 8), adding=st.integers(0, 3), shuffled=st.randoms())
def test_whoever_plans_plans_the_same(runs: list[RunSummary], keep: int, adding: int, shuffled: Any) -> None:
    expired = [one.run for one in plan(runs, Policy(keep), adding, NOW) if one.going]
    other = list(runs)
    shuffled.shuffle(other)
    assert plan(other, Policy(keep), adding, NOW) == plan(runs, Policy(keep), adding, NOW)
    assert all(entry.finished for entry in expired)
    assert [entry.created for entry in expired] == sorted(entry.created for entry in expired)
    stays = [entry for entry in runs if entry not in expired]
    assert len(stays) >= min(keep - adding, len(runs))
    ended = sorted(entry.created for entry in stays if entry.finished)
    beyond = [entry for entry in ended if expired and entry < expired[-1].created]
    assert len(beyond) <= 2, "older than one that goes are at most the last success and the last failure"
    assert len(ended) <= max(keep - adding, 0) + 2
    for outcome in ("True", "False"):
        assert any(one.succeeded == outcome for one in stays) == any(one.succeeded == outcome for one in runs)
    assert not [one for one in plan(stays, Policy(max(keep - adding, 0)), now=NOW) if one.going]


policies = st.builds(
    Policy,
    st.integers(0, 600),
    st.integers(0, 30),
    st.none() | st.integers(1, 2**62 // 10**9),
    st.lists(st.text("abc-", min_size=1)).map(tuple),
    st.booleans(),
)


@given(policies)
def test_settings_hold_the_policy(policy: Policy) -> None:
    assert Policy.of(json.loads(json.dumps(policy.settings()))) == policy


def test_settings_of_earlier_versions_mean_what_they_meant() -> None:
    assert Policy.of({"keep": 3.0}) == Policy(3)
    assert Policy.of({}) == Policy(500)
    assert Policy(7).settings() == {"keep": 7}
    assert Policy(7, 2, 30 * 86400, ("a",)).settings() == {
        "keep": 7, "keep_failed": 2, "max_age": "30d", "pinned": ["a"]
    }  # fmt: skip
    with pytest.raises(InvalidInput, match="^max_age: 'soon' is no span of time"):
        Policy.of({"max_age": "soon"})


@given(runs=summaries, policy=policies, adding=st.integers(0, 3))
def test_at_most_is_at_least(runs: list[RunSummary], policy: Policy, adding: int) -> None:
    sure = {one.run.name for one in plan(runs, policy, adding, NOW) if one.going}
    assert sure <= {one.run.name for one in plan(runs, policy, adding, NOW, at_most=True) if one.going}


@given(
    runs=summaries,
    policy=st.builds(Policy, st.integers(0, 12), max_age=st.none() | st.integers(1, 900)),
    adding=st.integers(0, 3),
)
def test_where_there_is_room_nothing_goes(runs: list[RunSummary], policy: Policy, adding: int) -> None:
    if policy.has_room(len(runs) + adding):
        assert not [one for one in plan(runs, policy, adding, NOW) if one.going]
        assert not [one for one in plan(runs, policy, adding, NOW, at_most=True) if one.going]
    assert not policy.has_room(policy.keep + 1) and policy.has_room(policy.keep) == (not policy.max_age)


def test_marks_are_those_that_the_documents_name() -> None:
    assert (marks.PINNED, marks.ARCHIVED) == ("kf.dev/pinned", "kf.dev/archived")
