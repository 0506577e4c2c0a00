"""What `kf` knows of a run, under the names that its `-o json` and `-o yaml` have: for programs, and for rows.

The names are a contract: a field `exit_code` is `exitCode` there. What is not known (yet) is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..core import marks, moments
from ..core.api import Object
from ..core.log import gate
from ..core.log.masking import Masker
from ..core.log.stored import NO_LOG, StoredLog
from ..core.retention import plan
from ..core.run import outcome
from ..core.run.command import DOLLAR, carried
from ..core.run.outcome import Outcome
from ..core.run.step import step_of
from ..core.run.summary import RunSummary

FORGOTTEN = "its pod has ended or is gone, and Tekton has not noticed"


class View:
    """Fields under the names that programs read."""

    @classmethod
    def names(cls) -> list[str]:
        """The names of the fields as JSON has them."""
        return [_camel(one.name) for one in fields(cls)]  # type: ignore[arg-type]

    def plain(self) -> dict[str, Any]:
        """It as JSON has it."""
        return dict(zip(self.names(), (getattr(self, one.name) for one in fields(self))))  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class ListedView(View):
    """A run in a list: `kf tasks`, `kf job-history`.

    Times are RFC 3339, `duration` is in seconds; `succeeded` is "True", "False" or "Unknown". `attempt` counts those at
    one definition of a task; `archived` is the digest of its log in the archive. The `exit_code` is null where none is
    known, and `command`, the whole argv, for a run that only the archive has. Of one that goes on: `waiting` says what
    holds it back, and `forgotten` that its pod has ended or is gone, and Tekton has not noticed.
    """

    name: str
    app: str
    id: int
    display_name: str
    stack: str
    created: str
    started: str | None
    finished: str | None
    duration: float | None
    state: str
    succeeded: str
    reason: str
    outcome: str
    exit_code: int | None
    command: list[str] | None
    attempt: int
    started_by: str
    pinned: bool
    archived: str | None
    waiting: str
    forgotten: bool

    @property
    def note(self) -> str:
        """What is to be said beside the reason of a run that goes on; empty for nothing."""
        return FORGOTTEN if self.forgotten else self.waiting

    @classmethod
    def of(
        cls, run: RunSummary, exit_code: int | None = None, *, waiting: str = "", forgotten: bool = False
    ) -> ListedView:
        """That of a run as a list has it; its sentence may tell the exit code, too."""
        sentence = run.annotations.get(marks.OUTCOME, "")
        code = outcome.exit_code_in(run.succeeded, sentence)
        return cls(
            name=run.name,
            app=run.labels.get(marks.NAME, ""),
            id=run.task_id,
            display_name=run.labels.get(marks.TASK, ""),
            stack=run.labels.get(marks.STACK, ""),
            created=run.created,
            started=run.started_at,
            finished=run.finished_at,
            duration=moments.seconds_between(run.started_at, run.finished_at),
            state=run.state,
            succeeded=run.succeeded,
            reason=run.reason,
            outcome=sentence,
            exit_code=exit_code if code is None else code,
            command=list(run.argv) or None,
            attempt=run.attempt,
            started_by=run.annotations.get(marks.STARTED_BY, ""),
            pinned=plan.is_pinned(run),
            archived=run.annotations.get(marks.ARCHIVED),
            waiting=waiting,
            forgotten=forgotten,
        )


@dataclass(frozen=True, kw_only=True)
class RunView(View):
    """What is said of a run wherever it is read from: what it is, how it ended, and when.

    `display_name` is its task, `space` its namespace, `archived` the digest of its log in the archive.
    """

    name: str
    app: str
    display_name: str
    id: int
    space: str
    stack: str
    state: str
    reason: str
    outcome: str
    exit_code: int | None
    created: str
    started: str | None
    finished: str | None
    started_by: str | None
    archived: str | None


@dataclass(frozen=True, kw_only=True)
class LiveView(RunView):
    """A run of the cluster: `kf task`. `duration` is in seconds; `resources` and `pods` are as JSON has them."""

    duration: float | None
    cancelled_by: str | None
    recorded: bool
    image: str
    command: list[str]
    resources: Object
    timeout: str | None
    env: list[str]
    results: dict[str, str]
    pods: list[dict[str, str]]

    @classmethod
    def of(cls, run: Object, task_run: Object | None, pods: Sequence[Object], masker: Masker | None = None) -> LiveView:
        """That of a PipelineRun, of its TaskRun and its pods, oldest first; `masker` knows the secrets it had."""
        metadata, status = run["metadata"], run.get("status") or {}
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        pod = pods[-1] if pods else None
        ended = outcome.known(run, task_run, pod) if outcome.has_ended(run) else _under_way(run, task_run, pod)
        ended = gate.ended(ended, masker or Masker())
        step = step_of(run)
        return cls(
            name=metadata["name"],
            app=labels.get(marks.NAME, ""),
            display_name=labels.get(marks.TASK, ""),
            id=marks.number(labels, marks.TASK_ID),
            space=metadata["namespace"],
            stack=labels.get(marks.STACK, ""),
            state=ended.state,
            reason=ended.reason,
            outcome=ended.sentence,
            exit_code=ended.exit_code,
            created=metadata["creationTimestamp"],
            started=status.get("startTime"),
            finished=ended.finished_at,
            duration=ended.duration,
            started_by=annotations.get(marks.STARTED_BY),
            cancelled_by=annotations.get(marks.CANCELLED_BY),
            recorded=marks.RECORDED in annotations,
            archived=annotations.get(marks.ARCHIVED),
            image=step["image"],
            command=[carried(text) for text in [*step.get("command", []), *step.get("args", [])]],
            resources=step.get("computeResources", {}),
            timeout=run["spec"].get("timeouts", {}).get("pipeline"),
            env=sorted(entry["name"] for entry in step.get("env", []) if entry["name"] != DOLLAR),
            results=dict(ended.results),
            pods=[
                {
                    "name": one["metadata"]["name"],
                    "phase": (one.get("status") or {}).get("phase", ""),
                    "waiting": "" if outcome.started(one) else outcome.waiting(one),
                }
                for one in pods
            ],
        )


@dataclass(frozen=True, kw_only=True)
class StoredView(RunView):
    """A run that an archive has. `log` is the address of its log, None where there is none: `missing` says why."""

    log: str | None
    bytes: int
    lines: int
    whole: bool
    missing: str

    @classmethod
    def of(cls, record: StoredLog, archive_url: str) -> StoredView:
        """That of a record of the archive at this URL."""
        return cls(
            name=record.run,
            app=record.app,
            display_name=record.task,
            id=record.id,
            space=record.namespace,
            stack=record.stack,
            state=record.state,
            reason=record.reason,
            outcome=record.outcome,
            exit_code=record.exit_code,
            created=record.created,
            started=record.started,
            finished=record.finished,
            started_by=record.started_by or None,
            archived=record.mark,
            log=None if record.mark == NO_LOG else f"{archive_url}/{record.place.log}",
            bytes=record.bytes,
            lines=record.lines,
            whole=record.whole,
            missing=record.missing,
        )


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _under_way(run: Object, task_run: Object | None, pod: Object | None) -> Outcome:
    reason = outcome.condition(run).get("reason", "")
    if pod and outcome.started(pod):
        return Outcome(outcome.RUNNING, reason, "is being cancelled" if run["spec"].get("status") else "runs")
    trouble = outcome.waiting(pod, task_run)
    return Outcome(outcome.PENDING, reason, f"has not started: {trouble}" if trouble else "has not started")
