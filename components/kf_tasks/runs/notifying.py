"""Who is told of runs, for an update and for `kf`: the endpoints in the Secret that a run names."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ..cluster.client import Cluster
from ..cluster.informer import informer
from ..core import marks
from ..core.api import Object
from ..core.log import gate
from ..core.log.masking import Masker
from ..core.notify import endpoint
from ..core.notify.endpoint import Endpoint
from ..core.notify.event import STARTED
from ..core.notify.owed import owed, told
from ..core.run import outcome
from ..core.run.outcome import Outcome
from ..core.run.summary import RunSummary
from ..core.say import nobody
from ..errors import ClusterError, ConfigurationError, NotFound, Trouble
from ..notify.telling import Seen, Teller
from .secrets import Get, secret_values


class Notifying:
    """Tells of the runs of a namespace; what does not work is a line for `warn`, and nothing else.

    `get` is that of a Cluster, or another one where many runs are told of (`runs.secrets.as_told`).
    """

    def __init__(self, cluster: Cluster, namespace: str, warn: Callable[[str], None], get: Get | None = None) -> None:
        self._cluster, self._namespace, self._warn = cluster, namespace, functools.cache(warn)
        self._get = get or cluster.get
        self._teller = Teller(_Runs(cluster, namespace), functools.cache(self._endpoints), self._warn)

    def tells_start(self, template: Object) -> bool:
        """Whether anybody wants to know that a run of this template was started."""
        return self._teller.tells_start(template)

    def begin(self, run: Object) -> None:
        """Tells that this run was started, while the caller, who has made it, goes on."""
        if secret_of(run):
            self._teller.begin(run, claimed=STARTED in told(run["metadata"]["annotations"]))

    def wait(self) -> None:
        """Waits until it is told that runs were started."""
        self._teller.wait()

    def end(self, run: Object, ended: Outcome) -> None:
        """Tells how this run has ended, as it was written on last, and what is owed of the task's others."""
        if secret_of(run):
            labels = run["metadata"]["labels"]
            app, task = labels[marks.NAME], labels[marks.TASK]

            def known() -> list[RunSummary]:
                found = informer(self._cluster.http, self._namespace).runs(app)
                runs = found.at(self._cluster, self._cluster.written)
                return [one for one in runs if one.labels.get(marks.TASK) == task]

            self._settle(known, run["metadata"]["name"], Seen(run, ended))

    def before(self, runs: Collection[RunSummary], going: Collection[RunSummary]) -> bool:
        """Tells what is owed of runs that are about to go, if anything is; `runs` are all of their App.

        A failure that has stayed for its recovery is told of before that: it may go, then.
        """
        names = {run.name for run in going}
        due = [one for one in owed(runs) if one.run.name in names] if names else []
        if not due:
            return False
        self._teller.settle(runs, only=names | {one.after for one in due})
        return True

    def rest(self, app: str) -> None:
        """Tells what is owed of an App's runs."""
        self._settle(lambda: informer(self._cluster.http, self._namespace).runs(app).known(self._cluster))

    def _settle(self, find: Callable[[], list[RunSummary]], own: str = "", seen: Seen | None = None) -> None:
        try:
            runs = find()
        except ClusterError as error:
            self._warn(f"nobody is told how runs ended: {error}")
            return
        self._teller.settle(runs, own, seen=seen)

    def _endpoints(self, secret: str) -> list[Endpoint] | None:
        try:
            return endpoints_of(self._get, self._namespace, secret)
        except Trouble as error:
            self._warn(f"nobody is told how runs ended: Secret {self._namespace}/{secret}: {error}")
            return None


@dataclass(frozen=True)
class _Runs:
    cluster: Cluster
    namespace: str

    @property
    def now(self) -> str | None:
        return self.cluster.now

    def run(self, name: str) -> Object | None:
        try:
            return self.cluster.get_run(self.namespace, name)
        except NotFound:
            return None

    def ended(self, run: Object) -> Outcome:
        pods = self.cluster.pods(self.namespace, run["metadata"]["name"])
        found = outcome.known(run, self.cluster.task_run(self.namespace, run), pods[-1] if pods else None)
        masker = Masker()

        def unread(_text: str) -> None:
            masker.hide_all()

        masker.add(secret_values(self.cluster.get, self.namespace, run, nobody, unread, pods=pods))
        return gate.ended(found, masker)

    def mark(self, run: Object, annotations: Mapping[str, str | None]) -> bool:
        return self.cluster.mark_run(run, annotations)


def secret_of(run: Object) -> str:
    """The name of the Secret with those who are told of a run, or of the runs of a template; empty without one."""
    return str((run["metadata"].get("annotations") or {}).get(marks.NOTIFY, ""))


def endpoints_of(get: Get, namespace: str, secret: str) -> list[Endpoint] | None:
    """Those that stand in a Secret, None if it is gone; raises Trouble for one that holds none or cannot be read.

    `get` is that of a Cluster.
    """
    found = get(namespace, "secrets", secret)
    if found is None:
        return None
    try:
        if (found["metadata"].get("labels") or {}).get(marks.COMPONENT) != endpoint.COMPONENT:
            raise ValueError("it is not one that holds endpoints")
        endpoints = endpoint.read(base64.b64decode(found["data"][endpoint.KEY]).decode())
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"it is not what Pulumi wrote ({error}): repeat pulumi up with --refresh") from None
    gate.learn(endpoint.hidden(endpoints))
    return endpoints
