"""What a Calendar writes down at the CronJob of its schedule, after an update has changed that."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.errors import Denied
from kf_tasks.provider.preview import Preview
from pulumi.runtime.rpc import UNKNOWN

from .adapters import Calendars, Served

pytestmark = pytest.mark.usefixtures("adapter")

MADE, NOW = "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"
INPUTS = {
    "connection": {"kubeconfig": json.dumps({"apiVersion": "v1"}), "context": None}, "namespace": "dev", "app": "shop",
    "task": "nightly", "cron_job": "shop-nightly", "generation": 1.0, "schedule": "0 3 * * *", "time_zone": "Etc/UTC",
    "suspend": False, "keep": 5.0, "manifest": {}, "urn": "urn", "stack": "p.s",
}  # fmt: skip


class FakeCluster:
    """Two CronJobs of one schedule's name, of two Apps."""

    def __init__(self, **spec: Any) -> None:
        self.changed: list[Any] = []
        self.found = [
            {
                "metadata": {
                    "name": name,
                    "creationTimestamp": MADE,
                    "managedFields": [{"time": NOW, "fieldsV1": {"f:spec": {"f:schedule": {}}}}],
                },
                "spec": {"schedule": "0 3 * * *", "timeZone": "Etc/UTC", "suspend": False, **spec},
            }
            for name in ("shop-nightly", "blog-nightly")
        ]

    def cron_jobs(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        assert namespace == "dev" and selector.startswith("kf.dev/schedule")
        return self.found

    def jobs(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        raise Denied("jobs are not for you")

    def change_cron_job(self, namespace: str, name: str, spec: Any, annotations: dict[str, str]) -> None:
        self.changed.append((name, spec, annotations))
        self.found[0]["metadata"]["annotations"] = annotations


def room(cluster: FakeCluster) -> Served:
    def connect(connection: Connection) -> Cluster:
        return cast(Cluster, cluster)

    return Calendars(Preview(say=lambda *_, **__: None, cluster=connect))


def written(at: str, times: str = "0 3 * * * Etc/UTC") -> list[Any]:
    return [("shop-nightly", {}, {"kf.dev/times-since": f"{at} {times}"})]


def test_what_is_written_and_when() -> None:
    cluster = FakeCluster()
    calendars = room(cluster)
    assert (calendars.create(INPUTS).outs or {})["generation"] == 1.0
    assert cluster.changed == written(NOW)
    calendars.update(INPUTS, {**INPUTS, "generation": 2.0})
    assert cluster.changed == written(NOW), "something else was changed"
    cluster.found[0]["spec"]["suspend"] = True
    calendars.update(INPUTS, {**INPUTS, "generation": 3.0, "suspend": True})
    assert cluster.changed[1:] == written(NOW, "suspended 0 3 * * * Etc/UTC")


@pytest.mark.parametrize(("olds", "at"), [({}, MADE), ({"schedule": "0 4 * * *"}, NOW)])
def test_a_cron_job_of_a_version_that_wrote_nothing(olds: dict[str, Any], at: str) -> None:
    cluster = FakeCluster()
    old = {name: value for name, value in {**INPUTS, **olds}.items() if name != "generation"}
    calendars = room(cluster)
    assert calendars.diff(old, INPUTS).changes
    calendars.update(old, INPUTS)
    assert cluster.changed == written(at)


@pytest.mark.parametrize("generation", [2.0, UNKNOWN])
def test_a_cron_job_that_is_changed_brings_it_here(generation: Any) -> None:
    calendars = room(FakeCluster())
    assert calendars.diff(INPUTS, {**INPUTS, "generation": generation}).changes
    assert not calendars.diff(INPUTS, dict(INPUTS)).changes
