"""What is known of an App's runs is what a list would say, whatever becomes of the watch, and is hardly asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.cluster import watch
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.informer import Informer
from kf_tasks.cluster.known_runs import KnownRuns
from kf_tasks.cluster.secret_versions import SecretVersions
from kf_tasks.core import marks
from kf_tasks.core.retention.policy import Policy
from kf_tasks.errors import Denied, Unreachable
from kf_tasks.runs.pruning import prune
from kf_tasks.runs.submission import submit

from ..runs.test_requests import wanted
from .rest import NAMESPACE, Rest, Tekton
from .test_informer import eventually

APP = {marks.NAME: "shop", marks.KEY: "k", marks.STACK: "shop.dev"}
DONE = {"conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}]}


def filled(server: Rest, count: int = 5) -> Rest:
    for nth in range(count):
        server.put("pipelineruns", f"run-{nth}", {**APP, marks.TASK_ID: str(nth)}, status=DONE)
    return server


def known_of(server: Rest) -> tuple[Cluster, KnownRuns]:
    return Cluster(server), Informer(server, NAMESPACE).runs("shop")  # type: ignore[arg-type]


def is_so(server: Rest, cluster: Cluster, known: KnownRuns) -> Callable[[], bool]:
    def versions() -> dict[str, str]:
        return {name: server.objects["pipelineruns", name]["metadata"]["resourceVersion"] for name in names()}

    def names() -> list[str]:
        found = server.names("pipelineruns")
        return [name for name in found if server.objects["pipelineruns", name]["metadata"]["labels"] != {}]

    return lambda: {run.name: run.version for run in known.known(cluster)} == versions()


ACTS = ["new", "change", "delete", "again", "foreign", "break", "drop", "settle"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 4)), max_size=25))
def test_what_is_known_is_what_there_is(acts: list[tuple[str, int]]) -> None:
    server = filled(Rest())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "SOON_SECONDS", 0.001)
        patch.setattr(watch, "LATE_SECONDS", 0.02)
        cluster, known = known_of(server)
        known.known(cluster)
        right = is_so(server, cluster, known)
        for what, nth in acts:
            name = f"run-{nth}"
            if what in ("new", "change", "again"):
                server.put("pipelineruns", name, APP, status=DONE)
            elif what == "delete":
                server.delete("pipelineruns", name)
            elif what == "drop":  # by ourselves, as it is known
                for run in known.known(cluster):
                    if run.name == name and cluster.delete_runs(NAMESPACE, [run], unchanged=True):
                        known.drop(run)
                        assert name not in [one.name for one in known.known(cluster)]
            elif what == "foreign":
                server.put("pipelineruns", "of-another", {marks.NAME: "cart", marks.KEY: "k"})
                server.delete("pipelineruns", "of-another")
            elif what == "break":
                server.break_off()
            else:
                eventually(right)
        eventually(right)


def test_what_is_decided_after_a_write_knows_all_that_was_before_it() -> None:
    server = filled(Rest())
    cluster, known = known_of(server)
    known.known(cluster)
    server.count()
    for nth in range(100):
        server.put("pipelineruns", f"new-{nth}", APP, status=DONE)
        server.delete("pipelineruns", f"new-{nth - 1}")
        cluster.annotate_run(NAMESPACE, "run-0", {"a": str(nth)})
        assert next(run.name for run in known.at(cluster, cluster.written)) == f"new-{nth}"
    assert set(server.count()) == {"PATCH pipelineruns"}


@pytest.mark.parametrize("trouble", ["quiet", "denied", "broken", "no write"])
def test_what_deletes_asks_where_nobody_tells(trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "READY_SECONDS", 0.2)
    server = filled(Rest())
    if trouble == "denied":
        server.denied.add("pipelineruns")
    cluster, known = known_of(server)
    known.known(cluster)
    if trouble == "quiet":
        server.quiet.add("pipelineruns")
    if trouble == "broken":
        server.denied.add("pipelineruns")
        server.break_off()
        eventually(lambda: not known._watch.live)
    server.delete("pipelineruns", "run-4")  # by somebody else: of five that are to be kept one is gone
    version = ""
    if trouble != "no write":
        cluster.annotate_run(NAMESPACE, "run-0", {"a": "b"})
        version = cluster.written
    assert [run.name for run in known.at(cluster, version)] == [f"run-{nth}" for nth in range(4)]


def test_a_write_that_failed_is_no_moment_to_decide_by() -> None:
    server = filled(Rest())
    cluster = Cluster(server)  # type: ignore[arg-type]
    cluster.annotate_run(NAMESPACE, "run-0", {"a": "b"})
    assert cluster.written
    server.down = True
    with pytest.raises(Unreachable):
        cluster.annotate_run(NAMESPACE, "run-0", {"a": "b"})
    assert cluster.written == ""


def test_five_who_let_runs_go_at_once_delete_each_once_and_nothing_else() -> None:
    server = filled(Rest(), 12)
    gone: list[str] = []

    def one() -> None:
        cluster = Cluster(server)  # type: ignore[arg-type]
        cluster.annotate_run(NAMESPACE, "run-11", {"a": "b"})
        gone.extend(prune(cluster, NAMESPACE, "shop", Policy(7)))

    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = server.count()
    assert len(gone) == 5 and len(server.names("pipelineruns")) == 7
    assert asked["DELETE pipelineruns"] == 5 and asked["LIST pipelineruns"] <= 2 + 5


def test_a_run_that_was_pinned_where_no_event_came_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "READY_SECONDS", 0.2)
    server = filled(Rest())
    cluster, known = known_of(server)
    runs = known.known(cluster)
    server.quiet.add("pipelineruns")
    other = Cluster(server)  # type: ignore[arg-type]
    other.annotate_run(NAMESPACE, "run-0", {marks.PINNED: "true"})
    assert cluster.delete_runs(NAMESPACE, runs[:1], unchanged=True) == []
    gone = prune(cluster, NAMESPACE, "shop", Policy(0))
    assert gone == ["run-1", "run-2", "run-3"], "the last that succeeded stays whatever is kept"
    assert server.names("pipelineruns") == ["run-0", "run-4"]


def test_of_two_who_know_of_nothing_one_starts_and_the_other_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "READY_SECONDS", 0.2)
    monkeypatch.setattr("time.sleep", lambda _: None)
    server = Tekton()
    cluster = Cluster(server)  # type: ignore[arg-type]
    submit(cluster, wanted("before", []), None)  # what there is, is known by now
    server.quiet.add("pipelineruns")
    other = Tekton.__new__(Tekton)
    other.__dict__ = server.__dict__  # the same cluster, of another process
    [first, second] = [submit(Cluster(one), wanted("t", []), None) for one in (other, server)]  # type: ignore[arg-type]
    assert (first[1], second[1]) == (False, True)
    assert first[0]["metadata"]["name"] == second[0]["metadata"]["name"]
    server.delete("pipelineruns", first[0]["metadata"]["name"])
    third, adopted = submit(cluster, wanted("t", []), None)
    assert not adopted and third["metadata"]["uid"] != first[0]["metadata"]["uid"]


def test_secrets_are_told_by_their_versions_alone() -> None:
    server = Rest()
    for nth in range(5):
        server.put("secrets", f"s.{nth}", data={"V": "eA=="})
    cluster = Cluster(server)  # type: ignore[arg-type]
    known = SecretVersions(server, NAMESPACE)  # type: ignore[arg-type]
    assert known.version(cluster, "s.0") == server.objects["secrets", "s.0"]["metadata"]["resourceVersion"]
    assert known.version(cluster, "none") == ""
    for _ in range(100):
        server.put("secrets", "s.1")
    server.delete("secrets", "s.2")
    server.put("secrets", "s.2", data={})
    server.delete("secrets", "s.3")

    def right() -> bool:
        found = {name: known.version(cluster, name) for name in server.names("secrets")}
        metadata = {name: server.objects["secrets", name]["metadata"] for name in found}
        return found == {name: one["resourceVersion"] for name, one in metadata.items()}

    eventually(lambda: right() and known.version(cluster, "s.3") == "")
    asked = server.count()
    assert asked == {"LIST secrets": 2, "WATCH secrets": 1}
    server.denied.add("secrets")
    server.break_off()
    eventually(lambda: known.version(cluster, "s.0") is None)


def test_who_may_watch_secrets_but_not_list_them_is_told_nothing() -> None:
    server = Rest()
    known = SecretVersions(server, NAMESPACE)  # type: ignore[arg-type]

    class Refusing(Cluster):
        def secrets(self, _namespace: str, selector: str = "") -> list[dict[str, object]]:
            raise Denied("no", 403)

    assert known.version(Refusing(server), "s") is None  # type: ignore[arg-type]
