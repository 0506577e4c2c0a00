"""Lines go to the engine, and to nobody where it has been killed."""

from __future__ import annotations

import socket
import sys

import pytest
from kf_tasks.provider import reporting


def test_a_line_that_nobody_is_left_to_read_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    reporting._engine.cache_clear()
    monkeypatch.setattr(sys, "argv", ["provider", address])
    try:
        assert reporting._engine() is not None
        for warning in (False, True):
            reporting.say("urn", "run shop-migrate-1 succeeded", warning=warning)
    finally:
        reporting._engine.cache_clear()
