"""What the History of an App asks for in an update: its runs once, or not at all where a watch tells of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.informer import informer
from kf_tasks.core import marks
from kf_tasks.provider.history import Histories

from ..cluster.rest import NAMESPACE, Tekton
from .previews import Seen

APPS, RUNS = 5, 5


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kf_tasks.cluster.watch.READY_SECONDS", 60)


def server_with() -> Tekton:
    """Five finished runs of each of five Apps, which wait for their record to be stored."""
    server = Tekton()
    for app in range(APPS):
        server.put("configmaps", f"kf-app-{app}")
        for number in range(RUNS):
            labels = {marks.NAME: f"app-{app}", marks.TASK: "t", marks.KEY: f"k{number}", marks.STACK: "shop.dev"}
            server.put("pipelineruns", f"app-{app}-t-{number}", {**labels, marks.TASK_ID: str(number + 1)})
            server.made(server.objects["pipelineruns", f"app-{app}-t-{number}"])
            server.finish(f"app-{app}-t-{number}")
    server.count()
    return server


def sweep(server: Tekton, keep: int, runs: bool = True) -> None:
    """An update of the History of each App."""
    for app in range(APPS):
        names = [f"app-{app}-t-{number}" for number in range(RUNS)]
        news: dict[str, Any] = {
            "__preview": False, "connection": {}, "stack": "shop.dev", "stack_label": "shop.dev", "keep": keep,
            "namespace": NAMESPACE, "owns_namespace": False, "app": f"app-{app}", "min_history": "", "schedules": [],
            "runs": names if runs else [], "urn": "urn",
        }  # fmt: skip
        Histories(Seen(cluster=Cluster(server))).create(news)  # type: ignore[arg-type]


def left(server: Tekton) -> Counter[str]:
    """How many runs each App has that are marked as recorded."""
    found = [server.objects["pipelineruns", name]["metadata"] for name in server.names("pipelineruns")]
    return Counter(one["labels"][marks.NAME] for one in found if marks.RECORDED in one["annotations"])


@pytest.mark.parametrize("watched", [True, False])
def test_what_is_marked_and_let_go_is_decided_by_one_list_of_each_app(watched: bool) -> None:
    server = server_with()
    if not watched:
        server.denied.update({"pipelineruns", "secrets"})
    sweep(server, keep=2)
    assert left(server) == {f"app-{app}": 2 for app in range(APPS)}
    asked = server.count()
    assert asked["LIST pipelineruns"] == APPS + 1, "and what a watch begins from"
    assert (asked["PATCH pipelineruns"], asked["DELETE pipelineruns"]) == (APPS * RUNS, APPS * (RUNS - 2))


def test_where_runs_are_told_of_nothing_is_listed() -> None:
    server = server_with()
    watches = informer(server, NAMESPACE)
    for app in range(APPS):
        watches.runs(f"app-{app}").known(Cluster(server))  # type: ignore[arg-type]
    assert server.count()["LIST pipelineruns"] == APPS + 1
    sweep(server, keep=2)
    assert left(server) == {f"app-{app}": 2 for app in range(APPS)} and server.count()["LIST pipelineruns"] == 0


def test_without_anything_to_mark_each_app_is_listed_once() -> None:
    server = server_with()
    sweep(server, keep=2)
    server.count()
    sweep(server, keep=1, runs=False)
    assert left(server) == {f"app-{app}": 1 for app in range(APPS)} and server.count()["LIST pipelineruns"] == APPS
