"""The plan of outages: whatever the seed, everything is back in the end."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from .outages import AT_ONCE, Outage, events, outages

LONGEST = {"apiserver": 60.0, "kubelet": 90.0, "registry": 120.0, "webhook": 60.0, "archive": 120.0}


@given(seed=st.integers(0, 10**6), seconds=st.floats(600, 7200), pause=st.floats(5, 60))
def test_outages_are_bounded_and_come_to_an_end(seed: int, seconds: float, pause: float) -> None:
    plan = outages(seed, seconds, LONGEST, pause)
    assert plan == outages(seed, seconds, LONGEST, pause) == sorted(plan)
    away: set[str] = set()
    for when, what, part in events(plan):
        assert 0 < when < seconds * 0.95
        assert (part in away) == (what == "start")
        away ^= {part}
        assert len(away) <= AT_ONCE
    assert away == set()
    for part, longest in LONGEST.items():
        own = [one for one in plan if one.part == part]
        assert all(0.09 * longest < one.ends - one.begins <= 1.01 * longest for one in own)
        assert all(other.begins - one.ends >= pause * 0.99 for one, other in pairwise(own))


def test_an_hour_has_every_part_away_many_times() -> None:
    for seed in range(20):
        parts = [one.part for one in outages(seed, 3600, LONGEST, 30)]
        assert all(parts.count(part) >= 5 for part in LONGEST), parts


def test_what_ends_and_what_begins_come_in_the_order_of_time() -> None:
    assert events([Outage(1, 5, "a"), Outage(2, 3, "b")]) == [
        (1, "stop", "a"), (2, "stop", "b"), (3, "start", "b"), (5, "start", "a"),
    ]  # fmt: skip
