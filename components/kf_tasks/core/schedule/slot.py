"""One scheduled time of a task: which run it is, and whether it is still wanted.

A CronJob starts a Job for each scheduled time, and the Job's pod may be started again. The run's name
is computed from schedule and scheduled time, so whoever comes second finds the run of the first.
"""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Optional

from .. import moments
from ..api import Object
from ..marks import AT, SCHEDULE, TIMESTAMP
from ..naming import digest
from ..run.summary import RunSummary
from .since import since

ALLOW, FORBID, REPLACE = "Allow", "Forbid", "Replace"
POLICIES = (ALLOW, FORBID, REPLACE)
CONTAINER = "submitter"  # of the pod that starts the run of a time
REPLACED_BY = "replaced by"  # in the annotation of who has cancelled a run


def policy(name: object) -> Optional[str]:
    """The concurrency policy of a name, Kf's own one included; None for one that is unknown."""
    found = ALLOW if name == "Always" else name
    return str(found) if found in POLICIES else None


def slot(job: Object) -> Optional[str]:
    """The time that a Job was scheduled for, in UTC; None for one that somebody made by hand."""
    text = (job["metadata"].get("annotations") or {}).get(TIMESTAMP)
    if not text:
        return None
    return moments.text_of(moments.parse(text))


def key(app: str, task: str, when: str) -> str:
    """The key of a run; `when` is its scheduled time, or what else there is only one of."""
    return digest({"schedule": [app, task], "at": when})


def outdated(job: Object, cron_job: Object) -> str:
    """Why a scheduled time is left out, else empty.

    Kubernetes makes up for times that went by while a CronJob was suspended or had another schedule.
    Such a Job was made after a change of the CronJob, for a time before it.
    """
    when = slot(job)
    changed = since(cron_job)
    if when and changed and when < changed <= job["metadata"]["creationTimestamp"]:
        return f"{when} went by before the schedule was changed or resumed ({changed}): catch_up=True would make up"
    return ""


def later(runs: Iterable[RunSummary], task: str, when: Optional[str]) -> List[RunSummary]:
    """The runs of a schedule that were scheduled for a later time."""
    return [run for run in runs if when and _of(run, task) and run.annotations.get(AT, "") > when]


def unfinished(runs: Iterable[RunSummary], task: str, but: str) -> List[RunSummary]:
    """The runs of a schedule that are under way, except the one named `but`."""
    return [run for run in runs if _of(run, task) and not run.finished and run.name != but]


def marks(when: Optional[str]) -> Dict[str, str]:
    """What tells a run which scheduled time it belongs to."""
    return {AT: when} if when else {}


def copy_begins(name: str, by: str) -> str:
    """What a submitter says before it copies the log of a run that it cancels."""
    return f"run {name} is cancelled by {by}"


def copy_ends(name: str) -> str:
    """What it says after that."""
    return f"run {name} has ended"


def copy(log: Iterable[bytes], name: str) -> Iterator[bytes]:
    """What a submitter's log holds of the log of a run that it has cancelled."""
    first, last = f"kf: {copy_begins(name, '')}".encode(), f"kf: {copy_ends(name)}\n".encode()
    held, copying = b"", False
    for chunk in log:
        held += chunk
        while True:
            line, newline, rest = held.partition(b"\n")
            if not newline:
                break
            held = rest
            if copying and (line + newline).endswith(last):  # the log itself may not end with a newline
                yield line[: len(line) + 1 - len(last)]
                return
            if copying:
                yield line + newline
            copying = copying or line.startswith(first)
    if copying:
        yield held


def _of(run: RunSummary, task: str) -> bool:
    return run.labels.get(SCHEDULE) == task
