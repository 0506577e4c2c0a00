"""Whoever follows a run knows its present state, whatever becomes of the watches, and hardly asks for it."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.cluster import informer as module
from kf_tasks.cluster import watch
from kf_tasks.cluster.informer import Followed, Informer
from kf_tasks.core import polling
from kf_tasks.errors import NotFound, Unreachable

from .api_server import ApiServer

NAMES = [f"shop-t-{number}" for number in range(5)]


def child(name: str) -> dict[str, Any]:
    return {"status": {"childReferences": [{"name": f"{name}-task"}]}}


def following(server: ApiServer, *names: str) -> tuple[Informer, list[Followed]]:
    one = Informer(server, "ns")  # type: ignore[arg-type]
    return one, [one.follow(server, name) for name in names]  # type: ignore[arg-type]


def eventually(check: Callable[[], object], seconds: float = 60) -> None:
    """Waits until a check holds; one that never does fails with what it says."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def versions(followed: Followed) -> dict[str, str]:
    """What a follower knows: the version of each object by its name."""
    try:
        seen = followed.look()
    except NotFound:
        return {}
    objects = [seen.run, *seen.pods, *([seen.task_run] if seen.task_run else [])]
    return {one["metadata"]["name"]: one["metadata"]["resourceVersion"] for one in objects}


def truth(server: ApiServer, name: str) -> dict[str, str]:
    with server.changed:
        if name not in server.objects["pipelineruns"]:
            return {}
        of = [server.objects["pipelineruns"][name], *server.pods("ns", name)]
        task_run = server.objects["taskruns"].get(f"{name}-task")
        of += [task_run] if task_run else []
        return {one["metadata"]["name"]: one["metadata"]["resourceVersion"] for one in of}


def test_five_runs_of_a_hundred_changes_each_cost_what_they_cost_at_the_beginning() -> None:
    server = ApiServer()
    for name in NAMES:
        server.put("pipelineruns", name, **child(name))
    _, found = following(server, *NAMES)
    for followed in found:
        followed.look()
    for number in range(100):
        for name in NAMES:
            server.put("pipelineruns", name, **child(name))
            server.put("taskruns", f"{name}-task", run=name)
            server.put("pods", f"{name}-pod-{number % 3}", run=name)
    server.end()
    for name, followed in zip(NAMES, found, strict=True):
        eventually(lambda name=name, followed=followed: versions(followed) == truth(server, name))  # type: ignore[misc]
        assert len(followed.look().pods) == 3
    asked = Counter(what for what in server.requests if not what.startswith(("watch", "list pods")))
    begun = {f"begin {kind}": 1 for kind in ("pipelineruns", "taskruns", "pods")}
    assert asked == {**begun, "get run": 5, "list task runs": 5}


def act(server: ApiServer, what: str, name: str) -> None:
    """Something that happens in a cluster."""
    match what:
        case "run":
            server.put("pipelineruns", name, **child(name))
        case "task run":
            server.put("taskruns", f"{name}-task", run=name)
        case "pod 0" | "pod 1":
            server.put("pods", f"{name}-{what}", run=name)
        case "no pod 0":
            server.delete("pods", f"{name}-pod 0")
        case "no run":
            for kind, its in (("pods", "-pod 0"), ("pods", "-pod 1"), ("taskruns", "-task"), ("pipelineruns", "")):
                server.delete(kind, name + its)
        case "foreign":
            server.put("pipelineruns", "foreign", **child("foreign"))
        case _:
            {"break": server.break_off, "forget": server.forget, "end": server.end}[what]()


def settle(server: ApiServer, watches: Informer, found: list[Followed]) -> None:
    """Waits until nobody asks because of a break any more, and all that is so is known."""
    eventually(lambda: server.is_watched and watches.live)
    for name, followed in zip(NAMES, found, strict=True):
        eventually(lambda: versions(followed) == truth(server, name))  # noqa: B023 - it is called here


ACTS = ["run", "task run", "pod 0", "pod 1", "no pod 0", "no run", "foreign", "break", "forget", "end", "settle"]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 1)), max_size=30))
def test_whatever_becomes_of_the_watches_the_truth_is_known(acts: list[tuple[str, int]]) -> None:
    server = ApiServer()
    with pytest.MonkeyPatch.context() as patch:
        for one, late in ((module, polling), (watch, watch)):
            patch.setattr(one, "SOON_SECONDS", 0.001)
            patch.setattr(late, "LATE_SECONDS", 0.02)
        for name in NAMES:
            server.put("pipelineruns", name, **child(name))
        watches, found = following(server, *NAMES)
        for followed in found:
            followed.look()  # from here on the watches have to tell
        for what, number in acts:
            if what == "settle":
                settle(server, watches, found)
            else:
                act(server, what, NAMES[number])
        settle(server, watches, found)
        server.mode = "denied"  # ends the threads
        server.break_off()


def test_what_is_gone_does_not_come_back_with_an_older_answer() -> None:
    server = ApiServer()
    server.put("pipelineruns", NAMES[0])
    server.put("pods", "pod", run=NAMES[0])
    pod = server.objects["pods"]["pod"]
    _, [followed] = following(server, NAMES[0])
    assert len(followed.look().pods) == 1
    server.delete("pods", "pod")
    eventually(lambda: followed.look().pods == [])
    assert not followed.take("pods", pod) and followed.look().pods == []


def test_a_task_run_that_is_older_than_the_watches_and_named_later_is_seen() -> None:
    server = ApiServer()
    server.put("pipelineruns", NAMES[0])
    server.put("taskruns", f"{NAMES[0]}-task", run=NAMES[0])
    _, [followed] = following(server, NAMES[0])
    assert followed.look().task_run is None
    server.put("pipelineruns", NAMES[0], **child(NAMES[0]))
    eventually(lambda: followed.look().task_run)


def test_what_went_while_nobody_watched_is_gone() -> None:
    server = ApiServer()
    for name in NAMES:
        server.put("pipelineruns", name)
        server.put("pods", f"{name}-pod", run=name)
    watches, found = following(server, *NAMES)
    assert [len(followed.look().pods) for followed in found] == [1] * 5
    server.mode = "down"
    server.break_off()
    eventually(lambda: not watches.live)
    for name in NAMES[:4]:
        server.delete("pods", f"{name}-pod")
    server.mode = ""
    settle(server, watches, found)


def test_whoever_follows_a_run_knows_how_many_others_are_followed() -> None:
    server = ApiServer()
    for name in NAMES:
        server.put("pipelineruns", name)
    _, found = following(server, *NAMES)
    assert [followed.others for followed in found] == [len(NAMES) - 1] * len(NAMES)
    found[0].close()
    assert found[-1].others == len(NAMES) - 2


def test_without_the_right_to_watch_a_run_is_asked_for_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    server = ApiServer()
    server.mode = "denied"
    server.put("pipelineruns", NAMES[0])
    _, [followed] = following(server, NAMES[0])
    asked = []
    for _ in range(7200):  # an hour of looks
        before = server.requests.count("get run")
        followed.look()
        asked += [clock[0]] * (server.requests.count("get run") - before)
        clock[0] += 0.5
    gaps = [after - before for before, after in itertools.pairwise(asked)]
    assert gaps[0] == 0.5 and gaps == sorted(gaps) and gaps[-1] == 10 and len(asked) < 500
    server.put("pipelineruns", NAMES[0], **child(NAMES[0]))
    clock[0] += 11
    assert followed.look().run["status"]
    clock[0] += 0.5
    before = server.requests.count("get run")
    followed.look()
    assert server.requests.count("get run") == before + 1, "something moves: it is asked for soon"


def test_a_cluster_that_is_away_says_so_and_is_followed_when_it_is_back() -> None:
    server = ApiServer()
    server.put("pipelineruns", NAMES[0], **child(NAMES[0]))
    _, [followed] = following(server, NAMES[0])
    followed.look()
    server.mode = "down"
    server.break_off()

    def away() -> bool:
        try:
            followed.look()
        except Unreachable:
            return True
        return False

    eventually(away)
    server.put("pods", "pod", run=NAMES[0])
    server.mode = ""
    eventually(lambda: not away() and len(followed.look().pods) == 1)
    server.delete("pipelineruns", NAMES[0])
    eventually(lambda: versions(followed) == {})
    with pytest.raises(NotFound):
        followed.look()
