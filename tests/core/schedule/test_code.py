"""Code that the pods of schedules no longer need."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core.schedule.code import superfluous

OLD, NOW = "2026-11-20T00:00:00Z", "2026-11-25T00:00:00Z"


def template(*names: str) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = [{"name": name, "configMap": {"name": name}} for name in names]
    return {"spec": {"template": {"spec": {"volumes": [*volumes, {"name": "x", "emptyDir": {}}]}}}}


def code(name: str, created: str = OLD) -> dict[str, Any]:
    return {"metadata": {"name": name, "creationTimestamp": created}}


def job(name: str, *ended: str) -> dict[str, Any]:
    conditions = [{"type": type_, "status": "True"} for type_ in ended]
    return {**template(name, "kf-shop.tick"), "metadata": {"name": "j"}, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("named", "jobs", "gone"),
    [
        (["two"], [], ["one"]),
        (["one", "two"], [], []),
        ([], [], ["one", "two"]),
        (["two"], [job("one")], []),
        (["two"], [job("one", "Complete")], ["one"]),
        (["two"], [job("one", "Failed"), job("one")], []),
    ],
)
def test_what_nothing_names(named: list[str], jobs: list[dict[str, Any]], gone: list[str]) -> None:
    cron_jobs = [{"spec": {"jobTemplate": template(name)}} for name in named]
    found = superfluous([code("one"), code("two"), code("new", "2026-11-24T12:00:00Z")], cron_jobs, jobs, NOW)
    assert [one["metadata"]["name"] for one in found] == gone
