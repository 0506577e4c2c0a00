"""What retention, adoption and every list need to know of a run, whichever answer of the API it is read from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from .. import marks
from ..api import Object
from . import outcome
from .command import carried
from .step import step_of

UNKNOWN = "Unknown"


@dataclass(frozen=True)
class RunSummary:
    """A run: identity, labels and annotations of ours, and the columns that `kubectl get` has.

    Times are RFC 3339 in UTC. `succeeded` is that of Kubernetes' condition: "True", "False", or "Unknown" where
    nobody knows (yet). `started_at` and `finished_at` are None, `argv` is empty, where the answer did not hold them: a
    row has them only when whole objects were asked for.
    """

    name: str
    uid: str
    created: str
    finished: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    deleting: bool = False
    succeeded: str = UNKNOWN
    reason: str = ""
    started_at: Optional[str] = None
    finished_at: Optional[str] = None
    argv: Tuple[str, ...] = field(default=(), compare=False)
    version: str = field(default="", compare=False)  # the resourceVersion, by which a change is noticed

    @property
    def failed(self) -> bool:
        """Whether the run ended without success."""
        return self.succeeded == "False" and self.state != outcome.SUCCEEDED

    @property
    def state(self) -> str:
        """What became of it, in the words of an Outcome."""
        return outcome.state_of(self.succeeded, self.reason, self.annotations.get(marks.OUTCOME, ""))

    @property
    def task_id(self) -> int:
        """The number of the run within its App, 0 if it has none."""
        return marks.number(self.labels, marks.TASK_ID)

    @property
    def attempt(self) -> int:
        """Which attempt at its definition it is, 0 if it is none of ours."""
        return marks.number(self.labels, marks.ATTEMPT)

    @property
    def age(self) -> Tuple[str, int, str]:
        """By which runs are sorted, oldest first: the second of a creation is that of many."""
        return self.created, self.task_id, self.name

    @classmethod
    def of_row(cls, columns: Sequence[str], row: Mapping[str, Any]) -> RunSummary:
        """The run of a row of a table, whose `columns` are named in lower case."""
        cells = dict(zip(columns, row["cells"]))
        return cls._of(row["object"], str(cells.get("succeeded") or UNKNOWN), str(cells.get("reason") or ""))

    @classmethod
    def of_object(cls, run: Object) -> RunSummary:
        """The run of a whole PipelineRun."""
        ended = outcome.condition(run)
        return cls._of(run, ended.get("status", UNKNOWN), ended.get("reason", ""))

    def of_metadata(self, metadata: Mapping[str, Any]) -> RunSummary:
        """This run with the metadata that it has by now."""
        labels, annotations = marks.own_marks(metadata.get("labels")), marks.own_marks(metadata.get("annotations"))
        return replace(self, labels=labels, annotations=annotations, version=metadata.get("resourceVersion", ""))

    @classmethod
    def _of(cls, found: Mapping[str, Any], succeeded: str, reason: str) -> RunSummary:
        metadata, status = found["metadata"], found.get("status") or {}
        return cls(
            name=metadata["name"],
            uid=metadata["uid"],
            created=metadata["creationTimestamp"],
            finished=succeeded in ("True", "False"),
            labels=marks.own_marks(metadata.get("labels")),
            annotations=marks.own_marks(metadata.get("annotations")),
            deleting=bool(metadata.get("deletionTimestamp")),
            succeeded=succeeded,
            reason=reason,
            started_at=status.get("startTime"),
            finished_at=status.get("completionTime"),
            argv=_argv(found),
            version=metadata.get("resourceVersion", ""),
        )


def _argv(run: Mapping[str, Any]) -> Tuple[str, ...]:
    """The argv of a run, if the answer holds it; empty for a PipelineRun that is not built like ours."""
    try:
        step = step_of(run)  # type: ignore[arg-type]
        return tuple(carried(text) for text in [*(step.get("command") or ()), *(step.get("args") or ())])
    except (AttributeError, KeyError, IndexError, TypeError):
        return ()


def page(table: Mapping[str, Any]) -> Tuple[List[RunSummary], str]:
    """The runs of one page of a list in the form of a table, and the token that the next one is asked for with."""
    columns = [column["name"].lower() for column in table.get("columnDefinitions") or ()]
    runs = [RunSummary.of_row(columns, row) for row in table.get("rows") or ()]
    return runs, str((table.get("metadata") or {}).get("continue") or "")
