"""Who is told of a schedule's runs by its pod: the endpoints in the Secret that is mounted into it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional

from ..core import api
from ..core.api import Object
from ..core.log import gate
from ..core.log.masking import Masker
from ..core.notify import endpoint
from ..core.notify.endpoint import Endpoint
from ..core.run import outcome, pipelinerun
from ..core.run.command import carried
from ..core.run.outcome import Outcome
from ..core.schedule import cronjob
from ..notify.telling import Teller
from .client import PlainCluster, say

FOLDER = Path(cronjob.NOTIFY)
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def teller(cluster: PlainCluster, secret: str, folder: Optional[Path] = None) -> Teller:
    """Tells of the runs that name this Secret, which is the only one that the pod has."""

    def endpoints(name: str) -> Optional[List[Endpoint]]:
        if name != secret:
            return None
        try:
            found = endpoint.read(((folder or FOLDER) / endpoint.KEY).read_text("utf-8"))
        except FileNotFoundError:  # the Secret is gone, and with it those who wanted to know
            return None
        except (OSError, ValueError) as error:
            _warn(f"nobody is told how runs ended: Secret {secret} cannot be read: {error}")
            return None
        gate.learn(endpoint.hidden(found))
        return found

    return Teller(_Runs(cluster), endpoints, _warn)


def use_proxies(template: Object) -> None:
    """Goes out the way that the task goes: what its plain variables say of proxies holds here, too."""
    for entry in pipelinerun.step_of(template).get("env") or []:
        if entry["name"] in _PROXIES and entry.get("value"):
            os.environ.setdefault(entry["name"], carried(str(entry["value"])))


@dataclass(frozen=True)
class _Runs:
    cluster: PlainCluster

    @property
    def now(self) -> Optional[str]:
        return self.cluster.now

    def run(self, name: str) -> Optional[Object]:
        return self.cluster.find(self.cluster.runs(name))

    def ended(self, run: Object) -> Outcome:
        children = (run.get("status") or {}).get("childReferences") or []
        path = api.task_runs(self.cluster.namespace, children[0]["name"]) if children else ""
        pods = self.cluster.pods(run["metadata"]["name"])
        found = outcome.known(run, self.cluster.find(path) if path else None, pods[-1] if pods else None)
        return gate.ended(found, Masker())

    def mark(self, run: Object, annotations: Dict[str, Optional[str]]) -> bool:
        return self.cluster.mark_run(run, annotations)


def _warn(text: str) -> None:
    say(f"warning: {text}")
