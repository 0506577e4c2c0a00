"""The record of one run: when it is another one, how it comes to be, and how it is completed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.output import contains_unknowns

from ..cluster.connection import Connection
from ..core.retention import notice
from ..core.run.attempts import STORED, is_recorded
from ..core.run.outcome import RUNNING
from ..core.state import Decision, RunInputs, RunRecord, Which
from ..errors import ClusterError
from . import adapter, decision, engine, foretelling, recording
from .hosting import Failure
from .preview import Preview, of_process


@dataclass(frozen=True)
class Runs:
    """The room of the resource Run."""

    preview: Preview = field(default_factory=of_process)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Decides whether the task will run, and says why."""
        inputs = RunInputs.of(news)
        before = RunInputs.of(olds) if olds else None
        decided, failures = decision.check(self.preview, before, inputs)
        told = self._told(before, inputs) if inputs.preview and not failures else {}
        if told and decided and decided.starts and adapter.in_plugin():
            told |= self._going(inputs)
        return CheckResult({**news, **(decided.props() if decided else {}), **told}, failures)

    def diff(self, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Only another key is another run; an unfinished record is completed; all else waits for the next run.

        Another run is an update of the record, never its replacement: nothing is taken away by it, and the engine
        calls what it replaces and we keep left "untracked".
        """
        decided = Decision.of(news)
        if decided.key is None or contains_unknowns(decided.key) or _is_another(olds, decided):
            return DiffResult(changes=True, replaces=[])
        if adapter.in_plugin():
            self._mark(RunInputs.of(news), RunRecord.of(olds))
        moved = olds.get("__provider") != news.get("__provider")
        return DiffResult(changes=moved or RunRecord.of(olds).state == RUNNING or bool(decided.cancels))

    def create(self, news: dict[str, Any]) -> CreateResult:
        """Starts the run or adopts it, follows it, records it and prunes; raises if it must succeed and did not."""
        inputs = RunInputs.of(news)
        if inputs.terminated:
            held = recording.hold(self.preview, inputs)
            return CreateResult(f"{inputs.which.app}-{inputs.which.task}-held", _outputs(news, inputs, held))
        record = self._recorded(inputs)
        return CreateResult(record.run, _outputs(news, inputs, record))

    def update(self, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Starts another run as `create` does, or completes the record of one that was not waited for.

        Where the task is terminated, runs of it that no record holds are cancelled too. Raises as `create`.
        """
        inputs, begun = RunInputs.of(news), RunRecord.of(olds)
        if _is_another(olds, inputs.decision) and not inputs.terminated:
            return UpdateResult(_outputs(news, inputs, self._recorded(inputs)))
        there = _in(inputs, Which.of(olds).namespace)  # where the run is, also if its App has moved meanwhile
        if inputs.terminated:
            own = begun.run if begun.state == RUNNING else ""
            for one in dict.fromkeys((inputs.which.namespace, there.which.namespace)):
                recording.stop(self.preview, _in(inputs, one), own)
        record, failure = self._completed(there, begun)
        if failure:
            raise Failure(failure)
        return UpdateResult({**olds, **there.identity(), **record.props()})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The record as it is; one that is unfinished is completed if its run has ended."""
        identity = RunInputs.of(props).identity()
        inputs = RunInputs.of({name: value for name, value in identity.items() if value is not None})
        record, failure = self._completed(inputs, RunRecord.of(props))
        if failure:
            self.preview.say(inputs.urn, failure, warning=True)
        return ReadResult(id_, {**props, **record.props()})

    def delete(self, props: dict[str, Any]) -> None:
        """Nothing: history belongs to the App's retention, not to the record of one run."""

    def stored(self, props: dict[str, Any]) -> None:
        """For the plugin, in which no History comes after the Runs: the state holds this record by now.

        Marks its run and prunes once more, since of the runs of one update none goes before its record is stored. What
        does not work is for the next update.
        """
        inputs, held = RunInputs.of(props), RunRecord.of(props)
        if not held.run or held.state == RUNNING or not engine.stores_at_once():
            return
        cluster = self.preview.cluster(Connection.of(inputs.connection))
        try:
            recording.mark_recorded(cluster, inputs.namespace, held.run, STORED)
        except ClusterError as error:
            self.preview.say(inputs.urn, f"run {held.run} could not be marked as recorded: {error}", warning=True)
        else:
            recording.let_go(self.preview, cluster, inputs)

    def _told(self, before: RunInputs | None, inputs: RunInputs) -> dict[str, Any]:
        _, seen = self.preview.look(inputs.connection, inputs.which.namespace)
        known = not contains_unknowns([inputs.connection, inputs.which.namespace])
        unasked = decision.unasked(inputs, seen) or self.preview.unadmitted.get(inputs.which.namespace, "")
        runs = decision.own_runs(self.preview, inputs.which, seen) if known and not seen.unasked else None
        digests = () if contains_unknowns(inputs.digests) else (before.digests if before else None, inputs.digests)
        secrets = foretelling.of_secrets(*digests, self.preview.salt) if digests else {}
        return {**foretelling.of_run(runs, unasked), **secrets}

    def _going(self, inputs: RunInputs) -> dict[str, Any]:
        """What goes or may go after this run and those that were decided before it, besides what History tells."""
        _, seen = self.preview.look(inputs.connection, inputs.namespace)
        runs, counts = seen.of(inputs.app), self.preview.adding(inputs.namespace, inputs.app)
        told = {fate.run.name for fate in notice.fates(runs, inputs.policy, now=seen.now)}
        return foretelling.of_deletions(
            fate for fate in notice.fates(runs, inputs.policy, *counts, seen.now) if fate.run.name not in told
        )

    def _mark(self, inputs: RunInputs, held: RunRecord) -> None:
        """Marks the run whose whole record the state holds: in the plugin no History is told which these are."""
        if inputs.preview or not held.run or held.state == RUNNING:
            return
        connection, seen = self.preview.look(inputs.connection, inputs.namespace)
        for run in seen.of(inputs.app):
            if connection and run.name == held.run and run.finished and not is_recorded(run):
                recording.mark_recorded(self.preview.cluster(connection), inputs.namespace, run.name, STORED, run.uid)

    def _recorded(self, inputs: RunInputs) -> RunRecord:
        record, failure = recording.record(self.preview, inputs)
        if failure:
            raise Failure(failure)
        return record

    def _completed(self, inputs: RunInputs, begun: RunRecord) -> tuple[RunRecord, str | None]:
        if begun.state != RUNNING:
            return begun, None
        return recording.complete(self.preview, inputs, begun)


def _is_another(olds: dict[str, Any], decided: Decision) -> bool:
    """Whether what was decided is another run than the one that the outputs record."""
    return decided.again or decided.key != olds.get("key")


def _outputs(news: dict[str, Any], inputs: RunInputs, record: RunRecord) -> dict[str, Any]:
    """What the state holds of a run: its record, and what it was declared with, so that a diff shows what changes."""
    declared = {name: value for name, value in news.items() if not name.startswith("__")}
    return {**declared, **inputs.identity(), **record.props()}


def _in(inputs: RunInputs, namespace: str) -> RunInputs:
    return replace(inputs, which=replace(inputs.which, namespace=namespace))
