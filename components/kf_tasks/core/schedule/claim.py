"""Who starts a run of a schedule just now, where only one may be under way.

With Forbid a pod looks for a run before it starts one, and two pods of two times could look at the same moment, as
when both have waited for the same node. So each of them first puts its Job's name where everybody of the App counts
ids: whoever writes second is refused, and looks again. The name is taken away when the run is there. One that a pod
has left there by its death means nothing once its Job has ended. Who starts a run by hand has no Job, and writes until
when that counts: several times as long as a submission is tried.
"""

from __future__ import annotations

import json
from typing import Callable, Dict, Optional

from .. import moments
from ..api import Object
from ..marks import STARTING

HAND_SECONDS = 300
_UNTIL = "until "  # no Job has such a name


def holder(counter: Object, task: str) -> str:
    """The Job that starts a run of a schedule, by the App's ConfigMap; empty if none does."""
    return _claims(counter).get(task, "")


def claiming(counter: Object, task: str, job: Optional[str]) -> Object:
    """The patch of the ConfigMap, as it was read, that claims a schedule for a Job; None gives it back."""
    claims = {name: by for name, by in _claims(counter).items() if name != task}
    text = json.dumps({**claims, **({task: job} if job else {})}, sort_keys=True)
    version = counter["metadata"]["resourceVersion"]
    return {"metadata": {"resourceVersion": version, "annotations": {STARTING: text}}}


def by_hand(now: str, who: str) -> str:
    """The claim of somebody who has no Job; `who` tells it from others, `now` is the cluster's time."""
    return f"{_UNTIL}{moments.of_epoch(moments.epoch(now) + HAND_SECONDS)} {who}"


def holds(holder: str, now: str, job: Callable[[str], Optional[Object]]) -> str:
    """Who starts a run by a claim that still counts, in words; empty if nobody does. `job` finds a Job."""
    if holder.startswith(_UNTIL):
        return "kf run-job" if holder[len(_UNTIL) :].partition(" ")[0] > now else ""
    return f"Job {holder}" if holder and is_at_work(job(holder)) else ""


def is_at_work(job: Optional[Object]) -> bool:
    """Whether a Job has neither ended nor gone."""
    if job is None or "deletionTimestamp" in job["metadata"]:
        return False
    ended = ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget")
    conditions = (job.get("status") or {}).get("conditions") or []
    return not any(entry["type"] in ended and entry["status"] == "True" for entry in conditions)


def _claims(counter: Object) -> Dict[str, str]:
    try:
        found = json.loads((counter["metadata"].get("annotations") or {}).get(STARTING) or "{}")
    except ValueError:
        return {}
    return {str(name): str(by) for name, by in found.items()} if isinstance(found, dict) else {}
