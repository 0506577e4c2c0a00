"""Moments as the API has them: RFC 3339 in and out, in UTC and to the second, so that they sort as text."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Optional


def parse(text: str) -> datetime:
    """A moment in RFC 3339, to the microsecond: what is finer (a kubelet's stamps have nanoseconds) is cut off."""
    text = text.replace("Z", "+00:00")
    seconds, zone = text[:-6], text[-6:]
    whole, _, fraction = seconds.partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}{zone}")


def text_of(moment: datetime) -> str:
    """A moment in the form of a creationTimestamp."""
    return moment.astimezone(timezone.utc).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def of_header(date: Optional[str]) -> Optional[str]:
    """When a server answered, by the `Date` header of its answer; None without one, or without sense."""
    try:
        return text_of(parsedate_to_datetime(date)) if date else None
    except (TypeError, ValueError):  # which of them depends on the version of Python
        return None


def now() -> str:
    """The time of this machine, where no cluster tells its own."""
    return text_of(datetime.now(timezone.utc))


def epoch(text: str) -> int:
    """A moment in seconds since 1970."""
    return int(parse(text).timestamp())


def of_epoch(seconds: int) -> str:
    """A moment that is given in seconds since 1970."""
    return text_of(datetime.fromtimestamp(seconds, timezone.utc))


def before(text: str, seconds: int) -> str:
    """The moment so long before another one; empty, which sorts before all of them, before the year 1."""
    try:
        return text_of(parse(text) - timedelta(seconds=seconds))
    except OverflowError:
        return ""


def seconds_between(start: Optional[str], end: Optional[str]) -> Optional[float]:
    """The seconds from one moment to another, 0 for none or less; None where one of them is not known."""
    if not start or not end:
        return None
    return max((parse(end) - parse(start)).total_seconds(), 0.0)
