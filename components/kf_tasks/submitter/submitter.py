"""The pod of a TaskSchedule: starts the run of one scheduled time, waits for it, and applies retention.

Kubernetes starts it for each scheduled time, and because it waits, deadline and history of the CronJob mean
the task. It runs in a stock Python image from a ConfigMap: standard library only, Python 3.9 upwards. A pod
that is started again follows the run that its predecessor has started, and starts none where that was pruned since;
only when its Job is deleted it cancels the run.

Forbid and Replace are done here and not by the CronJob. It would count Jobs, and one whose pod cannot start or
end would keep every later time from running; and it would delete the older pod while that still speaks: this way
the older one writes down how its run ended, and this one keeps the log of what it cancels.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import List, Optional

from ..core import api, marks, moments, naming, polling
from ..core.api import Object
from ..core.retention import plan, pruned
from ..core.run import forgotten, outcome, pipelinerun, queue
from ..core.run.outcome import SUCCEEDED, Outcome
from ..core.run.summary import RunSummary
from ..core.schedule import claim, slot
from ..core.template import MANIFEST, SETTINGS, TemplateSettings
from . import notifying
from .bell import SOON_SECONDS, Bell
from .client import PlainCluster, Stopped, say

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TEMPLATE = Path("/kf/template")
FAILED = 3  # the task did not succeed: the Job's pod failure policy starts no other pod then
AWAY = 4  # this pod is taken away, its run goes on: the Job starts another pod
COPIED_LINES = 5000
IDLE_SECONDS = 300  # that nothing is looked at of which every change is told
LOOK_SECONDS = 10  # how often the pod of a run is looked at, whose end Tekton may miss
LOG_SECONDS = 45  # a pod has 30 s to end after it is told to, and the kubelet some more


class Submitter:
    """One scheduled time; `settings` and `template` are those of the TaskSchedule's ConfigMap."""

    def __init__(self, cluster: PlainCluster, settings: TemplateSettings, template: Object, job: str, pod: str) -> None:
        assert settings.job is not None, "the template is that of a TaskSchedule"
        self.cluster, self.template, self.job, self.pod = cluster, template, job, pod
        self.policy, self.schedule = settings.policy, settings.job
        self.app, self.task = settings.app, str(settings.task)
        self.counter = f"kf-{self.app}"
        self.owner = f"job {self.task!r} of app {self.app!r}"
        self.name = ""
        self.cause = ""
        self.patience = forgotten.Patience()
        self.ended: Optional[Object] = (
            None  # its pod as it was seen to have ended: whoever cancels the run takes it away
        )
        self.looked = float("-inf")
        self.held = 0.0  # until when a queue held the run back, in seconds after it was submitted
        self.secret = (template["metadata"].get("annotations") or {}).get(marks.NOTIFY, "")
        self.teller = notifying.teller(cluster, self.secret)

    def work(self) -> int:
        """Does it all; returns the exit code."""
        try:
            code = self._work()
            self._leave()
            return code
        except Stopped:
            return self._stop()

    def _work(self) -> int:
        job = self.cluster.find(self.cluster.batch("jobs", self.job))
        if job is None:
            say(f"{self.owner}: Job {self.job} is gone, nothing to do")
            return 0
        when = slot.slot(job)
        key = slot.key(self.app, self.task, when or job["metadata"]["uid"])
        self.name = naming.run_name(self.app, self.task, key, 1)
        run = self.cluster.find(self.cluster.runs(self.name))
        if run is None:
            runs = self.cluster.list_runs(self.app)
            reason = self._done() or self._unwanted(job, when, runs) or self._claim()
            if reason:
                say(f"{self.owner}: nothing is started: {reason}")
                return 0
            self._replace(when, runs)
            run = self._submit(when, key, runs)
            self.teller.begin(run)
            self._replace(when, self.cluster.list_runs(self.app))
            self._give_back()
        if (run["metadata"].get("labels") or {}).get(marks.KEY) != key:
            say(f"{self.owner}: {self.name} is taken by an object that is not ours: delete or rename that")
            return FAILED
        say(f"run {self.name} for {when or 'now'}, id {run['metadata']['labels'].get(marks.TASK_ID)}")
        ended = self._conclude(self._wait())
        say(f"run {self.name} {ended.sentence}")
        if self.secret:
            self.teller.settle(self.cluster.list_runs(self.app), own=self.name)
        self._prune()
        return 0 if ended.state == SUCCEEDED else FAILED

    def _done(self) -> str:
        """That this time has had its run, which retention has let go: a Job may be given another pod even then."""
        template = self.cluster.find(self.cluster.core("configmaps", self.counter))
        gone = pruned.find(template, name=self.name) if template else None
        return f"run {self.name} has been, and was pruned at {gone}" if gone else ""

    def _unwanted(self, job: Object, when: Optional[str], runs: List[RunSummary]) -> str:
        """Why this scheduled time is left out, else empty."""
        cron_job = self.cluster.find(self.cluster.batch("cronjobs", self.schedule.cron_job))
        if cron_job is None:
            return "its CronJob is gone"
        if not self.schedule.catch_up and slot.outdated(job, cron_job):
            return slot.outdated(job, cron_job)
        newer = slot.later(runs, self.task, when)
        if self.schedule.concurrency == slot.REPLACE and newer:
            return f"run {newer[0].name} is of a later time, and concurrency_policy is Replace"
        return ""

    def _claim(self) -> str:
        """With Forbid: takes the right to start a run; else why this time is left out."""
        if self.schedule.concurrency != slot.FORBID:
            return ""
        return self.cluster.claim(self.counter, self.task, self.job, self._busy)

    def _give_back(self) -> None:
        if self.schedule.concurrency == slot.FORBID:
            self.cluster.give_back(self.counter, self.task, self.job)

    def _busy(self, counter: Object) -> str:
        """What is under way of this schedule; runs are listed after the claims, which end when a run is there."""
        holder = claim.holder(counter, self.task)
        other = "" if holder == self.job else claim.holds(holder, self.cluster.now or "", self._job)
        if other:
            return f"{other} starts a run just now, and concurrency_policy is Forbid"
        busy = slot.unfinished(self.cluster.list_runs(self.app), self.task, self.name)
        return f"run {busy[0].name} is under way, and concurrency_policy is Forbid" if busy else ""

    def _job(self, name: str) -> Optional[Object]:
        return self.cluster.find(self.cluster.batch("jobs", name))

    def _replace(self, when: Optional[str], runs: List[RunSummary]) -> None:
        """With Replace: ends what is under way and waits for its end; of two at once the later one stays."""
        if self.schedule.concurrency != slot.REPLACE:
            return
        newer = [run.name for run in slot.later(runs, self.task, when)]
        for run in slot.unfinished(runs, self.task, self.name):
            if run.name not in newer:
                self._cancel(run.name, f"{self.owner}, {slot.REPLACED_BY} {self.name}")
        if newer:
            self._cancel(self.name, f"{self.owner}, {slot.REPLACED_BY} {newer[0]}")

    def _submit(self, when: Optional[str], key: str, runs: List[RunSummary]) -> Object:
        highest = max((run.task_id for run in runs), default=0)
        manifest = pipelinerun.instantiate(
            self.template,
            name=self.name,
            key=key,
            task_id=self.cluster.allocate_id(self.counter, highest),
            attempt=1,
            started_by=self.owner,
            followed=True,
        )
        manifest["metadata"]["annotations"].update(slot.marks(when))
        return self.cluster.create_run(manifest)

    def _wait(self) -> Object:
        """The run when it has ended; one that was deleted has ended too."""
        begun = time.monotonic()
        last: Object = {}
        with closing(Bell(self.cluster, self.name)) as bell:
            while not outcome.has_ended(last):
                if self.cluster.stop.is_set():
                    raise Stopped
                run = self.cluster.find(self.cluster.runs(self.name))
                if run is None:
                    say(f"run {self.name} was deleted while it was under way")
                    return last
                last = run
                if not outcome.has_ended(last):
                    self._check_start(run, time.monotonic() - begun)
                    if self._is_forgotten(run, time.monotonic(), bell.is_heard):
                        return self.cluster.find(self.cluster.runs(self.name)) or last
                    bell.wait(self._pause(time.monotonic() - begun, bell.is_heard))
        return last

    def _pause(self, waited: float, is_heard: bool) -> float:
        """How long nothing has to be looked at, unless something changes."""
        if not is_heard:
            return polling.pause(waited)
        if self.patience.since is not None:
            return LOOK_SECONDS
        left = self.schedule.start_timeout - (waited - self.held)
        return (
            min(max(left, SOON_SECONDS), IDLE_SECONDS)
            if self.schedule.start_timeout and not self.cause
            else IDLE_SECONDS
        )

    def _check_start(self, run: Object, waited: float) -> None:
        """Cancels a run whose pod does not start in time: it would keep all later times from running, too."""
        limit = self.schedule.start_timeout
        if self.cause or not limit or (waited - self.held < limit and not queue.is_queued(run)):
            return
        pod = self._pod()
        if pod and outcome.started(pod):
            self.cause = " "  # it runs: not asked again
            return
        turn = queue.held(run, pod)
        if turn:
            if not self.held:
                say(f"run {self.name} {turn}")
            self.held = waited  # start_timeout is for what could start
        if waited - self.held < limit:
            return
        trouble = outcome.waiting(pod, self._task_run(run)) or "its pod has not started"
        self.cause = f"could not start within {limit} s: {trouble}"
        self.cluster.cancel_run(self.name, f"{self.owner}, start_timeout")

    def _is_forgotten(self, run: Object, now: float, is_heard: bool) -> bool:
        """Has Tekton look again at a run whose end it has missed, and cancels it; whether even that was of no use."""
        if now - self.looked < LOOK_SECONDS and not is_heard:
            return False
        self.looked = now
        pods, task_run = self.cluster.pods(self.name), self._task_run(run)
        if pods:
            self.ended = pods[-1] if forgotten.has_ended(pods[-1]) else None
        trouble = forgotten.trouble(run, task_run, pods[-1] if pods else None)
        due = self.patience.due(trouble, now)
        if due == forgotten.TOUCH:
            say(f"run {self.name}: {trouble}, and Tekton has not noticed: it is made to look again")
            self.cluster.look_again(run, task_run)
        elif due == forgotten.CANCEL:
            say(f"run {self.name}: Tekton does not end it: it is cancelled, and what its pod says counts")
            if not self.cause.strip():
                self.cluster.cancel_run(self.name, outcome.FORGOTTEN)
            for pod in pods:
                if not forgotten.has_ended(pod):  # its TaskRun is none of this run's: nobody else ends it
                    self.cluster.delete_pod(pod["metadata"]["name"])
        return due == forgotten.END

    def _conclude(self, run: Object) -> Outcome:
        """How the run ended; written down for the lists, which marks it as one that may be pruned."""
        if not outcome.has_ended(run) and not self.patience.is_exhausted:
            return Outcome(outcome.UNKNOWN, "", "was deleted before it ended")
        task_run = self._task_run(run)
        pod = self._pod()
        ended = outcome.conclude(run, task_run, pod, self.cause.strip() or outcome.never_started(run, pod))
        self.cluster.annotate_finished(self.name, {marks.OUTCOME: ended.sentence})
        if pod and not outcome.started(pod) and ended.state != SUCCEEDED:
            # Tekton leaves a pod that waits for a missing Secret: it would start when the Secret appears.
            self.cluster.delete_pod(pod["metadata"]["name"])
        return ended

    def _pod(self) -> Optional[Object]:
        """The newest pod of its run, also where that has ended and is gone."""
        return next(iter(reversed(self.cluster.pods(self.name))), self.ended)

    def _task_run(self, run: Object) -> Optional[Object]:
        children = (run.get("status") or {}).get("childReferences") or []
        return self.cluster.find(api.task_runs(self.cluster.namespace, children[0]["name"])) if children else None

    def _prune(self) -> None:
        """Deletes what retention lets go; its own run stays, because its name is what keeps it from running twice."""
        runs = self.cluster.list_runs(self.app)
        verdicts = plan.plan(runs, self.policy, now=self.cluster.now)
        going = [verdict.run for verdict in verdicts if verdict.going and verdict.run.name != self.name]
        gone = self.cluster.delete_runs(going)
        if gone:
            say(f"retention: deleted {len(gone)} of {len(runs)}: {', '.join(gone)}")
            noted = pruned.of_verdicts(verdicts, gone, self.cluster.now or moments.now())
            self.cluster.note_pruned(f"kf-{self.app}", noted)
        waiting = [verdict.run.name for verdict in verdicts if verdict.rule == plan.NOT_ARCHIVED]
        if waiting:
            say(f"retention: waiting for the log archive until the next update or `kf prune`: {len(waiting)}")

    def _stop(self) -> int:
        """Told to stop: the run goes on if another pod will follow it, and is cancelled if its Job is deleted."""
        self.cluster.stubborn = True
        job = self.cluster.find(self.cluster.batch("jobs", self.job))
        if job is not None and "deletionTimestamp" not in job["metadata"]:
            next_one = "the next pod follows it" if claim.is_at_work(job) else "its Job has come to its deadline"
            say(f"this pod is taken away; what it has started goes on, {next_one}")
            return AWAY
        if self.name:
            self._cancel(self.name, f"{self.owner}, whose Job was deleted")
        return FAILED

    def _leave(self) -> None:
        """Ends this pod although somebody has put containers into it that do not end, such as the proxy of a mesh."""
        neighbours = self.cluster.neighbours(self.pod)
        if neighbours:
            say(f"{', '.join(neighbours)} would keep this pod from ending: it is deleted")
            self.cluster.delete_pod(self.pod)

    def _cancel(self, name: str, by: str) -> None:
        """Cancels a run, with its log in ours: its pod goes, and the pod's log with it."""
        run = self.cluster.find(self.cluster.runs(name))
        if run is None or outcome.has_ended(run):
            return
        say(f"{slot.copy_begins(name, by)}; its last {COPIED_LINES} lines at most:")
        pods = [pod for pod in self.cluster.pods(name) if outcome.started(pod)]
        copies = [
            threading.Thread(target=self._copy, args=(pod["metadata"]["name"],), daemon=True) for pod in pods[-1:]
        ]
        for copy in copies:
            copy.start()
            copy.join(1)  # what is there is read before the pod is told to end
        self.cluster.cancel_run(name, by)
        while run is not None and not outcome.has_ended(run):
            if self.cluster.stop.is_set() and not self.cluster.stubborn:
                raise Stopped
            time.sleep(0.5)
            run = self.cluster.find(self.cluster.runs(name))
        for copy in copies:
            copy.join(LOG_SECONDS)
        say(slot.copy_ends(name))

    def _copy(self, pod: str) -> None:
        for chunk in self.cluster.log(pod, COPIED_LINES):
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()


def main() -> int:
    """Runs in the pod."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    address = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    namespace = (ACCOUNT / "namespace").read_text()
    cluster = PlainCluster(address, namespace, lambda: (ACCOUNT / "token").read_text(), context)
    signal.signal(signal.SIGTERM, lambda *_: cluster.stop.set())
    settings = TemplateSettings.of((TEMPLATE / SETTINGS).read_text("utf-8"))
    template = json.loads((TEMPLATE / MANIFEST).read_text("utf-8"))  # for a schedule it is JSON too
    notifying.use_proxies(template)
    return Submitter(cluster, settings, template, os.environ["KF_JOB"], os.environ["KF_POD"]).work()
