"""Follows a run to its end: shows its log and its troubles, gives up on a pod that cannot start.

The end comes from the API, never from the end of the log stream, and a trouble with the log never
decides the outcome. An API server that does not answer is waited for: the task goes on without us.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .cluster import Cluster
from .core import outcome
from .core.log import LogReader
from .core.masking import Masker
from .core.outcome import Outcome
from .errors import Conflict, Denied, Refused, Unreachable
from .pump import LOG_GRACE_SECONDS, Pump

SHOWN_LINES = 500
LAST_LINES = 50
STATUS_SECONDS = 0.5
PATIENCE_SECONDS = 600

Say = Callable[..., None]


@dataclass
class Follower:
    """One run and what has been seen of it; `say(text, ephemeral=…, warning=…)` shows a line."""

    cluster: Cluster
    namespace: str
    name: str
    say: Say
    masker: Masker
    show_log: str = "follow"
    start_timeout: int = 600
    reader: LogReader = field(init=False)
    _cause: str = field(default="", init=False)
    _told: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.reader = LogReader(self.masker)
        self._pumps: dict[str, Pump] = {}
        self._shown = 0
        self._last_status = 0.0
        self._lock = threading.Lock()
        self._closed = False

    def follow(self) -> Outcome:
        """Blocks until the run has ended and its log has been read."""
        begun = time.monotonic()
        pod: dict[str, Any] | None = None
        has_started = False
        while True:
            run = self._ask(lambda: self.cluster.get_run(self.namespace, self.name))
            pods = self._ask(lambda: self.cluster.pods(self.namespace, self.name))
            pod = pods[-1] if pods else pod
            if pod and pods:
                has_started = has_started or outcome.started(pod)
                self._observe(pod)
            if outcome.has_ended(run):
                return self._conclude(run, pod, has_started)
            if not has_started and self.start_timeout and time.monotonic() - begun > self.start_timeout:
                self._give_up(pod)
            time.sleep(0.5 if time.monotonic() - begun < 30 else 1.0)

    def _observe(self, pod: dict[str, Any]) -> None:
        trouble = outcome.waiting(pod)
        if trouble:
            self._tell(f"{self.name} waits: {trouble}")
        if outcome.started(pod):
            uid = pod["metadata"]["uid"]
            if uid not in self._pumps:
                if self._pumps:
                    self._tell(f"{self.name}: its pod is gone, Tekton starts the command again in a new one", True)
                self._pumps[uid] = Pump(self.cluster, self.namespace, pod["metadata"]["name"], self.receive)
            if outcome.container_ended(pod):
                self._pumps[uid].ended.set()

    def _conclude(self, run: dict[str, Any], pod: dict[str, Any] | None, has_started: bool) -> Outcome:
        task_run = self._ask(lambda: self.cluster.task_run(self.namespace, run))
        for pump in self._pumps.values():
            pump.ended.set()
            pump.thread.join(LOG_GRACE_SECONDS)
        with self._lock:
            self._closed = True
            self._show(self.reader.finish())
        self._show_rest()
        result = outcome.conclude(run, task_run, pod, self._cause or self._never_started(run, pod, has_started))
        if pod and not has_started and outcome.condition(run).get("status") != "True":
            # Tekton leaves a pod that waits for a missing Secret: it would start when the Secret appears.
            name = pod["metadata"]["name"]
            self._ask(lambda: self.cluster.delete_pod(self.namespace, name))
        return result

    def _never_started(self, run: dict[str, Any], pod: dict[str, Any] | None, has_started: bool) -> str:
        ended_by_itself = outcome.condition(run).get("reason") not in ("Cancelled", "PipelineRunTimeout")
        trouble = outcome.waiting(pod) if pod and not has_started and ended_by_itself else ""
        return f"could not start: {trouble}" if trouble else ""

    def _give_up(self, pod: dict[str, Any] | None) -> None:
        if self._cause:
            return
        trouble = (outcome.waiting(pod) if pod else "") or "its pod has not started"
        self._cause = f"could not start within {self.start_timeout} s: {trouble}"
        try:
            self._ask(lambda: self.cluster.cancel_run(self.namespace, self.name, "start_timeout"))
        except (Refused, Conflict):
            pass  # it has ended meanwhile

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Asks until there is an answer; credentials that are refused get a minute, silence gets ten."""
        begun = time.monotonic()
        while True:
            try:
                return question()
            except (Unreachable, Denied) as error:
                limit = PATIENCE_SECONDS if isinstance(error, Unreachable) else 60
                if time.monotonic() - begun > limit:
                    raise
                self.say(f"{self.name} goes on, but {error}; asking again", ephemeral=True)
                time.sleep(1)

    def _tell(self, text: str, warning: bool = False) -> None:
        if text not in self._told:
            self._told.add(text)
            self.say(self.masker.mask(text), warning=warning)

    def receive(self, chunk: bytes) -> bool:
        """Takes a chunk of the log; False once the log is closed."""
        with self._lock:
            if self._closed:
                return False
            self._show(self.reader.feed(chunk))
            self._show_status()
            return True

    def _show_status(self) -> None:
        now = time.monotonic()
        if self.show_log == "follow" and now - self._last_status >= STATUS_SECONDS:
            status = f"{self.reader.lines} lines so far" if self._shown >= SHOWN_LINES else self.reader.current
            if status.strip():
                self._last_status = now
                self.say(status, ephemeral=True)

    def _show(self, lines: list[str]) -> None:
        if self.show_log != "follow":
            return
        for line in lines[: SHOWN_LINES - self._shown]:
            self.say(line)
            self._shown += 1

    def _show_rest(self) -> None:
        total = self.reader.lines
        if self.show_log == "none" or total <= self._shown:
            return
        rest = self.reader.last(min(LAST_LINES, total - self._shown))
        hidden = total - self._shown - len(rest)
        if hidden:
            self.say(
                f"… {hidden} lines are not shown here; all of them: kf logs --task --run {self.name} -n 0 --recent"
            )
        for line in rest:
            self.say(line)
