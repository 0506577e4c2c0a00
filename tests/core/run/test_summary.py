"""A run is the same whichever answer of the API it is read from."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from kf_tasks.cluster.listing import Table
from kf_tasks.core.run.summary import RunSummary, page

RUN: dict[str, Any] = {
    "metadata": {
        "name": "shop-migrate-1",
        "uid": "u-1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"kf.dev/key": "k", "kf.dev/task-id": "7", "kf.dev/attempt": "2", "team": "a"},
        "annotations": {"kf.dev/started-by": "me", "tekton.dev/x": "y"},
        "managedFields": [{"manager": "kf"}],
    },
    "spec": {"pipelineSpec": {}},
    "status": {
        "startTime": "2026-01-01T00:00:01Z",
        "completionTime": "2026-01-01T00:00:09Z",
        "conditions": [{"type": "Succeeded", "status": "False", "reason": "Failed"}],
    },
}


def table(*cells: list[Any], run: dict[str, Any] = RUN, token: str = "") -> dict[str, Any]:
    columns = [{"name": name, "type": "string"} for name in ("Name", "Succeeded", "Reason", "StartTime")]
    rows = [{"cells": row, "object": run} for row in cells]
    return {"kind": "Table", "metadata": {"continue": token}, "columnDefinitions": columns, "rows": rows}


@pytest.mark.parametrize("decode", [lambda found: found, lambda found: msgspec.convert(found, Table)])
def test_a_row_with_its_object_says_what_the_object_says(decode: Any) -> None:
    [listed], token = page(decode(table(["shop-migrate-1", "False", "Failed", "9s"], token="more")))
    assert (listed, token) == (RunSummary.of_object(RUN), "more")
    assert (listed.failed, listed.finished, listed.task_id, listed.attempt) == (True, True, 7, 2)
    assert listed.labels.keys() == {"kf.dev/key", "kf.dev/task-id", "kf.dev/attempt"}
    assert (listed.started_at, listed.finished_at) == ("2026-01-01T00:00:01Z", "2026-01-01T00:00:09Z")


def test_a_run_that_nobody_has_begun_yet() -> None:
    new = {"metadata": {key: RUN["metadata"][key] for key in ("name", "uid", "creationTimestamp")}}
    [listed], token = page(msgspec.convert(table(["shop-migrate-1", None, None, None], run=new), Table))
    assert listed == RunSummary.of_object(new) == RunSummary("shop-migrate-1", "u-1", "2026-01-01T00:00:00Z", False)
    assert (token, listed.task_id, listed.attempt, listed.failed) == ("", 0, 0, False)


def test_what_is_being_deleted() -> None:
    leaving = {**RUN, "metadata": {**RUN["metadata"], "deletionTimestamp": "2026-01-01T00:01:00Z"}}
    assert RunSummary.of_object(leaving).deleting and not RunSummary.of_object(RUN).deleting
    [listed], _ = page(table(["shop-migrate-1", "False", "Failed", "9s"], run=leaving))
    assert listed.deleting


def test_an_empty_list() -> None:
    assert page({}) == page(table()) == ([], "")
    assert page({"rows": None, "columnDefinitions": None, "metadata": {}}) == ([], "")
