"""Follows a run to its end: shows its log and its troubles, gives up on a pod that cannot start.

The end comes from the API, never from the end of the log stream, and a trouble with the log never
decides the outcome. An API server that does not answer is waited for: the task goes on without us.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..cluster.client import Cluster
from ..cluster.informer import Followed, Seen, informer
from ..core import moments
from ..core.api import Object
from ..core.log.masking import Masker
from ..core.log.reader import LogReader
from ..core.run import forgotten, outcome, queue
from ..core.run.outcome import Outcome
from ..errors import Conflict, Denied, NotFound, Refused, Trouble, Unreachable
from ..log.pump import LOST, Pump
from ..log.spool import Spool
from .display import Screen

LOG_GRACE_SECONDS = 20
SOON_SECONDS, LATE_SECONDS = 0.5, 1.0  # between two lines that show the time, at first and later
LINES_A_SECOND = 100  # of that kind, of all runs that are followed at once
LOOK_SECONDS = 5  # between two looks at a run of which every change is told
TOLD_SECONDS = 0.5  # from what is told of a run's end to what is told of its pod
STOP_SECONDS = 45  # a pod has 30 s to end after it is told to, and the kubelet some more
PATIENCE_SECONDS = 600
TOO_LARGE = "Termination message is above max allowed size"  # Tekton's entrypoint, about the results
DENIED_SECONDS = 60
BEGIN_SECONDS, BEHIND_SECONDS, QUIET_SECONDS = 1, 10, 0.3


class Interrupted(Trouble):
    """Whoever followed was told to stop; the run goes on."""


@dataclass
class Follower:
    """One run and what has been seen of it, which `screen` shows.

    `start_timeout` (seconds, 0 for none) is how long its pod may wait for its start. `at_most_once`
    cancels the run when its pod is replaced. `interrupted` makes `follow` raise Interrupted. `secrets` are
    the values to mask, asked for with a pod that starts: only by then all the Secrets that it reads exist.
    `changed_secrets` are more of them: files of Secrets change while it runs. They are asked for with each chunk of its
    log, and now and then in between; it is told whether that may cost a request.
    `spool` takes the log too, for the archive. `end_by` cancels the run in that name, its log being read meanwhile.
    `uid` says which run it is, whatever has its name later.
    """

    cluster: Cluster
    namespace: str
    name: str
    screen: Screen
    masker: Masker
    start_timeout: int = 600
    at_most_once: bool = False
    secrets: Callable[[Object], Iterable[str]] | None = None
    changed_secrets: Callable[[bool], Iterable[str]] | None = None
    interrupted: threading.Event = field(default_factory=threading.Event)
    spool: Spool | None = None
    end_by: str = ""
    uid: str = ""
    _cause: str = field(default="", init=False)
    _trouble: str = field(default="", init=False)
    _told: set[str] = field(default_factory=set, init=False)
    _pumps: dict[str, Pump] = field(default_factory=dict, init=False)
    _pod: Object | None = field(default=None, init=False)
    _has_started: bool = field(default=False, init=False)
    _deleted: bool = field(default=False, init=False)
    _patience: forgotten.Patience = field(default_factory=forgotten.Patience, init=False)

    def __post_init__(self) -> None:
        self.log = LogReader(self.masker)  # the log so far: its tail, digest and counts
        self._lock = threading.Lock()
        self._closed = False

    @property
    def whole(self) -> bool:
        """Whether every log that was begun has been read to its end, without a gap."""
        return not any(pump.trouble or pump.lost or pump.thread.is_alive() for pump in self._pumps.values())

    def follow(self) -> Outcome:
        """Blocks until the run has ended and its log has been read."""
        followed = informer(self.cluster.http, self.namespace).follow(self.cluster, self.name)
        try:
            return self._follow(followed)
        finally:
            followed.close()

    def _follow(self, followed: Followed) -> Outcome:
        begun = patient = time.monotonic()
        while True:
            followed.changed.clear()
            seen: Seen = self._ask(followed.look)
            run = seen.run
            if self.uid and run["metadata"]["uid"] != self.uid:
                raise NotFound(f"run {self.name} was deleted, and another one has its name by now")
            if outcome.has_ended(run):
                task_run, pods = self._ended(seen, followed)
                self._observe(pods)
                return self._conclude(run, followed, task_run)
            self._observe(seen.pods)
            if self._has_started:
                self._hide(asking=False)
            if self.end_by:
                self._end()
                continue
            if not self._pod:
                self._hear(outcome.waiting(None, seen.task_run))
            if self._is_forgotten(seen, followed):
                run = self._ask(lambda: self.cluster.get_run(self.namespace, self.name))
                return self._conclude(run, followed)
            turn = "" if self._has_started else queue.held(run, self._pod)
            if turn:
                self._tell(f"{self.name} {turn}")
                patient = time.monotonic()  # start_timeout is for what could start
            if not self._has_started and self.start_timeout and time.monotonic() - patient > self.start_timeout:
                trouble = self._trouble or "its pod has not started"
                self._give_up(f"could not start within {self.start_timeout} s: {trouble}", "start_timeout")
            self._wait(followed, begun, patient)

    def _wait(self, followed: Followed, begun: float, patient: float) -> None:
        """Waits for a change; where each is told of, what time alone changes is looked at now and then.

        Hundreds of runs that go on cost nothing but the line that shows their time.
        """
        now = time.monotonic()
        until = now + (LOOK_SECONDS if followed.is_told else 0)
        if not self._has_started and self.start_timeout:
            until = min(until, patient + self.start_timeout)
        pause = max(SOON_SECONDS if now - begun < 30 else LATE_SECONDS, followed.others / LINES_A_SECOND)
        while True:
            self.screen.pass_time()
            if followed.changed.wait(pause) or self.interrupted.is_set() or time.monotonic() >= until:
                return

    def _ended(self, seen: Seen, followed: Followed) -> tuple[Object | None, list[Object]]:
        """TaskRun and pods of a run that has ended; None where the TaskRun is to be asked for when its process ended.

        Each kind is told by itself: what is not told soon after the run's own end is asked for.
        """
        run, deadline = seen.run, time.monotonic() + TOLD_SECONDS
        while not outcome.is_told(run, seen.task_run, seen.pods):
            left = deadline - time.monotonic()
            if left < 0 or outcome.condition(run).get("status") != "True" or not followed.is_told:
                return None, self._ask(self._pods)
            followed.changed.wait(left)
            followed.changed.clear()
            with contextlib.suppress(NotFound):
                seen = self._ask(followed.look)
        return seen.task_run, seen.pods

    def _is_forgotten(self, seen: Seen, followed: Followed) -> bool:
        """Has Tekton look again at a run whose end it has missed, and cancels it; whether even that was of no use."""
        run, pods = seen.run, seen.pods
        trouble = forgotten.trouble(run, seen.task_run, pods[-1] if pods else None)
        due = self._patience.due(trouble, time.monotonic(), followed.others)
        if due:
            followed.doubt()
        if due == forgotten.TOUCH:
            self._tell(f"{self.name}: {trouble}, and Tekton has not noticed: it is made to look again", warning=True)
            with contextlib.suppress(Trouble):  # whoever may not do it waits a minute longer
                self.cluster.look_again(self.namespace, run, self.cluster.task_run(self.namespace, run))
        elif due == forgotten.CANCEL:
            self._tell(
                f"{self.name}: Tekton does not end it: it is cancelled, and what its pod says counts", warning=True
            )
            if not self._cause:
                self._cancel(outcome.FORGOTTEN)
            for pod in pods:
                if not forgotten.has_ended(pod):  # its TaskRun is none of this run's: nobody else ends it
                    self._ask(functools.partial(self.cluster.delete_pod, self.namespace, pod["metadata"]["name"]))
        return due == forgotten.END

    def _observe(self, pods: list[Object]) -> None:
        if self._pod and self._pod["metadata"]["uid"] not in [pod["metadata"]["uid"] for pod in pods]:
            self._deleted = True
        for pod in pods:
            self._pod = pod
            self._deleted = "deletionTimestamp" in pod["metadata"]
            self._hear(outcome.waiting(pod))
            if outcome.unseen(pod):
                self._tell(
                    f"{self.name}: node {outcome.unseen(pod)} does not answer; the task may go on there", warning=True
                )
            self._check_replaced(pod)
            if outcome.started(pod):
                self._read(pod)

    def _hear(self, trouble: str) -> None:
        """What keeps the task from starting, said at once."""
        self._trouble = trouble
        if trouble:
            self._tell(f"{self.name} waits: {trouble}")

    def _read(self, pod: Object) -> None:
        if not self._has_started:
            self.screen.begin(moments.seconds_between(outcome.first_start(pod) or None, self.cluster.now) or 0.0)
        self._has_started = True
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        if uid not in self._pumps:
            if any(pump.pod == name for pump in self._pumps.values()):
                if not self.at_most_once:
                    self._tell(
                        f"{self.name}: its pod is gone, and Tekton starts the command again in a new one", warning=True
                    )
            elif self._pumps:
                self._tell(f"{self.name}: attempt {len(self._pumps) + 1} begins")
            for pump in self._pumps.values():
                self._drain(pump)
            if self.secrets:
                self.masker.add(self._ask(functools.partial(self.secrets, pod)))
            if self.spool:
                self.spool.begin(name)
            self._pumps[uid] = Pump(self.cluster, self.namespace, name, self._receive, uid=uid)
        if outcome.container_ended(pod):
            self._pumps[uid].ended.set()

    def _check_replaced(self, pod: Object) -> None:
        """Cancels the run before a pod in the place of another begins, if its command must not begin again.

        That the cluster takes a pod away is seen earlier: for a lost node, minutes before Tekton replaces the pod.
        """
        if not self.at_most_once:
            return
        if pod["metadata"]["uid"] in self._pumps:
            if self._deleted and outcome.condition(pod, "DisruptionTarget") and not outcome.container_ended(pod):
                self._give_up(outcome.deleted(pod), "at_most_once")
        elif any(pump.pod == pod["metadata"]["name"] for pump in self._pumps.values()):
            self._give_up("its pod was replaced while it ran, and at_most_once forbids a second start", "at_most_once")

    def _receive(self, chunk: bytes) -> bool:
        """Takes a chunk of the log; False once it is closed."""
        try:
            self._hide(asking=True)  # before anybody sees what the chunk may hold of them
        except Interrupted:
            return False
        with self._lock:
            if self._closed:
                return False
            self.screen.show(self.log.feed(chunk), self.log)
        if self.spool:
            self.spool.write(chunk)
        return True

    def _hide(self, *, asking: bool) -> None:
        if self.changed_secrets:
            found = list(self._ask(functools.partial(self.changed_secrets, asking)))
            if found:
                self.masker.add(found)

    def _close(self) -> None:
        """Takes nothing more, and shows what is left."""
        with self._lock:
            self._closed = True
            self.screen.show(self.log.finish(), self.log)
        self.screen.close(self.log)
        if self.spool:
            self.spool.close()

    def _end(self) -> None:
        """Cancels the run when what it has printed so far is read: its pod goes, and the pod's log with it."""
        begun = time.monotonic()
        while self._pumps and not self.log.bytes and time.monotonic() - begun < BEGIN_SECONDS:
            time.sleep(0.05)
        while time.monotonic() - begun < BEHIND_SECONDS and any(
            time.monotonic() - pump.moved < QUIET_SECONDS for pump in self._pumps.values()
        ):
            time.sleep(0.05)
        by, self.end_by = self.end_by, ""
        self._cancel(by)

    def _conclude(self, run: Object, followed: Followed, task_run: Object | None = None) -> Outcome:
        self._await_process(followed)
        task_run = task_run or self._ask(lambda: self.cluster.task_run(self.namespace, run))
        for pump in self._pumps.values():
            pump.ended.set()
            self._drain(pump)
            if pump.lost:
                self._tell(f"{self.name}: {LOST}", warning=True)
            if pump.trouble or pump.thread.is_alive():
                why = pump.trouble or "the cluster does not send the rest of it"
                self._tell(f"{self.name}: its log is not complete: {why}", warning=True)
        self._close()
        result = outcome.conclude(run, task_run, self._pod, self._cause or self._guess(run))
        if self._pod and not self._has_started and outcome.condition(run).get("status") != "True":
            # Tekton leaves a pod that waits for a missing Secret: it would start when the Secret appears.
            name = self._pod["metadata"]["name"]
            self._ask(lambda: self.cluster.delete_pod(self.namespace, name))
        return result

    def _drain(self, pump: Pump) -> None:
        """Waits for the end of a log as long as something of it comes."""
        begun = time.monotonic()
        while pump.thread.is_alive() and time.monotonic() - max(begun, pump.moved) < LOG_GRACE_SECONDS:
            if self.interrupted.is_set():
                raise Interrupted(f"the log of run {self.name} is not read to its end")
            pump.thread.join(0.5)

    def _await_process(self, followed: Followed) -> None:
        """A cancelled run is called complete at once, while its process still ends and prints."""
        deadline = time.monotonic() + STOP_SECONDS
        while self._has_started and self._pod and not outcome.container_ended(self._pod):
            followed.changed.clear()
            try:
                pods = self._ask(followed.look).pods
            except NotFound:
                return
            if not pods or time.monotonic() > deadline:
                return
            self._observe(pods)
            if not outcome.container_ended(self._pod):
                followed.changed.wait(0.5)

    def _guess(self, run: Object) -> str:
        """The cause that only somebody who watched can know; empty where Tekton tells it."""
        if outcome.condition(run).get("reason") != "Failed" or not self._pod:
            return ""
        if not self._has_started:
            return outcome.never_started(run, self._pod)
        if any(TOO_LARGE in line for line in self.log.last(3)):
            return "its results are too large: together they may have about 4000 bytes; keep larger ones in a volume"
        return outcome.deleted(self._pod) if self._deleted else ""

    def _give_up(self, cause: str, by: str) -> None:
        if self._cause:
            return
        self._cause = cause
        self._cancel(by)

    def _cancel(self, by: str) -> None:
        try:
            self._ask(lambda: self.cluster.cancel_run(self.namespace, self.name, by, self.uid))
        except (Refused, Conflict):
            pass  # it has ended meanwhile

    def _pods(self) -> list[Object]:
        return self.cluster.pods(self.namespace, self.name)

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Asks until there is an answer; credentials that are refused get a minute, silence gets ten."""
        begun = time.monotonic()
        while True:
            if self.interrupted.is_set():
                raise Interrupted(f"run {self.name} goes on")
            try:
                return question()
            except (Unreachable, Denied) as error:
                limit = PATIENCE_SECONDS if isinstance(error, Unreachable) else DENIED_SECONDS
                if time.monotonic() - begun > limit:
                    raise
                self.screen.say(f"{self.name} goes on, but {error}; asking again", ephemeral=True)
                self.interrupted.wait(1)

    def _tell(self, text: str, warning: bool = False) -> None:
        if text not in self._told:
            self._told.add(text)
            self.screen.say(text if self.masker.blind else self.masker.mask(text), warning=warning)
