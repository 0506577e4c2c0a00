"""The newest `keep` stay; an unfinished run always stays."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from components.core.retention import DEFAULT_KEEP, RunSummary, describe, plan


def run(name: str, created: int, finished: bool = True) -> RunSummary:
    return RunSummary(name, f"uid-{name}", f"2026-01-01T00:{created // 60:02}:{created % 60:02}Z", finished)


def names(runs: list[RunSummary]) -> list[str]:
    return [entry.name for entry in runs]


def test_an_unfinished_run_stays_and_takes_no_place_twice() -> None:
    runs = [run("r1", 1, finished=False), *(run(f"f{nth}", nth) for nth in range(2, 6))]
    assert names(plan(runs, keep=3)) == ["f2"]


def test_five_hundred_stay_of_five_hundred_and_one() -> None:
    assert DEFAULT_KEEP == 500
    runs = [run(f"f{nth:03}", nth) for nth in range(500)]
    assert plan(runs) == []
    assert names(plan([*runs, run("new", 600)])) == ["f000"]


def test_room_is_made_for_runs_that_are_added() -> None:
    runs = [run(f"f{nth}", nth) for nth in range(4)]
    assert names(plan(runs, keep=4, adding=2)) == ["f0", "f1"]
    assert names(plan(runs, keep=1, adding=5)) == ["f0", "f1", "f2", "f3"]
    assert names(plan(runs, keep=0)) == ["f0", "f1", "f2", "f3"]
    assert plan([], keep=0, adding=3) == []


def test_ties_are_decided_by_name() -> None:
    runs = [run(name, 1) for name in "cab"]
    assert names(plan(runs, keep=1)) == ["c", "b"]
    assert names(plan(reversed(runs), keep=1)) == ["c", "b"]


summaries = st.lists(
    st.builds(run, st.text("abc", min_size=1, max_size=3), st.integers(0, 20), st.booleans()),
    unique_by=lambda r: r.name,
)


@given(runs=summaries, keep=st.integers(0, 8), adding=st.integers(0, 3), shuffled=st.randoms())
def test_whoever_plans_plans_the_same(runs: list[RunSummary], keep: int, adding: int, shuffled) -> None:
    expired = plan(runs, keep, adding)
    other = list(runs)
    shuffled.shuffle(other)
    assert plan(other, keep, adding) == expired
    assert all(entry.finished for entry in expired)
    assert [entry.created for entry in expired] == sorted(entry.created for entry in expired)
    stays = [entry for entry in runs if entry not in expired]
    assert len(stays) >= min(keep - adding, len(runs))
    finished_that_stay = [entry.created for entry in stays if entry.finished]
    assert not expired or not finished_that_stay or expired[-1].created <= min(finished_that_stay)
    assert len(finished_that_stay) <= max(keep - adding, 0)
    assert plan(stays, max(keep - adding, 0)) == []


def test_the_line_names_ten_and_counts_the_rest() -> None:
    expired = [run(f"f{nth:02}", nth) for nth in range(12)]
    assert describe(expired[:2], 505) == "will delete 2 of 505: f00, f01"
    assert describe(expired, 20) == (
        "will delete 12 of 20: f00, f01, f02, f03, f04, f05, f06, f07, f08, f09 and 2 more"
    )
