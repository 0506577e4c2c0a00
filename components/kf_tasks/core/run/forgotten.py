"""A run that Tekton has forgotten: what it waits for has ended, and nobody writes that down.

Tekton hears of a pod's end by a watch, and now and then it misses one: PipelineRun and TaskRun stay `Running`, and who
waits for them waits for their timeout. Whoever follows a run looks at its pod as well, so it notices, lets Tekton look
again, cancels the run after a while, and in the end believes the pod. Where hundreds of runs end at once Tekton needs
minutes to write that down (it may ask the API server five times a second), and has forgotten none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .. import moments
from ..api import Object
from . import outcome, queue

NOTICE_SECONDS, AGAIN_SECONDS = 30.0, 60.0
EACH_SECONDS = 1.0  # that Tekton may need for every other run
TOUCH, CANCEL, END = "touch", "cancel", "end"
_STEPS = ((TOUCH, NOTICE_SECONDS), (CANCEL, AGAIN_SECONDS), (END, AGAIN_SECONDS))  # each after the one before


@dataclass
class Patience:
    """Since when something is wrong with a run, or was last done about it (seconds of any clock), and how much was."""

    since: Optional[float] = None
    done: int = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether all was done, and the trouble is still there."""
        return self.done == len(_STEPS)

    def due(self, trouble: str, now: float, others: int = 0) -> str:
        """What to do now: each of TOUCH, CANCEL, END once and in this order, nothing while all is well; else empty.

        `others` are the runs that go on beside this one.
        """
        if not trouble:
            self.since, self.done = None, 0
            return ""
        self.since = now if self.since is None else self.since
        if self.is_exhausted or now - self.since < _STEPS[self.done][1] + others * EACH_SECONDS:
            return ""
        self.since, self.done = now, self.done + 1
        return _STEPS[self.done - 1][0]


def trouble(run: Object, task_run: Optional[Object], pod: Optional[Object]) -> str:
    """What Tekton should have noticed of a run that goes on by its own status; empty if there is nothing.

    `pod` is the newest that is there. Without one, `task_run` has to be what is there by now; else it may be what was
    there a while ago. A pod that is alive is left to Tekton, but for one of a TaskRun that is not the run's own.
    """
    if outcome.has_ended(run):
        return ""
    if pod and has_ended(pod):
        return f"its pod has ended ({_phase(pod)})"
    children = (run.get("status") or {}).get("childReferences") or []
    if not children:
        return "it is cancelled, and no pod of it is there" if _is_cancelled(run) and not pod else ""
    if task_run is None:
        return "its TaskRun was deleted"
    owners = [owner.get("uid") for owner in (task_run.get("metadata") or {}).get("ownerReferences") or []]
    if owners and run["metadata"].get("uid") not in owners:
        return "its TaskRun belongs to another run"
    if pod is None and (task_run.get("status") or {}).get("podName"):
        return "its pod is gone"
    return "it is cancelled, and no pod of it is there" if _is_cancelled(run) and not pod else ""


def is_overdue(pod: Object, now: Optional[str]) -> bool:
    """Whether the end of a pod is so long ago (`now` is RFC 3339) that Tekton should have noticed it.

    One that says that it has ended and not when was taken away, as an evicted one is.
    """
    ends = [
        (status.get("state") or {}).get("terminated", {}).get("finishedAt") or ""
        for status in (pod.get("status") or {}).get("containerStatuses") or []
    ]
    past = moments.seconds_between(max(ends, default="") or None, now)
    return has_ended(pod) and (past is None or past >= NOTICE_SECONDS)


def has_ended(pod: Object) -> bool:
    """Whether all of a pod has come to its end, by the word of its kubelet or of who took it away."""
    return _phase(pod) in ("Succeeded", "Failed")


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def _is_cancelled(run: Object) -> bool:
    return (run.get("spec") or {}).get("status") not in (None, "", queue.PENDING)
