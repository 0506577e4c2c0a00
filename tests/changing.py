"""A program that changes from update to update, and how often its work may begin by what the documentation promises.

Whoever tries kills and outages needs a program that is not always the same, and must know afterwards what was asked
for: without that a second run of a task that was put back cannot be told from work that was done twice. Both halves
are pure and follow from a seed, so that a round that shows a fault can be looked at again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

MOST = 5


@dataclass(frozen=True)
class Job:
    """One Task of the program.

    `word` is what its command does: another word is another definition, and no two tasks ever have the same one.
    `formerly` are the names of before, which it has as aliases.
    """

    name: str
    word: str
    fails: bool = False
    formerly: tuple[str, ...] = ()

    def same(self, other: Job) -> bool:
        """Whether `other` is this task under its name of now or of before, with the same work."""
        return self.word == other.word and other.name in (self.name, *self.formerly)


Program = tuple[Job, ...]


class Changes:
    """The program of now, changed step by step."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = 0
        self.program: Program = tuple(self._fresh() for _ in range(3))
        self.secrets = [self._secret()]
        self._gone: list[Job] = []
        self._recovered: Program = ()

    def recovered(self) -> None:
        """An update of the program of now has come to its end."""
        self._recovered = self.program

    @property
    def renames(self) -> bool:
        """Whether a task has another name than in the update before, and the one of then as an alias."""
        before = {job.name for job in self._recovered}
        return any(job.name not in before and before.intersection(job.formerly) for job in self.program)

    def change(self) -> str:
        """Changes one thing; returns what, for whoever reads the test's output."""
        what, program = self._random.choice(list(self._possible()))
        self._gone += [job for job in self.program if job not in program]
        self.program = program
        return what

    def _possible(self) -> Iterator[tuple[str, Program]]:
        now, names = self.program, {job.name for job in self.program}
        one = self._random.choice(now)
        if len(now) < MOST:
            yield "add", (*now, self._fresh())
        if len(now) > 1:
            yield "remove", tuple(job for job in now if job != one)
        yield "command", self._with(one, replace(one, word=self._word(), fails=False))
        if not any(job.fails for job in now):
            yield "fail", self._with(one, replace(one, word=self._word(), fails=True))
        for job in now:
            if job.fails:  # twice as probable: most updates are to go through
                yield from [("repair", self._with(job, replace(job, word=self._word(), fails=False)))] * 2
        if one in self._recovered and not one.fails:
            renamed = replace(one, name=f"t{self._count()}", formerly=(*one.formerly, one.name))
            yield "rename with an alias", self._with(one, renamed)
            yield "rename without", self._with(one, replace(one, name=f"t{self._count()}", word=self._word()))
        taken = {name for job in now for name in job.formerly}
        back = [job for job in self._gone if job.name not in taken and not job.fails and job not in now]
        back = [job for job in back if not taken.intersection(job.formerly) and not names.intersection(job.formerly)]
        if back:
            job = self._random.choice(back)
            others = tuple(other for other in now if other.name != job.name)
            if len(others) < MOST:
                yield "put back", (*others, job)

    def rotate(self) -> None:
        """Another value of the secret, for which nothing runs."""
        self.secrets.append(self._secret())

    def _with(self, old: Job, new: Job) -> Program:
        return tuple(new if job == old else job for job in self.program)

    def _fresh(self) -> Job:
        return Job(f"t{self._count()}", self._word())

    def _word(self) -> str:
        return f"w{self._count()}"

    def _secret(self) -> str:
        return f"hush-{self._random.getrandbits(48):012x}"

    def _count(self) -> int:
        self._number += 1
        return self._number


class Rule:
    """What may and must have begun, by word; `begun` is always how often each has.

    At most once each time that it is asked for: when a program has it and that of the update before had not; a task
    that fails is tried in every update. At least once, too, when an update came to its end; but what an update had
    started that was killed is followed when it is asked for again, and what the state still holds runs nothing.
    """

    def __init__(self) -> None:
        self.allowed: Counter[str] = Counter()
        self._asked: Program = ()
        self._held: dict[str, str] = {}  # by task: the word of the record in the state
        self._loose: set[str] = set()  # perhaps begun by an update that was killed, and in no state
        self._due: dict[str, int] = {}
        self._whole = True

    def update(self, program: Program, begun: Counter[str]) -> None:
        """An update of that program begins."""
        for job in program:
            again = any(job.same(other) for other in self._asked)
            if job.fails or not again:
                self.allowed[job.word] += 1
            if not again and not self._holds(job):
                if job.word not in self._loose and (self._whole or not begun[job.word]):
                    self._due[job.word] = begun[job.word]
                self._loose.add(job.word)
        self._asked = program

    def ended(self, program: Program, begun: Counter[str]) -> list[str]:
        """An update of that program, which goes on beside what fails, came to its end; returns what did not begin."""
        words = {job.word for job in program}
        idle = [word for word, before in self._due.items() if word in words and begun[word] <= before]
        self._held = {
            job.name: self._held.get(job.name, "") if job.fails else job.word for job in program
        }  # the state holds the last success
        self._loose -= {job.word for job in program if not job.fails}
        self._due = {}
        self._whole = not any(job.fails for job in program)
        return [f"{word} was asked for and has not begun" for word in idle]

    def broken(self, begun: Counter[str]) -> list[str]:
        """What has begun more often than it was asked for."""
        return [
            f"{word} has begun {times} times, {self.allowed[word]} allowed"
            for word, times in begun.items()
            if times > self.allowed[word]
        ]

    def _holds(self, job: Job) -> bool:
        return job.word in [self._held.get(name) for name in (job.name, *job.formerly)]
