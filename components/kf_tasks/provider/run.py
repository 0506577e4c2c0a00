"""The record of one run: when it is another one, how it comes to be, and how it is completed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.output import contains_unknowns

from ..core.run.outcome import RUNNING
from ..core.state import Decision, RunInputs, RunRecord, Which
from . import decision, foretelling, recording
from .hosting import Failure
from .preview import Preview, of_process


@dataclass(frozen=True)
class Runs:
    """The room of the resource Run."""

    preview: Preview = field(default_factory=of_process)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Decides whether the task will run, and says why."""
        inputs = RunInputs.of(news)
        decided, failures = decision.check(self.preview, RunInputs.of(olds) if olds else None, inputs)
        told = self._told(inputs) if inputs.preview and not failures else {}
        return CheckResult({**news, **(decided.props() if decided else {}), **told}, failures)

    def diff(self, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Only another key is another run; an unfinished record is completed; all else waits for the next run."""
        decided = Decision.of(news)
        if decided.key is None or contains_unknowns(decided.key):
            return DiffResult(changes=True, replaces=[])
        if decided.again or decided.key != olds.get("key"):
            return DiffResult(changes=True, replaces=["key"])
        moved = olds.get("__provider") != news.get("__provider")
        return DiffResult(changes=moved or RunRecord.of(olds).state == RUNNING or bool(decided.cancels))

    def create(self, news: dict[str, Any]) -> CreateResult:
        """Starts the run or adopts it, follows it, records it and prunes; raises if it must succeed and did not."""
        inputs = RunInputs.of(news)
        if inputs.terminated:
            held = recording.hold(self.preview, inputs)
            return CreateResult(f"{inputs.which.app}-{inputs.which.task}-held", {**inputs.identity(), **held.props()})
        record, failure = recording.record(self.preview, inputs)
        if failure:
            raise Failure(failure)
        return CreateResult(record.run, {**inputs.identity(), **record.props()})

    def update(self, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Completes the record of a run that was not waited for; raises if it must succeed and did not.

        Where the task is terminated, runs of it that no record holds are cancelled too.
        """
        inputs, begun = RunInputs.of(news), RunRecord.of(olds)
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
        inputs = RunInputs.of(props)
        record, failure = self._completed(inputs, RunRecord.of(props))
        if failure:
            self.preview.say(inputs.urn, failure, warning=True)
        return ReadResult(id_, {**props, **record.props()})

    def delete(self, props: dict[str, Any]) -> None:
        """Nothing: history belongs to the App's retention, not to the record of one run."""

    def _told(self, inputs: RunInputs) -> dict[str, Any]:
        _, seen = self.preview.look(inputs.connection, inputs.which.namespace)
        unasked = decision.unasked(inputs, seen)
        return foretelling.of_run([] if unasked else decision.own_runs(self.preview, inputs.which, seen), unasked)

    def _completed(self, inputs: RunInputs, begun: RunRecord) -> tuple[RunRecord, str | None]:
        if begun.state != RUNNING:
            return begun, None
        return recording.complete(self.preview, inputs, begun)


def _in(inputs: RunInputs, namespace: str) -> RunInputs:
    return replace(inputs, which=replace(inputs.which, namespace=namespace))
