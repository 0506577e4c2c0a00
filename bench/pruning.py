"""Deleting the older part of many finished runs: ours beside `kubectl delete` with a list of names.

The runs are made by the API alone: PipelineRuns that Tekton's controller leaves alone
(`managedBy`), with the status of a finished one, a TaskRun and nothing executed.
"""

from __future__ import annotations

import concurrent.futures
import sys
import uuid

from components.cluster import Cluster
from components.connection import Connection
from components.core import pipelinerun

from .measure import CHECKOUT, Table, peak_memory, run

TITLE = "Pruning 1,000 finished runs to 100"
RUNS, KEEP = 1000, 100
OURS = """import sys
from components.cluster import Cluster
from components.connection import Connection
from components.submission import prune
print(len(prune(Cluster.of(Connection()), sys.argv[1], "shop", int(sys.argv[2]))))
"""


def measure() -> Table:
    """One measurement each: making the runs takes far longer than deleting them."""
    table = Table(TITLE, ("what", "seconds", "peak memory MiB"), "One measurement each, start of the process included.")
    ours = [sys.executable, "-c", OURS]
    namespace = _filled()
    seconds, memory = peak_memory([*ours, namespace, str(KEEP)], cwd=CHECKOUT)
    table.rows.append(("ours: list, plan and delete", f"{seconds:.1f}", f"{memory:.0f}"))
    _check(namespace)
    namespace = _filled()
    script = (
        f"kubectl get pipelineruns -n {namespace} --sort-by=.metadata.creationTimestamp -o name | head -n -{KEEP} | "
        f"xargs kubectl delete -n {namespace} --wait=false"
    )
    seconds, memory = peak_memory(["bash", "-c", f"exec bash -c '{script}'"])
    table.rows.append(("`kubectl get --sort-by` and `kubectl delete` with a list", f"{seconds:.1f}", f"{memory:.0f}"))
    _check(namespace)
    return table


def _filled() -> str:
    """A new namespace with finished runs."""
    namespace = f"bench-{uuid.uuid4().hex[:6]}"
    run(["kubectl", "create", "namespace", namespace])
    cluster = Cluster.of(Connection())

    def make(number: int) -> None:
        labels = {pipelinerun.NAME: "shop", pipelinerun.KEY: f"{number:016x}", pipelinerun.TASK: "t"}
        step = {"name": "task", "image": "busybox", "command": ["true"]}
        manifest = {
            "apiVersion": "tekton.dev/v1", "kind": "PipelineRun",
            "metadata": {"name": f"run-{number}", "namespace": namespace, "labels": labels},
            "spec": {"managedBy": "bench.example.com/none",
                     "pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": [step]}}]}},
        }  # fmt: skip
        created = cluster.create_run(manifest)
        ended = "2026-01-01T00:00:05Z"
        condition = {"type": "Succeeded", "status": "True", "reason": "Succeeded", "lastTransitionTime": ended}
        condition["message"] = "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0"
        created["status"] = {"startTime": "2026-01-01T00:00:00Z", "completionTime": ended, "conditions": [condition]}
        path = f"/apis/tekton.dev/v1/namespaces/{namespace}/pipelineruns/run-{number}/status"
        cluster.http.json("PUT", path, body=created)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(make, range(RUNS)))
    return namespace


def _check(namespace: str) -> None:
    left = len(Cluster.of(Connection()).list_runs(namespace, "shop"))
    if left != KEEP:
        raise RuntimeError(f"{left} runs are left in {namespace}, {KEEP} were to stay")
    run(["kubectl", "delete", "namespace", namespace, "--wait=false"])
