"""Whoever shows what happens looks when something does, and hardly ever else."""

from __future__ import annotations

import itertools
import time

import pytest
from kf_tasks.cluster import listener as module
from kf_tasks.cluster.informer import Informer
from kf_tasks.cluster.listener import Listener
from kf_tasks.core import marks

from .rest import NAMESPACE, Rest
from .test_informer import eventually

RUN = {marks.NAME: "shop", marks.KEY: "k"}


@pytest.mark.parametrize("is_told", [True, False])
def test_an_hour_in_which_nothing_happens(is_told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    one = Listener(lambda: is_told)
    looks = []
    for _ in range(7200):
        looks += [clock[0]] * one.is_due()
        clock[0] += 0.5
    gaps = [after - before for before, after in itertools.pairwise(looks)]
    assert gaps == sorted(gaps) and gaps[-1] == module.IDLE_SECONDS and len(looks) < 500
    one.move()
    clock[0] += 1
    assert is_told or one.is_due(), "something moves: it is looked at soon"
    one.changed.set()
    assert one.is_due() and not one.is_due()


@pytest.mark.parametrize("kind", ["pipelineruns", "pods", "taskruns"])
def test_every_change_is_heard_whatever_becomes_of_the_watch(kind: str) -> None:
    server = Rest()
    heard = Informer(server, NAMESPACE).listen()  # type: ignore[arg-type]
    eventually(heard._is_told)
    for nth in range(5):
        heard.changed.clear()
        server.put(kind, f"one-{nth}", RUN)
        eventually(heard.changed.is_set)
    heard.changed.clear()
    server.put(kind, "foreign", {"app": "x"})
    server.break_off()
    eventually(heard.changed.is_set)  # nobody knows what happened meanwhile
    eventually(heard._is_told)
    heard.changed.clear()
    server.delete(kind, "one-0")
    eventually(heard.changed.is_set)
    server.denied.add(kind)
    server.break_off()
    eventually(lambda: not heard._is_told())
