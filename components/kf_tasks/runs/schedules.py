"""What the schedules of a namespace have missed, asked of the cluster; little is asked where all is well."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ..cluster.client import Cluster
from ..core import marks, moments
from ..core.api import Object
from ..core.schedule import code, slot
from ..core.schedule.missed import Missed, missed
from ..errors import ClusterError

T = TypeVar("T")


def missed_times(cluster: Cluster, namespace: str, cron_jobs: Iterable[Object], now: str) -> dict[str, Missed]:
    """What each of these CronJobs has missed, by its name; one that works has no entry, nor what may not be asked."""
    asked = [found for found in cron_jobs if not found["spec"].get("suspend")]
    if not asked:
        return {}
    try:
        jobs = cluster.jobs(namespace, marks.SCHEDULE)
        pods = cluster.select_pods(namespace, f"{marks.SCHEDULE},{marks.COMPONENT}={slot.CONTAINER}")
    except ClusterError:
        return {}
    suspects = [found for found in asked if missed(found, jobs, pods, now)]
    if not suspects:
        return {}
    events = _or_none(lambda: cluster.warnings(namespace))
    runs = _or_none(lambda: cluster.list_runs(namespace, selector=marks.SCHEDULE))
    found = {}
    for cron_job in suspects:
        own = {name: cron_job["metadata"]["labels"].get(name) for name in (marks.NAME, marks.SCHEDULE)}
        ran = [
            run.annotations.get(marks.AT, "")
            for run in runs
            if all(run.labels.get(name) == value for name, value in own.items())
        ]
        trouble = missed(cron_job, jobs, pods, now, events, ran)
        if trouble:
            found[cron_job["metadata"]["name"]] = trouble
    return found


def sweep_code(cluster: Cluster, namespace: str) -> None:
    """Deletes the code of schedules' pods that nothing names any more; where that may not be done it stays."""
    try:
        cron_jobs = cluster.cron_jobs(namespace, marks.SCHEDULE)
        jobs = cluster.jobs(namespace, marks.SCHEDULE)
        now = cluster.now or moments.now()
        for found in code.superfluous(cluster.config_maps(namespace, code.SELECTOR), cron_jobs, jobs, now):
            cluster.delete_config_map(namespace, found)
    except ClusterError:
        pass


def _or_none(question: Callable[[], list[T]]) -> list[T]:
    """What a cluster answers; nothing where that may not be asked."""
    try:
        return question()
    except ClusterError:
        return []
