"""The times of schedules as a review has them: next ones, those of a week, clock changes; what is no schedule has none.

Whatever stands in a saved preview may be wrong or of another version, so nothing here raises.
"""

from __future__ import annotations

from itertools import islice, takewhile

from .. import moments
from ..errors import InvalidInput
from ..schedule import clock_changes as clocks
from ..schedule import cron
from .model import Times

WEEK = 7 * clocks.DAY
NEXT = 3
MOST = 2000  # times of one schedule are looked at, more than one every five minutes of a week


def times(schedule: str, time_zone: str, at: str, seconds: int = WEEK, most: int = MOST) -> list[int]:
    """The times from `at` (RFC 3339) on, for so many seconds, in seconds since 1970; none without a schedule."""
    try:
        begin = moments.epoch(at)
        parsed, place = cron.parse(schedule, ""), cron.zone(time_zone, "")
    except (InvalidInput, ValueError, OverflowError):
        return []
    following = cron.times(parsed, place, begin)
    return list(islice(takewhile(lambda moment: moment <= begin + seconds, following), most))


def upcoming(schedule: str, time_zone: str, at: str) -> tuple[str, ...]:
    """The next times, within twenty years."""
    return tuple(moments.of_epoch(moment) for moment in times(schedule, time_zone, at, clocks.LONGEST, NEXT))


def clock_changes(of: Times, at: str) -> tuple[str, ...]:
    """The times of the year to come that clocks skip or repeat, in sentences."""
    if of.suspended:
        return ()
    try:
        parsed, place = cron.parse(of.schedule, ""), cron.zone(of.time_zone, "")
        return tuple(clocks.warnings(parsed, place, moments.epoch(at)))
    except (InvalidInput, ValueError, OverflowError):
        return ()


def local(moment: str, time_zone: str) -> str:
    """A moment as people of a zone read it; as it is where the zone is unknown."""
    try:
        return cron.shown(moments.epoch(moment), cron.zone(time_zone, ""))
    except (InvalidInput, ValueError, OverflowError):
        return moment
