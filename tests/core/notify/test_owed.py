"""Which events are owed, for every history of five runs of several tasks, whoever has seen what of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import marks
from kf_tasks.core.notify.event import FAILED, RECOVERED, SUCCEEDED
from kf_tasks.core.notify.owed import OVER, Owed, owed, was_cancelled
from kf_tasks.core.run.summary import RunSummary

GOOD, BAD, RUNS, GONE = "True", "False", "Unknown", "cancelled"


def run(number: int, ended: str, task: str = "migrate", told: str = "", silent: bool = False) -> RunSummary:
    annotations = {} if silent else {marks.NOTIFY: "kf-shop.notify"}
    return RunSummary(
        name=f"{task}-{number}", uid=f"u-{task}-{number}", created=f"2026-11-25T22:00:{number:02}Z",
        finished=ended != RUNS, succeeded=BAD if ended == GONE else ended,
        reason="CancelledRunFinally" if ended == GONE else "",
        labels={marks.NAME: "shop", marks.TASK: task, marks.TASK_ID: str(number)},
        annotations={**annotations, **({marks.NOTIFIED: told} if told else {})},
    )  # fmt: skip


def kinds(*runs: RunSummary) -> list[str]:
    return [f"{one.run.name} {one.kind}" for one in owed(runs)]


def test_the_first_success_after_a_failure_has_recovered_and_the_next_one_has_not() -> None:
    runs = [run(1, GOOD), run(2, BAD), run(3, BAD), run(4, GOOD), run(5, GOOD)]
    assert kinds(*reversed(runs)) == [
        "migrate-1 succeeded", "migrate-2 failed", "migrate-3 failed", "migrate-4 recovered", "migrate-5 succeeded"
    ]  # fmt: skip
    assert owed(runs)[3].after == "migrate-3"


def test_tasks_are_told_apart_and_what_was_told_is_not_owed() -> None:
    runs = [run(1, BAD, "a", told="failed,started"), run(2, GOOD, "b"), run(3, GOOD, "a", told="started")]
    assert kinds(*runs) == ["b-2 succeeded", "a-3 recovered"]
    assert kinds(run(1, BAD, told="failed"), run(2, GOOD, told="recovered"), run(3, GOOD)) == ["migrate-3 succeeded"]


def test_a_recovery_that_was_told_stays_told_when_its_run_is_gone() -> None:
    assert kinds(run(1, BAD, told="failed"), run(3, GOOD)) == ["migrate-3 recovered"]
    assert kinds(run(1, BAD, told=f"failed,{OVER}"), run(3, GOOD)) == ["migrate-3 succeeded"]
    assert kinds(run(1, BAD, told=OVER), run(3, GOOD)) == ["migrate-1 failed", "migrate-3 succeeded"]


def test_what_names_nobody_owes_nothing_but_counts() -> None:
    assert kinds(run(1, BAD, silent=True), run(2, GOOD)) == ["migrate-2 recovered"]
    assert kinds(run(1, BAD), run(2, GOOD, silent=True), run(3, GOOD)) == ["migrate-1 failed", "migrate-3 succeeded"]


def test_what_was_cancelled_is_neither_and_what_its_follower_ended_has_failed() -> None:
    assert kinds(run(1, BAD, told="failed"), run(2, GONE), run(3, GOOD)) == ["migrate-3 recovered"]
    late = replace(run(1, GONE), annotations={**run(1, GONE).annotations, marks.OUTCOME: "could not start within 1 s"})
    assert kinds(late) == ["migrate-1 failed"] and not was_cancelled(late)
    by = replace(run(1, GONE), annotations={**run(1, GONE).annotations, marks.OUTCOME: "was cancelled by ann"})
    assert kinds(by) == [] and was_cancelled(by)


HISTORY = st.lists(
    st.tuples(st.sampled_from([GOOD, BAD, GONE]), st.sampled_from(["a", "b.c", "-d"])), min_size=5, max_size=5
)
ORDER = st.permutations(range(5))


@given(HISTORY, ORDER, st.sets(st.integers(0, 4)))
def test_whoever_looks_when_each_event_is_told_once(
    history: list[tuple[str, str]], ends: list[int], lost: set[int]
) -> None:
    """Five runs that end in any order, of three tasks; after some ends nobody looks."""
    runs = [run(number, RUNS, task) for number, (_, task) in enumerate(history)]
    said: list[tuple[str, str]] = []

    def look() -> None:
        for one in owed(runs):
            said.append((one.run.name, one.kind))
            _mark(runs, one)

    for nth in ends:
        ended = history[nth][0]
        runs[nth] = replace(run(nth, ended, history[nth][1]), annotations=runs[nth].annotations)
        if nth not in lost:
            look()
    look()
    look()
    names = [name for name, _ in said]
    assert sorted(names) == sorted(run.name for run in runs if not was_cancelled(run)), "each once, whoever looked"
    assert all((kind == FAILED) == _of(runs, name).failed for name, kind in said)
    for task in ("a", "b.c", "-d"):  # between two recoveries of a task there is a failure
        told = [kind for name, kind in said if _of(runs, name).labels[marks.TASK] == task]
        good = [kind for kind in told if kind != FAILED]
        assert told.count(RECOVERED) <= told.count(FAILED)
        assert FAILED in told or RECOVERED not in good


@given(HISTORY)
@pytest.mark.parametrize("seen", [True, False], ids=["each is seen", "all at once"])
def test_runs_one_after_the_other(seen: bool, history: list[tuple[str, str]]) -> None:
    """What is told does not depend on when somebody looks."""
    runs: list[RunSummary] = []
    said: dict[str, str] = {}
    for number, (ended, task) in enumerate(history):
        runs.append(run(number, ended, task))
        if seen or number == len(history) - 1:
            for one in owed(runs):
                said[one.run.name] = one.kind
                _mark(runs, one)
    bad: set[str] = set()
    for number, (ended, task) in enumerate(history):
        wanted = {BAD: FAILED, GOOD: RECOVERED if task in bad else SUCCEEDED, GONE: None}[ended]
        assert said.get(f"{task}-{number}") == wanted
        bad = bad | {task} if ended == BAD else bad - {task} if ended == GOOD else bad


def _of(runs: list[RunSummary], name: str) -> RunSummary:
    return next(run for run in runs if run.name == name)


def _mark(runs: list[RunSummary], one: Owed) -> None:
    for name, value in ((one.run.name, one.kind), (one.after, OVER)):
        for nth, run in enumerate(runs):
            if run.name == name:
                before = [run.annotations[marks.NOTIFIED]] if marks.NOTIFIED in run.annotations else []
                runs[nth] = replace(run, annotations={**run.annotations, marks.NOTIFIED: ",".join([*before, value])})
