"""What goes of an App is foretold by all runs that an update adds to it, whichever process has decided about each."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.state import MAY, WILL, Decision, Which
from kf_tasks.plugin import counts
from kf_tasks.plugin.counts import Adding, Counts
from kf_tasks.plugin.servicer import Servicer
from kf_tasks.provider import adapter
from kf_tasks.provider.preview import of_process
from pulumi.output import Unknown

from .wire import T, run

UNKNOWN: Any = Unknown()  # type: ignore[no-untyped-call]

NUMBERS = st.tuples(st.integers(0, 500), st.integers(0, 500))


def led_by(leader: Counts | None, work: Callable[[list[Counts]], T]) -> T:
    """What five processes do that are led by another one; without a `leader`, by one that knows nothing of counts."""

    async def serve() -> T:
        server = grpc.aio.server()
        if leader:
            server.add_generic_rpc_handlers((leader.handler(),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        others = [Counts() for _ in range(5)]
        for one in others:
            one.at = port
        try:
            return await asyncio.to_thread(work, others)
        finally:
            await server.stop(None)

    return run(serve())


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["shop", "a.b", ""]), NUMBERS), min_size=1))
def test_the_sum_is_of_what_each_has_said_last(said: list[tuple[int, str, Adding]]) -> None:
    leader, last = Counts(), dict[tuple[int, str], Adding]()
    for who, app, own in said:
        last[who, app] = own
        here = [it for (_, of), it in last.items() if of == app]
        assert leader.together(who, "n", app, own) == (sum(it[0] for it in here), sum(it[1] for it in here))


def test_processes_tell_the_one_that_leads() -> None:
    leader = Counts()

    def work(others: list[Counts]) -> list[Adding]:
        return [one.together(who, "n", "shop", (2, 1)) for who, one in enumerate(others, 1)]

    assert leader.together(0, "n", "shop", (1, 0)) == (1, 0) and leader.together(0, "n", "other", (7, 7)) == (7, 7)
    assert led_by(leader, work) == [(3, 1), (5, 2), (7, 3), (9, 4), (11, 5)]
    assert leader.together(0, "n", "shop", (2, 0)) == (12, 5) and leader.together(0, "m", "shop", (2, 0)) == (2, 0)


def test_where_none_answers_the_own_number_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (1, silent.getsockname()[1]):
            led = Counts()
            led.at = port
            assert led.together(0, "n", "shop", (2, 1)) == (2, 1)
    assert led_by(None, lambda others: others[0].together(0, "n", "shop", (2, 1))) == (2, 1)


def test_of_many_at_once_none_is_lost() -> None:
    leader, together = Counts(), threading.Barrier(16)

    def tell(who: int) -> None:
        together.wait()
        for nth in range(50):
            leader.together(who, "n", f"app-{nth}", (1, 1))

    threads = [threading.Thread(target=tell, args=(who,)) for who in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert all(leader.together(99, "n", f"app-{nth}", (0, 0)) == (16, 16) for nth in range(50))


def test_a_process_counts_what_the_others_have_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_process", adapter._Process(plugin=True))
    leader, preview = Counts(), of_process()
    leader.together(-1, "n", "shop", (3, 1))
    decided = {
        Which("s", "n", "shop", "a"): ("", Decision(starts=WILL)),
        Which("s", "n", "shop", "b"): ("", Decision(starts=MAY)),
        Which("s", "n", "other", "c"): ("", Decision(starts=WILL)),
    }
    monkeypatch.setattr(preview, "decided", decided)
    monkeypatch.setattr(preview, "in_all", preview.in_all)

    def work(others: list[Counts]) -> Adding:
        assert Servicer("", counts=others[0]).doors
        assert preview.adding(UNKNOWN, "shop") == (0, 0), "a namespace that is made in this update has no runs"
        return preview.adding("n", "shop")

    assert led_by(leader, work) == (4, 2)
