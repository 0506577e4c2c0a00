"""How far back the runs that an App keeps will reach, from its schedules and from how often else it has run."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence

from .. import marks, moments, quantities
from ..run.summary import RunSummary
from ..schedule import clock_changes, cron
from ..schedule.clock_changes import DAY
from .policy import Policy

_UNITS = (("a minute", 60), ("an hour", 3600), ("a day", DAY))
_COUNTED = 100_000  # no more runs are counted one by one


@dataclass(frozen=True)
class Timed:
    """What starts a task by itself: a cron schedule, and the time zone that it is meant in."""

    task: str
    schedule: str
    time_zone: str

    @classmethod
    def of(cls, props: Mapping[str, Any]) -> Timed:
        """From a History's input."""
        return cls(props["task"], props["schedule"], props["time_zone"])


@dataclass(frozen=True)
class Forecast:
    """The seconds that the kept runs cover, and the runs a second that this follows from."""

    reach: float
    rate: float

    def __str__(self) -> str:
        return f"{clock_changes.words(int(self.reach))} of history at {often(self.rate)}"

    def of(self, keep: int) -> str:
        """In words, for an App that keeps so many."""
        return f"the newest {'task is' if keep == 1 else f'{keep} tasks are'} {self}"

    def short_of(self, least: str, keep: int) -> str:
        """What is wrong if the kept runs reach back less far than the span of time `least`; empty if they do not."""
        wanted = quantities.age(least, "min_history")
        if self.reach >= wanted:
            return ""
        return f"{self.of(keep)}, less than min_history ({least}): keep={ceil(wanted * self.rate)} would reach that far"


def forecast(policy: Policy, schedules: Sequence[Timed], runs: Iterable[RunSummary], now: int) -> Optional[Forecast]:
    """What `policy` will keep; None where nothing is known to run, or nothing is kept.

    Runs that no schedule starts are expected as often as they came
    until now, counted over a day at least. `now` is in seconds since 1970.
    """
    if not policy.keep:
        return None
    reach = _reach(policy.keep, schedules, _by_hand(policy.keep, runs, now), now)
    if not reach:
        return None
    return Forecast(min(reach, policy.max_age or reach), policy.keep / reach)


def often(rate: float) -> str:
    """Runs a second in words: `one run a minute`, `2.5 runs a day`, `one run every 30 days`."""
    unit, amount = next(((unit, rate * size) for unit, size in _UNITS if rate * size >= 0.95), ("", rate * DAY))
    if not unit:
        return f"one run every {1 / amount:.0f} days"
    shown = f"{amount:.1f}".replace(".0", "") if amount < 10 else f"{amount:.0f}"
    return f"one run {unit}" if shown == "1" else f"{shown} runs {unit}"


def _reach(keep: int, schedules: Sequence[Timed], by_hand: float, now: int) -> Optional[float]:
    """The seconds in which `keep` runs come, with `by_hand` more a second than the schedules start."""
    moments = _merged(schedules, now)
    first = next(moments, now)
    for count, moment in enumerate(moments):
        passed = moment - first
        if count + by_hand * passed >= keep:
            return (keep - count) / by_hand
        come = count + 1 + by_hand * passed
        if come >= keep:
            return passed
        if count >= _COUNTED or passed > clock_changes.LONGEST:
            return passed * keep / come
    return keep / by_hand if by_hand else None


def _merged(schedules: Sequence[Timed], now: int) -> Iterator[int]:
    parsed = [(cron.parse(one.schedule, ""), cron.zone(one.time_zone, "")) for one in schedules]
    return heapq.merge(*(cron.times(times, place, now) for times, place in parsed))


def _by_hand(keep: int, runs: Iterable[RunSummary], now: int) -> float:
    """How many runs a second nobody but people and updates have started, seen from the newest `keep` of all."""
    newest = list(islice(sorted(runs, key=lambda run: run.created, reverse=True), keep))
    if not newest:
        return 0
    by_hand = sum(1 for run in newest if marks.SCHEDULE not in run.labels)
    return by_hand / max(now - moments.epoch(newest[-1].created), DAY)
