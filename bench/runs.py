"""Finished runs in any number: made by the API alone, as real as one that was executed and followed to its end.

One run is executed for real; its PipelineRun with its status, TaskRun and Pod are the pattern of the
others. No controller touches them: the first two are `managedBy` somebody else, and no scheduler takes the pod.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.core import marks

from .measure import Stack, run

NOBODY = "bench.example.com/nobody"
PROGRAM = """import os
from kf_tasks import App, Space, Task
space = Space(os.environ["NAMESPACE"], memory="32M", disk="64M", cpu="10m")
app = App("shop", space=space, image=os.environ["SANDBOX_REGISTRY"] + "/busybox:1")
Task("t", app=app, command="echo hello")
"""
_FOREIGN = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "generateName", "namespace")

Object = dict[str, Any]


@functools.cache
def pattern() -> tuple[Object, Object, Object]:
    """PipelineRun, TaskRun and Pod of one executed run."""
    stack = Stack()
    try:
        stack.write(PROGRAM)
        stack.up()
        kinds = ("pipelinerun", "taskrun", "pod")
        found = [json.loads(run(["kubectl", "get", kind, "-n", stack.namespace, "-o", "json"])) for kind in kinds]
    finally:
        stack.close()
    for answer in found:
        for field in _FOREIGN:
            answer["items"][0]["metadata"].pop(field, None)
    run_, task_run, pod = (answer["items"][0] for answer in found)
    for obj in (run_, task_run):
        obj["spec"]["managedBy"] = NOBODY
    pod["spec"].pop("nodeName", None)
    pod["spec"]["schedulerName"] = NOBODY
    return run_, task_run, pod


def namespace() -> str:
    """A new, empty namespace with the service account of the pods."""
    name = f"bench-{uuid.uuid4().hex[:6]}"
    create(name)
    run(["kubectl", "create", "serviceaccount", pattern()[2]["spec"]["serviceAccountName"], "-n", name])
    return name


def create(namespace: str) -> None:
    """Creates a namespace for copies of runs."""
    run(["kubectl", "create", "namespace", namespace])
    # What is copied has been admitted once; asking Tekton's webhooks again would take most of the time.
    run(["kubectl", "label", "namespace", namespace, "webhooks.knative.dev/exclude=true"])


def fill(into: str, numbers: range, apps: tuple[str, ...] = ("shop",), *, owned: bool = True) -> None:
    """Makes the runs of these numbers, shared out evenly among the Apps; `owned`: with TaskRun and Pod."""
    cluster = Cluster.of(Connection())

    def make(number: int) -> None:
        labels = {marks.NAME: apps[number % len(apps)], marks.KEY: f"{number:016x}"}
        labels[marks.TASK_ID] = str(number + 1)
        name, owner = f"run-{number:06}", None
        tekton, core = "/apis/tekton.dev/v1", "/api/v1"
        kinds = (("pipelineruns", tekton), ("taskruns", tekton), ("pods", core))[: 3 if owned else 1]
        for obj, (kind, base) in zip(pattern(), kinds):
            owner = _clone(cluster, obj, f"{base}/namespaces/{into}/{kind}", name, labels, owner)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(make, numbers))


def _clone(cluster: Cluster, obj: Object, path: str, name: str, labels: Object, owner: Object | None) -> Object:
    wanted = copy.deepcopy(obj)
    metadata = wanted["metadata"]
    metadata.update(name=name, labels={**metadata.get("labels", {}), **labels, "tekton.dev/pipelineRun": name})
    metadata.pop("ownerReferences", None)
    if owner:
        keys = {"apiVersion": "tekton.dev/v1", "kind": owner["kind"], "name": name, "uid": owner["metadata"]["uid"]}
        # No `controller`: the event of an owned object would have Tekton look at its owner, managed or not.
        metadata["ownerReferences"] = [{**keys, "blockOwnerDeletion": True}]
    created: Object = cluster.http.json("POST", path, body=wanted)
    if owner:
        return created  # nobody who deletes runs reads more of what they own than that it is there
    created["status"] = wanted["status"]
    answer: Object = cluster.http.json("PUT", f"{path}/{name}/status", body=created)
    # As every run is that was followed to its end.
    cluster.annotate_run(created["metadata"]["namespace"], name, {}, finished=True)
    return answer


def await_collection(where: str, left: int) -> None:
    """Waits until the cluster has collected the pods of deleted runs, so that as many as these are left."""
    cluster = Cluster.of(Connection())
    for _ in range(300):
        page = cluster.http.json("GET", f"/api/v1/namespaces/{where}/pods", query=[("limit", "1")])
        pods = len(page["items"]) + page["metadata"].get("remainingItemCount", 0)
        if pods == left:
            return
        time.sleep(2)
    raise RuntimeError(f"{pods} pods are left in {where} after ten minutes, {left} belong to runs")


def rest() -> None:
    """Waits until the machine has little to do: controllers and caches work on for a while after many changes."""
    for _ in range(120):
        before = _busy()
        time.sleep(5)
        if _busy() - before < 5 * 0.15 * (os.cpu_count() or 1):
            return
    raise RuntimeError(f"the machine was never at rest within ten minutes; load {os.getloadavg()[0]:.1f}")


def _busy() -> float:
    """Seconds that all processors have worked so far, without those they have waited."""
    user, nice, system, *_ = (int(ticks) for ticks in Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def close(where: str) -> None:
    """Deletes the namespace with all in it, in the background."""
    run(["kubectl", "delete", "namespace", where, "--wait=false"])
