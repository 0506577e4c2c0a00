"""What pruning deletes of many runs on a real API server: exactly what it may, whatever else happens there."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.provider import survey
from kf_tasks.runs import pruning

from . import made
from .conftest import RUNS, Stack, kubectl


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    name = made.namespace()
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def app() -> str:
    return f"a{uuid.uuid4().hex[:8]}"


def prune(place: str, app: str, policy: Policy, **more: Any) -> list[str]:
    return sorted(pruning.prune(Cluster.of(Connection()), place, app, policy, **more))


def listed(place: str, app: str) -> list[RunSummary]:
    return Cluster.of(Connection()).list_runs(place, app)


def series(place: str, app: str, count: int, first: int = 9) -> list[str]:
    """Finished runs, oldest first; of two within one second the name says the same as the moment."""
    names = [f"{app}-{first - nth}" for nth in range(count)]
    for name in names:
        made.make(place, name, app=app)
    return names


def expected(runs: list[RunSummary], policy: Policy) -> set[str]:
    """What stays, said the long way round: for each run by itself, without any order of rules."""
    there = [run for run in runs if not run.deleting]

    def newer(run: RunSummary, among: list[RunSummary]) -> int:
        return sum(
            1 for one in among
            if one.created > run.created or (one.created == run.created and one.name < run.name)
        )  # fmt: skip

    failed = [run for run in there if run.succeeded == "False"]
    succeeded = [run for run in there if run.succeeded == "True"]
    return {
        run.name
        for run in there
        if newer(run, there) < policy.keep
        or (run in failed and newer(run, failed) < max(policy.keep_failed, 1))
        or (run in succeeded and newer(run, succeeded) < 1)
        or run.succeeded == "Unknown"
        or run.annotations.get("kf.dev/pinned", "false") != "false"
        or run.name in policy.pinned
        or ("kf.dev/followed" in run.annotations and "kf.dev/outcome" not in run.annotations)
        or (policy.archived_only and not run.annotations.get("kf.dev/archived"))
    }


marks = st.fixed_dictionaries({}, optional={
    "kf.dev/pinned": st.sampled_from(["true", "false", ""]), "kf.dev/followed": st.just("true"),
    "kf.dev/outcome": st.just("exit code 1"), "kf.dev/archived": st.sampled_from(["", "file:///log"]),
})  # fmt: skip
past = st.lists(st.tuples(st.sampled_from(["True", "True", "False", "Unknown"]), marks), max_size=12)
policies = st.builds(
    Policy, st.integers(0, 6), st.integers(0, 3), pinned=st.just(("r-01", "r-99")), archived_only=st.booleans()
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(past=past, policy=policies)
def test_exactly_what_may_go_goes(place: str, past: list[tuple[str, dict[str, str]]], policy: Policy) -> None:
    app = f"a{uuid.uuid4().hex[:8]}"
    specs = [
        {"name": f"{app}-{nth:02}", "succeeded": succeeded, "annotations": annotations, "app": app}
        for nth, (succeeded, annotations) in enumerate(past)
    ]
    own = Policy(policy.keep, policy.keep_failed, pinned=(f"{app}-01",), archived_only=policy.archived_only)
    made.make_all(place, specs)
    before = listed(place, app)
    gone = prune(place, app, own)
    assert set(made.names(place, app)) == expected(before, own) == {run.name for run in before} - set(gone)
    assert prune(place, app, own) == [], "what stays once stays"


@pytest.mark.parametrize("apps", [(), ("one",), ("one", "two", "three", "four", "five", "six")])
def test_many_runs_are_listed_in_parts_and_each_once(monkeypatch: pytest.MonkeyPatch, apps: tuple[str, ...]) -> None:
    place = made.namespace()
    for name in apps:
        kubectl("create", "configmap", name, "-n", place)
        labels = {"kf.dev/template": "app", "app.kubernetes.io/name": name}
        kubectl("label", "configmap", name, "-n", place, *(f"{label}={value}" for label, value in labels.items()))
    made.make_all(place, [{"name": f"{app}-{nth}", "app": app} for app in (*apps, "removed") for nth in range(3)])
    made.make(place, "foreign", labels={})
    whole = Cluster.of(Connection()).list_runs(place, with_times=True)
    asked = []
    list_runs = Cluster.list_runs

    def listing(*arguments: Any, **options: Any) -> list[RunSummary]:
        asked.append(options)
        return list_runs(*arguments, **options)

    monkeypatch.setattr(Cluster, "list_runs", listing)
    parts = min(len(apps), survey.PARTS) + 1 if len(apps) > 1 else 1
    monkeypatch.setattr(survey, "PAGE", len(whole))
    found = survey.ask(Cluster.of(Connection()), place)
    assert len(asked) == parts
    by_name = {run.name: run for run in found.runs}
    assert len(found.runs) == len(by_name) == 3 * len(apps) + 3 and by_name == {run.name: run for run in whole}
    monkeypatch.setattr(survey, "PAGE", len(whole) + 1)
    survey.ask(Cluster.of(Connection()), place)
    assert len(asked) == parts + 1, "few are listed at once"
    kubectl("delete", "namespace", place, "--wait=false")


def test_of_one_second_the_names_decide(place: str, app: str) -> None:
    made.make_all(place, [{"name": f"{app}-{nth}", "app": app} for nth in range(9)])
    before = listed(place, app)
    prune(place, app, Policy(4))
    assert set(made.names(place, app)) == expected(before, Policy(4))
    assert len({run.created for run in before}) < len(before), "made within one second or two"


def test_the_clock_that_counts_is_the_servers(place: str, app: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old = series(place, app, 3)
    ahead = time.time() + 400 * 86_400
    monkeypatch.setattr(time, "time", lambda: ahead)
    assert prune(place, app, Policy(max_age=3600)) == []
    time.sleep(2.1)
    series(place, app, 1, first=1)
    assert prune(place, app, Policy(max_age=1)) == sorted(old)


def test_what_is_not_ours_is_not_touched(place: str, app: str) -> None:
    ours = {"app.kubernetes.io/managed-by": "kf"}
    made.make(place, f"{app}-other", labels={**ours, "app.kubernetes.io/name": app})  # has no key
    made.make(place, f"{app}-foreign", labels={"app.kubernetes.io/name": app})
    made.make(place, f"{app}-neighbour", app=f"{app}-b")
    made.make(place, f"{app}-build", app=f"{app}.build")
    own = series(place, app, 3)
    before = everything(place)
    assert prune(place, app, Policy(1)) == sorted(own[:2])
    assert before - everything(place) == set(own[:2])


def test_a_run_that_a_finalizer_holds_is_no_trouble(place: str, app: str) -> None:
    made.make(place, f"{app}-held", app=app, finalizers=("tests.example.com/held",))
    time.sleep(1)
    own = series(place, app, 4)
    try:
        assert prune(place, app, Policy(3)) == sorted([f"{app}-held", own[0]])
        [held] = [run for run in listed(place, app) if run.deleting]
        assert held.name == f"{app}-held"
        assert prune(place, app, Policy(3)) == [], "it is neither deleted again nor counted"
        series(place, app, 1, first=1)
        assert prune(place, app, Policy(3)) == [own[1]]
    finally:
        kubectl("patch", RUNS, f"{app}-held", "-n", place, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')


def test_what_somebody_else_deletes_meanwhile(place: str, app: str) -> None:
    own = series(place, app, 5)

    def meanwhile(going: list[RunSummary]) -> list[RunSummary]:
        kubectl("delete", RUNS, own[0], own[1], "-n", place)
        made.make(place, own[1], app=app)  # another run of that name
        return going

    assert prune(place, app, Policy(2), before=meanwhile) == [own[2]]
    assert made.names(place, app) == sorted([own[1], own[3], own[4]])


def test_two_that_prune_at_once_delete_each_run_once(place: str, app: str) -> None:
    made.make_all(place, [{"name": f"{app}-{nth:02}", "app": app} for nth in range(40)])
    before = listed(place, app)
    with ThreadPoolExecutor(4) as pool:
        gone = [name for names in pool.map(lambda _: prune(place, app, Policy(10)), range(4)) for name in names]
    assert set(made.names(place, app)) == expected(before, Policy(10))
    assert set(gone) == {run.name for run in before} - expected(before, Policy(10))


def test_up_prunes_while_thirty_write_and_the_next_one_finishes_it(stack: Stack) -> None:
    stack.task("command='echo 1'", "keep=25").up().ok()
    made.exclude_webhooks(stack.namespace)
    stop = threading.Event()
    written: list[str] = []

    def write(writer: int) -> None:
        for nth in count():  # until the update has ended, however long that takes, and ever more slowly
            if stop.wait(1 + nth / 10):
                return
            name = f"by-{writer:02}-{nth:03}"
            made.make(stack.namespace, name, "False" if (writer, nth) == (0, 0) else "True")
            written.append(name)

    with ThreadPoolExecutor(30) as pool:
        writing = [pool.submit(write, number) for number in range(30)]
        try:
            stack.task("command='echo 2'", "keep=25").up().ok()
        finally:
            stop.set()
        for one in writing:
            one.result()
    before = listed(stack.namespace, "shop")
    stay = expected(before, Policy(25))
    assert len(written) > 60 and len(before) < len(written), "the update has pruned meanwhile"
    shown = stack.preview().ok().text
    assert f"will delete {len(before) - len(stay)} of {len(before)}: by-" in shown and "(beyond the newest 25)" in shown
    swept = stack.up().ok()
    assert set(made.names(stack.namespace)) == stay, swept.text
    assert "by-00-000" in stay, "the last failure, however many successes came after it"
    assert "delete" not in stack.preview().ok().text.split("Diagnostics:")[-1]


def everything(place: str) -> set[str]:
    path = f"/apis/tekton.dev/v1/namespaces/{place}/pipelineruns"
    return {run["metadata"]["name"] for run in Cluster.of(Connection()).http.json("GET", path)["items"]}
