"""The rule by which kills are judged agrees with the decisions of the core, whatever the program and the kills."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.core import marks
from kf_tasks.core.retention.plan import plan
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run.attempts import adoptable, attempts, of_task, settled
from kf_tasks.core.run.summary import RunSummary

from .changing import MOST, Changes, Job, Program, Rule
from .core.run.test_attempts import AWAITS, run


class Updates:
    """State and cluster as the core decides on them; what begins is counted."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.runs: list[RunSummary] = []
        self.state: dict[str, tuple[str, str]] = {}  # by task: word and name of the run
        self.begun: Counter[str] = Counter()
        self.clock = 0

    def update(self, program: Program, killed: bool) -> None:
        """Goes on beside what fails; one that is killed ends in the middle of a task, or before any."""
        upto = self.random.randrange(len(program) + 1) if killed else -1
        if killed and upto == len(program):
            return
        for job in program:
            for name in job.formerly:
                if name in self.state:
                    self.state[job.name] = self.state.pop(name)
        for task in [task for task in self.state if task not in [job.name for job in program]]:
            del self.state[task]
        self.mark(None)
        for nth, job in enumerate(self.random.sample(program, len(program))):
            if self.state.get(job.name, ("", ""))[0] == job.word:
                continue
            name = self.start(job)
            if nth == upto:
                return
            if not job.fails:
                self.state[job.name] = (job.word, name)
            self.prune()
        if not killed and not any(job.fails for job in program):
            self.mark([job.name for job in program])
            self.prune()

    def start(self, job: Job) -> str:
        own = of_task(self.runs, "shop", job.name, ("shop.dev",))
        found = adoptable(own, job.word)
        if found:
            return found.name
        self.clock += 1
        attempt = max((one.attempt for one in attempts(own, job.word)), default=0) + 1
        made = run(attempt, "False" if job.fails else "True", key=job.word, task=job.name, number=self.clock,
                   annotations=AWAITS, created=f"2026-11-25T12:{self.clock // 60:02}:{self.clock % 60:02}Z",
                   )  # fmt: skip
        self.runs.append(made)
        self.begun[job.word] += 1
        return made.name

    def mark(self, tasks: list[str] | None) -> None:
        done = settled(self.runs, [name for _, name in self.state.values()], tasks)
        self.runs = [
            replace(one, annotations={**one.annotations, marks.RECORDED: done[one.name]}) if one.name in done else one
            for one in self.runs
        ]

    def prune(self) -> None:
        going = [verdict.run for verdict in plan(self.runs, Policy(keep=1)) if verdict.going]
        self.runs = [one for one in self.runs if one not in going]


@settings(max_examples=150)
@given(seed=st.integers(0, 10**6), rounds=st.integers(1, 25))
def test_what_the_core_decides_is_what_the_rule_allows(seed: int, rounds: int) -> None:
    changes, rule, updates = Changes(seed), Rule(), Updates(seed)
    for _ in range(rounds):
        for _ in range(updates.random.randrange(3)):
            changes.change()
            rule.update(changes.program, updates.begun)
            updates.update(changes.program, killed=True)
            assert rule.broken(updates.begun) == []
        rule.update(changes.program, updates.begun)
        updates.update(changes.program, killed=False)
        assert rule.broken(updates.begun) == []
        assert rule.ended(changes.program, updates.begun) == []
        changes.recovered()


@given(st.integers(0, 10**6))
def test_programs_are_ones_that_can_be_declared(seed: int) -> None:
    changes, again = Changes(seed), Changes(seed)
    for _ in range(30):
        assert changes.change() == again.change() and changes.program == again.program
        names = [job.name for job in changes.program]
        words = [job.word for job in changes.program]
        former = [name for job in changes.program for name in job.formerly]
        assert 1 <= len(names) <= MOST and len(set(names + former)) == len(names + former)
        assert len(set(words)) == len(words)
        changes.recovered()
        again.recovered()


def test_every_change_comes() -> None:
    changes, seen = Changes(1), set()
    for _ in range(200):
        seen.add(changes.change())
        changes.recovered()
    assert seen == {
        "add", "remove", "command", "fail", "repair", "rename with an alias", "rename without", "put back",
    }  # fmt: skip


def test_what_is_done_twice_or_not_at_all_is_told() -> None:
    rule, job = Rule(), Job("a", "w1")
    rule.update((job,), Counter())
    assert rule.broken(Counter(w1=2)) == ["w1 has begun 2 times, 1 allowed"]
    assert rule.ended((job,), Counter()) == ["w1 was asked for and has not begun"]
    rule = Rule()
    for program, begun in (((job,), 0), ((Job("b", "w2"),), 1), ((job,), 1)):
        count = Counter(w1=begun, w2=1)
        rule.update(program, count)
        idle = rule.ended(program, Counter(w1=1, w2=2))
    assert idle == ["w1 was asked for and has not begun"], "a task that is put back runs anew"
