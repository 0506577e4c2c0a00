"""How far back the kept runs reach: counted from schedules, expected from what ran until now."""

from __future__ import annotations

import pytest
from kf_tasks.core.retention.forecast import Timed, forecast, often
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run.summary import RunSummary

NOW = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400


def every(text: str, time_zone: str = "Etc/UTC") -> Timed:
    return Timed("report", text, time_zone)


def run(day: int, hour: int = 0, **labels: str) -> RunSummary:
    marks = {f"kf.dev/{key}": value for key, value in labels.items()}
    return RunSummary(f"r{day}-{hour}", "u", f"2025-12-{day:02}T{hour:02}:00:00Z", True, marks)


@pytest.mark.parametrize(
    ("keep", "schedules", "said"),
    [
        (500, ["* * * * *"], "8 hours 20 minutes of history at one run a minute"),
        (3, ["0 3 * * *"], "3 days of history at one run a day"),
        (500, ["0 3 * * *", "0 4 * * *"], "8 months 10 days of history at 2 runs a day"),
        (500, ["*/10 * * * *", "* * * * *"], "7 hours 35 minutes of history at 1.1 runs a minute"),
        (10, ["0 0 1 * *"], "10 months 3 days of history at one run every 30 days"),
        (500, ["0 0 1 1 *"], "more than 20 years of history at one run every 365 days"),
    ],
)
def test_schedules_are_counted(keep: int, schedules: list[str], said: str) -> None:
    assert str(forecast(Policy(keep), [every(text) for text in schedules], [], NOW)) == said


def test_what_ran_by_hand_is_expected_to_go_on() -> None:
    runs = [run(day, hour) for day in range(22, 32) for hour in (0, 12)]
    assert str(forecast(Policy(100), [], runs, NOW)) == "1 month 20 days of history at 2 runs a day"
    both = forecast(Policy(100), [every("0 0 * * *"), every("0 12 * * *")], runs, NOW)
    assert str(both) == "25 days of history at 4 runs a day"
    newest = [*runs, run(1)]
    assert forecast(Policy(20), [], newest, NOW) == forecast(Policy(20), [], runs, NOW), "a pinned one is no measure"


def test_runs_of_a_schedule_are_not_counted_twice() -> None:
    runs = [run(day, schedule="nightly") for day in range(22, 32)]
    assert str(forecast(Policy(10), [every("0 0 * * *")], runs, NOW)) == "10 days of history at one run a day"
    assert forecast(Policy(10), [], runs, NOW) is None, "a schedule that is gone starts nothing"


def test_a_burst_is_no_rate() -> None:
    runs = [run(31, 23), RunSummary("r", "u", "2025-12-31T23:59:00Z", True)]
    assert str(forecast(Policy(10), [], runs, NOW)) == "5 days of history at 2 runs a day"


def test_nothing_is_said_of_nothing() -> None:
    assert forecast(Policy(10), [], [], NOW) is None
    assert forecast(Policy(0), [every("* * * * *")], [], NOW) is None


@pytest.mark.no_cover
def test_many_are_not_counted_one_by_one() -> None:
    found = forecast(Policy(2_000_000), [every("* * * * *")], [], NOW)
    assert found and found.reach == pytest.approx(2_000_000 * 60, rel=0.001)


def test_age_ends_history_too() -> None:
    found = forecast(Policy(500, max_age=3600), [every("* * * * *")], [], NOW)
    assert str(found) == "1 hour of history at one run a minute"


def test_what_would_reach_far_enough_is_named() -> None:
    found = forecast(Policy(500), [every("* * * * *")], [], NOW)
    assert found and found.short_of("8h", 500) == ""
    assert found.short_of("7d", 500) == (
        "the newest 500 tasks are 8 hours 20 minutes of history at one run a minute, less than min_history (7d): "
        "keep=10080 would reach that far"
    )
    enough = forecast(Policy(10080), [every("* * * * *")], [], NOW)
    assert enough and enough.short_of("7d", 10080) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(60, "one run a minute"), (6, "10 runs a minute"), (0.001, "60000 runs a minute"), (1440, "2.5 runs an hour"),
     (3600, "one run an hour"), (90_000, "one run a day"), (30 * DAY, "one run every 30 days")],
)  # fmt: skip
def test_rates_in_words(seconds: float, said: str) -> None:
    assert often(1 / seconds) == said
