"""Who starts a run of a schedule just now, where only one may be under way.

With Forbid a pod looks for a run before it starts one, and two pods of two times could look at the same moment, as
when both have waited for the same node. So each of them first puts its Job's name where everybody of the App counts
ids: whoever writes second is refused, and looks again. The name is taken away when the run is there. One that a pod
has left there by its death means nothing once its Job has ended.
"""

from __future__ import annotations

import json
from typing import Dict, Optional

from ..api import Object
from ..marks import STARTING


def holder(counter: Object, task: str) -> str:
    """The Job that starts a run of a schedule, by the App's ConfigMap; empty if none does."""
    return _claims(counter).get(task, "")


def claiming(counter: Object, task: str, job: Optional[str]) -> Object:
    """The patch of the ConfigMap, as it was read, that claims a schedule for a Job; None gives it back."""
    claims = {name: by for name, by in _claims(counter).items() if name != task}
    text = json.dumps({**claims, **({task: job} if job else {})}, sort_keys=True)
    version = counter["metadata"]["resourceVersion"]
    return {"metadata": {"resourceVersion": version, "annotations": {STARTING: text}}}


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
