"""What is decoded of a list of runs: metadata and printer columns, and of those only what is needed.

A list may hold ten thousand runs, and the greater part of what it says of them is what nobody here reads: such as
the managedFields of what runs.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class _Metadata(TypedDict):
    name: str
    uid: str
    creationTimestamp: str
    resourceVersion: NotRequired[str]
    deletionTimestamp: NotRequired[str | None]
    labels: NotRequired[dict[str, str] | None]
    annotations: NotRequired[dict[str, str] | None]


class _Status(TypedDict, total=False):
    startTime: str | None
    completionTime: str | None


class _Step(TypedDict, total=False):
    command: list[str] | None
    args: list[str] | None


class _TaskSpec(TypedDict, total=False):
    steps: list[_Step] | None


class _Task(TypedDict, total=False):
    taskSpec: _TaskSpec | None


class _PipelineSpec(TypedDict, total=False):
    tasks: list[_Task] | None


class _Spec(TypedDict, total=False):
    pipelineSpec: _PipelineSpec | None


class _Object(TypedDict):
    metadata: _Metadata
    spec: NotRequired[_Spec | None]
    status: NotRequired[_Status | None]


class _Row(TypedDict):
    cells: list[Any]
    object: _Object


class _Column(TypedDict):
    name: str


_Page = TypedDict("_Page", {"continue": str, "remainingItemCount": int}, total=False)


class Table(TypedDict, total=False):
    """A list in the form that `kubectl get` shows, for `core.run.summary.page`."""

    metadata: _Page
    columnDefinitions: list[_Column] | None
    rows: list[_Row] | None
