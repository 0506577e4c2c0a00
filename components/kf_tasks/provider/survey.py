"""What `check` may know of the cluster: asked once for each namespace and process, and allowed to fail in a preview.

`check` runs for every resource, one after the other, and stalls all registrations meanwhile. So the runs
of a namespace are listed once (`preview` remembers them). `create` never uses this: it asks anew.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..cluster.client import LONGEST_SELECTOR, PAGE, Cluster
from ..core import api, marks
from ..core.naming import label_value
from ..core.run.attempts import of_task
from ..core.run.summary import RunSummary
from ..errors import ClusterError, Denied, NotFound, Unreachable

K = TypeVar("K", bound=Hashable)
PARTS = 4
TIMED = 500  # so many runs are asked for with the times of each, which takes six times the bytes


@dataclass(frozen=True)
class Survey:
    """The runs of a namespace, who owns what in it, and what could not be asked."""

    exists: bool = True
    owner: str | None = None
    owners: dict[str, str] = field(default_factory=dict)
    urns: dict[str, str] = field(default_factory=dict)
    runs: list[RunSummary] = field(default_factory=list)
    now: str | None = None
    cluster: str = ""
    unasked: ClusterError | None = None

    def of(self, app: str) -> list[RunSummary]:
        """The runs of one App."""
        return self._by_app.get(app, [])

    def of_task(self, app: str, task: str, stacks: Collection[str]) -> list[RunSummary]:
        """The runs of one task, oldest first; `stacks` are the labels of its stack."""
        return of_task(self._by_task.get((app, label_value(task)), ()), app, task, stacks)

    # Sorted once: a namespace may have ten thousand runs, and each of hundreds of tasks asks for its own.

    @functools.cached_property
    def _by_app(self) -> dict[str, list[RunSummary]]:
        return _grouped(self.runs, lambda run: run.labels.get(marks.NAME, ""))

    @functools.cached_property
    def _by_task(self) -> dict[tuple[str, str], list[RunSummary]]:
        return _grouped(self.runs, lambda run: (run.labels.get(marks.NAME, ""), run.labels.get(marks.TASK, "")))

    @functools.cached_property
    def _stacks(self) -> dict[str, set[str | None]]:
        return {app: {run.labels.get(marks.STACK) for run in runs} for app, runs in self._by_app.items()}

    def foreign_owner(self, app: str, own: Collection[str]) -> str | None:
        """The other stack that an App of this name belongs to, if there is one; `own` are the labels of this one."""
        found = {self.owners.get(app), *self._stacks.get(app, ())}
        return next(iter(sorted(label for label in found if label is not None and label not in own)), None)


def ask(cluster: Cluster, namespace: str) -> Survey:
    """Asks the cluster about a namespace; what may not be asked is said by `unasked`."""
    try:
        return _ask(cluster, namespace)
    except (Unreachable, Denied, NotFound) as error:
        return Survey(unasked=error)


def _ask(cluster: Cluster, namespace: str) -> Survey:
    found = cluster.namespace(namespace)
    if found is None:
        return Survey(exists=False)
    try:
        count = cluster.count_runs(namespace)
    except NotFound:
        raise NotFound("the cluster has no PipelineRuns: Tekton Pipelines is not installed in it") from None
    found_templates = cluster.config_maps(namespace, api.equal(marks.TEMPLATE, "app"))
    templates = {_label(item, marks.NAME) or "": item for item in found_templates}
    owners = {app: _label(item, marks.STACK) or "" for app, item in templates.items()}
    urns = {app: (item["metadata"].get("annotations") or {}).get(marks.URN, "") for app, item in templates.items()}
    selectors = _parts(sorted(filter(None, owners))) if count > PAGE else [""]
    runs, now = _runs(cluster, namespace, selectors, with_times=count <= TIMED)
    return Survey(owner=_label(found, marks.STACK), owners=owners, urns=urns, runs=runs, now=now, cluster=_uid(cluster))


def _runs(
    cluster: Cluster, namespace: str, selectors: list[str], with_times: bool
) -> tuple[list[RunSummary], str | None]:
    """All runs, and the server's time when the first of the lists was answered: whatever is newer may be missing."""
    lists = [Cluster(cluster.http) for _ in selectors]
    with ThreadPoolExecutor(len(lists)) as pool:
        found = pool.map(
            lambda one, selector: one.list_runs(namespace, selector=selector, with_times=with_times), lists, selectors
        )
        runs = [run for part in found for run in part]
    return runs, min((one.now for one in lists if one.now), default=None)


def _grouped(runs: Iterable[RunSummary], key: Callable[[RunSummary], K]) -> dict[K, list[RunSummary]]:
    found: dict[K, list[RunSummary]] = {}
    for run in runs:
        found.setdefault(key(run), []).append(run)
    return found


def _parts(apps: list[str]) -> list[str]:
    """Selectors of lists at once, of all runs together: the server puts one list together on one processor."""
    if len(apps) < 2 or len(",".join(apps)) > LONGEST_SELECTOR:
        return [""]
    groups = [api.equal(marks.NAME, *apps[part::PARTS]) for part in range(min(PARTS, len(apps)))]
    return [*groups, f"{marks.NAME} notin ({','.join(apps)})"]


def _uid(cluster: Cluster) -> str:
    try:
        return cluster.uid()
    except Denied:
        return ""


def _label(obj: dict[str, Any], name: str) -> str | None:
    value: str | None = (obj["metadata"].get("labels") or {}).get(name)
    return value
