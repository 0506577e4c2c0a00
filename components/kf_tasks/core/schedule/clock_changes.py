"""What clock changes and retention mean for a schedule, for the lines of a preview."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import List
from zoneinfo import ZoneInfo

from .cron import Schedule, shown, times

DAY = 86_400
YEAR = 366 * DAY
_EVERY_HOUR = (1 << 24) - 1
LONGEST = 20 * YEAR
_EPOCH = datetime(1970, 1, 1)
_UNITS = (("year", 365 * DAY), ("month", 30 * DAY), ("day", DAY), ("hour", 3600), ("minute", 60))


@dataclass(frozen=True)
class Change:
    """A clock change: the first moment after it, and the seconds that clocks are put forward (back: negative)."""

    moment: int
    forward: int


def changes(place: ZoneInfo, first: int, last: int) -> List[Change]:
    """The clock changes of a zone between two moments."""
    found = []
    for begin in range(first, last, DAY):
        low, high = begin, min(begin + DAY, last)
        before, after = _offset(low, place), _offset(high, place)
        if before == after:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(middle, place) == before else (low, middle)
        found.append(Change(high, after - before))
    return found


def warnings(schedule: Schedule, place: ZoneInfo, now: int) -> List[str]:
    """The times within a year that clocks skip or repeat; a schedule for every hour has none that anybody misses."""
    if schedule.hours & _EVERY_HOUR == _EVERY_HOUR:
        return []
    said = []
    for change in changes(place, now, now + YEAR):
        wall = _EPOCH + timedelta(seconds=change.moment + _offset(change.moment, place))
        start = wall - timedelta(seconds=max(change.forward, 0))
        minutes = [start + timedelta(minutes=nth) for nth in range(abs(change.forward) // 60)]
        hit = [minute for minute in minutes if schedule.at(minute)]
        if hit:
            said.append(_sentence(hit, change.forward > 0))
    return said


def upcoming(schedule: Schedule, place: ZoneInfo, now: int, count: int = 3) -> str:
    """The next times in one line."""
    return ", ".join(shown(moment, place) for moment in islice(times(schedule, place, now), count)) or "never"


def reach(schedule: Schedule, place: ZoneInfo, now: int, keep: int) -> str:
    """How far back `keep` runs of this schedule go, in at most two units."""
    moments = times(schedule, place, now)
    first = last = next(moments, now)
    for last in islice(moments, keep):
        if last - first > LONGEST:
            break
    return words(last - first)


def words(seconds: int) -> str:
    """A span of time in at most two units: `8 hours 20 minutes`."""
    if seconds > LONGEST:
        return "more than 20 years"
    rest = seconds
    found: List[str] = []
    largest = next((nth for nth, (_, size) in enumerate(_UNITS) if rest >= size), len(_UNITS) - 1)
    for name, size in _UNITS[largest : largest + 2]:
        amount, rest = divmod(rest, size)
        if amount or not found:
            found.append(f"{amount} {name}{'' if amount == 1 else 's'}")
    return " ".join(found)


def _sentence(hit: List[datetime], skipped: bool) -> str:
    clock = ", ".join(minute.strftime("%H:%M") for minute in hit[:4])
    clock += f" and {len(hit) - 4} more" if len(hit) > 4 else ""
    day = hit[0].strftime("%-d %b %Y")
    if skipped:
        return f"{clock} {'does' if len(hit) == 1 else 'do'} not exist on {day}: no run"
    return f"{clock} {'comes' if len(hit) == 1 else 'come'} twice on {day}: two runs{'' if len(hit) == 1 else ' each'}"


def _offset(moment: int, place: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(moment, place).utcoffset()
    return int((offset or timedelta()).total_seconds())
