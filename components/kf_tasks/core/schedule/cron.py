"""Schedules as a Kubernetes CronJob takes them, and when they come.

The CronJob controller reads a schedule with robfig/cron v3.0.1 (`ParseStandard`) and asks it for the
next time (`SpecSchedule.Next`). Both are followed here step by step, oddities included, because what
is shown in a preview must be what happens. Where clocks are put forward a time that does not exist
is left out, where they are put back a time that exists twice comes twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Dict, Iterator, Mapping, Optional, Tuple
from zoneinfo import ZoneInfo

from ..errors import InvalidInput

NEVER = "0 0 30 2 *"  # Kf's stand-in for "no schedule": 30 February
_STAR = 1 << 63
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: Tuple[Tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: nth for nth, name in enumerate(MONTHS, 1)}),
    ("day of the week", 0, 6, {name: nth for nth, name in enumerate(WEEKDAYS)}),
)
_NAMED: Dict[str, str] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
# The characters that the API server takes in each part of a zone's name.
_ZONE_PART = re.compile(r"(?!-)[A-Za-z.\-_0-9+]{1,14}", re.ASCII)
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Schedule:
    """The bits of the five fields, each with its values and, from `*`, the star that decides about days."""

    text: str
    minutes: int
    hours: int
    days: int
    months: int
    weekdays: int

    def on(self, day: int, weekday: int) -> bool:
        """Whether a day is meant; `weekday` counts from Sunday. Two restricted fields: either of them is enough."""
        in_month, in_week = bool(1 << day & self.days), bool(1 << weekday & self.weekdays)
        if (self.days | self.weekdays) & _STAR:
            return in_month and in_week
        return in_month or in_week

    def at(self, moment: datetime) -> bool:
        """Whether a local time is meant."""
        return bool(
            1 << moment.minute & self.minutes
            and 1 << moment.hour & self.hours
            and 1 << moment.month & self.months
            and self.on(moment.day, moment.isoweekday() % 7)
        )


def parse(text: object, what: str) -> Schedule:
    """A schedule from its text; `what` names argument and resource in the error."""
    if not isinstance(text, str) or not text.strip():
        raise InvalidInput(f"{what}: {text!r} is no schedule: write five fields, such as '0 3 * * *', or '@daily'")
    if "TZ" in text:
        rest = text.strip().partition(" ")[2].strip() or "0 3 * * *"
        raise InvalidInput(
            f"{what}: Kubernetes takes no time zone within a schedule ({text!r}): "
            f"write schedule={rest!r} and time_zone={_zone_in(text)!r}"
        )
    if text.startswith("@every"):
        raise InvalidInput(
            f"{what}: {text!r} counts from the start of a program that a CronJob does not have: "
            "write '*/10 * * * *' for every ten minutes, or '0 */2 * * *' for every two hours"
        )
    if text.startswith("@") and text not in _NAMED:
        raise InvalidInput(f"{what}: {text!r} is unknown: use one of {', '.join(_NAMED)}, or five fields")
    parts = _NAMED.get(text, text).split()
    if len(parts) != len(_FIELDS):
        names = ", ".join(name for name, *_ in _FIELDS)
        raise InvalidInput(f"{what}: {text!r} has {len(parts)} fields: write five ({names}), such as '0 3 * * *'")
    return Schedule(text, *(_field(part, *field, what) for part, field in zip(parts, _FIELDS)))


def zone(name: object, what: str) -> ZoneInfo:
    """A time zone by its name, if the API server and the database of time zones know it."""
    parts = name.split("/") if isinstance(name, str) else []
    known = parts and name != "Local" and all(_ZONE_PART.fullmatch(part) and part not in (".", "..") for part in parts)
    try:
        if known:
            return ZoneInfo(str(name))
    except (ValueError, OSError, LookupError):
        pass
    raise InvalidInput(f"{what}: time zone {name!r} is unknown: write one such as 'Europe/Berlin' or 'Etc/UTC'")


def following(schedule: Schedule, place: ZoneInfo, after: int) -> Optional[int]:
    """The next time after `after`, both in seconds since 1970; None if there is none within five years."""
    if not (schedule.minutes and schedule.hours and schedule.months):
        return None  # a field of commas alone, which five years would be searched for
    now = after + 1
    added = False
    limit = _local(now, place).year + 5
    while True:
        here = _local(now, place)
        if here.year > limit:
            return None
        wrapped = False
        while not 1 << here.month & schedule.months and not wrapped:
            now = _seconds(here if added else here.replace(day=1, hour=0, minute=0, second=0), place, months=1)
            here, added = _local(now, place), True
            wrapped = here.month == 1
        while not wrapped and not schedule.on(here.day, here.isoweekday() % 7):
            now = _seconds(here if added else here.replace(hour=0, minute=0, second=0), place, days=1)
            added = True
            hour = _local(now, place).hour
            now += 3600 * (24 - hour if hour > 12 else -hour)  # where midnight does not exist, or comes twice
            here = _local(now, place)
            wrapped = here.day == 1
        while not wrapped and not 1 << here.hour & schedule.hours:
            now = (now if added else _seconds(here.replace(minute=0, second=0), place)) + 3600
            here, added = _local(now, place), True
            wrapped = here.hour == 0
        while not wrapped and not 1 << here.minute & schedule.minutes:
            now = (now if added else now - now % 60) + 60
            here, added = _local(now, place), True
            wrapped = here.minute == 0
        if not wrapped and here.second:
            now += 60 - here.second
            wrapped = True
            added = True
        if not wrapped:
            return now


def times(schedule: Schedule, place: ZoneInfo, after: int) -> Iterator[int]:
    """All times after `after`."""
    moment = following(schedule, place, after)
    while moment is not None:
        yield moment
        moment = following(schedule, place, moment)


def shown(moment: int, place: ZoneInfo) -> str:
    """A time as people read it: `Sun 29 Mar 2026 03:00 CEST`."""
    return datetime.fromtimestamp(moment, place).strftime("%a %-d %b %Y %H:%M %Z")


def _field(text: str, name: str, low: int, high: int, names: Mapping[str, int], what: str) -> int:
    bits = 0
    for part in filter(None, text.split(",")):
        try:
            bits |= _range(part, low, high, names)
        except ValueError as error:
            example = f", or names such as {next(iter(names))!r}" if names else ""
            raise InvalidInput(
                f"{what}: {name} {part!r}: {error}: write {low} to {high}{example}, '1-5', '*/2' or a list of those"
            ) from None
    return bits


def _range(text: str, low: int, high: int, names: Mapping[str, int]) -> int:
    span, *steps = text.split("/")
    begin, *ends = span.split("-")
    star = 0
    if begin in ("*", "?"):
        start, end, star = low, high, _STAR
    else:
        if len(ends) > 1:
            raise ValueError("has too many hyphens")
        start = _number(begin, names)
        end = _number(ends[0], names) if ends else start
    if len(steps) > 1:
        raise ValueError("has too many slashes")
    step = _number(steps[0], {}) if steps else 1
    if steps and not ends:
        end = high
    if start < low or end > high:
        raise ValueError(f"{start if start < low else end} is out of range")
    if start > end:
        raise ValueError(f"{start} comes after {end}")
    if not step:
        raise ValueError("a step of 0 gets nowhere")
    return sum(1 << value for value in range(start, end + 1, step)) | (star if step == 1 else 0)


def _number(text: str, names: Mapping[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not _INTEGER.fullmatch(text) or int(text) < 0:
        raise ValueError(f"{text!r} is no number")
    return int(text)


def _zone_in(text: str) -> str:
    return text.strip().partition(" ")[0].partition("=")[2] or "Europe/Berlin"


def _local(moment: int, place: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment, place)


def _offset(moment: int, place: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(moment, timezone.utc).astimezone(place).utcoffset()
    return int((offset or timedelta()).total_seconds())


def _seconds(local: datetime, place: ZoneInfo, months: int = 0, days: int = 0) -> int:
    """Go's `time.Date`, which finds a time also where the local one does not exist or exists twice."""
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    first = datetime(year, month + 1, 1, local.hour, local.minute, local.second)
    wanted = int((first + timedelta(days=local.day - 1 + days) - _EPOCH).total_seconds())
    offset = _offset(wanted, place)
    return wanted - _offset(wanted - offset, place) if offset else wanted
