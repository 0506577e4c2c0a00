"""What a list of runs says of each: metadata and printer columns, of which only what is needed is even decoded.

A list may hold ten thousand runs, and the greater part of what it says of them is what nobody here reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ..core import marks
from ..core.retention.plan import RunSummary


@dataclass(frozen=True)
class ListedRun(RunSummary):
    """A run as a list shows it: identity, labels, annotations, and the columns that `kubectl get` has."""

    reason: str = ""
    started_at: str | None = None
    finished_at: str | None = None

    @property
    def task_id(self) -> int:
        """The number of the run within its App, 0 if it has none."""
        return marks.number(self.labels, marks.TASK_ID)


class _Metadata(msgspec.Struct, rename="camel"):
    """What is read of an object's metadata; the rest, such as the managedFields of what runs, is not even decoded."""

    name: str
    uid: str
    creation_timestamp: str
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    deletion_timestamp: str | None = None


class _Object(msgspec.Struct):
    metadata: _Metadata
    status: dict[str, Any] | None = None


class _Row(msgspec.Struct):
    cells: list[Any]
    object: _Object


class _Column(msgspec.Struct):
    name: str


class _Page(msgspec.Struct):
    token: str = msgspec.field(default="", name="continue")
    remaining: int = msgspec.field(default=0, name="remainingItemCount")


class Table(msgspec.Struct, rename="camel"):
    """A list in the form that `kubectl get` shows."""

    metadata: _Page = msgspec.field(default_factory=_Page)
    column_definitions: list[_Column] = []
    rows: list[_Row] | None = None


def rows(table: Table) -> Iterator[ListedRun]:
    """The runs of a list."""
    columns = [column.name.lower() for column in table.column_definitions]
    for row in table.rows or ():
        cells = dict(zip(columns, row.cells))
        metadata, status = row.object.metadata, row.object.status or {}
        yield ListedRun(
            name=metadata.name,
            uid=metadata.uid,
            created=metadata.creation_timestamp,
            finished=cells.get("succeeded") in ("True", "False"),
            labels=marks.own_marks(metadata.labels),
            annotations=marks.own_marks(metadata.annotations),
            succeeded=str(cells.get("succeeded") or "Unknown"),
            reason=str(cells.get("reason") or ""),
            started_at=status.get("startTime"),
            finished_at=status.get("completionTime"),
            deleting=metadata.deletion_timestamp is not None,
        )
