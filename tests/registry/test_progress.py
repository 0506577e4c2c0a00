"""The status lines of a long reading."""

from __future__ import annotations

import pytest
from kf_tasks.core.source.tree import Reading
from kf_tasks.registry import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_what_is_quick_is_not_mentioned_and_nothing_more_than_twice_a_second(clock: list[float]) -> None:
    said: list[tuple[float, str]] = []

    def say(text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
        assert ephemeral and not warning
        said.append((clock[0], text))

    tell = progress.hashing("app", say)
    for nth in range(16):
        tell(Reading(0, 1000 * nth, 0, 0))
        clock[0] += 0.125
    for nth in range(1, 15):
        tell(Reading(1000 * nth, 100_000, 2**20 * nth, 3 * 2**30))
        clock[0] += 0.125
    assert [when for when, _ in said] == [101.5, 102.0, 102.5, 103.0, 103.5]
    assert said[0][1] == "listing source 'app': 12,000 files"
    assert said[2][1] == "hashing source 'app': 5,000 of 100,000 files, 5 of 3,072 MiB"


def test_what_is_uploaded_is_what_was_read_with_a_bar(clock: list[float]) -> None:
    said: list[str] = []
    sent = []

    def say(text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
        assert ephemeral and not warning
        said.append(text)

    for chunk in progress.uploading([bytes(2**20)] * 4, 4 * 2**20, say):
        sent.append(len(chunk))
        clock[0] += 0.8
    assert sent == [2**20] * 4
    assert said == [
        "uploading [##########..........] 2 of 4 MiB",
        "uploading [###############.....] 3 of 4 MiB",
        "uploading [####################] 4 of 4 MiB",
    ]
