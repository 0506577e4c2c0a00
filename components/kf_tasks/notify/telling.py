"""Tells of runs, each event once, whoever sees it: what is claimed on the run first is sent then.

The claim is an annotation, set only if the run is what was read: of two who see the same end the second one is
refused. An event that no endpoint has taken is given back, and the next one who looks sends it. Nothing here
changes how a run ended, and nothing takes longer than some seconds: what does not work is a warning.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Callable, Collection, Dict, Iterable, Optional, Protocol, Sequence

from ..core import advice, marks, moments
from ..core.api import Object
from ..core.notify import endpoint
from ..core.notify.endpoint import Endpoint
from ..core.notify.event import RECOVERED, STARTED, SUCCEEDED, Event
from ..core.notify.owed import ENDS, OVER, Owed, owed, told
from ..core.run.outcome import Outcome
from ..core.run.summary import RunSummary
from .sending import SECONDS, send

FOLLOWER_SECONDS = 120  # for which the follower of a run that has ended may still write down why
ATTEMPTS = 50  # at a claim, while others write on the run


class Runs(Protocol):
    """The runs of one namespace, whichever client asks for them."""

    @property
    def now(self) -> Optional[str]:
        """The cluster's time, as far as it was told."""

    def run(self, name: str) -> Optional[Object]:
        """A whole PipelineRun, None if it is gone."""

    def ended(self, run: Object) -> Outcome:
        """How a run that has ended did, in texts without secrets."""

    def mark(self, run: Object, annotations: Dict[str, Optional[str]]) -> bool:
        """Sets annotations of a run as it was read; False where it has changed since."""


@dataclass(frozen=True)
class Seen:
    """A run that was followed to its end, as it was written on last, and how it has ended, in texts without secrets."""

    run: Object
    ended: Outcome


class Teller:
    """Tells of the runs of a namespace. `endpoints` are those of a Secret, by its name; None where they are not known.

    `warn` is given one line for each thing that does not work.
    """

    def __init__(
        self, runs: Runs, endpoints: Callable[[str], Optional[Sequence[Endpoint]]], warn: Callable[[str], None]
    ) -> None:
        self.runs, self.endpoints, self.warn = runs, endpoints, warn
        self._starting: Optional[threading.Thread] = None

    def tells_start(self, template: Object) -> bool:
        """Whether anybody wants to know that a run of this template was started."""
        endpoints = self._endpoints((template["metadata"].get("annotations") or {}).get(marks.NOTIFY, ""))
        return any(one.wants(STARTED) for one in endpoints or ())

    def begin(self, run: Object, *, claimed: bool = False) -> None:
        """Tells in the background that a run was started; its end waits for that.

        `claimed`: whoever calls this has made the run, with the claim on it.
        """
        endpoints = self._endpoints((run["metadata"].get("annotations") or {}).get(marks.NOTIFY, ""))
        if not endpoints:
            return
        event = Event.begun(run)
        if any(one.wants(STARTED) for one in endpoints):
            self._starting = threading.Thread(target=self._begin, args=(run, endpoints, event, claimed), daemon=True)
            self._starting.start()

    def wait(self) -> None:
        """Waits until `begin` has told, for some seconds at most."""
        if self._starting:
            self._starting.join(SECONDS)

    def settle(
        self,
        runs: Iterable[RunSummary],
        own: str = "",
        only: Optional[Collection[str]] = None,
        seen: Optional[Seen] = None,
    ) -> None:
        """Tells what is owed of these runs, of each task all that there are; `own` is the one that was followed.

        With `only` of those with these names. `seen` is what is known of `own`, so that nobody has to ask for it.
        """
        self.wait()
        deadline = time.monotonic() + SECONDS
        silent = set[str]()  # Secrets of whose endpoints none has taken an event: others are told on
        try:
            for one in owed(runs):
                if one.secret in silent or (only is not None and one.run.name not in only):
                    continue
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                if not self._tell(one, own, left, seen if one.run.name == own else None):
                    silent.add(one.secret)
        except Exception as error:  # whatever goes wrong here says nothing about a task
            self.warn(f"nobody is told how runs ended: {str(error) or type(error).__name__}")

    def _begin(self, run: Object, endpoints: Sequence[Endpoint], event: Event, claimed: bool) -> None:
        try:
            if claimed or self._claim(run["metadata"]["name"], event.uid, STARTED):
                self._send(run["metadata"]["annotations"][marks.NOTIFY], endpoints, event, SECONDS)
        except Exception as error:
            self.warn(f"nobody is told that a run was started: {str(error) or type(error).__name__}")

    def _tell(self, one: Owed, own: str, seconds: float, seen: Optional[Seen]) -> bool:
        """Whether more may follow for the same endpoints: False where none of them has taken it."""
        endpoints = self._endpoints(one.secret)
        if endpoints is None:
            return True
        run = seen.run if seen else self.runs.run(one.run.name)
        if run is None or (one.run.name != own and self._is_followed(run)):
            return True
        claimed = self._claim(one.run.name, one.run.uid, one.kind, run)
        if claimed is None:
            return True
        # Two who see a success at the same time may both take it for the first one: the failure tells.
        recovered = one.kind == RECOVERED and self._claim(one.after, "", OVER) is not None
        kind = SUCCEEDED if one.kind == RECOVERED and not recovered else one.kind
        ended = seen.ended if seen else self.runs.ended(claimed)
        if self._send(one.secret, endpoints, Event.of(kind, claimed, ended), seconds):
            return True
        self._give_back(one.run.name, one.kind)
        if recovered:
            self._give_back(one.after, OVER)
        return False

    def _endpoints(self, secret: str) -> Optional[Sequence[Endpoint]]:
        return self.endpoints(secret) if secret else None

    def _send(self, secret: str, endpoints: Sequence[Endpoint], event: Event, seconds: float) -> bool:
        """Whether anybody has taken it, or nobody wanted it."""
        troubles = send(endpoints, event, seconds)
        for trouble in filter(None, troubles):
            app, task = event.data["app"], event.data["displayName"]
            test = advice.notify(app, task if secret == endpoint.secret_name(app, task) else "", event.data["space"])
            self.warn(f"{event.subject}: `{event.kind}` is not told to {trouble}; {test} tries it again")
        return not troubles or not all(troubles)

    def _claim(self, name: str, uid: str, value: str, known: Optional[Object] = None) -> Optional[Object]:
        """The run, if it is this one's to tell of; `uid` is empty where any of that name will do.

        `known` is the run as it may still be: whoever finds that it is not asks for it.
        """
        for attempt in range(ATTEMPTS):
            run = known if known and not attempt else self.runs.run(name)
            if run is None or (uid and run["metadata"]["uid"] != uid):
                return None
            said = told(run["metadata"].get("annotations"))
            if said & (ENDS if value in ENDS else {value}):
                return None
            if self.runs.mark(run, {marks.NOTIFIED: ",".join(sorted({*said, value}))}):
                return run
        return None

    def _give_back(self, name: str, value: str) -> None:
        for _ in range(ATTEMPTS):
            run = self.runs.run(name)
            if run is None:
                return
            left = told(run["metadata"].get("annotations")) - {value}
            if self.runs.mark(run, {marks.NOTIFIED: ",".join(sorted(left)) or None}):
                return

    def _is_followed(self, run: Object) -> bool:
        """Whether somebody else may be about to write down why this run ended."""
        annotations = run["metadata"].get("annotations") or {}
        if marks.FOLLOWED not in annotations or marks.OUTCOME in annotations:
            return False
        ended = (run.get("status") or {}).get("completionTime")
        since = moments.seconds_between(ended, self.runs.now or moments.now())
        return since is not None and since < FOLLOWER_SECONDS
