"""What a preview tells as inputs: there in previews alone, and never a reason for anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import marks
from kf_tasks.core.retention import notice
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run.pipelinerun import TaskSpec, render
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.errors import Denied, Unreachable
from kf_tasks.provider import foretelling
from kf_tasks.provider.calendar import Calendars
from kf_tasks.provider.history import Histories
from kf_tasks.provider.run import Runs
from kf_tasks.provider.survey import Survey
from pulumi.output import Unknown

from ..core.run.test_pipelinerun import SPEC
from .previews import Answers, Seen
from .test_foretold import BEFORE, DEFINITION, NEWS, NOW, POLICIES, run

TASK = {**NEWS, "task": "a", "definition": DEFINITION, "__preview": True}
KEEPER = {**NEWS, "keep": 2, "runs": [], "__preview": True}
TIMES = {
    **NEWS, "task": "a", "cron_job": "shop-a", "schedule": "0 4 * * *", "time_zone": "Europe/Berlin", "suspend": False,
    "keep": 2, "generation": 1, "__preview": True,
}  # fmt: skip


def ended(nth: int, succeeded: str = "True", **more: Any) -> RunSummary:
    found = run(f"a-{nth}", f"2026-11-{nth:02}T12:00:00Z", succeeded)
    return replace(found, labels={**found.labels, marks.TASK_ID: str(nth)}, **more)


def told(room: Any, news: dict[str, Any]) -> dict[str, Any]:
    checked = room.check({}, news)
    assert not checked.failures
    return {name: value for name, value in checked.inputs.items() if name not in news}


def test_the_newest_ten_runs_of_a_task_with_times_and_outcomes() -> None:
    times = {"started_at": "2026-11-12T12:00:01Z", "finished_at": "2026-11-12T12:00:09Z"}
    last = ended(12, "False", annotations={marks.OUTCOME: "exit code 3"}, **times)
    preview = Seen()
    preview.sees(*(ended(nth) for nth in range(1, 12)), last, run("b-1", NOW, "True"), now=NOW)
    found = told(Runs(preview), TASK)["_last"]
    assert [one["run"] for one in found] == [f"a-{nth}" for nth in range(3, 13)]
    assert found[0] == {"run": "a-3", "task_id": 3, "created": "2026-11-03T12:00:00Z", "outcome": "Succeeded"}
    assert found[-1] == {
        "run": "a-12", "task_id": 12, "created": "2026-11-12T12:00:00Z", "outcome": "exit code 3",
        "started": "2026-11-12T12:00:01Z", "finished": "2026-11-12T12:00:09Z",
    }  # fmt: skip


@pytest.mark.parametrize("error", [Unreachable("nobody answers"), Denied("you may not list")])
def test_without_an_answer_it_is_said_and_nothing_else_is_told(error: Any) -> None:
    preview = Seen(Survey(unasked=error))
    found = told(Runs(preview), TASK)
    assert found["_unasked"] == f"this preview could not ask the cluster: {error}. Shown is what the state tells"
    assert "_last" not in found and "_last" not in told(Calendars(preview), TIMES)


def test_a_first_preview_and_one_that_may_not_try_say_that_admission_was_not_asked_for() -> None:
    found = told(Runs(Seen(Survey(exists=False))), TASK)
    assert found["_unasked"] == "namespace 'shop' is not there yet: admission was not asked for"
    assert found["_last"] == []
    preview = Seen(cluster=Answers(create_run=Denied("you may not create")))
    preview.sees(ended(1), now=NOW)
    found = told(Runs(preview), TASK)
    assert found["_unasked"] == "admission was not asked for: you may not create" and len(found["_last"]) == 1


@given(BEFORE, POLICIES)
def test_the_lines_of_retention_name_what_the_input_names(before: list[str], policy: Policy) -> None:
    runs = [run(f"a-{nth}", f"2026-11-2{nth}T12:00:00Z", how) for nth, how in enumerate(before)]
    fates = notice.fates(runs, policy, 1, 1, NOW)
    lines = " ".join(notice.lines(runs, policy, 1, 1, NOW))
    assert all(fate.run.name in lines and fate.rule in lines for fate in fates)
    assert ("will delete" in lines) is any(fate.sure for fate in fates)
    assert ("may delete" in lines) is any(not fate.sure for fate in fates)


def test_the_runs_that_go_with_rule_and_outcome() -> None:
    preview = Seen()
    preview.sees(*(ended(nth) for nth in range(1, 5)), now=NOW)
    found = told(Histories(preview), KEEPER)
    assert found["_expired"] == ["a-1", "a-2"]
    assert found["_deletions"][0] == {
        "run": "a-1", "task": "a", "created": "2026-11-01T12:00:00Z", "outcome": "Succeeded",
        "rule": "beyond the newest 2", "sure": True,
    }  # fmt: skip
    assert found["_reach"] == ""


def test_the_next_times_of_a_schedule_and_the_moment_that_they_are_counted_from() -> None:
    preview = Seen()
    preview.sees(ended(1), now=NOW)
    found = told(Calendars(preview), TIMES)
    assert found["_asked"] == NOW
    assert found["_next"] == ["2026-11-26T03:00:00Z", "2026-11-27T03:00:00Z", "2026-11-28T03:00:00Z"]
    assert [one["run"] for one in found["_last"]] == ["a-1"]
    assert told(Calendars(preview), {**TIMES, "suspend": True})["_next"] == []
    assert told(Calendars(preview), {**TIMES, "schedule": ""})["_next"] == []


NAMES = st.sampled_from(["_last", "_unasked", "_deletions", "_reach", "_asked", "_next"])
ROOMS = [
    pytest.param(Runs, TASK, id="Run"),
    pytest.param(Histories, KEEPER, id="History"),
    pytest.param(Calendars, TIMES, id="Calendar"),
]


@pytest.mark.parametrize(("room", "news"), ROOMS)
def test_an_update_tells_none_of_it(room: Any, news: dict[str, Any]) -> None:
    preview = Seen()
    preview.sees(ended(1), now=NOW)
    names = {name for name in told(room(preview), {**news, "__preview": False}) if name.startswith("_")}
    assert names <= {"_starts", "_because", "_expired", "__cluster", "__place"}


@pytest.mark.parametrize(("room", "news"), ROOMS)
@given(extra=st.dictionaries(NAMES, st.text()))
def test_it_is_no_reason_for_an_update(room: Any, news: dict[str, Any], extra: dict[str, str]) -> None:
    preview = Seen()
    preview.sees(now=NOW)
    checked = room(preview).check({}, news).inputs
    olds = {**checked, "state": "Succeeded", "run": "a-1"}
    plain, more = (room(preview).diff(olds, {**checked, **told}) for told in ({}, extra))
    assert (plain.changes, plain.replaces) == (more.changes, more.replaces) == (False, plain.replaces)


def test_names_of_what_is_told() -> None:
    assert {*foretelling.of_run([], ""), *foretelling.of_run(None, "x"), *foretelling.of_history([], "", NOW)} == {
        "_last", "_unasked", "_deletions", "_reach", "_asked",
    }  # fmt: skip


def test_digests_of_secrets_have_a_salt_and_only_those_that_changed_are_told() -> None:
    before = {"kf-shop.env": {"A": "sha256:1", "B": "sha256:2", "GONE": "sha256:3"}, "gone": {"X": "sha256:1"}}
    after = {"kf-shop.env": {"A": "sha256:9", "B": "sha256:2", "NEW": "sha256:9"}, "kf.dev.env": {"C": "sha256:1"}}
    one, other = (foretelling.of_secrets(before, after, salt) for salt in (b"1", b"2"))
    assert {secret: [*keys] for secret, keys in one["_secrets"].items()} == {"kf-shop.env": ["A"]}
    assert one != other and "sha256" not in str(one)
    again = foretelling.of_secrets({"s": {"K": "sha256:1"}}, {"s": {"K": "sha256:9"}}, b"1")["_secrets"]["s"]["K"]
    assert again == one["_secrets"]["kf-shop.env"]["A"], "within one preview equal values are seen to be equal"
    nothing: list[tuple[Any, Any]] = [(before, before), (None, after), (before, None), ({}, {})]
    assert [foretelling.of_secrets(was, now, b"1") for was, now in nothing] == [{}] * 4


def test_a_run_tells_digests_in_previews_alone() -> None:
    task = {**TASK, "manifest": render(TaskSpec(**SPEC))}
    olds = {**task, "__digests": {"s": {"K": "sha256:1"}}}
    unknown = Unknown()  # type: ignore[no-untyped-call]
    for preview, digests, told_ in ((True, {"s": {"K": "sha256:9"}}, True), (False, {"s": {"K": "sha256:9"}}, False),
                                    (True, unknown, False)):  # fmt: skip
        room = Runs(Seen(Survey(now=NOW, cluster="one"), Answers(create_run={})))
        found = room.check(olds, {**task, "__digests": digests, "__preview": preview})
        assert not found.failures and ("_secrets" in found.inputs) == told_
