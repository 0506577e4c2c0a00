"""What one process remembers: what it has asked the clusters, what it has decided, and what it has said.

`check` is called for one resource after the other, and what was found out at the first is known at the next.
An update remembers in the same way. One object for the three doors, which `configure` makes.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

from pulumi.output import contains_unknowns

from ..cluster.client import Cluster
from ..cluster.connection import Connection
from ..core import marks, moments
from ..core.naming import label_value
from ..core.schedule.missed import Missed
from ..core.state import MAY, WILL, Decision, Which
from ..errors import ClusterError, Unreachable
from ..runs.schedules import missed_times
from . import reporting
from .survey import Survey, ask


class Preview:
    """Asks a cluster once, and says a thing once; `say`, `cluster` and `ask` are what it does that with."""

    def __init__(
        self,
        say: reporting.Say = reporting.say,
        cluster: Callable[[Connection], Cluster] = Cluster.of,
        ask: Callable[[Cluster, str], Survey] = ask,
    ) -> None:
        self.say, self.cluster, self._ask = say, cluster, ask
        # Under which digests of secrets are told: that of one preview, so that no two of them can be compared.
        self.salt = os.urandom(16)
        # What was decided about each task, and of which definition.
        self.decided: dict[Which, tuple[str, Decision]] = {}
        # Why admission was not asked for, by namespace.
        self.unadmitted: dict[str, str] = {}
        # The file of the approval that the update is held to, and whether it was found to hold still.
        self.approved, self.in_time = "", False
        # Which App keeps house in a place: cluster, namespace and App's name.
        self.keepers: dict[tuple[str, str, str], str] = {}
        # In which places an App keeps house when this update has ended: by the way to the cluster.
        self.kept: set[tuple[Connection, str, str]] = set()
        # How many runs all processes of this update add to an App, of which this one adds so many: a Python program has
        # one process for all of them.
        self.in_all: Callable[[str, str, tuple[int, int]], tuple[int, int]] = lambda namespace, app, own: own
        self._labels: dict[tuple[str, str], set[str]] = {}
        self.survey = functools.cache(self._survey)
        self.cron_jobs = functools.cache(self._cron_jobs)
        self.missed = functools.cache(self._missed)
        self.keys = functools.cache(self._keys)
        self._failures: dict[Connection, Unreachable] = {}
        self._said: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def say_once(self, urn: str, text: str, *, about: str, warning: bool = False) -> None:
        """Says `text` unless it was said about the same thing before."""
        with self._lock:
            known = (about, text) in self._said
            self._said.add((about, text))
        if not known:
            self.say(urn, text, warning=warning)

    def look(self, connection: Any, namespace: Any) -> tuple[Connection | None, Survey]:
        """The cluster of a resource's inputs and what it says; of a place that is not known yet nothing."""
        if contains_unknowns([connection, namespace]):
            return None, Survey()
        found = Connection.of(connection)
        return found, self.survey(found, namespace)

    def own_labels(self, place: tuple[str, str], *stacks: str) -> frozenset[str]:
        """The labels of this stack at an App's runs: that of now, and those of names that it had before.

        A stack or a project that is renamed, and a resource that is moved from one stack to another, bring their
        state along: the names that it holds are proven by that, and remembered for what is new beside it.
        """
        known = self._labels.setdefault(place, set())
        known.update(label_value(stack) for stack in stacks)
        return frozenset(known)

    def adding(self, namespace: str, app: str) -> tuple[int, int]:
        """How many runs of an App this update adds, and how many more it may add."""
        here = [one for which, (_, one) in self.decided.items() if (which.namespace, which.app) == (namespace, app)]
        own = sum(one.starts == WILL and not one.adopts for one in here), sum(one.starts == MAY for one in here)
        return own if contains_unknowns([namespace, app]) else self.in_all(namespace, app, own)

    def _survey(self, connection: Connection, namespace: str) -> Survey:
        """What a cluster says of a namespace; after the first connection that failed nothing is asked of it."""
        failed = self._failures.get(connection)
        if failed:
            return Survey(unasked=failed)
        try:
            found = self._ask(self.cluster(connection), namespace)
        except Unreachable as error:
            found = Survey(unasked=error)
        if isinstance(found.unasked, Unreachable):
            self._failures[connection] = found.unasked
        return found

    def _cron_jobs(self, connection: Connection, namespace: str) -> dict[str, Any]:
        """The schedules of a namespace by their names; none where they may not be asked for."""
        try:
            found = self.cluster(connection).cron_jobs(namespace, marks.SCHEDULE)
        except ClusterError:
            return {}
        return {item["metadata"]["name"]: item for item in found}

    def _keys(self, connection: Connection, namespace: str, kind: str, name: str) -> frozenset[str] | None:
        """The keys of a Secret or ConfigMap, None if it does not exist; raises ClusterError."""
        found = self.cluster(connection).get(namespace, f"{kind.lower()}s", name)
        return None if found is None else frozenset({**(found.get("data") or {}), **(found.get("binaryData") or {})})

    def _missed(self, connection: Connection, namespace: str) -> dict[str, Missed]:
        """What the schedules of a namespace have missed, by the names of their CronJobs."""
        cluster = self.cluster(connection)
        cron_jobs = self.cron_jobs(connection, namespace)
        return missed_times(cluster, namespace, cron_jobs.values(), cluster.now or moments.now())


@functools.cache
def of_process() -> Preview:
    """That of this process, which all doors share."""
    return Preview()
