"""Both forms of a preview are read, and hold the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.review import markdown, text
from kf_tasks.core.review.assembly import review
from kf_tasks.core.review.composition import compose
from kf_tasks.core.review.preview import read

from .previews import CALENDAR, HISTORY, RUN, calendar, digest, events, history, run, said, step, urn

EVERYTHING = (
    step("same", "pulumi:pulumi:Stack", "orders-dev", {}, {}),
    step("create-replacement", RUN, "shop-schema", run(starts=""), run()),
    step("replace", RUN, "shop-schema", run(starts=""), run()),
    step("update", "pulumi-python:dynamic/kf:History", "shop", history(), history(keep=1)),
    step("update", "pulumi-python:dynamic/kf:Calendar", "shop-report", calendar(), calendar(schedule="@daily")),
    step("delete", "kubernetes:core/v1:ConfigMap", "old", {"data": {}}),
    said("warning", "take care", urn("kf:index:App", "shop")),
    said("error", "no"),
)


def test_a_digest_and_events_hold_the_same() -> None:
    streamed, whole = read(events(*EVERYTHING), "events"), read(digest(*EVERYTHING), "digest")
    assert streamed.at == "2026-11-30T08:01:45Z" and streamed.streamed and not whole.streamed
    assert whole == replace(streamed, at="", streamed=False)
    assert (streamed.project, streamed.stack) == ("orders", "dev")
    assert [line.text for line in streamed.lines] == ["no", "take care"]


def test_the_parts_of_a_replacement_are_one_step_and_the_old_record_is_no_deletion() -> None:
    parts = ("create-replacement", "replace", "delete-replaced")
    found = read(events(*(step(op, RUN, "shop-schema", run(), run()) for op in parts)), "events")
    assert [one.op for one in found.steps] == ["replace"]


def test_what_is_only_a_status_or_talk_of_the_engine_is_left_out() -> None:
    found = read(events(said("debug", "x"), said("info", "y", ephemeral=True), said("info", "")), "events")
    assert found.lines == ()


def test_colours_and_controls_are_taken_off_what_is_said() -> None:
    found = read(events(said("info", "<{%fg 1%}>red<{%reset%}> \x1b[31mtoo\x1b[0m\x07")), "events")
    assert [line.text for line in found.lines] == ["red too\ufffd"]


def test_events_whose_end_is_missing_are_read_and_not_whole() -> None:
    told = events(*EVERYTHING)
    cut = told[: told.rindex('{"sequence"') + 20]
    assert not read(cut, "events").whole and read(told, "events").whole
    assert read(cut, "events").steps == read(told, "events").steps


@pytest.mark.parametrize("found", ["", "\n", "{", "[]", "{}", "null", '"steps"', "steps: []", "\x00", '{"steps": 3}'])
def test_what_is_no_preview_is_said_to_be_none(found: str) -> None:
    with pytest.raises(InvalidInput, match="x.json holds no preview: write one with `pulumi preview --json > FILE`"):
        read(found, "x.json")


NAMES = st.sampled_from([
    "_deletions", "_last", "_starts", "app", "argv", "cancels", "data", "definition", "env", "files", "keep", "labels",
    "manifest", "metadata", "namespace", "run", "schedule", "settings.json", "spec", "task", "task_id", "time_zone",
    "upload", "contents", "pipelinerun.yaml", "app.kubernetes.io/name", "kf.dev/template", "when", "_asked",
])  # fmt: skip
LEAF = st.none() | st.text(max_size=3) | st.integers() | st.floats() | st.booleans() | st.just("build")
DATA = st.recursive(
    LEAF, lambda kept: st.lists(kept, max_size=3) | st.dictionaries(NAMES, kept, max_size=5), max_leaves=12
)
INPUTS = st.dictionaries(NAMES, DATA, max_size=8) | DATA
KINDS = st.sampled_from([RUN, HISTORY, CALENDAR, "kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret"])
STEPS = st.builds(step, st.sampled_from(["create", "update", "replace", "delete"]), KINDS, st.just("x"), INPUTS, INPUTS)


@given(st.text() | DATA.map(json.dumps) | DATA.map(lambda data: json.dumps({"steps": data})))
def test_no_text_ends_in_anything_else(found: str) -> None:
    try:
        read(found, "x")
    except InvalidInput:
        pass


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=4))
def test_whatever_another_version_has_written_is_reviewed(steps: list[dict[str, Any]]) -> None:
    found = review(read(events(*steps), "x"))
    json.dumps(found.data())
    assert text.render(compose([found])) and markdown.render(compose([found]))


def test_the_order_of_events_changes_nothing() -> None:
    assert read(events(*EVERYTHING[::-1]), "a") == read(events(*EVERYTHING), "b")
