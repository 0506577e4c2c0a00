"""What one process remembers: what it has asked the clusters, what it has decided, and what it has said.

`check` is called for one resource after the other, and what was found out at the first is known at the next.
An update remembers in the same way. One object for the three doors, which `configure` makes.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from ..cluster.client import Cluster
from ..cluster.connection import Connection
from ..core import marks
from ..errors import ClusterError, Unreachable
from . import reporting
from .survey import Survey, ask

Place = tuple[str, str, str]


class Preview:
    """Asks a cluster once, and says a thing once; `say`, `cluster` and `ask` are what it does that with."""

    def __init__(
        self,
        say: reporting.Say = reporting.say,
        cluster: Callable[[Connection], Cluster] = Cluster.of,
        ask: Callable[[Cluster, str], Survey] = ask,
    ) -> None:
        self.say, self.cluster, self._ask = say, cluster, ask
        # What the first check of a replacement found out, for its second check, which is not given the old inputs.
        self.decided: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {}
        # Namespace, App and task of the records that start nothing: a preview does not know the outputs of one that
        # is only completed or held back, but its run is no new one.
        self.in_place: set[Place] = set()
        # And of those of which only the update knows whether they start something.
        self.undecided: set[Place] = set()
        self.survey = functools.cache(self._survey)
        self.cron_jobs = functools.cache(self._cron_jobs)
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
        """The specifications of the schedules of a namespace by their names; none where they may not be asked for."""
        try:
            found = self.cluster(connection).cron_jobs(namespace, marks.SCHEDULE)
        except ClusterError:
            return {}
        return {item["metadata"]["name"]: item["spec"] for item in found}


@functools.cache
def of_process() -> Preview:
    """That of this process, which all doors share."""
    return Preview()
