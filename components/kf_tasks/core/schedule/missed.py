"""The times at which a schedule should have started its task and did not, and why, in the cluster's words.

A Job whose pod cannot start (an image, a quota, a node selector, an admission webhook) fails nothing that anybody
looks at: only its pod and the events tell. So whoever looks at a schedule is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, Dict, Iterable, List, Optional, Sequence

from .. import moments
from ..api import Object
from ..errors import InvalidInput
from ..run import outcome
from . import cron
from .since import since
from .slot import CONTAINER, slot

GRACE = 60  # seconds that a pod may take to start before anybody is told
MOST = 10_000
_ENDED = (0, 3, 4)  # what a submitter ends with that has done its work, or leaves it to the next one
_JOB = "batch.kubernetes.io/job-name"


@dataclass(frozen=True)
class Missed:
    """How many times, since when (RFC 3339; `shown` is that in the schedule's zone), and why."""

    count: int
    since: str
    shown: str
    why: str

    @property
    def sentence(self) -> str:
        """What is said of the schedule."""
        if self.count == 1:
            return f"has missed its time of {self.shown}: {self.why}"
        return f"has missed {self.count}{'' if self.count < MOST else ' or more'} times since {self.shown}: {self.why}"


def missed(
    cron_job: Object,
    jobs: Iterable[Object],
    pods: Sequence[Object],
    now: str,
    events: Sequence[Object] = (),
    ran: Iterable[str] = (),
) -> Optional[Missed]:
    """The times that a CronJob has missed since it last worked, None for none.

    `jobs` and `pods` are those of all schedules, `events` the warnings of the namespace, `ran` the scheduled times of
    the runs of this schedule. Who knows no events or runs is told of more times than there are.
    """
    spec, known = cron_job["spec"], set(ran)
    if spec.get("suspend"):
        return None
    own = sorted((job for job in jobs if _is_of(job, cron_job)), key=lambda job: str(slot(job)), reverse=True)
    words, worked = "", max(known, default="")
    for job, older in zip(own, [*own[1:], None]):
        mine = [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(_JOB) == job["metadata"]["name"]]
        when, trouble = slot(job) or "", _words(job, mine, events)
        young = not trouble and moments.epoch(now) - moments.epoch(job["metadata"]["creationTimestamp"]) < GRACE
        # One that begins tells nothing of those before it, but where it is another one: something was corrected.
        if when in known or _has_worked(job, mine) or (young and _is_another(job, older)):
            worked = max(worked, when)
            break
        words = words or trouble
    held = since(cron_job) or cron_job["metadata"]["creationTimestamp"]
    try:
        schedule = cron.parse(spec["schedule"], "schedule")
        place = cron.zone(spec.get("timeZone") or "Etc/UTC", "zone")
    except InvalidInput:  # nobody of us has written it
        return None
    times = cron.times(schedule, place, moments.epoch(max(worked, held)))
    late = list(islice(takewhile(lambda moment: moment <= moments.epoch(now) - GRACE, times), MOST))
    if not late:
        return None
    why = words or _told(events, "CronJob", cron_job["metadata"]["name"])
    if not why:
        why = "its pod has not started" if own and slot(own[0]) != worked else "Kubernetes has made no Job for it"
    return Missed(len(late), moments.of_epoch(late[0]), cron.shown(late[0], place), why)


def _is_of(job: Object, cron_job: Object) -> bool:
    name = cron_job["metadata"]["name"]
    owners = job["metadata"].get("ownerReferences") or []
    return bool(slot(job)) and any(one.get("kind") == "CronJob" and one.get("name") == name for one in owners)


def _is_another(job: Object, older: Optional[Object]) -> bool:
    """Whether the pod of a Job is made from something else than that of the one before it."""
    made, before = ((one.get("spec") or {}).get("template", {}).get("spec") for one in (job, older or {}))
    return older is None or made != before


def _has_worked(job: Object, pods: List[Object]) -> bool:
    """Whether the submitter of a Job has begun its work."""
    for entry in (job.get("status") or {}).get("conditions") or []:
        if entry["status"] == "True" and (entry["type"] == "Complete" or entry.get("reason") == "PodFailurePolicy"):
            return True
    states = [_state(pod) for pod in pods]
    return any("running" in state or (state.get("terminated") or {}).get("exitCode") in _ENDED for state in states)


def _words(job: Object, pods: List[Object], events: Sequence[Object]) -> str:
    """Why a Job does not do its work."""
    for pod in reversed(pods):
        ended = _state(pod).get("terminated") or {}
        if outcome.waiting(pod):
            return outcome.waiting(pod)
        if ended and ended.get("exitCode") not in _ENDED:
            said = ended.get("message") or ended.get("reason")
            return f"its pod ended with exit code {ended.get('exitCode')}: {said}"
    conditions = (job.get("status") or {}).get("conditions") or []
    failed = [entry for entry in conditions if entry["type"] == "Failed" and entry["status"] == "True"]
    said = [f"{entry.get('reason')}: {entry.get('message')}" for entry in failed]
    name = job["metadata"]["name"]
    return _told(events, "Pod", f"{name}-", start=True) or _told(events, "Job", name) or "".join(said[:1])


def _told(events: Sequence[Object], kind: str, name: str, *, start: bool = False) -> str:
    """The newest warning about an object; `start`: about one whose name begins so."""
    about = [(event, event["involvedObject"]) for event in events if event["involvedObject"].get("kind") == kind]
    names = [(event, str(of.get("name"))) for event, of in about]
    mine = [event for event, own in names if own == name or (start and own.startswith(name))]
    newest = max(mine, key=_time, default=None)
    return f"{newest['reason']}: {newest['message']}" if newest else ""


def _time(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def _state(pod: Object) -> Dict[str, Any]:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((status.get("state") or {} for status in statuses if status.get("name") == CONTAINER), {})
