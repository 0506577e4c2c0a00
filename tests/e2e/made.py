"""Runs that nothing executes: made through the API alone, for what retention does with many of them."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.core import marks

from .conftest import kubectl

NOBODY = "tests.example.com/nobody"  # no controller manages them
STATUS = {"True": "Succeeded", "False": "Failed"}


def namespace() -> str:
    """A namespace in which Tekton's webhooks are not asked, which is most of the time that a run takes."""
    name = f"e2e-made-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    exclude_webhooks(name)
    return name


def exclude_webhooks(name: str) -> None:
    kubectl("label", "namespace", name, "webhooks.knative.dev/exclude=true")


def make(
    where: str,
    name: str,
    succeeded: str = "True",
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    finalizers: tuple[str, ...] = (),
    app: str = "shop",
) -> dict[str, Any]:
    """One run as it is after its end (`succeeded` "Unknown": without any status); returns it."""
    cluster = Cluster.of(Connection())
    own = {marks.NAME: app, marks.KEY: uuid.uuid4().hex[:16], marks.TASK: "t"}
    step = {"name": "task", "image": "busybox", "command": ["true"]}
    created = cluster.create_run({
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun",
        "metadata": {"name": name, "namespace": where, "labels": own if labels is None else labels,
                     "annotations": annotations or {}, "finalizers": list(finalizers)},
        "spec": {"managedBy": NOBODY, "pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": [step]}}]}},
    })  # fmt: skip
    if succeeded in STATUS:
        ended = "2026-01-01T00:00:05Z"
        condition = {"type": "Succeeded", "status": succeeded, "reason": STATUS[succeeded], "lastTransitionTime": ended}
        created["status"] = {"startTime": "2026-01-01T00:00:00Z", "completionTime": ended, "conditions": [condition]}
        path = f"/apis/tekton.dev/v1/namespaces/{where}/pipelineruns/{name}/status"
        created = cluster.http.json("PUT", path, body=created)
    return created


def make_all(where: str, specs: list[dict[str, Any]]) -> None:
    """Several at once, most of them within the same second."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda spec: make(where, **spec), specs))


def names(where: str, app: str = "shop") -> list[str]:
    """What is left, sorted; runs on their way out are gone."""
    return sorted(run.name for run in Cluster.of(Connection()).list_runs(where, app) if not run.deleting)
