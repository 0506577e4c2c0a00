"""The attempts at one definition of a task, and whether an update follows the last one or starts another.

A run belongs to the state that holds its record. Between the start of a run and the moment that a state holds its
record anything may be killed; what was started then is *awaited*, and the next update follows it instead of doing the
work twice. Once a record is stored the run is history: whoever asks for the same work later gets a new run, because a
definition that comes back, a Task that was removed and is put back, and `pulumi up --replace` mean it.
"""

from __future__ import annotations

from typing import Collection, Dict, Iterable, List, Mapping, Optional, Tuple

from .. import marks
from ..naming import label_value
from .summary import RunSummary

_Task = Tuple[str, str]  # its App and its name, as labels have them
_Age = Tuple[str, int, str]  # when a run was made; of those of one second the id tells
STORED, ABANDONED = "true", "abandoned"  # in the annotation RECORDED
Records = Mapping[_Task, _Age]


def of_task(runs: Iterable[RunSummary], app: str, task: str, stacks: Collection[str]) -> List[RunSummary]:
    """The runs of a task, oldest first; `stacks` are the labels of its stack: that of now and those it had before."""
    own = [
        run
        for run in runs
        if run.labels.get(marks.NAME) == app
        and run.labels.get(marks.TASK) == label_value(task)
        and run.labels.get(marks.STACK, "") in stacks
    ]
    return sorted(own, key=lambda run: run.age)


def attempts(of_task: Iterable[RunSummary], key: str) -> List[RunSummary]:
    """Those of one definition, first attempt first."""
    return sorted((run for run in of_task if run.labels.get(marks.KEY) == key), key=lambda run: run.attempt)


def adoptable(
    of_task: Collection[RunSummary], key: str, began: Optional[str] = None, late: bool = False
) -> Optional[RunSummary]:
    """The attempt to follow in place of starting another one, if there is one.

    That is the last attempt, if it has not failed and no state holds its record yet, or if it was made after this
    update `began` (RFC 3339, by the cluster's clock): then another update does the same work at this moment. What
    is older than a record of the task belongs to an earlier life of it: nobody waits for it any more. A task that is
    declared `late` is missed when the tasks of the program are counted, so its runs were taken for abandoned ones.
    """
    same = attempts(of_task, key)
    if not same:
        return None
    last = same[-1]
    if began and last.created >= began:
        return last
    recorded = is_recorded(last) and not (late and last.annotations[marks.RECORDED] == ABANDONED)
    if last.failed or last.deleting or recorded or is_outlived(last, newest_records(of_task)):
        return None
    return last


def is_recorded(run: RunSummary) -> bool:
    """Whether a state holds the record of a run, or none will."""
    return marks.RECORDED in run.annotations


def is_awaited(run: RunSummary, records: Records) -> bool:
    """Whether the next update may still follow a run, or write down how it has ended: it must not go before.

    One that failed is tried again and not followed.
    """
    return marks.AWAITED in run.annotations and not (is_recorded(run) or run.failed or is_outlived(run, records))


def settled(
    runs: Iterable[RunSummary], recorded: Collection[str], tasks: Optional[Collection[str]] = None
) -> Dict[str, str]:
    """How runs are to be marked once an update has come to its end: by name the value of the annotation RECORDED.

    `recorded` are the names of the runs whose whole record the state holds. Of a task that the program no longer
    has, which are all but `tasks`, nobody waits for a record any more.
    """
    declared = None if tasks is None else {label_value(task) for task in tasks}
    found = {}
    for run in runs:
        if not run.finished or is_recorded(run):
            continue
        if run.name in recorded:
            found[run.name] = STORED
        elif declared is not None and marks.AWAITED in run.annotations and _task(run)[1] not in declared:
            found[run.name] = ABANDONED
    return found


def newest_records(runs: Iterable[RunSummary]) -> Records:
    """Of each task how old its newest run is that a state holds the record of."""
    found: Dict[_Task, _Age] = {}
    for run in runs:
        if is_recorded(run):
            task, age = _task(run), run.age
            if task not in found or found[task] < age:
                found[task] = age
    return found


def is_outlived(run: RunSummary, records: Records) -> bool:
    """Whether a newer run of the same task has a record."""
    return _task(run) in records and records[_task(run)] > run.age


def _task(run: RunSummary) -> _Task:
    return run.labels.get(marks.NAME, ""), run.labels.get(marks.TASK, "")
