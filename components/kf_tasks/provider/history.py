"""The history of one App: what a preview says about it, what each update sweeps, and its end."""

from __future__ import annotations

import functools
import os
import time
from dataclasses import dataclass, field
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.output import contains_unknowns

from ..cluster.connection import Connection
from ..core import moments
from ..core.marks import ARCHIVED, RECORDED
from ..core.retention import notice
from ..core.retention.forecast import forecast
from ..core.retention.policy import Policy
from ..errors import ArchiveError, ClusterError, NotFound, Unreachable, about
from ..runs import ending
from ..runs.archiving import Archiving
from ..runs.pruning import expire
from .hosting import Failure
from .preview import Preview, of_process
from .recording import let_go
from .survey import Survey

DELETE_SECONDS = 180
_POLICY = ("keep", "keep_failed", "max_age", "pinned")
_FORESEEN = (*_POLICY, "schedules")
_IDENTITY = ("connection", "stack", "namespace", "app", *_FORESEEN, "min_history", "log_archive", "runs", "urn")


@dataclass(frozen=True)
class Histories:
    """The room of the resource History."""

    preview: Preview = field(default_factory=of_process)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Finds out what will be deleted; it becomes the input `expired` and a line under the App."""
        inputs = {**news, "expired": []}
        if contains_unknowns([news["connection"], news["namespace"]]):
            return CheckResult(inputs, [])
        seen = self.preview.survey(Connection.of(news["connection"]), news["namespace"])
        if news["owns_namespace"] and seen.exists and not seen.unasked and seen.owner != news["stack_label"]:
            owner = f"belongs to stack {seen.owner!r}" if seen.owner else "exists already and is not of this stack"
            text = (
                f"space: namespace {news['namespace']!r} {owner}: to use it without owning it, write "
                f"Space(…, namespace={news['namespace']!r}); it is never deleted then"
            )
            return CheckResult(inputs, [CheckFailure("", text)])
        existing = seen.of(news["app"])
        # Left out by the engine when one of the tasks has failed and the update goes on (--continue-on-error).
        adding, perhaps = self._adding(news.get("runs", []), news["namespace"], news["app"])
        policy, place = Policy.of(news), f"{news['namespace']} {news['app']}"
        going = expire(existing, seen.now, policy, adding)
        inputs["expired"] = [run.name for run in going]
        # Once: the second check of a replacement finds the same.
        for line in notice.lines(existing, policy, adding, perhaps, seen.now):
            self.preview.say_once(news["urn"], line, about=place)
        waiting = [run for run in going if ARCHIVED not in run.annotations]
        if news.get("log_archive") and waiting:
            text = f"waiting for the log archive, where their logs go first: {len(waiting)} of them"
            self.preview.say_once(news["urn"], text, about=place)
        missing = sorted({*policy.pinned} - {run.name for run in existing})
        if missing and seen.exists and not seen.unasked:
            text = (
                f"pinned of app {news['app']!r}: there is no run {', '.join(missing)} (any more): kf tasks lists them"
            )
            self.preview.say_once(news["urn"], text, about=place, warning=True)
        self._foretell(olds, news, seen)
        return CheckResult(inputs, [])

    def diff(self, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Replaced only when it is another App's history; anything else it does is an update."""
        # Unknown is not yet another one: what is replaced here is deleted, and every run of the App with it.
        if any(not contains_unknowns(news[name]) and olds.get(name) != news[name] for name in ("namespace", "app")):
            return DiffResult(changes=True, replaces=["app"])
        changed = any(_differs(olds, news, name) for name in _IDENTITY if name != "urn")
        moved = olds.get("__provider") != news.get("__provider")
        return DiffResult(changes=changed or moved or bool(news.get("expired")))

    def create(self, news: dict[str, Any]) -> CreateResult:
        """Sweeps."""
        return CreateResult(f"{news['namespace']}/{news['app']}", self.sweep(news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """It is what it was."""
        return ReadResult(id_, props)

    def update(self, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Sweeps."""
        return UpdateResult(self.sweep(news))

    def delete(self, props: dict[str, Any]) -> None:
        """Deletes every run of the App with TaskRun, pod and log, and waits until they are gone.

        With an archive every log is stored first; what runs is cancelled, and its log read to its end.
        """
        app, namespace = props["app"], props["namespace"]
        try:
            cluster = self.preview.cluster(Connection.of(props["connection"]))
            warn = functools.cache(functools.partial(self.preview.say, props["urn"], warning=True))
            archiving = Archiving.of(cluster, props["namespace"], props.get("log_archive"), warn)
            if archiving:
                ending.settle(archiving, cluster.list_runs(namespace, app), f"pulumi destroy of stack {props['stack']}")
            deadline = time.monotonic() + DELETE_SECONDS
            while time.monotonic() < deadline:
                runs = cluster.list_runs(namespace, app)
                if not runs:
                    return
                cluster.delete_runs(namespace, archiving.before(runs) if archiving else runs, foreground=True)
                time.sleep(1)
        except NotFound:
            return
        except ArchiveError as error:
            raise Failure(
                f"the runs of app {app!r} in namespace {namespace!r} are not deleted: {error}. Repeat when it can be, "
                "or take log_archive off the Space and run pulumi up first to let their logs go"
            ) from None
        except ClusterError as error:
            failed = f"the runs of app {app!r} in namespace {namespace!r} cannot be deleted: {error}"
            if not isinstance(error, Unreachable):
                raise Failure(failed) from None
            if os.environ.get("PULUMI_K8S_DELETE_UNREACHABLE", "").lower() == "true":
                return
            raise Failure(
                f"{failed}. Repeat when it answers, "
                "or set PULUMI_K8S_DELETE_UNREACHABLE=true to forget them, as for all Kubernetes resources"
            ) from None
        raise Failure(
            f"the runs of app {app!r} in namespace {namespace!r} were not gone after {DELETE_SECONDS} s: look for "
            f"finalizers with kubectl get pipelineruns -n {namespace} -o yaml, and repeat"
        )

    def sweep(self, news: dict[str, Any]) -> dict[str, Any]:
        """Marks the runs that the state holds by now, and prunes."""
        recorded = set(news.get("runs", []))
        with about(f"the runs of app {news['app']!r} cannot be marked as recorded"):
            cluster = self.preview.cluster(Connection.of(news["connection"]))
            for run in cluster.list_runs(news["namespace"], news["app"]):
                if run.name in recorded and run.finished and RECORDED not in run.annotations:
                    try:
                        cluster.annotate_run(news["namespace"], run.name, {RECORDED: "true"}, finished=True)
                    except NotFound:
                        continue
        let_go(self.preview, cluster, news)
        return {name: news[name] for name in _IDENTITY if name in news}

    def _foretell(self, olds: dict[str, Any], news: dict[str, Any], seen: Survey) -> None:
        """How far back the kept runs will reach: said when that changes, and warned of while it is too short."""
        changed = bool(olds) and any(_differs(olds, news, name) for name in _FORESEEN)
        least, schedules = news.get("min_history") or "", news.get("schedules") or []
        if contains_unknowns(schedules) or not (changed or least):
            return
        policy, place = Policy.of(news), f"{news['namespace']} {news['app']}"
        now = moments.epoch(seen.now) if seen.now else int(time.time())
        found = forecast(policy, schedules, seen.of(news["app"]), now)
        if found is None:
            return
        if least and found.short_of(least, policy.keep):
            text = f"history of app {news['app']!r}: {found.short_of(least, policy.keep)}"
            self.preview.say_once(news["urn"], text, about=place, warning=True)
        elif changed:
            self.preview.say_once(news["urn"], f"retention: {found.of(policy.keep)}", about=place)

    def _adding(self, runs: Any, namespace: str, app: str) -> tuple[int, int]:
        """How many runs this update adds, and how many more it may add: those whose name is not known before it.

        Not counted are records that start nothing.
        """

        def count(places: set[tuple[str, str, str]]) -> int:
            return sum(1 for place in places if place[:2] == (namespace, app))

        unknown = sum(1 for name in (runs if isinstance(runs, list) else [runs]) if contains_unknowns(name))
        starting = max(unknown - count(self.preview.in_place), 0)
        perhaps = min(count(self.preview.undecided), starting)
        return starting - perhaps, perhaps


def _differs(olds: dict[str, Any], news: dict[str, Any], name: str) -> bool:
    """Whether an input is another one; what an earlier version did not write is what says nothing."""
    return contains_unknowns(news.get(name)) or (olds.get(name) or None) != (news.get(name) or None)
