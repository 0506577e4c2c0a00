"""A run whose end Tekton has missed: what is wrong with it, what is done when, and what its pod says of its end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import marks
from kf_tasks.core.run import outcome
from kf_tasks.core.run.forgotten import AGAIN_SECONDS, CANCEL, END, NOTICE_SECONDS, TOUCH, Patience, trouble
from kf_tasks.core.run.summary import RunSummary

Object = dict[str, Any]


def run(condition: Object | None = None, children: int = 1, **spec: Any) -> Object:
    status: Object = {"childReferences": [{"name": "r-task"}] * children, "startTime": "2026-01-01T00:00:00Z"}
    status["conditions"] = [{"type": "Succeeded", **(condition or {"status": "Unknown", "reason": "Running"})}]
    step = {"name": "task", "image": "i", "computeResources": {"limits": {"memory": "32Mi"}}}
    tasks = [{"taskSpec": {"steps": [step]}}]
    metadata = {"name": "r", "uid": "run", "creationTimestamp": "2026-01-01T00:00:00Z", "annotations": {}}
    return {"metadata": metadata, "spec": {"pipelineSpec": {"tasks": tasks}, **spec}, "status": status}


def task_run(owner: str = "run", pod: str = "") -> Object:
    return {"metadata": {"name": "r-task", "ownerReferences": [{"uid": owner}]}, "status": {"podName": pod}}


def pod(phase: str = "Running", code: int | None = None, reason: str = "", **status: Any) -> Object:
    ended = {"exitCode": code, "reason": reason or "Error", "finishedAt": "2026-01-01T00:01:00Z"}
    state = {"running": {}} if code is None else {"terminated": {**ended, **status.pop("terminated", {})}}
    return {
        "metadata": {"name": "p", "uid": "p"},
        "status": {"phase": phase, "containerStatuses": [{"name": "step-task", "state": state}], **status},
    }


ENDED, CANCELLED = {"status": "False", "reason": "Failed"}, {"status": "False", "reason": "Cancelled"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((run(), task_run(), pod()), ""),
        ((run(), task_run(), pod("Failed")), "its pod has ended (Failed)"),
        ((run(), None, pod("Succeeded")), "its pod has ended (Succeeded)"),
        ((run(ENDED), None, pod("Failed")), ""),
        ((run(), None, pod()), "its TaskRun was deleted"),
        ((run(), task_run("another"), pod()), "its TaskRun belongs to another run"),
        ((run(), task_run(), None), ""),
        ((run(), task_run(pod="p"), None), "its pod is gone"),
        ((run(children=0), None, None), ""),
        ((run(children=0, status="CancelledRunFinally"), None, None), "it is cancelled, and no pod of it is there"),
        ((run(status="CancelledRunFinally"), task_run(), None), "it is cancelled, and no pod of it is there"),
        ((run(status="CancelledRunFinally"), task_run(), pod()), ""),
        (({**run(), "status": {}}, None, None), ""),
    ],
)
def test_what_tekton_should_have_noticed(found: tuple[Object, Object | None, Object | None], expected: str) -> None:
    assert trouble(*found) == expected


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 200)), max_size=30))
def test_each_step_comes_once_in_order_and_never_before_its_time(looks: list[tuple[bool, float]]) -> None:
    patience, now, began = Patience(), 0.0, None
    done: list[str] = []
    for wrong, later in looks:
        now += later
        if not wrong:
            began, done = None, []
        elif began is None:
            began = now
        due = patience.due("its pod has ended" if wrong else "", now)
        done += [due] if due else []
        assert done == [TOUCH, CANCEL, END][: len(done)] and patience.is_exhausted == (len(done) == 3)
        least = {"": 0.0, TOUCH: NOTICE_SECONDS, CANCEL: NOTICE_SECONDS + AGAIN_SECONDS}
        assert not due or (began is not None and now - began >= least.get(due, NOTICE_SECONDS + 2 * AGAIN_SECONDS))


def test_whoever_looks_often_acts_after_half_a_minute_and_a_minute_later() -> None:
    patience = Patience()
    found = {second: due for second in range(300) if (due := patience.due("its pod has ended", second))}
    assert found == {30: TOUCH, 90: CANCEL, 150: END}


def test_where_hundreds_end_at_once_tekton_is_given_time_for_all_of_them() -> None:
    """They become fewer, by two each second; of five that are really forgotten nobody waits much longer."""
    patience = Patience()
    left = {second: max(500 - 2 * second, 4) for second in range(1000)}
    found = {second: due for second in left if (due := patience.due("its pod has ended", second, left[second]))}
    assert found == {177: TOUCH, 246: CANCEL, 310: END}


EVICTED = {"metadata": {}, "status": {"phase": "Failed", "reason": "Evicted", "message": "too much"}}
RESULTS = json.dumps([{"key": "StartedAt", "value": "x", "type": 3}, {"key": "schema", "value": "v7\n", "type": 1}])


@pytest.mark.parametrize(
    ("seen", "state", "sentence", "code"),
    [
        (pod("Failed", 3), "Failed", "exit code 3", 3),
        (pod("Failed", 137, "OOMKilled"), "Failed", "ran out of memory (its limit is 32Mi)", 137),
        (EVICTED, "Failed", "was evicted: too much", None),
        (pod("Succeeded", 0, "Completed", terminated={"message": RESULTS}), "Succeeded", "succeeded", 0),
        (pod("Succeeded", 0, "Completed", terminated={"message": "no JSON"}), "Succeeded", "succeeded", 0),
        (None, "Failed", "nothing tells how it ended: its pod is gone", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("noticed", [False, True])
def test_its_pod_says_how_it_ended(
    seen: Object | None, state: str, sentence: str, code: int | None, noticed: bool
) -> None:
    found = run(CANCELLED if noticed else None, status="CancelledRunFinally")
    found["metadata"]["annotations"][marks.CANCELLED_BY] = outcome.FORGOTTEN
    ended = outcome.conclude(found, task_run(), seen)
    assert (ended.state, ended.sentence) == (state, f"{sentence}, which Tekton has not noticed")
    assert ended.exit_code == code
    assert ended.results == ({"schema": "v7"} if seen and "schema" in json.dumps(seen) else {})
    assert ended.finished_at == ("2026-01-01T00:01:00Z" if code is not None else None)

    found["metadata"]["annotations"][marks.OUTCOME] = ended.sentence
    again = outcome.known(found, None, None)
    assert (again.state, again.sentence) == (state, ended.sentence), "so it is told when the pod is gone"
    summary = RunSummary.of_object(found)
    assert summary.failed == (noticed and state == "Failed"), "what has succeeded is not done again"


def test_what_a_person_cancels_and_what_tekton_ends_by_itself_is_told_as_ever() -> None:
    found = run(status="CancelledRunFinally")
    found["metadata"]["annotations"][marks.CANCELLED_BY] = "kf terminate-task"
    assert outcome.conclude(found, None, None).sentence == "was cancelled by kf terminate-task"
    found = run(ENDED)
    found["metadata"]["annotations"][marks.CANCELLED_BY] = outcome.FORGOTTEN
    assert outcome.conclude(found, {"status": {"conditions": [{**ENDED, "type": "Succeeded"}]}}, pod("Failed", 3)) == (
        outcome.conclude(run(ENDED), {"status": {"conditions": [{**ENDED, "type": "Succeeded"}]}}, pod("Failed", 3))
    )


@pytest.mark.parametrize(
    ("deletion", "sentence"),
    [
        (("2026-01-01T00:01:30Z", 30), "its pod was deleted while it ran"),  # asked for as the container ended
        (("2026-01-01T00:01:00Z", 0), "its pod was deleted while it ran"),  # its grace is over
        (("2026-01-01T00:03:00Z", 30), "exit code 3"),  # by who cancels the forgotten run
        (None, "exit code 3"),
    ],
)
def test_a_pod_that_was_deleted_while_it_ran_is_told_as_deleted(
    deletion: tuple[str, int] | None, sentence: str
) -> None:
    seen = pod("Failed", 3)
    if deletion:
        seen["metadata"] = {
            **seen.get("metadata", {}), "deletionTimestamp": deletion[0], "deletionGracePeriodSeconds": deletion[1]
        }  # fmt: skip
    found = run(CANCELLED, status="CancelledRunFinally")
    found["metadata"]["annotations"][marks.CANCELLED_BY] = outcome.FORGOTTEN
    assert outcome.conclude(found, task_run(), seen).sentence == f"{sentence}, which Tekton has not noticed"
