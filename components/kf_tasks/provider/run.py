"""The record of one run: when it is another one, how it comes to be, and how it is completed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.output import contains_unknowns

from ..core.run.outcome import RUNNING
from ..core.state import RECORD
from . import decision, recording
from .hosting import Failure
from .preview import Preview, of_process

_IDENTITY = ("connection", "stack", "namespace", "app", "task", "key", "urn", "log_mode", "must_succeed")


@dataclass(frozen=True)
class Runs:
    """The room of the resource Run."""

    preview: Preview = field(default_factory=of_process)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Decides whether the task will run, and says why."""
        return decision.check(self.preview, olds, news)

    def diff(self, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Only another key is another run; an unfinished record is completed; all else waits for the next run."""
        if news.get("key") is None or contains_unknowns(news["key"]):
            return DiffResult(changes=True, replaces=[])
        if news["again"] or news["key"] != olds.get("key"):
            return DiffResult(changes=True, replaces=["key"])
        moved = olds.get("__provider") != news.get("__provider")
        changes = moved or olds.get("state") == RUNNING or bool(news.get("cancels"))
        if changes:
            self.preview.in_place.add((news["namespace"], news["app"], news["task"]))
        return DiffResult(changes=changes)

    def create(self, news: dict[str, Any]) -> CreateResult:
        """Starts the run or adopts it, follows it, records it and prunes; raises if it must succeed and did not."""
        if news.get("terminated"):
            held = recording.hold(self.preview, news)
            return CreateResult(f"{news['app']}-{news['task']}-held", {**_identity(news), **held})
        record, failure = recording.record(self.preview, news)
        if failure:
            raise Failure(failure)
        return CreateResult(record["run"], {**_identity(news), **record})

    def update(self, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Completes the record of a run that was not waited for; raises if it must succeed and did not.

        Where the task is terminated, runs of it that no record holds are cancelled too.
        """
        place = {"namespace": olds["namespace"]}  # where the run is, also if its App has moved meanwhile
        if news.get("terminated"):
            own = olds["run"] if olds.get("state") == RUNNING else ""
            for namespace in dict.fromkeys((news["namespace"], olds["namespace"])):
                recording.stop(self.preview, {**news, "namespace": namespace}, own)
        record, failure = self._completed({**olds, **news, **place}, olds)
        if failure:
            raise Failure(failure)
        return UpdateResult({**olds, **_identity(news), **place, **record})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The record as it is; one that is unfinished is completed if its run has ended."""
        record, failure = self._completed(props, props)
        if failure:
            self.preview.say(props["urn"], failure, warning=True)
        return ReadResult(id_, {**props, **record})

    def delete(self, props: dict[str, Any]) -> None:
        """Nothing: history belongs to the App's retention, not to the record of one run."""

    def _completed(self, settings: dict[str, Any], olds: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        begun = {name: olds.get(name) for name in RECORD}
        if olds.get("state") != RUNNING:
            return begun, None
        return recording.complete(self.preview, settings, begun)


def _identity(news: dict[str, Any]) -> dict[str, Any]:
    return {name: news[name] for name in _IDENTITY}
