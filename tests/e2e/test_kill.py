"""Updates that are killed at any moment: never two runs of one definition, never a stuck state."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from .conftest import Stack, kill_group


def _killed_updates(stack: Stack, count: int, seed: int) -> None:
    print(f"seed {seed}")
    moments = random.Random(seed)
    for number in range(1, count + 1):
        stack.task(f"command='echo begun {number}; sleep 1; echo done {number}'", "keep=1000")
        process = stack.start()
        time.sleep(moments.uniform(0.5, 7.0))
        kill_group(process)  # its language host and provider process live on and are left alone
        stack.pulumi("cancel", "--yes").ok()
        stack.up().ok()
        assert stack.outputs()["log"] == f"begun {number}\ndone {number}\n", f"seed {seed}, update {number}"
        keys = Counter(run["metadata"]["labels"]["kf.dev/key"] for run in stack.runs())
        assert len(keys) == number and set(keys.values()) == {1}, f"seed {seed}, update {number}: {keys}"
    stack.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates").ok()
    stack.up("--expect-no-changes").ok()


def test_a_few_killed_updates(stack: Stack) -> None:
    _killed_updates(stack, 4, seed=time.time_ns() % 100_000)


@pytest.mark.soak
def test_two_hundred_killed_updates(stack: Stack) -> None:
    _killed_updates(stack, 200, seed=time.time_ns() % 100_000)
