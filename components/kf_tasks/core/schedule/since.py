"""Since when a CronJob has its times: written down with it, by whoever changes them.

Kubernetes makes up for times that went by while a CronJob was suspended or had another schedule, and such a time
is not meant. But a time that the cluster missed is meant, whatever else about the CronJob was changed since. So its
annotation says from when on which times hold. Where it does not say that of the times of now, somebody changed them
past us (`kubectl`), or a version did that wrote nothing down, or the change was made just now: then it is the last
time that a manager of these fields applied anything.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ..api import Object
from ..marks import TIMES_SINCE

_FIELDS = {"f:schedule", "f:timeZone", "f:suspend"}


def since(cron_job: Object) -> str:
    """The moment from which the CronJob's times hold; empty where nothing tells."""
    at, _, times = _recorded(cron_job).partition(" ")
    return at if times == _times(cron_job["spec"]) else _applied(cron_job)


def marks(cron_job: Object, kept: bool) -> Dict[str, str]:
    """The annotation that a CronJob lacks, empty if it has the right one.

    `kept`: an update found a CronJob without any and left its times as they were: they hold since it was made.
    """
    at, _, times = _recorded(cron_job).partition(" ")
    if times == _times(cron_job["spec"]):
        return {}
    made = str(cron_job["metadata"]["creationTimestamp"])
    return _mark(made if kept and not at else _applied(cron_job) or made, cron_job["spec"])


def changing(cron_job: Object, changes: Mapping[str, Any], now: str) -> Dict[str, str]:
    """The annotation that goes with a change of the spec; none if the times stay what they are."""
    spec = {**cron_job["spec"], **changes}
    return {} if _times(spec) == _times(cron_job["spec"]) else _mark(now, spec)


def _mark(at: str, spec: Mapping[str, Any]) -> Dict[str, str]:
    return {TIMES_SINCE: f"{at} {_times(spec)}"}


def _times(spec: Mapping[str, Any]) -> str:
    """When a CronJob starts Jobs, in words that are the same for the same times."""
    suspended = "suspended " if spec.get("suspend") else ""
    return f"{suspended}{spec['schedule']} {spec.get('timeZone', '')}".rstrip()


def _recorded(cron_job: Object) -> str:
    return str((cron_job["metadata"].get("annotations") or {}).get(TIMES_SINCE, ""))


def _applied(cron_job: Object) -> str:
    """When whoever manages the times last applied something; the controller changes the status only."""
    times = [
        str(entry.get("time", ""))
        for entry in cron_job["metadata"].get("managedFields") or []
        if not entry.get("subresource") and _FIELDS & set((entry.get("fieldsV1") or {}).get("f:spec") or {})
    ]
    return max(times, default="")
