"""What the API server is asked, for its two clients: paths, media types, and the bodies of what is changed.

The pod of a schedule asks with Python's standard library and everybody else with a connection pool, but both
must ask the same: what one of them counts, cancels or deletes the other one reads.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple
from urllib.parse import quote

from . import marks
from .errors import InvalidInput

Object = Dict[str, Any]  # a Kubernetes object as its JSON has it

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"  # what whoever asks may do
_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
# Lists as what `kubectl get` shows of them, and metadata alone: a sixth of the bytes of whole objects.
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
METADATA_LIST = METADATA.replace("PartialObjectMetadata", "PartialObjectMetadataList")


def runs(namespace: str, name: str = "") -> str:
    """The path of the PipelineRuns of a namespace, or of one."""
    return _path("/apis/tekton.dev/v1", "namespaces", namespace, "pipelineruns", name)


def task_runs(namespace: str, name: str = "") -> str:
    """The path of the TaskRuns of a namespace, or of one."""
    return _path("/apis/tekton.dev/v1", "namespaces", namespace, "taskruns", name)


def batch(namespace: str, plural: str, name: str = "") -> str:
    """The path of Jobs or CronJobs, or of one."""
    return _path("/apis/batch/v1", "namespaces", namespace, plural, name)


def core(namespace: str, plural: str, name: str = "") -> str:
    """The path of core objects such as `pods` or `configmaps`, or of one."""
    return _path("/api/v1", "namespaces", namespace, plural, name)


def metrics(namespace: str) -> str:
    """The path of what the pods of a namespace use."""
    return _path("/apis/metrics.k8s.io/v1beta1", "namespaces", namespace, "pods")


def namespaces(name: str = "") -> str:
    """The path of the namespaces, or of one."""
    return _path("/api/v1", "namespaces", name)


def log(namespace: str, pod: str) -> str:
    """The path of a pod's log."""
    return f"{core(namespace, 'pods', pod)}/log"


def equal(label: str, *values: str) -> str:
    """The part of a selector that asks for one of these values of a label.

    Raises InvalidInput for what cannot be one: an empty value, or one with a comma, would select something else.
    """
    for value in values:
        if not _VALUE.fullmatch(value):
            raise InvalidInput(f"{value!r} cannot be a value of the label {label}: give the name of an object")
    return f"{label}={values[0]}" if len(values) == 1 else f"{label} in ({','.join(values)})"


def ours(app: Optional[str] = None, more: str = "") -> str:
    """The selector of our runs (of one App, and further selected): what carries a key."""
    return ",".join(filter(None, [equal(marks.NAME, app) if app is not None else "", marks.KEY, more]))


def pods_of(run: str) -> str:
    """The selector of a run's pods."""
    return equal(marks.PIPELINE_RUN, run)


def items(answer: Object) -> List[Object]:
    """The objects of a list; of an empty one that has metadata only the server says null in place of a list."""
    return answer.get("items") or []


def oldest_first(objects: Iterable[Object]) -> List[Object]:
    """Objects by when they were made."""
    return sorted(objects, key=lambda found: str(found["metadata"]["creationTimestamp"]))


def annotating(
    annotations: Mapping[str, Optional[str]], *, finished: bool = False, uid: str = "", version: str = ""
) -> Object:
    """The patch that sets annotations; None takes one away. A finished run loses its managedFields besides.

    With a `uid` it is refused (`is_another`) where another object has the name by now, with a `version` (409) where the
    object has changed since.

    Who set which field serves an apply, and nobody applies to a finished run; of the object it is a quarter, of its
    metadata, which every list carries, three quarters. Kubernetes drops the record for such an entry ("Clearing
    managedFields" in its page on server-side apply).
    """
    more = {
        **({"managedFields": [{}]} if finished else {}),
        **({"uid": uid} if uid else {}),
        **({"resourceVersion": version} if version else {}),
    }
    return {"metadata": {"annotations": dict(annotations), **more}}


def looking_again(when: str) -> Object:
    """The patch of a TaskRun or PipelineRun that makes Tekton look at it again; it changes nothing else."""
    return annotating({marks.LOOK_AGAIN: when})


def labelling(labels: Mapping[str, str], uid: str = "") -> Object:
    """The patch that sets labels; `uid` as for `annotating`."""
    return {"metadata": {"labels": dict(labels), **({"uid": uid} if uid else {})}}


def cancelling(by: str, uid: str = "") -> Object:
    """The patch that cancels a run; Tekton refuses it for one that has ended. `uid` as for `annotating`."""
    return {**annotating({marks.CANCELLED_BY: by}, uid=uid), "spec": {"status": "CancelledRunFinally"}}


def is_another(status: int, text: str) -> bool:
    """Whether a patch with a UID was refused because the object is another one: its UID cannot be changed."""
    return status == 422 and "metadata.uid" in text


def deleting(uid: str, version: str = "", *, foreground: bool = False) -> Object:
    """The options that delete this very object (with a `version` only unless it has changed since).

    In the `foreground` it stays until what it owns is gone.
    """
    conditions = {"uid": uid, **({"resourceVersion": version} if version else {})}
    return {"propagationPolicy": "Foreground" if foreground else "Background", "preconditions": conditions}


def counting(counter: Object, at_least: int) -> Tuple[int, Object]:
    """The next task id of an App, and the patch of the ConfigMap that counts them, as it was read.

    Optimistic concurrency: whoever writes second is refused (409) and counts again, so no id is given twice.
    `at_least` is the highest id in use, for an App whose counter was lost.
    """
    metadata = counter["metadata"]
    last = marks.number(metadata.get("annotations") or {}, marks.LAST_TASK_ID)
    number = max(last, at_least) + 1
    counted = {marks.LAST_TASK_ID: str(number)}
    return number, {"metadata": {"resourceVersion": metadata["resourceVersion"], "annotations": counted}}


def _path(group: str, *segments: str) -> str:
    for segment in segments:
        if segment in (".", ".."):  # every client and proxy takes these for steps, also where they are escaped
            raise InvalidInput(f"{segment!r} names nothing in a cluster: give the name of an object")
    return "/".join([group, *(quote(segment, safe="") for segment in segments if segment)])
