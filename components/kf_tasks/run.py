"""The record of one run of a task, as a resource.

A run is an event: it is submitted, followed and recorded once, and afterwards its record in the
state is all that counts. Whoever deletes the PipelineRun later deletes history, not state, so
neither `refresh` nor `up` runs the task again. Replacing the record (a changed key) is a new run.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import contains_unknowns

from .core.run.outcome import RUNNING
from .provider import decision, hosting
from .provider.reporting import say

RECORD = (
    "run", "task_id", "state", "reason", "exit_code", "started_at", "finished_at",
    "duration", "log", "log_digest", "log_lines", "results", "cluster_uid",
)  # fmt: skip
_IDENTITY = ("connection", "stack", "namespace", "app", "task", "key", "urn", "log_mode", "must_succeed")


def diff(olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
    """Only another key is another run; an unfinished record is completed; all else waits for the next run."""
    if news.get("key") is None or contains_unknowns(news["key"]):
        return DiffResult(changes=True, replaces=[])
    if news["again"] or news["key"] != olds.get("key"):
        return DiffResult(changes=True, replaces=["key"])
    moved = olds.get("__provider") != news.get("__provider")
    changes = moved or olds.get("state") == RUNNING or bool(news.get("cancels"))
    if changes:
        decision.in_place.add((news["namespace"], news["app"], news["task"]))
    return DiffResult(changes=changes)


def create(news: dict[str, Any]) -> CreateResult:
    """Starts the run or adopts it, follows it, records it and prunes; raises if the task must succeed and did not."""
    from .provider import recording

    if news.get("terminated"):
        return CreateResult(f"{news['app']}-{news['task']}-held", {**_identity(news), **recording.hold(news)})
    record, failure = recording.record(news)
    if failure:
        raise hosting.Failure(failure)
    return CreateResult(record["run"], {**_identity(news), **record})


def update(olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
    """Completes the record of a run that was not waited for; raises if it must succeed and did not.

    Where the task is terminated, runs of it that no record holds are cancelled too.
    """
    place = {"namespace": olds["namespace"]}  # where the run is, also if its App has moved meanwhile
    if news.get("terminated"):
        from .provider import recording

        for namespace in dict.fromkeys((news["namespace"], olds["namespace"])):
            recording.stop({**news, "namespace": namespace}, own=olds["run"] if olds.get("state") == RUNNING else "")
    record, failure = _completed({**olds, **news, **place}, olds)
    if failure:
        raise hosting.Failure(failure)
    return UpdateResult({**olds, **_identity(news), **place, **record})


def read(props: dict[str, Any]) -> dict[str, Any]:
    """The record as it is; one that is unfinished is completed if its run has ended."""
    record, failure = _completed(props, props)
    if failure:
        say(props["urn"], failure, warning=True)
    return {**props, **record}


def _completed(settings: dict[str, Any], olds: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    begun = {name: olds.get(name) for name in RECORD}
    if olds.get("state") != RUNNING:
        return begun, None
    from .provider import recording

    return recording.complete(settings, begun)


def _identity(news: dict[str, Any]) -> dict[str, Any]:
    return {name: news[name] for name in _IDENTITY}


class RunProvider(ResourceProvider):
    """Adapter between the dynamic provider host and the functions above.

    Its class path is in every state file and its instances carry nothing: both are frozen.
    """

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        hosting.prepare()

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return hosting.plainly(lambda: decision.check(olds or {}, news))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff(olds, news)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return hosting.plainly(lambda: create(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(id_, hosting.plainly(lambda: read(props)))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return hosting.plainly(lambda: update(olds, news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Nothing: history belongs to the App's retention, not to the record of one run."""


class Run(Resource, module="kf", name="Run"):
    """One run of a task and its record; made by Task."""

    run: pulumi.Output[str]
    task_id: pulumi.Output[int]
    state: pulumi.Output[str]
    reason: pulumi.Output[str]
    exit_code: pulumi.Output[int | None]
    started_at: pulumi.Output[str]
    finished_at: pulumi.Output[str | None]
    duration: pulumi.Output[float | None]
    log: pulumi.Output[str]
    log_digest: pulumi.Output[str]
    log_lines: pulumi.Output[int]
    results: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        record = dict.fromkeys((*RECORD, "key", "because", "nth", "again"))
        super().__init__(RunProvider(), name, {**record, **props}, opts)
