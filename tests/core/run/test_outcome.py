"""The sentence for how a run ended, from what Tekton and the kubelet wrote down."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core.run import outcome
from kf_tasks.core.run.outcome import (
    Outcome,
    conclude,
    container_ended,
    deleted,
    has_ended,
    never_started,
    own_exit_code,
    started,
    unseen,
    waiting,
)

START, END = "2026-01-01T10:00:00Z", "2026-01-01T10:01:30Z"


def pipeline_run(status: str, reason: str, message: str = "", **metadata: Any) -> dict[str, Any]:
    step = {"name": "task", "image": "r/none:1", "computeResources": {"limits": {"memory": "64Mi"}}}
    return {
        "metadata": {"name": "shop-m-1", **metadata},
        "spec": {
            "pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": [step]}}]},
            "timeouts": {"pipeline": "10s"},
        },
        "status": {
            "startTime": START,
            "completionTime": END,
            "conditions": [{"type": "Succeeded", "status": status, "reason": reason, "message": message}],
        },
    }


def task_run(status: str, reason: str, message: str = "", terminated: dict[str, Any] | None = None, **more: Any) -> Any:
    steps = [{"name": "task", "container": "step-task", "terminated": terminated}] if terminated else []
    condition = {"type": "Succeeded", "status": status, "reason": reason, "message": message}
    return {"status": {"conditions": [condition], "steps": steps, **more}}


def pod(terminated: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    state = {"terminated": terminated} if terminated else {"waiting": {"reason": "PodInitializing"}}
    return {"status": {"containerStatuses": [{"name": "step-task", "state": state}], **status}}


def failed_step(code: int, reason: str = "Error") -> dict[str, Any]:
    return {"exitCode": code, "reason": reason, "finishedAt": END}


FAILED_RUN = pipeline_run("False", "Failed", "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 0")


def test_succeeded() -> None:
    outcome = conclude(
        pipeline_run("True", "Completed"),
        task_run("True", "Succeeded", terminated=failed_step(0, "Completed"), results=[{"name": "v", "value": "7\n"}]),
        pod(failed_step(0, "Completed")),
    )
    assert outcome == Outcome(
        state="Succeeded", reason="Completed", sentence="succeeded", exit_code=0,
        started_at=START, finished_at=END, duration=90.0, results={"v": "7"},
    )  # fmt: skip


def test_succeeded_though_a_child_was_killed() -> None:
    outcome = conclude(pipeline_run("True", "Completed"), None, pod(failed_step(0, "OOMKilled")))
    assert (outcome.state, outcome.exit_code) == ("Succeeded", 0)
    assert outcome.sentence == "succeeded, but a process of it ran out of memory (its limit is 64Mi)"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(3, "exit code 3"), (127, "exit code 127"), (128, "exit code 128"), (143, "ended by SIGTERM, exit code 143"),
     (137, "ended by SIGKILL, exit code 137"), (255, "exit code 255, or ended by a signal")],
)  # fmt: skip
def test_exit_codes(code: int, sentence: str) -> None:
    inner = task_run("False", "Failed", f'"step-task" exited with code {code}', failed_step(code))
    outcome = conclude(FAILED_RUN, inner, pod(failed_step(code)))
    assert (outcome.state, outcome.reason, outcome.sentence, outcome.exit_code) == ("Failed", "Failed", sentence, code)
    assert conclude(FAILED_RUN, inner, None).exit_code == code


def test_out_of_memory() -> None:
    inner = task_run("False", "Failed", "OOMKilled", failed_step(137, "OOMKilled"))
    outcome = conclude(FAILED_RUN, inner, pod(failed_step(137, "OOMKilled")))
    assert (outcome.sentence, outcome.exit_code) == ("ran out of memory (its limit is 64Mi)", 137)


def test_out_of_memory_under_exit_code_0() -> None:
    """Tekton 1.15 fails a step of which the kubelet says OOMKilled, though its command ended well."""
    done = failed_step(0, "OOMKilled")
    outcome = conclude(FAILED_RUN, task_run("False", "StepOOM", "OOMKilled", done), pod(done))
    said = "exit code 0, but a process of it ran out of memory (its limit is 64Mi): Tekton calls it failed"
    assert (outcome.state, outcome.sentence, outcome.exit_code) == ("Failed", said, 0)
    assert own_exit_code(outcome) is None, "nobody takes it for a success"


QUOTA = "exceeded quota: q, requested: requests.memory=128Mi, used: requests.memory=0, limited: requests.memory=100M"
RANGE = "maximum memory usage per Container is 64Mi, but limit is 128Mi"
HOOK = 'admission webhook "v.example.com" denied the request: no label team'
PRIVILEGED = 'violates PodSecurity "restricted:latest": privileged'


@pytest.mark.parametrize(
    ("reason", "message", "words"),
    [
        ("ExceededResourceQuota", 'TaskRun Pod exceeded available resources: pods "m-pod" is forbidden: '
         + QUOTA, QUOTA),
        ("PodCreationFailed", f'failed to create task run pod "m": pods "m-pod" is forbidden: {RANGE}. '
         "Maybe invalid TaskSpec", RANGE),
        ("PodCreationFailed", f'failed to create task run pod "m": {HOOK}. Maybe invalid TaskSpec', HOOK),
        ("PodAdmissionFailed", f'pods "m-pod" is forbidden: {PRIVILEGED}', PRIVILEGED),
    ],
)  # fmt: skip
def test_a_pod_that_cannot_be_made(reason: str, message: str, words: str) -> None:
    assert waiting(None, task_run("Unknown", reason, message)) == f"its pod cannot be made: {words}"
    assert waiting(pod(), task_run("Unknown", reason, message)) == "", "there is a pod, and that tells"
    ended = conclude(FAILED_RUN, task_run("False", reason, message), None)
    assert (ended.state, ended.sentence) == ("Failed", f"could not start: its pod cannot be made: {words}")


@pytest.mark.parametrize("inner", [None, task_run("Unknown", "Pending", "Pending"), task_run("Unknown", "Started")])
def test_a_pod_that_only_has_not_come_yet(inner: Any) -> None:
    assert waiting(None, inner) == ""


@pytest.mark.parametrize(
    ("inner", "of_pod"),
    [
        (task_run("False", "PodEvicted", "Pod ephemeral local storage usage exceeds the total limit 16Mi."), None),
        (
            task_run("False", "Failed", "The pod was low", failed_step(137)),
            pod(reason="Evicted", message="Pod ephemeral local storage usage exceeds the total limit 16Mi."),
        ),
    ],
)
def test_evicted(inner: Any, of_pod: Any) -> None:
    outcome = conclude(FAILED_RUN, inner, of_pod)
    assert outcome.state == "Failed"
    assert outcome.sentence == "was evicted: Pod ephemeral local storage usage exceeds the total limit 16Mi."


def test_timed_out() -> None:
    run = pipeline_run("False", "PipelineRunTimeout", 'PipelineRun "m" failed to finish within "10s"')
    outcome = conclude(run, task_run("False", "TaskRunCancelled"), pod(failed_step(137)))
    assert (outcome.state, outcome.sentence) == ("TimedOut", "timed out after 10s")
    assert (outcome.reason, outcome.exit_code) == ("PipelineRunTimeout", None)


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [({"annotations": {"kf.dev/cancelled-by": "jo@host"}}, "was cancelled by jo@host"), ({}, "was cancelled")],
)
def test_cancelled(metadata: dict[str, Any], sentence: str) -> None:
    run = pipeline_run("False", "Cancelled", "PipelineRun was cancelled", **metadata)
    outcome = conclude(run, task_run("False", "TaskRunCancelled"), None)
    assert (outcome.state, outcome.reason, outcome.sentence) == ("Cancelled", "Cancelled", sentence)
    assert outcome.exit_code is None


def test_a_cancelled_run_ends_when_its_process_has_ended() -> None:
    late = {"exitCode": 143, "reason": "TaskRunCancelled", "finishedAt": "2026-01-01T10:02:00Z"}
    outcome = conclude(pipeline_run("False", "Cancelled"), task_run("False", "TaskRunCancelled", terminated=late), None)
    assert (outcome.finished_at, outcome.duration) == ("2026-01-01T10:02:00Z", 120.0)


def test_an_image_that_cannot_be_pulled() -> None:
    message = (
        'the step "task" in TaskRun "m" failed to pull the image "x". The pod errored with the message: "not found."'
    )
    outcome = conclude(FAILED_RUN, task_run("False", "TaskRunImagePullFailed", message), None)
    assert (outcome.state, outcome.reason) == ("Failed", "TaskRunImagePullFailed")
    assert outcome.sentence == "could not start: image r/none:1 cannot be pulled: not found"
    assert outcome.exit_code is None


def test_what_its_follower_saw_comes_first() -> None:
    cause = 'CreateContainerConfigError: secret "kf-shop.env" not found'
    run = pipeline_run("False", "Cancelled", "PipelineRun was cancelled")
    outcome = conclude(run, task_run("False", "TaskRunCancelled"), None, cause)
    assert (outcome.state, outcome.reason, outcome.sentence) == ("Failed", "TaskRunCancelled", cause)


def test_with_nothing_but_the_pipeline_run() -> None:
    outcome = conclude(FAILED_RUN, None, None)
    assert outcome.sentence == "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 0"
    assert conclude(pipeline_run("False", "CouldntGetPipeline"), None, None).sentence == "CouldntGetPipeline"


def test_has_ended() -> None:
    assert not has_ended({"metadata": {}})
    assert not has_ended(pipeline_run("Unknown", "Running"))
    assert has_ended(pipeline_run("True", "Completed"))
    assert has_ended(FAILED_RUN)


def test_waiting_in_the_words_of_scheduler_and_kubelet() -> None:
    unscheduled = [
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient memory."}
    ]
    assert waiting(pod(conditions=unscheduled)) == "not scheduled: 0/1 nodes are available: 1 Insufficient memory."
    assert waiting(pod()) == ""
    assert waiting({}) == ""
    state = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "kf-shop.env" not found'}}
    missing = {"status": {"containerStatuses": [{"name": "step-task", "state": state}]}}
    assert waiting(missing) == 'CreateContainerConfigError: secret "kf-shop.env" not found'
    pull = {"waiting": {"reason": "ErrImagePull", "message": "not found"}}
    assert (
        waiting({"status": {"initContainerStatuses": [{"name": "prepare", "state": pull}]}})
        == "ErrImagePull: not found"
    )


def test_started_and_ended() -> None:
    running = {"status": {"containerStatuses": [{"name": "step-task", "state": {"running": {"startedAt": START}}}]}}
    other = {"status": {"containerStatuses": [{"name": "sidecar", "state": {"running": {}}}]}}
    ended = pod(failed_step(0))
    assert [started(entry) for entry in (pod(), running, ended, other)] == [False, True, True, False]
    assert [container_ended(entry) for entry in (pod(), running, ended)] == [False, False, True]


def test_only_an_exit_code_that_the_process_chose_is_its_own() -> None:
    def ending(reason: str, code: int, container: str = "Error") -> Outcome:
        return conclude(FAILED_RUN, task_run("False", reason), pod(failed_step(code, container)))

    assert own_exit_code(conclude(pipeline_run("True", "Completed"), None, pod(failed_step(0)))) == 0
    assert own_exit_code(ending("Failed", 3)) == 3
    assert [own_exit_code(ending("Failed", code)) for code in (137, 143, 255)] == [None, None, None]
    assert own_exit_code(ending("Failed", 1, "OOMKilled")) is None
    assert own_exit_code(conclude(FAILED_RUN, None, None)) is None


def test_what_tekton_gave_up_before_it_began() -> None:
    state = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "s" not found'}}
    locked = {"status": {"containerStatuses": [{"name": "step-task", "state": state}]}}
    assert never_started(FAILED_RUN, locked) == 'could not start: CreateContainerConfigError: secret "s" not found'
    assert never_started(pipeline_run("False", "Cancelled"), locked) == ""
    assert never_started(FAILED_RUN, pod()) == never_started(FAILED_RUN, pod(failed_step(1))) == ""
    assert never_started(FAILED_RUN, None) == ""


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("PreemptionByScheduler", "its pod had to make room on node n1 for one of higher priority"),
        ("DeletionByTaintManager", "its pod was deleted while it ran: node n1 was lost or is being emptied"),
        ("EvictionByEvictionAPI", "its pod was evicted while it ran, as when node n1 is drained"),
        ("DeletionByPodGC", "its pod was deleted while it ran: node n1 is gone"),
        ("SomethingNew", "its pod was deleted while it ran"),
        (None, "its pod was deleted while it ran"),
    ],
)
def test_why_a_pod_was_deleted(reason: str | None, sentence: str) -> None:
    conditions = [{"type": "DisruptionTarget", "status": "True", "reason": reason}] if reason else []
    assert deleted({"spec": {"nodeName": "n1"}, "status": {"conditions": conditions}}) == sentence


@pytest.mark.parametrize(
    ("ready", "containers", "gates", "node"),
    [
        ("True", "True", [], ""),
        ("False", "True", [], "n1"),
        ("False", "False", [], ""),
        ("False", "True", [{"conditionType": "mesh"}], ""),
        (None, None, [], ""),
    ],
)
def test_a_node_that_does_not_answer(ready: str | None, containers: str | None, gates: list[Any], node: str) -> None:
    found = [{"type": kind, "status": status} for kind, status in (("Ready", ready), ("ContainersReady", containers))]
    conditions = [condition for condition in found if condition["status"]]
    assert unseen({"spec": {"nodeName": "n1", "readinessGates": gates}, "status": {"conditions": conditions}}) == node


@pytest.mark.parametrize(
    ("succeeded", "reason", "sentence", "state"),
    [
        ("True", "Succeeded", "succeeded", "Succeeded"),
        ("True", "Completed", "", "Succeeded"),
        ("Unknown", "", "", "Pending"),
        ("Unknown", "Started", "", "Pending"),
        ("Unknown", "PipelineRunPending", "", "Pending"),
        ("Unknown", "Running", "", "Running"),
        ("Unknown", "CancelledRunningFinally", "", "Running"),
        ("False", "Failed", "exit code 3", "Failed"),
        ("False", "PipelineRunTimeout", "timed out after 1h0m0s", "TimedOut"),
        ("False", "Cancelled", "", "Cancelled"),
        ("False", "Cancelled", "was cancelled by me", "Cancelled"),
        ("False", "Cancelled", "could not start within 10 s: not scheduled", "Failed"),
        ("False", "CancelledRunFinally", "was cancelled", "Cancelled"),
    ],
)
def test_the_state_that_a_list_tells(succeeded: str, reason: str, sentence: str, state: str) -> None:
    assert outcome.state_of(succeeded, reason, sentence) == state
