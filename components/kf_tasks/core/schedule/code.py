"""Which code of schedules' pods nobody needs any more.

Other code is another ConfigMap, and a pod of before that is started again, or late, still needs the old one. So an
update leaves that where it is, and a later one takes away what nothing names.
"""

from __future__ import annotations

from typing import Iterable, List, Set

from .. import moments
from ..api import Object
from ..marks import COMPONENT, MANAGED_BY
from .claim import is_at_work

CODE = "code"  # the component, in the label of such a ConfigMap
SELECTOR = f"{MANAGED_BY}=kf,{COMPONENT}={CODE}"
SECONDS = 86_400  # an update may have made it just now, for a CronJob that is yet to come


def superfluous(
    config_maps: Iterable[Object], cron_jobs: Iterable[Object], jobs: Iterable[Object], now: str
) -> List[Object]:
    """Of the ConfigMaps with code those older than a day that no CronJob names, and no Job that has not ended."""
    named: Set[str] = set()
    for cron_job in cron_jobs:
        named |= _names(cron_job["spec"]["jobTemplate"])
    for job in jobs:
        named |= _names(job) if is_at_work(job) else set()
    before = moments.before(now, SECONDS)
    return [
        found
        for found in config_maps
        if found["metadata"]["name"] not in named and found["metadata"]["creationTimestamp"] < before
    ]


def _names(job: Object) -> Set[str]:
    volumes = job["spec"]["template"]["spec"].get("volumes") or []
    return {volume["configMap"]["name"] for volume in volumes if "configMap" in volume}
