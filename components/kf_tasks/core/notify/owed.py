"""What is owed: events of runs that have ended and that nobody was told of, by what stands on the runs themselves.

Each run that has ended is one event: `failed`, `succeeded`, or `recovered` for the first success after a failure of
the same task. Which of them was told stands in its annotation NOTIFIED. A failure whose recovery was told has OVER
besides: the run that recovered may be gone while the last failure is kept. A run that was cancelled is none of it:
somebody wanted it to end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Set, Tuple

from .. import marks
from ..run.summary import RunSummary
from .event import FAILED, RECOVERED, SUCCEEDED

ENDS = frozenset({SUCCEEDED, FAILED, RECOVERED})
OVER = "over"
_CANCELLED = ("Cancelled", "CancelledRunFinally", "StoppedRunFinally")


@dataclass(frozen=True)
class Owed:
    """An event that nobody was told of; `after` is the name of the failure that a recovery ends."""

    run: RunSummary
    kind: str
    after: str = ""

    @property
    def secret(self) -> str:
        """The Secret with those who are to be told."""
        return self.run.annotations[marks.NOTIFY]


def owed(runs: Iterable[RunSummary]) -> List[Owed]:
    """What is owed of all these runs, oldest first; of each task all runs are needed that there are."""
    found = [one for own in _tasks(runs) for one in _of_task(own)]
    return sorted(found, key=lambda one: one.run.age)


def awaited(runs: Iterable[RunSummary]) -> Set[str]:
    """The names of the failures that tell a recovery from just another success: one of each task at most.

    Those of tasks that somebody is told of, until the success after them was told.
    """
    return {run.name for own in _tasks(runs) for run in _awaited_of_task(own)}


def told(annotations: Optional[Mapping[str, str]]) -> Set[str]:
    """What was told of a run."""
    return {*filter(None, (annotations or {}).get(marks.NOTIFIED, "").split(","))}


def _tasks(runs: Iterable[RunSummary]) -> Iterable[List[RunSummary]]:
    """The runs of each task, oldest first."""
    tasks: Dict[Tuple[str, str], List[RunSummary]] = {}
    for run in sorted(runs, key=lambda run: run.age):
        tasks.setdefault((run.labels.get(marks.NAME, ""), run.labels.get(marks.TASK, "")), []).append(run)
    return tasks.values()


def _awaited_of_task(runs: Iterable[RunSummary]) -> List[RunSummary]:
    failure: Optional[RunSummary] = None
    for run in runs:
        if not run.finished or was_cancelled(run):
            continue
        said, is_told_of = told(run.annotations), marks.NOTIFY in run.annotations
        if run.failed:
            failure = run if is_told_of and OVER not in said else None
        elif said & ENDS or not is_told_of:
            failure = None
    return [failure] if failure else []


def _of_task(runs: Iterable[RunSummary]) -> Iterable[Owed]:
    failure: Optional[RunSummary] = None
    for run in runs:
        if not run.finished or was_cancelled(run):
            continue
        said = told(run.annotations)
        one = Owed(run, FAILED)
        if run.failed:
            failure = None if OVER in said else run
        else:
            one = Owed(run, RECOVERED, failure.name) if failure else Owed(run, SUCCEEDED)
            failure = None
        if marks.NOTIFY in run.annotations and not said & ENDS:
            yield one


def was_cancelled(run: RunSummary) -> bool:
    """Whether somebody has cancelled a run; what its follower ended because it had failed is a failure."""
    sentence = run.annotations.get(marks.OUTCOME, "was cancelled")
    return run.failed and run.reason in _CANCELLED and sentence.startswith("was cancelled")
