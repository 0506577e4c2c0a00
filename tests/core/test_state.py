"""The records are what states hold: the same names, and what is read is written again as it was."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.state import (
    RECORD,
    CalendarInputs,
    Decision,
    HistoryInputs,
    RunInputs,
    RunRecord,
    Which,
)
from pulumi.output import Unknown

GOLDEN = json.loads((Path(__file__).parents[1] / "registered.golden.json").read_text("utf-8"))
KINDS: dict[str, Any] = {"Run": RunInputs, "History": HistoryInputs, "Calendar": CalendarInputs}
REGISTERED = [
    pytest.param(KINDS[kind], inputs, id=f"{when} {urn.rpartition('::')[2]} {kind}")
    for when, found in GOLDEN.items()
    for urn, inputs in found.items()
    for kind in KINDS
    if f"pulumi-python:dynamic/kf:{kind}::" in urn
]


@pytest.mark.parametrize(("record", "inputs"), REGISTERED)
def test_what_is_registered_is_read_and_written_as_it_is(record: Any, inputs: dict[str, Any]) -> None:
    assert record.of(inputs).props() == inputs
    assert json.loads(json.dumps(record.of(inputs).props())) == inputs


@pytest.mark.parametrize(("record", "inputs"), REGISTERED)
def test_whatever_comes_from_another_resource_may_be_unknown(record: Any, inputs: dict[str, Any]) -> None:
    unknown = Unknown()  # type: ignore[no-untyped-call]
    names = ("connection", "namespace", "definition", "manifest", "upload", "schedules", "runs", "generation", "key")
    for name in set(names) & {*inputs}:
        assert record.of({**inputs, name: unknown}).props() == {**inputs, name: unknown}, name


def test_each_kind_is_registered() -> None:
    assert {param.values[0] for param in REGISTERED} == {*KINDS.values()}


def test_the_names_of_a_record() -> None:
    assert RECORD == (
        "run", "task_id", "state", "reason", "exit_code", "started_at", "finished_at", "duration", "log", "log_digest",
        "log_lines", "results", "cluster_uid",
    )  # fmt: skip
    assert RunRecord(state="Held").props() == {
        "run": "", "task_id": 0, "state": "Held", "reason": "", "exit_code": None, "started_at": None,
        "finished_at": None, "duration": None, "log": "", "log_digest": "", "log_lines": 0, "results": {},
        "cluster_uid": "",
    }  # fmt: skip
    assert RunRecord.of({}) == RunRecord(), "an earlier version may have written less"


TEXT = st.text(max_size=8)
RECORDS = st.builds(
    RunRecord, TEXT, st.integers(0, 9), TEXT, TEXT, st.none() | st.integers(0, 255), st.none() | TEXT, st.none() | TEXT,
    st.none() | st.floats(0, 9), TEXT, TEXT, st.integers(0, 9), st.dictionaries(TEXT, TEXT), TEXT,
)  # fmt: skip
DECISIONS = st.builds(
    Decision, st.none() | TEXT, st.sampled_from(["", "will", "may"]), TEXT, st.integers(0, 9), st.booleans(),
    st.none() | st.lists(TEXT).map(tuple), TEXT, TEXT,
)  # fmt: skip


@given(RECORDS)
def test_a_record_comes_back(record: RunRecord) -> None:
    assert RunRecord.of(record.props()) == record == RunRecord.of(json.loads(json.dumps(record.props())))
    assert {*record.props()} == {one.name for one in fields(RunRecord)}


@given(DECISIONS)
def test_a_decision_comes_back(decision: Decision) -> None:
    assert Decision.of(decision.props()) == decision == Decision.of(json.loads(json.dumps(decision.props())))


def test_what_a_plan_does_not_hold_an_update_to_begins_with_an_underline() -> None:
    written = Decision("k", "will", "first run", cancels=("a",)).props()
    assert {name for name in written if not name.startswith("_")} == {"key", "nth", "again", "cancels"}


def test_a_task_as_messages_name_it() -> None:
    assert str(Which("shop.dev", "shop", "shop", "migrate")) == "task 'migrate' of app 'shop'"
    assert str(Which("shop.dev", "shop", "shop.build", "image")) == "build of app 'shop'"


def test_outputs_hold_what_refresh_and_destroy_need() -> None:
    inputs = RunInputs.of({**dict.fromkeys(("stack", "namespace", "app", "task", "urn", "key"), "x"), "wait": True})
    assert {*inputs.identity()} == {
        "connection", "stack", "namespace", "app", "task", "key", "urn", "log_mode", "must_succeed",
    }  # fmt: skip
