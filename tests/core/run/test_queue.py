"""What a queue holds back is told by its name, whichever way it is held."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core.run import forgotten, outcome, queue

NAME = {"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "team-a"}}}
PENDING = {"spec": {"status": "PipelineRunPending"}, "metadata": {"labels": None}}
GATED: dict[str, Any] = {
    "metadata": {"name": "p"}, "spec": {"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]},
    "status": {"conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "Blocked"},
    ]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("run", "pod", "words"),
    [
        ({**PENDING, **NAME}, None, "waits in queue team-a"),
        (NAME, GATED, "waits in queue team-a"),
        (None, {**GATED, **NAME}, "waits in queue team-a"),
        (PENDING, None, "is held back by its spec.status: PipelineRunPending"),
        (None, GATED, "is held back by its scheduling gate kueue.x-k8s.io/admission"),
        (NAME, None, ""),
        (NAME, {"spec": {"schedulingGates": []}}, ""),
        ({"spec": {"status": "Cancelled"}, **NAME}, None, ""),
        (None, None, ""),
    ],
)
def test_what_a_run_waits_for(run: Any, pod: Any, words: str) -> None:
    assert queue.held(run, pod) == words


def test_a_gate_is_no_trouble_of_the_scheduler() -> None:
    assert outcome.waiting(GATED) == ""
    assert forgotten.trouble(PENDING, None, None) == "", (
        "and no run that Tekton has forgotten, or it would be cancelled"
    )
    assert queue.is_queued({**PENDING}) and queue.is_queued(NAME)
    assert not queue.is_queued({"metadata": {"labels": None}, "spec": {}})


def test_a_container_that_never_was_has_not_started() -> None:
    """The kubelet calls it ended where its pod is deleted while the image is still pulled."""
    never = {"exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": None, "finishedAt": None}

    def pod(ended: dict[str, Any]) -> dict[str, Any]:
        return {"status": {"containerStatuses": [{"name": "step-task", "state": {"terminated": ended}}]}}

    assert not outcome.started(pod(never))
    assert outcome.started(pod({**never, "containerID": "containerd://1"}))
    assert outcome.started(pod({"exitCode": 0}))
