"""Counts the steps of a computation, where a test is about how they grow: seconds would be those of the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps(work: Callable[[], Any], limit: int = 10_000_000) -> int:
    """How many lines of Python `work` executes; more than `limit` end it with an AssertionError."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        assert count <= limit, f"more than {limit} steps"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
