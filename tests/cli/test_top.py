"""`kf top` on a cluster of plain data, with and without somebody who measures."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from kf_tasks.core import quantities
from kf_tasks.errors import ClusterError, Denied, NotFound, Unreachable

from .test_commands import FakeCluster, call, run


@dataclasses.dataclass
class Busy(FakeCluster):
    """Two runs have pods, of which one has started."""

    unmeasured: ClusterError | None = None

    def select_pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        def pod(number: int, state: dict[str, Any]) -> dict[str, Any]:
            name = f"shop-migrate-{number}"
            statuses = [{"name": "step-task", "state": state}]
            containers = [{"name": "step-task", "resources": {"limits": {"memory": "128Mi"}}}, {"name": "proxy"}]
            return {
                "metadata": {"name": f"{name}-pod", "labels": {"tekton.dev/pipelineRun": name}},
                "spec": {"containers": containers, **({"nodeName": "node-1"} if number == 2 else {})},
                "status": {"containerStatuses": statuses},
            }

        stuck = {"waiting": {"reason": "ErrImagePull", "message": "no image"}}
        return [pod(2, {"running": {}}), pod(3, stuck), pod(9, {"running": {}})]

    def pod_metrics(self, namespace: str) -> list[dict[str, Any]]:
        if self.unmeasured:
            raise self.unmeasured
        usage = {"cpu": "250123456n", "memory": "65536Ki"}
        containers = [{"name": "proxy", "usage": {"cpu": "9", "memory": "9Gi"}}, {"name": "step-task", "usage": usage}]
        return [{"metadata": {"name": "shop-migrate-2-pod"}, "containers": containers}]


RUNS = [
    run(1),
    run(2, "Unknown", reason="Running", started_at="2026-01-01T00:30:00Z"),
    run(3, "Unknown", reason="Running", started_at="2026-01-01T00:40:00Z"),
    run(4, "Unknown", reason="Started"),
]


def test_what_runs_and_what_it_uses() -> None:
    result = call(Busy(RUNS), "top")
    assert result.stdout.splitlines() == [
        "App   Name            ID  Task     Running  State                            CPU   Memory  Limit  Used",
        "shop  shop-migrate-2  2   migrate  30m      Running                          250m  64Mi    128Mi  50%",
        "shop  shop-migrate-3  3   migrate  20m      Pending: ErrImagePull: no image                128Mi",
        "shop  shop-migrate-4  4   migrate           Pending",
    ]
    found = json.loads(call(Busy(RUNS), "top", "shop", "-o", "json").stdout)
    assert (found[0]["cpu"], found[0]["memory"], found[0]["memoryLimit"]) == (0.250123456, 64 * 1024**2, 128 * 1024**2)
    assert (found[1]["waiting"], found[2]["memory"]) == ("ErrImagePull: no image", None)
    assert (found[0]["pod"], found[0]["node"], found[2]["pod"]) == ("shop-migrate-2-pod", "node-1", None)
    wide = call(Busy(RUNS), "top", "-o", "wide").stdout.splitlines()
    assert wide[0].split()[-2:] == ["Pod", "Node"] and wide[1].endswith("50%   shop-migrate-2-pod  node-1")
    assert call(Busy(RUNS), "top", "-o", "name").stdout.split() == [f"shop-migrate-{number}" for number in (2, 3, 4)]


@pytest.mark.parametrize(
    ("trouble", "text"),
    [
        (NotFound("the server could not find the requested resource", 404), "the cluster has no metrics-server"),
        (Unreachable("cannot answer now", 503), "the cluster has no metrics-server"),
        (Denied("pods.metrics.k8s.io is forbidden", 403), "pods.metrics.k8s.io is forbidden"),
    ],
)
def test_where_nobody_measures_the_rest_is_shown(trouble: ClusterError, text: str) -> None:
    result = call(Busy(RUNS, unmeasured=trouble), "top")
    assert result.exit_code == 0 and len(result.stdout.splitlines()) == 4
    assert result.stderr == f"kf: what they use is not known: {text}\n"


def test_nothing_runs() -> None:
    assert call(Busy(RUNS[:1]), "top", "shop").stdout == "Nothing runs of app 'shop' in space 'dev'.\n"
    assert call(Busy(), "top", "-o", "json").stdout == "[]\n"
    assert call(Busy(), "top", "shp").stderr.startswith("kf: app 'shp' not found in space 'dev'")


@pytest.mark.parametrize(("text", "value"), [("1500000n", "0.0015"), ("250u", "0.00025"), ("3m", "0.003"), ("0", "0")])
def test_what_is_measured(text: str, value: str) -> None:
    assert str(quantities.number(text)) == value
