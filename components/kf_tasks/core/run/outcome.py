"""How a run ended, from what Tekton and the kubelet wrote down, in one plain sentence.

A PipelineRun says only "Tasks Completed: 1 (Failed: 1 …)"; the cause is on the TaskRun, its step
and the pod.
"""

from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Mapping, Optional, Sequence

from .. import moments
from ..api import Object
from ..marks import CANCELLED_BY, OUTCOME
from .step import CONTAINER, step_of

SUCCEEDED, FAILED, CANCELLED, TIMED_OUT = "Succeeded", "Failed", "Cancelled", "TimedOut"
PENDING, RUNNING, UNKNOWN, HELD = "Pending", "Running", "Unknown", "Held"
_IMAGE = re.compile(r"step \"(?!task\")[^\"]+\" .* failed to pull the image \"([^\"]+)\"")
_CODE = re.compile(r"(?:^|, )exit code (\d{1,9})")
_UNSEEN = "ContainerStatusUnknown"
_RPC = re.compile(r"rpc error: code = \w+ desc = ")  # the container runtime's protocol, of no use to a reader
_BY_SOMEBODY = "was cancelled"
_CANCELLED = ("Cancelled", "CancelledRunFinally")
FORGOTTEN = "kf, as Tekton has not noticed its end"  # who cancels a run that Tekton has forgotten
_UNNOTICED = ", which Tekton has not noticed"
_WELL = "succeeded"
_RESULT = 1  # the type of a task's result in Tekton's termination message (pkg/result, TaskRunResultType)
_NOT_BEGUN = ("", "Started", "PipelineRunPending", "ResolvingPipelineRef")  # Tekton's reasons before there is a TaskRun

# Tekton's reasons for a TaskRun without a pod (pkg/reconciler/taskrun, handlePodCreationError), and its words around
# those of the API server.
_UNMADE = ("ExceededResourceQuota", "PodCreationFailed", "PodAdmissionFailed")
_AROUND = re.compile(
    r"^(TaskRun Pod exceeded available resources: |failed to create task run pod \"[^\"]*\": )?"
    r"(pods \"[^\"]*\" is forbidden: )?|\.? Maybe invalid TaskSpec$"
)

# https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
_DISRUPTIONS = {
    "PreemptionByScheduler": "its pod had to make room on node {node} for one of higher priority",
    "DeletionByTaintManager": "its pod was deleted while it ran: node {node} was lost or is being emptied",
    "EvictionByEvictionAPI": "its pod was evicted while it ran, as when node {node} is drained",
    "DeletionByPodGC": "its pod was deleted while it ran: node {node} is gone",
}


@dataclass(frozen=True)
class Outcome:
    """State, Tekton's reason, our sentence, and the times (RFC 3339) as Tekton gives them; `duration` in seconds."""

    state: str
    reason: str
    sentence: str
    exit_code: Optional[int] = None
    started_at: Optional[str] = None
    finished_at: Optional[str] = None
    duration: Optional[float] = None
    results: Dict[str, str] = field(default_factory=dict)


def condition(obj: Optional[Object], kind: str = "Succeeded") -> Dict[str, Any]:
    """A condition of an object's status, empty if it is not there yet."""
    found = [entry for entry in _list(obj, "conditions") if entry.get("type") == kind]
    return dict(found[0]) if found else {}


def has_ended(run: Object) -> bool:
    """Whether a PipelineRun has come to its end."""
    return condition(run).get("status") in ("True", "False")


def is_told(run: Object, task_run: Optional[Object], pods: Sequence[Object]) -> bool:
    """Whether these objects tell all about a run that has succeeded, though they may be older than it.

    Of one that has not, the pod may be told more of after its container has ended: that it was evicted, for example.
    """
    status = (task_run or {}).get("status") or {}
    attempts = 1 + len(status.get("retriesStatus") or ())
    well = condition(run).get("status") == condition(task_run).get("status") == "True"
    if not well or len(pods) < attempts or pods[-1]["metadata"]["name"] != status.get("podName"):
        return False
    return container_ended(pods[-1])


def state_of(succeeded: str, reason: str, sentence: str = "") -> str:
    """The state of a run by its condition's status and reason alone, and by what its follower has written down of it.

    Who gave up waiting for its start has cancelled it, but its sentence does not say so: it failed.
    """
    if succeeded == "True":
        return SUCCEEDED
    if succeeded != "False":
        return PENDING if reason in _NOT_BEGUN else RUNNING
    if reason == "PipelineRunTimeout":
        return TIMED_OUT
    if sentence.startswith(_WELL):  # so its pod has said, and Tekton never knew
        return SUCCEEDED
    by_somebody = reason in _CANCELLED and (not sentence or sentence.startswith(_BY_SOMEBODY))
    return CANCELLED if by_somebody else FAILED


def conclude(run: Object, task_run: Optional[Object], pod: Optional[Object], cause: str = "") -> Outcome:
    """The outcome of a PipelineRun that has ended; `cause` is what its follower saw that the objects no longer tell.

    Of one that was cancelled because Tekton had forgotten it, its pod tells how it ended.
    """
    ended, inner = condition(run), condition(task_run)
    if not cause and _by(run) == FORGOTTEN and (not has_ended(run) or ended.get("reason") in _CANCELLED):
        return _by_pod(run, pod)
    steps = _list(task_run, "steps")
    step = (steps[-1].get("terminated") or {}) if steps else {}
    container = _terminated(pod)
    exit_code = container.get("exitCode", step.get("exitCode"))
    started, finished = (run.get("status", {}).get(key) for key in ("startTime", "completionTime"))
    if step.get("finishedAt") and finished and step["finishedAt"] > finished:
        finished = step["finishedAt"]  # a cancelled run is called complete before its process has ended
    state, sentence = _judge(run, ended, task_run, container, pod, exit_code, cause)
    return Outcome(
        state=state,
        reason=str(inner.get("reason") if state == FAILED and inner.get("reason") else ended.get("reason", "")),
        sentence=sentence,
        exit_code=int(exit_code) if exit_code is not None and state in (SUCCEEDED, FAILED) else None,
        started_at=started,
        finished_at=finished,
        duration=moments.seconds_between(started, finished),
        results={entry["name"]: str(entry["value"]).rstrip("\n") for entry in _list(task_run, "results")},
    )


def known(run: Dict[str, Any], task_run: Optional[Object], pod: Optional[Object]) -> Outcome:
    """How a run ended; what its follower wrote down is better than what is left to see, and stays."""
    ended = conclude(run, task_run, pod, never_started(run, pod))
    sentence = (run["metadata"].get("annotations") or {}).get(OUTCOME)
    if not sentence or sentence == ended.sentence:
        return ended
    if ended.state == CANCELLED:  # by its follower, who has written down why
        ended = conclude(run, task_run, pod, sentence)
    return replace(ended, sentence=sentence, state=SUCCEEDED if sentence.startswith(_WELL) else ended.state)


def _by_pod(run: Object, pod: Optional[Object]) -> Outcome:
    """How a run ended that Tekton has forgotten: by the word of its pod."""
    container, phase = _terminated(pod), str(((pod or {}).get("status") or {}).get("phase", ""))
    well = container.get("exitCode") == 0 and phase != "Failed"
    said = {
        "type": "Succeeded",
        "status": "True" if well else "False",
        "reason": "Succeeded" if well else "Failed",
        "message": "nothing tells how it ended: its pod is gone",
    }
    status = {**(run.get("status") or {}), "conditions": [said]}
    status["completionTime"] = container.get("finishedAt") or status.get("completionTime")
    task_run = {"status": {"conditions": [said], "results": _results(container)}}
    unmarked = {**run, "metadata": {**run["metadata"], "annotations": {}}}
    cause = deleted(pod) if pod and not well and _ended_by_deletion(pod, container) else ""
    ended = conclude({**unmarked, "status": status}, task_run, pod, cause)
    return replace(ended, sentence=f"{ended.sentence}{_UNNOTICED}")


def _ended_by_deletion(pod: Object, container: Object) -> bool:
    """Whether the pod was being deleted when its container ended: its deletionTimestamp is when its grace is over."""
    metadata = pod.get("metadata") or {}
    late = moments.seconds_between(container.get("finishedAt"), metadata.get("deletionTimestamp"))
    return late is not None and late <= int(metadata.get("deletionGracePeriodSeconds") or 0)


def _results(container: Object) -> list[Dict[str, str]]:
    """The results in the message that Tekton's entrypoint leaves when a container ends."""
    try:
        found = json.loads(container.get("message") or "[]")
        return [{"name": one["key"], "value": one["value"]} for one in found if one.get("type") == _RESULT]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []


def _by(run: Object) -> str:
    return str((run["metadata"].get("annotations") or {}).get(CANCELLED_BY) or "")


def exit_code_of(pod: Object) -> Optional[int]:
    """The exit code of the task's container, None as long as it has none."""
    found = _terminated(pod).get("exitCode")
    return None if found is None else int(found)


def exit_code_in(succeeded: str, sentence: str) -> Optional[int]:
    """The exit code that a run's condition and the sentence about its end tell, None where they do not."""
    if succeeded == "True":
        return 0
    found = _CODE.search(sentence) if succeeded == "False" else None
    return int(found[1]) if found else None


def own_exit_code(ended: Outcome) -> Optional[int]:
    """The exit code if the process chose it; None if a signal, Tekton or the kubelet ended it, or it never started."""
    if ended.state == SUCCEEDED:
        return 0
    plain = f"exit code {ended.exit_code}"
    return ended.exit_code if ended.sentence in (plain, f"{plain}{_UNNOTICED}") else None


def never_started(run: Object, pod: Optional[Object]) -> str:
    """Why a run failed that Tekton gave up before its command began, in the kubelet's words, else empty."""
    if not pod or started(pod) or condition(run).get("reason") != "Failed":
        return ""
    trouble = waiting(pod)
    return f"could not start: {trouble}" if trouble else ""


def waiting(pod: Optional[Object], task_run: Optional[Object] = None) -> str:
    """Why a task's container has not started, as the scheduler, the kubelet or who refuses its pod says it, else empty.

    A pod that cannot even be made is told of by the TaskRun alone.
    """
    if not pod:
        return _unmade(task_run)
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("reason") == "SchedulingGated":
        return ""  # see core.run.queue
    if scheduled.get("status") == "False" and scheduled.get("message"):
        return f"not scheduled: {scheduled['message']}"
    for status in _list(pod, "initContainerStatuses") + _list(pod, "containerStatuses"):
        state = (status.get("state") or {}).get("waiting") or {}
        if state.get("reason") not in (None, "PodInitializing", "ContainerCreating") and state.get("message"):
            return f"{state['reason']}: {_RPC.sub('', state['message'])}"
    return ""


def _unmade(task_run: Optional[Object]) -> str:
    """Why there is no pod: a quota that it exceeds (Tekton tries again each minute), or what does not admit it."""
    told = condition(task_run)
    said = str(told.get("message") or "")
    if told.get("reason") not in _UNMADE or not said:
        return ""
    return f"its pod cannot be made: {_AROUND.sub('', said)}"


def first_start(pod: Object) -> str:
    """When the first container of a pod started, in RFC 3339, else empty: its volumes are mounted by then."""
    states = [
        entry.get("state") or {} for entry in _list(pod, "initContainerStatuses") + _list(pod, "containerStatuses")
    ]
    times = [(state.get("terminated") or state.get("running") or {}).get("startedAt") for state in states]
    return min((str(time) for time in times if time), default="")


def started(pod: Object) -> bool:
    """Whether the task's container runs or has run."""
    states = [entry.get("state") or {} for entry in _list(pod, "containerStatuses") if entry.get("name") == CONTAINER]
    return any("running" in state or ("terminated" in state and not _is_never(state["terminated"])) for state in states)


def _is_never(ended: Mapping[str, Any]) -> bool:
    """Whether a container is called ended that never was: the kubelet says so of a pod that is deleted meanwhile."""
    return ended.get("reason") == _UNSEEN and not ended.get("startedAt") and not ended.get("containerID")


def unseen(pod: Object) -> str:
    """The node of a pod whose kubelet does not report any more, else empty: the task may go on there.

    The kubelet decides about ContainersReady, while the control plane takes Ready from the pods of a node that is
    silent. A pod with gates of its own is no case of this: somebody else decides whether it is ready.
    """
    spec: Mapping[str, Any] = pod.get("spec") or {}
    taken = (
        condition(pod, "Ready").get("status") == "False" and condition(pod, "ContainersReady").get("status") == "True"
    )
    return str(spec.get("nodeName", "")) if taken and not spec.get("readinessGates") else ""


def deleted(pod: Object) -> str:
    """Why a pod was deleted before its task had ended."""
    why = _DISRUPTIONS.get(condition(pod, "DisruptionTarget").get("reason", ""), "its pod was deleted while it ran")
    return why.format(node=(pod.get("spec") or {}).get("nodeName", "?"))


def container_ended(pod: Object) -> bool:
    """Whether the task's container has ended."""
    return bool(_terminated(pod))


def _judge(
    run: Object,
    ended: Object,
    task_run: Optional[Object],
    container: Object,
    pod: Optional[Object],
    exit_code: Optional[int],
    cause: str,
) -> tuple[str, str]:
    inner = condition(task_run)
    if ended.get("status") == "True":
        oom = container.get("reason") == "OOMKilled"
        return SUCCEEDED, f"{_WELL}, but a process of it ran out of memory ({_memory(run)})" if oom else _WELL
    if inner.get("reason") == "TaskRunImagePullFailed":
        said = str(inner.get("message", ""))
        image = _IMAGE.search(said)
        words = _RPC.sub("", said).rpartition("message: ")[2].strip('".')
        name = image[1] if image else step_of(dict(run))["image"]
        return FAILED, f"could not start: image {name} cannot be pulled: {words}"
    if cause:
        return FAILED, cause
    # A run that was cancelled, and Tekton has not noticed even that, has no end of its own.
    reason = str(ended.get("reason", "")) if has_ended(run) or not run["spec"].get("status") else _CANCELLED[0]
    if reason == "PipelineRunTimeout":
        return TIMED_OUT, f"timed out after {run['spec'].get('timeouts', {}).get('pipeline', 'its limit')}"
    if reason in _CANCELLED:
        by = _by(run)
        return CANCELLED, f"{_BY_SOMEBODY} by {by}" if by else _BY_SOMEBODY
    status: Mapping[str, Any] = (pod or {}).get("status") or {}
    if status.get("reason") == "Evicted" or inner.get("reason") == "PodEvicted":
        return (
            FAILED,
            f"was evicted: {status.get('message') or inner.get('message') or 'the node ran out of a resource'}",
        )
    if container.get("reason") == "OOMKilled" or inner.get("reason") == "StepOOM":
        if exit_code == 0:  # the command did not mind that a process of its own was killed, but Tekton 1.15 does
            said = f"exit code 0, but a process of it ran out of memory ({_memory(run)})"
            return FAILED, f"{said}: Tekton calls it failed"
        return FAILED, f"ran out of memory ({_memory(run)})"
    if waiting(None, task_run):
        return FAILED, f"could not start: {waiting(None, task_run)}"
    if inner.get("reason") in ("StepFailed", "Failed") and exit_code is not None:
        return FAILED, _exit(int(exit_code))
    return FAILED, str(inner.get("message") or ended.get("message") or reason or "failed")


def _exit(code: int) -> str:
    if 128 < code < 128 + signal.NSIG and code - 128 in {number.value for number in signal.Signals}:
        return f"ended by {signal.Signals(code - 128).name}, exit code {code}"
    # Tekton's entrypoint gives 255 for a process that a signal has ended, whichever it was.
    return "exit code 255, or ended by a signal" if code == 255 else f"exit code {code}"


def _memory(run: Object) -> str:
    limit = step_of(dict(run)).get("computeResources", {}).get("limits", {}).get("memory", "unlimited")
    return f"its limit is {limit}"


def _terminated(pod: Optional[Object]) -> Dict[str, Any]:
    for status in _list(pod, "containerStatuses"):
        if status.get("name") == CONTAINER:
            return (status.get("state") or {}).get("terminated") or {}
    return {}


def _list(obj: Optional[Object], key: str) -> list[Dict[str, Any]]:
    return list(((obj or {}).get("status") or {}).get(key) or [])
