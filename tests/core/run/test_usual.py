"""How long a task usually takes is told of its newest successes, wherever their times are known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.core.run.usual import lasting, usual

from ...runs.test_submission import run


def took(number: int, seconds: int, succeeded: str = "True") -> RunSummary:
    finished = f"2026-11-25T00:{seconds // 60:02}:{seconds % 60:02}Z"
    made = run(number, succeeded, created=f"2026-11-{number:02}T00:00:00Z")
    return replace(made, started_at="2026-11-25T00:00:00Z", finished_at=finished)


def test_the_newest_successes_count() -> None:
    runs = [took(number, seconds) for number, seconds in enumerate([999, 999, *range(110, 131, 2)], start=1)]
    assert usual(runs) == 121.0
    assert usual([*runs, took(20, 3000, "False")]) == 121.0


def test_nothing_is_usual_of_what_has_never_run() -> None:
    assert usual([]) is usual([run(1)]) is usual([took(1, 5, "Unknown")]) is None


@pytest.mark.parametrize(
    ("elapsed", "usually", "words"),
    [(192.9, 120.4, "3m12s, usually 2m"), (0.2, None, "0s"), (3600.0, 0.1, "1h, usually 1s")],
)
def test_the_words(elapsed: float, usually: float | None, words: str) -> None:
    assert lasting(elapsed, usually) == words
