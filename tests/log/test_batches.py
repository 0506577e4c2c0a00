"""A fast stream arrives in fewer pieces, a slow one without delay, and an error after all that came before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from kf_tasks.errors import Unreachable
from kf_tasks.log import batches
from kf_tasks.log.batches import AHEAD_BYTES, batched


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is."""
    monkeypatch.setattr(batches, "SLOW_SECONDS", float("inf"))


def test_what_came_meanwhile_is_joined() -> None:
    written = threading.Event()

    def stream() -> Iterator[bytes]:
        for number in range(1000):
            yield b"%d\n" % number
        written.set()

    pieces = []
    for piece in batched(stream()):
        pieces.append(piece)
        assert written.wait(60)
    assert b"".join(pieces) == b"".join(b"%d\n" % number for number in range(1000))
    assert len(pieces) < 5


def test_nothing_waits_for_what_comes_later() -> None:
    more = threading.Event()

    def stream() -> Iterator[bytes]:
        yield b"first"
        assert more.wait(60)
        yield b"second"

    pieces = batched(stream())
    assert next(pieces) == b"first"
    more.set()
    assert list(pieces) == [b"second"]


def test_an_error_comes_last() -> None:
    def stream() -> Iterator[bytes]:
        yield b"first"
        raise Unreachable("broken off")

    pieces = batched(stream())
    assert next(pieces) == b"first"
    with pytest.raises(Unreachable):
        next(pieces)


def test_no_more_is_read_ahead_than_allowed_and_the_stream_is_let_go() -> None:
    read, closed = [], threading.Event()

    def stream() -> Iterator[bytes]:
        try:
            while True:
                read.append(1)
                yield b"x" * 65536
        finally:
            closed.set()

    pieces = batched(stream())
    next(pieces)
    time.sleep(0.3)
    assert len(read) * 65536 <= 3 * AHEAD_BYTES
    pieces.close()  # type: ignore[attr-defined]
    assert closed.wait(60)


def test_a_log_that_rests_needs_no_thread_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(batches, "SLOW_SECONDS", 0.5)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    closed = threading.Event()

    def stream() -> Iterator[bytes]:
        try:
            for number in range(50):
                clock[0] += 1
                yield b"%d\n" % number
        finally:
            closed.set()

    before, pieces = set(threading.enumerate()), batched(stream())
    assert [next(pieces) for _ in range(40)] == [b"%d\n" % number for number in range(40)]
    assert set(threading.enumerate()) <= before
    pieces.close()  # type: ignore[attr-defined]
    assert closed.is_set()
