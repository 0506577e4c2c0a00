"""The history of one App: what a preview says about it, what each update sweeps, and its end."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.output import contains_unknowns

from ..cluster.client import PARALLEL_CHANGES, Cluster
from ..cluster.connection import Connection
from ..cluster.informer import informer
from ..cluster.watch import latest
from ..core import advice, moments
from ..core.approval import ANEW
from ..core.errors import InvalidInput
from ..core.marks import ARCHIVED, STACK
from ..core.naming import label_value
from ..core.notify.owed import owed
from ..core.retention import notice
from ..core.retention.forecast import forecast
from ..core.run.attempts import settled
from ..core.run.summary import RunSummary
from ..core.state import EXPIRED, LOST, HistoryInputs, of_stack
from ..errors import ArchiveError, ClusterError, NotFound, Unreachable, about
from ..runs import ending
from ..runs.pruning import expire
from ..runs.secrets import drop_copies
from . import adapter, approving, engine, foretelling
from .decision import foreign, warn_missing
from .hosting import Failure
from .preview import Preview, of_process
from .recording import archiving_of, let_go, mark_recorded, notifying_of
from .survey import Survey

DELETE_SECONDS = 180


@dataclass(frozen=True)
class Histories:
    """The room of the resource History."""

    preview: Preview = field(default_factory=of_process)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Finds out what will be deleted; it becomes the input `_expired` and a line under the App.

        Its name begins with `_`, so that Pulumi does not hold an update to it that follows a saved plan: what has run
        meanwhile changes what goes.
        """
        before, inputs = HistoryInputs.of(olds) if olds else None, HistoryInputs.of(news)
        if not inputs.preview:
            self.preview.kept.add((Connection.of(inputs.connection), *inputs.place))
        if not inputs.preview and LOST in inputs.runs:
            # A Task has failed and the update goes on (--continue-on-error): the next one finds out what goes.
            known = [run for run in inputs.runs if run != LOST]
            return CheckResult({**olds, EXPIRED: []} if before else {**news, "runs": known, EXPIRED: []}, [])
        connection, seen = self.preview.look(inputs.connection, inputs.namespace)
        if not connection:
            return CheckResult({**news, EXPIRED: []}, [])
        labels = {inputs.stack_label, before.stack_label if before else inputs.stack_label}
        if inputs.owns_namespace and seen.exists and not seen.unasked and seen.owner not in labels:
            owner = f"belongs to stack {seen.owner!r}" if seen.owner else "exists already and is not of this stack"
            text = (
                f"space: namespace {inputs.namespace!r} {owner}: to use it without owning it, write "
                f"Space(…, namespace={inputs.namespace!r}); it is never deleted then"
            )
            return CheckResult({**news, EXPIRED: []}, [CheckFailure("", text)])
        refusal = self._refuse(before, inputs, seen)
        if refusal:
            return CheckResult({**news, EXPIRED: []}, [CheckFailure("", refusal)])
        say = self._once(inputs)
        existing = seen.of(inputs.app)
        if not seen.exists:
            warn_missing(self.preview, inputs, before)
        self._say_left(before, inputs)
        if existing and before and before.place == inputs.place and before.stack != inputs.stack:
            say(f"this stack was {before.stack!r}: what has run stays, and is found under its new name")
        adding, perhaps = self.preview.adding(inputs.namespace, inputs.app)
        going = expire(existing, seen.now, inputs.policy, adding)
        refusal = self._approved(before, inputs, seen, connection, adding, perhaps)
        if refusal:
            return CheckResult({**news, "_expired": []}, [CheckFailure("", refusal)])
        # Once: the second check of a replacement finds the same.
        for line in notice.lines(existing, inputs.policy, adding, perhaps, seen.now):
            say(line)
        waiting = [run for run in going if ARCHIVED not in run.annotations]
        if inputs.log_archive and waiting:
            say(f"waiting for the log archive, where their logs go first: {len(waiting)} of them")
        missing = sorted({*inputs.policy.pinned} - {run.name for run in existing})
        if missing and seen.exists and not seen.unasked:
            listed = advice.tasks(inputs.app, inputs.namespace)
            text = f"pinned of app {inputs.app!r}: there is no run {', '.join(missing)} (any more): {listed}"
            say(text, warning=True)
        reach = self._foretell(before, inputs, seen)
        if before and not inputs.preview and seen.exists and inputs.unfinished != before.unfinished:
            self._mark(inputs, before)  # a record that a refresh has made whole is no reason for an update
        if not inputs.preview and owed(existing):
            self._tell(inputs)
        told = {EXPIRED: [run.name for run in going]}
        if inputs.preview:
            fates = notice.fates(existing, inputs.policy, adding, perhaps, seen.now)
            told |= foretelling.of_history(fates, reach, seen.now)
        return CheckResult({**news, **told}, [])

    def diff(self, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Replaced only when it is another App's history; anything else it does is an update."""
        before, inputs = HistoryInputs.of(olds), HistoryInputs.of(news)
        # Unknown is not yet another one: what is replaced here is deleted, and every run of the App with it.
        if inputs.app != before.app or not (
            contains_unknowns(inputs.namespace) or inputs.namespace == before.namespace
        ):
            return DiffResult(changes=True, replaces=["app"])
        changed = any(_differs(before, inputs, name) for name in _KEPT)
        renamed = of_stack(before.urn) != of_stack(inputs.urn)
        moved = olds.get("__provider") != news.get("__provider")
        return DiffResult(changes=changed or renamed or moved or bool(news.get(EXPIRED)))

    def create(self, news: dict[str, Any]) -> CreateResult:
        """Sweeps."""
        inputs = HistoryInputs.of(news)
        return CreateResult(f"{inputs.namespace}/{inputs.app}", self._sweep(inputs, None))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """It is what it was."""
        return ReadResult(id_, props)

    def update(self, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Sweeps."""
        before, inputs = HistoryInputs.of(olds), HistoryInputs.of(news)
        self.preview.own_labels(inputs.place, before.stack)
        return UpdateResult(self._sweep(inputs, before))

    def delete(self, props: dict[str, Any]) -> None:
        """Deletes every run of the App with TaskRun, pod and log, and waits until they are gone.

        With an archive every log is stored first; what runs is cancelled, and its log read to its end. Nothing is
        deleted where this update has a History in its place: it was replaced (`--replace`, `pulumi state taint`).
        """
        inputs = HistoryInputs.of(props)
        app, namespace = inputs.app, inputs.namespace
        if (Connection.of(inputs.connection), *inputs.place) in self.preview.kept:
            self.preview.say(inputs.urn, f"the history of {_app(inputs)} is replaced: its runs stay")
            return
        approval = approving.known(self.preview)
        if approval and not approval.removes(namespace, app):
            raise Failure(_removal(inputs))
        try:
            cluster = self.preview.cluster(Connection.of(inputs.connection))
            warn = functools.cache(functools.partial(self.preview.say, inputs.urn, warning=True))
            archiving = archiving_of(cluster, inputs, warn)
            there = self._own(cluster.list_runs(namespace, app), inputs)
            if there:
                self.preview.say(inputs.urn, f"deletes with their logs {_all(len(there), inputs)}")
            if archiving:
                ending.settle(archiving, there, f"pulumi destroy of stack {inputs.stack}")
            deadline, held = time.monotonic() + DELETE_SECONDS, list[str]()
            while time.monotonic() < deadline:
                runs = self._own(cluster.list_runs(namespace, app), inputs)
                if not runs:
                    drop_copies(cluster, namespace, app, [])
                    return
                ready = archiving.before(runs) if archiving else runs
                cluster.delete_runs(namespace, ready, foreground=True)
                held = [run.name for run in runs if run not in ready]
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
        if held:
            raise Failure(
                f"of app {app!r} in namespace {namespace!r} these runs are not deleted, since their logs could not be "
                f"archived after {DELETE_SECONDS} s: {', '.join(held)}. Repeat when they can be, or take log_archive "
                "off the Space and run pulumi up first to let their logs go"
            )
        raise Failure(
            f"the runs of app {app!r} in namespace {namespace!r} were not gone after {DELETE_SECONDS} s: look for "
            f"finalizers with kubectl get pipelineruns -n {namespace} -o yaml, and repeat"
        )

    def _approved(
        self, before: HistoryInputs | None, inputs: HistoryInputs, seen: Survey, connection: Connection,
        adding: int, perhaps: int,
    ) -> str:  # fmt: skip
        """Why an approval that the update is held to does not let these runs go; empty if it does, or without one."""
        try:
            approval = approving.held_to(self.preview, inputs, inputs.stack, seen, connection)
        except InvalidInput as error:
            return str(error)
        if approval is None:
            return ""
        if before and before.place != inputs.place and not approval.removes(*before.place):
            return _removal(before)
        fates = notice.fates(seen.of(inputs.app), inputs.policy, adding, perhaps, seen.now)
        going = {fate.run.name: fate.rule for fate in fates}
        refused = approval.unapproved(inputs.namespace, inputs.app, list(going))
        if not refused:
            return ""
        named = notice.grouped([(name, going[name]) for name in refused])
        return f"app {inputs.app!r}: retention would delete what is not approved: {named}. To have that, {ANEW}"

    def _sweep(self, inputs: HistoryInputs, before: HistoryInputs | None) -> dict[str, Any]:
        """Marks the runs that the state holds by now, and prunes."""
        asked = time.monotonic()
        let_go(self.preview, self._mark(inputs, before), inputs, asked=asked)
        return inputs.kept()

    def _tell(self, inputs: HistoryInputs) -> None:
        """Tells what is owed: how runs ended that nobody has waited for."""
        cluster = self.preview.cluster(Connection.of(inputs.connection))
        notifying_of(self.preview, cluster, inputs).rest(inputs.app)

    def _mark(self, inputs: HistoryInputs, before: HistoryInputs | None) -> Cluster:
        """Marks the runs whose whole record the state holds by now."""
        stored = inputs if engine.stores_at_once() else before
        with about(f"the runs of app {inputs.app!r} cannot be marked as recorded"):
            cluster = self.preview.cluster(Connection.of(inputs.connection))
            recorded = {*stored.runs} - {*(stored.unfinished or ())} if stored else set[str]()
            known = informer(cluster.http, inputs.namespace).runs(inputs.app)
            runs = self._own(known.known(cluster), inputs)
            own, changed = label_value(inputs.stack), list[RunSummary]()
            for run in runs:
                if run.labels.get(STACK, own) != own:
                    with contextlib.suppress(NotFound):
                        moved = cluster.label_run(inputs.namespace, run.name, {STACK: own}, run.uid)
                        changed.append(run.of_metadata(moved))
            values = settled(runs, recorded, inputs.tasks)
            marked = [run for run in runs if run.name in values]
            with ThreadPoolExecutor(PARALLEL_CHANGES) as pool:
                found = pool.map(
                    lambda run: mark_recorded(cluster, inputs.namespace, run.name, values[run.name], run.uid), marked
                )
                changed += [run.of_metadata(one) for run, one in zip(marked, found) if one]
            for run in changed:
                known.take(run.name, run.version, run)
            cluster.written = latest(run.version for run in changed)
        return cluster

    def _own(self, runs: Iterable[RunSummary], inputs: HistoryInputs) -> list[RunSummary]:
        """The runs of the App that are this stack's, under whatever name it had."""
        own = self.preview.own_labels(inputs.place, inputs.stack)
        return [run for run in runs if run.labels.get(STACK) in (None, *own)]

    def _refuse(self, before: HistoryInputs | None, inputs: HistoryInputs, seen: Survey) -> str | None:
        """Why this History may not keep house: the App is another stack's, or another App of this one."""
        refusal = foreign(self.preview, inputs, before, seen)
        if refusal:
            return refusal
        own = of_stack(inputs.urn)
        keeper = self.preview.keepers.setdefault((seen.cluster, *inputs.place), own) if seen.cluster else own
        if keeper != own:
            return (
                f"app {inputs.app!r} in namespace {inputs.namespace!r} is declared twice, as {keeper} and as {own}: "
                "give one of them another app_name, or they would delete each other's runs"
            )
        urn = seen.urns.get(inputs.app)
        if before or not urn or urn == own:
            return None
        name = urn.rsplit("::", 1)[-1]
        return (
            f"app {inputs.app!r} in namespace {inputs.namespace!r} is that of {urn} of this stack, with which its runs "
            f"would go: to keep them give the App {adapter.alias_option(name)} (and its parent, if it had "
            "another one), or choose another app_name; to begin anew, remove the old App in an update before"
        )

    def _say_left(self, before: HistoryInputs | None, inputs: HistoryInputs) -> None:
        """The runs that are deleted because their App is another one from now on."""
        if not before or before.place == inputs.place:
            return
        _, seen = self.preview.look(before.connection, before.namespace)
        left = [run.name for run in seen.of(before.app)]
        if left:
            text = f"will delete with their logs {_all(len(left), before)}, unless the App has retain_on_delete"
            self._once(inputs)(f"{text}: {notice.listed(left)}")

    def _foretell(self, before: HistoryInputs | None, inputs: HistoryInputs, seen: Survey) -> str:
        """How far back the kept runs will reach: said when that changes, and warned of while it is too short."""
        changed = before is not None and any(_differs(before, inputs, name) for name in ("policy", "schedules"))
        least, schedules, keep = inputs.min_history, inputs.schedules or [], inputs.policy.keep
        if contains_unknowns(schedules) or not (changed or least):
            return ""
        now = moments.epoch(seen.now) if seen.now else int(time.time())
        found = forecast(inputs.policy, schedules, seen.of(inputs.app), now)
        if found is None:
            return ""
        say = self._once(inputs)
        if least and found.short_of(least, keep):
            say(f"history of app {inputs.app!r}: {found.short_of(least, keep)}", warning=True)
        elif changed:
            say(f"retention: {found.of(keep)}")
        return found.of(keep)

    def _once(self, inputs: HistoryInputs) -> Callable[..., None]:
        about_app = f"{inputs.namespace} {inputs.app}"
        return functools.partial(self.preview.say_once, inputs.urn, about=about_app)


_KEPT = ("connection", "stack", "policy", "log_archive", "min_history", "schedules", "runs", "tasks")


def _removal(inputs: HistoryInputs) -> str:
    return (
        f"app {inputs.app!r} in namespace {inputs.namespace!r} would be removed with all its runs, which is not "
        f"approved. To have that, {ANEW}"
    )


def _all(count: int, inputs: HistoryInputs) -> str:
    runs = "the run" if count == 1 else f"all {count} runs"
    return f"{runs} of {_app(inputs)}"


def _app(inputs: HistoryInputs) -> str:
    return f"app {inputs.app!r} in namespace {inputs.namespace!r}"


def _differs(before: HistoryInputs, inputs: HistoryInputs, name: str) -> bool:
    """Whether an input is another one; what an earlier version did not write is what says nothing."""
    old, new = getattr(before, name), getattr(inputs, name)
    return contains_unknowns(new) or (old or None) != (new or None)
