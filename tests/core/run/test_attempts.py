"""What was started is followed until a state holds its record, and never after that: rules, and all mixes of events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from kf_tasks.core import marks, naming
from kf_tasks.core.retention.plan import AWAITED, plan
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run.attempts import ABANDONED, STORED, adoptable, attempts, of_task, settled
from kf_tasks.core.run.summary import RunSummary

NOON, AWAITS, HELD = "2026-11-25T12:00:00Z", {marks.AWAITED: "true"}, {marks.RECORDED: "true"}


def run(attempt: int = 1, succeeded: str = "True", key: str = "a", task: str = "migrate", **more: Any) -> RunSummary:
    number = more.pop("number", attempt)
    labels = {
        marks.NAME: more.pop("app", "shop"), marks.TASK: task, marks.STACK: more.pop("stack", "shop.dev"),
        marks.KEY: key, marks.ATTEMPT: str(attempt), marks.TASK_ID: str(number),
    }  # fmt: skip
    return RunSummary(
        name=naming.run_name("shop", task, key, attempt), uid=str(number), created=more.pop("created", NOON),
        finished=succeeded != "Unknown", labels=labels, succeeded=succeeded, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "began", "followed"),
    [
        ([], None, None),
        ([run(1, "False"), run(2, "Unknown")], None, 2),
        ([run(1, "False"), run(2)], None, 2),
        ([run(1), run(2, annotations=HELD)], None, None),
        ([run(1, "False")], None, None),
        ([run(1, "False")], NOON, 1),  # another update does the same at this moment
        ([run(1, "Unknown", deleting=True)], None, None),
        ([run(1), run(1, key="b", number=2, annotations=HELD)], None, None),  # of an earlier life
        ([run(1, number=3), run(1, key="b", number=2, annotations=HELD)], None, 1),
    ],
)
def test_which_attempt_is_followed(runs: list[RunSummary], began: str | None, followed: int | None) -> None:
    found = adoptable(runs, "a", began)
    assert (found.attempt if found else None) == followed


def test_the_runs_of_a_task_are_those_of_its_stack_under_every_name_it_had() -> None:
    ours, renamed, theirs = run(1), run(2, stack="shop.old"), run(3, stack="other.dev")
    found = of_task([theirs, renamed, ours, run(4, task="report"), run(5, app="office")], "shop", "migrate",
                    ("shop.dev", "shop.old"))  # fmt: skip
    assert found == [ours, renamed]
    assert attempts(found, "a")[-1].attempt == 2


def test_what_is_marked_at_the_end_of_an_update() -> None:
    whole, unfinished, gone, by_hand = (
        run(1, annotations=AWAITS), run(2, "Unknown", annotations=AWAITS), run(3, task="removed", annotations=AWAITS),
        run(4, task="removed"),
    )  # fmt: skip
    runs = [whole, unfinished, gone, by_hand]
    assert settled(runs, [whole.name, unfinished.name], ["migrate"]) == {whole.name: STORED, gone.name: ABANDONED}
    assert settled(runs, [whole.name]) == {whole.name: STORED}, "a version that did not say which tasks there are"
    assert settled([replace(whole, annotations={**AWAITS, **HELD})], [whole.name], []) == {}


def test_a_task_that_is_declared_late_follows_what_was_taken_for_abandoned() -> None:
    left = run(1, annotations={**AWAITS, marks.RECORDED: ABANDONED})
    assert adoptable([left], "a") is None
    assert adoptable([left], "a", late=True) == left


class Updates(RuleBasedStateMachine):
    """One App with tasks, its state, and a cluster: updates that are killed anywhere, fail elsewhere, or go through.

    The promises: while the state is to hold a record, nothing starts the work a second time, and nothing deletes
    the run; once it holds the record, asking for the work again starts exactly one new run.
    """

    TASKS, KEYS = ("migrate", "report", "mail"), ("a", "b")

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[RunSummary] = []
        self.state: dict[str, tuple[str, str]] = {}  # by task: key and name of the run
        self.lost: dict[tuple[str, str], str] = {}  # succeeded, and killed before a state held it
        self.clock = 0
        self.policy = Policy(keep=1)

    def wanted(self, task: str, key: str) -> str:
        """What `create` does: follow or start; the run succeeds. Returns the name."""
        own = of_task(self.runs, "shop", task, ("shop.dev",))
        found = adoptable(own, key)
        if found:
            return found.name
        self.clock += 1
        attempt = max((one.attempt for one in attempts(own, key)), default=0) + 1
        made = run(attempt, key=key, task=task, number=self.clock, annotations=AWAITS,
                   created=f"2026-11-25T12:{self.clock // 60:02}:{self.clock % 60:02}Z")  # fmt: skip
        assert made.name not in [one.name for one in self.runs], "the name is the lock"
        self.runs.append(made)
        return made.name

    def mark(self, names: list[str], tasks: list[str] | None) -> None:
        done = settled(self.runs, names, tasks)
        self.runs = [
            replace(one, annotations={**one.annotations, marks.RECORDED: done[one.name]}) if one.name in done else one
            for one in self.runs
        ]

    def prune(self) -> None:
        going = {verdict.run.name for verdict in plan(self.runs, self.policy, now=None) if verdict.going}
        self.runs = [one for one in self.runs if one.name not in going]

    @rule(
        program=st.dictionaries(st.sampled_from(TASKS), st.sampled_from(KEYS)),
        ends=st.sampled_from(("whole", "fails elsewhere", "killed")), upto=st.integers(0, 3),
        replace_all=st.booleans(),
    )  # fmt: skip
    def update(self, program: dict[str, str], ends: str, upto: int, replace_all: bool) -> None:
        if replace_all and ends == "killed":
            return  # what was asked for a second time and killed is not told from what the state holds of the first
        for task in [task for task in self.state if task not in program]:
            del self.state[task]
        self.mark([name for _, name in self.state.values()], None)  # `check`: the state holds what it says
        todo = [t for t, key in program.items() if replace_all or self.state.get(t, ("",))[0] != key]
        for nth, task in enumerate(todo):
            key, before = program[task], {one.name for one in self.runs}
            name = self.wanted(task, key)
            lost = self.lost.get((task, key))
            if lost in before:
                assert name == lost, "work that no state holds is followed, not done twice"
            if ends == "killed" and nth == min(upto, len(todo) - 1):
                self.lost[task, key] = name
                return
            self.state[task] = (key, name)
            self.lost = {place: other for place, other in self.lost.items() if place[0] != task}
            self.prune()
        if ends == "whole":
            self.lost = {place: name for place, name in self.lost.items() if place[0] in program}
            self.mark([name for _, name in self.state.values()], list(program))
            self.prune()

    @rule()
    def prune_by_hand(self) -> None:
        self.prune()

    @invariant()
    def nothing_awaited_is_gone(self) -> None:
        names = {one.name for one in self.runs}
        assert set(self.lost.values()) <= names

    @invariant()
    def what_is_held_is_bounded(self) -> None:
        held = [verdict.run for verdict in plan(self.runs, self.policy) if verdict.rule == AWAITED]
        assert len(held) <= len(self.TASKS) * len(self.KEYS) * 2 + len(self.state)


TestUpdates = Updates.TestCase
TestUpdates.settings = settings(max_examples=100, stateful_step_count=8, deadline=None)


def test_a_definition_that_comes_back_and_a_task_put_back_run_once_more() -> None:
    machine = Updates()
    for program, made in (
        ({"migrate": "a"}, 1), ({"migrate": "a"}, 1), ({"migrate": "b"}, 2), ({"migrate": "a"}, 3), ({}, 3),
        ({"migrate": "a"}, 4),
    ):  # fmt: skip
        _update(machine, program, "whole")
        assert machine.clock == made


def test_a_task_put_back_runs_once_more_where_the_update_that_made_its_run_failed_elsewhere() -> None:
    machine = Updates()
    machine.policy = Policy(keep=10)
    for program, ends in (({"migrate": "a"}, "fails elsewhere"), ({}, "whole"), ({"migrate": "a"}, "whole")):
        _update(machine, program, ends)
    assert machine.clock == 2


def _update(machine: Updates, program: dict[str, str], ends: str) -> None:
    rule = Updates.update.hypothesis_stateful_rule  # type: ignore[attr-defined]
    rule.function(machine, program=program, ends=ends, upto=0, replace_all=False)


@pytest.mark.parametrize("ends", ["whole", "fails elsewhere"])
def test_a_name_that_comes_back_after_its_runs_were_pruned_is_one_new_run(ends: str) -> None:
    """The first attempt has the same name then; nothing that was marked or recorded under it counts any more."""
    machine = Updates()
    _update(machine, {"migrate": "a"}, ends)
    first = machine.runs[0]
    _update(machine, {"report": "b"}, "whole")
    assert first not in machine.runs, "keep=1, and nobody waits for it any more"
    _update(machine, {"migrate": "a", "report": "b"}, ends)
    again = [one for one in machine.runs if one.name == first.name]
    assert (machine.clock, len(again)) == (3, 1) and again[0] != first
    _update(machine, {"migrate": "a", "report": "b"}, "whole")
    assert machine.clock == 3, "it is recorded"
